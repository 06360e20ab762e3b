/* message.h - the message of one POST: what JSON-RPC and the era of the client ask of it. HTTP threads. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "http/http.h"
#include "mcp/era.h"

struct mcp_message {
	json_t *tree;	  /* owned */
	const json_t *id; /* a text or an integer; NULL: a notification */
	const char *method;
	const json_t *params; /* an object, or NULL */
	const json_t *meta;   /* an object, or NULL */
	enum mcp_era era;
};

/* Reads the body and checks it, with what the headers say of its version. False: an error was sent. mcp_message_close() it in either case. */
bool mcp_message_read(struct http_request *request, struct mcp_message *message);
void mcp_message_close(struct mcp_message *message);

/* Sends an error with the message's id. Returns false, for the caller to return. `data` is taken, or NULL. */
__attribute__((format(printf, 6, 7))) bool mcp_message_refuse(struct http_request *request, const struct mcp_message *message,
	int status, int code, json_t *data, const char *format, ...);
