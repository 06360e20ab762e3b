/* request_state.h - what a client brings back with its user's answer: which question it is the answer to, marked so that only this home can have made it.
 *
 * The mark (HMAC-SHA256, with a key derived from that of sessions) is over the API key, the quote, the amount, the question's number and its time. It is
 * stored nowhere; that it counts only once is the registry's to see (registry/quote.h, QUOTE_YES). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mcp/tool.h"

struct mcp_question {
	struct id quote;
	int64_t amount; /* micro-dollars: what was asked for */
	int64_t number; /* random, above 0 */
	int64_t expires_ms;
};

#define MCP_STATE_BYTES 160

/* Gives the question a number and a time, and writes its state. False: there is no key to mark it with. */
bool mcp_state_make(const struct mcp_call *call, struct mcp_question *question, char state[MCP_STATE_BYTES]);

/* Was this state made here, for this API key, and is its time not over? Compares in constant time. */
bool mcp_state_read(const struct mcp_call *call, const char *state, struct mcp_question *question);
