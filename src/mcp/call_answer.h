/* call_answer.h - answers to any request of MCP, as JSON or as the end of its stream. HTTP threads. */
#pragma once

#include <jansson.h>

#include "mcp/tool.h"

/* A result, an object; taken. The modern era's resultType and serverInfo are added. */
void mcp_answer(struct mcp_call *call, json_t *result);

/* Notes in a result how long the client may keep it, for itself; of the modern era only. */
void mcp_set_cache(const struct mcp_call *call, json_t *result, int ttl_ms);

/* Of a list that has one page: whoever asks for another has a cursor of somebody else's. False: that was told. */
bool mcp_no_cursor(struct mcp_call *call);

/* {"name":"providerd",...} */
json_t *mcp_server_info(void);

/* An answer of another HTTP status than 200 to a request that was not begun. As mcp_call_error() otherwise. */
void mcp_answer_error(struct mcp_call *call, int status, int code, json_t *data, const char *message);

/* ---- call_progress.c: of a stream ---- */

/* The answer is a stream from now on. False: the client is gone. */
bool mcp_stream_begin(struct mcp_call *call);

/* Sends one message. False: the client is gone. */
bool mcp_stream_send(struct mcp_call *call, const struct buffer *message);
