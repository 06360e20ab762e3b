/* filled.h - answers that are JSON around files: each file's bytes go into a string of it as base64, in pieces. A picture of 10 MB is never in memory,
 * neither as it is nor as text.
 *
 * Where a file goes the text has a hole: a tab, and behind it an empty string. JSON that the host writes has no other tabs. */
#pragma once

#include "http/http.h"
#include "http/stream.h"

#define HTTP_HOLE "\t\"\""

/* What goes into a hole; the holes are filled in their order. */
struct http_filling {
	const char *bytes; /* or NULL: those of the file */
	int descriptor;	   /* stays the caller's */
	int64_t length;	   /* of either */
};

/* http_send() of a body with as many holes as there are fillings. A file that turns out shorter than it was said to be, or cannot be read, ends in a
 * reset: nobody takes half of a picture for a whole one. */
void http_send_filled(
	struct http_request *request, const struct http_reply *reply, const struct http_filling *fillings, int count);

/* The same as a piece of a stream: `before`, the JSON text, `after`. False: the client is gone, or was reset. */
bool http_stream_filled(struct http_stream *stream, const char *before, const struct buffer *json, const char *after,
	const struct http_filling *fillings, int count);
