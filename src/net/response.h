/* response.h - what came back for a request. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "gate/gate.h"
#include "net/destination.h"

struct response {
	bool failed; /* no answer: `kind` and `message` say why */
	char kind
		[16]; /* resolve, connect, tls, blocked: nothing was sent; too_large, timeout, transport: something may have been */
	char message[200];
	int status;
	struct buffer headers; /* "name\0value\0" after each other; names in lower case */
	int header_count;
	struct buffer body;
};

void response_init(struct response *response);
void response_clear(struct response *response);

/* Did the vendor say "not now", so that it has taken nothing: 425, 429 or 503? */
bool response_puts_off(const struct response *response);

/* Takes a line of the answer's head as it came: "Name: value\r\n". A status line begins the head anew (100 Continue before the answer). The first
 * LIMIT_RESPONSE_HEADERS lines, of together LIMIT_RESPONSE_HEAD_BYTES, are kept, and what comes after them is left out: an answer that was paid
 * for is not lost for its head. False: out of memory. */
bool response_add_line(struct response *response, const char *line, size_t length);

/* Did the request fail before a byte of it could leave this machine? */
bool response_was_never_sent(const struct response *response);

/* The first header of this name (in lower case), or NULL. */
const char *response_header(const struct response *response, const char *name);

/* Vendors that are reached through one address (live.upstream) name their URLs by it: in headers and body they become the vendors' own
 * again, so that no script needs to know. Does nothing without such an address. Out of memory makes it a failure. */
void response_restore(struct response *response, const struct destination_detour *detour);

/* Masks what the host knows as a secret (gate/mask_known.h), in names and values of headers and in the body, so that no script ever gets one: a
 * vendor may echo what it was sent. A credential of `subject` within an id or a URL becomes a reference that can be sent back (mask_known_fill()).
 * `token`: one more secret, or NULL. What is no text keeps its length. Out of memory makes it a failure. */
void response_mask(
	struct response *response, const struct gate_view *view, const struct gate_subject *subject, const char *token);

/* There was no answer. */
void response_fail(struct response *response, const char *kind, const char *message);
