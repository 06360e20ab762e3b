/* bridge_call.h - one request of `providerd mcp`, from its line to its answer's. The command's only thread. */
#pragma once

#include <stdbool.h>

#include "cli/bridge_message.h"
#include "net/curl.h"

/* What all requests have in common. */
struct bridge_host {
	const char *base;
	char *key_header; /* or NULL */
	char version[16]; /* of the legacy era, as the host has answered; "": not yet */
	CURLM *multi;
};

struct bridge_call;

/* Sends a message with `line` as its body. NULL: it could not, and that was told. */
struct bridge_call *bridge_call_begin(
	struct bridge_host *host, const struct bridge_message *message, const char *line, size_t length);

/* What curl says has ended: writes the answer, or why there is none. */
void bridge_call_end(struct bridge_call *call, CURLcode code);

/* Ends the connection, if it is still there: the host notices. Nothing more is written. */
void bridge_call_free(struct bridge_call *call);

/* Whose is this handle? */
struct bridge_call *bridge_call_of(CURL *curl);

bool bridge_call_has_id(const struct bridge_call *call, const json_t *id);
bool bridge_call_streams(const struct bridge_call *call);
