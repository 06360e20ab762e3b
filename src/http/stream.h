/* stream.h - an answer that goes on: its head at once, its body piece by piece, until the handler or the client ends it.
 *
 * A stream holds its HTTP thread for as long as it lasts, so whoever offers one counts them. On that thread, but for http_stream_push().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "http/http.h"

struct http_stream {
	struct http_request *request;
	int socket;
	bool gone;	     /* the client has left, or took too long */
	uint64_t generation; /* of the view that it was let in by */
	bool session;	     /* it was let in by one, which may end while no file changes */
	char own[65];	     /* the name of its key, if that sees its own jobs only; else "" */
};

/* Sends the head of a 200; the connection will end with the stream. The request's view and key are given back: whoever needs them later copies
 * before. `headers` as in http_reply, or NULL. False when there is nothing to go on with: HEAD, or the client is gone. */
bool http_stream_begin(struct http_request *request, struct http_stream *stream, const char *content_type, const char *headers);

/* Waits at most `timeout_ms` for the client to take all. False: it is gone, or too slow, and nothing further can be sent. */
bool http_stream_write(struct http_stream *stream, const void *bytes, size_t length, int timeout_ms);

/* Writes what the client takes at once; returns how many bytes. For another thread too, while the stream's own does nothing with it. `stream` is a
 * struct http_stream. */
size_t http_stream_push(void *stream, const struct iovec *parts, int count);

/* Looks whether the client is gone, without waiting. */
bool http_stream_gone(struct http_stream *stream);

/* Why the configuration in force would not let the client in any more, as a static text, or NULL. Costs next to nothing while that is the one of
 * the last look. */
const char *http_stream_refusal(struct http_stream *stream);

/* Writes one event of a text/event-stream: its type, and its data, which is JSON text without a line break. What is a secret of the host's is masked in it.
 * Else as http_stream_write(). */
bool http_stream_event(struct http_stream *stream, const char *type, const char *json, size_t length, int timeout_ms);

/* Gives the request a view and its key again, as they are now, so that the host can be asked something for it. Why not, as a static text: then there is
 * nothing to be given back; or NULL. */
const char *http_stream_enter(struct http_stream *stream);
void http_stream_leave(struct http_stream *stream);
