/* stream.c - a request's socket, and answers that go on. HTTP threads; the stream is the caller's, on its stack.
 *
 * With civetweb's write a client that left is only noticed by the second one after it, and a client that takes a byte now and then holds a
 * thread for hours. So the socket is used itself (tap.c; the host speaks no TLS, so nothing lies between the socket and the bytes). */
#include "http/stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/limits.h"
#include "gate/mask_known.h"
#include "http/internal.h"

#define STREAM_HEAD_BYTES 4096
#define EVENT_FRAME_BYTES 256 /* of an event, around its data */
#define ROOM_POLL_MS 500

int http_socket(const struct http_request *request)
{
	return ((const struct http_exchange *)request)->worker->socket;
}

/* A client that ends its side has left: none has a reason to do so and go on reading. What else it sends is not read. */
bool http_client_left(int socket)
{
	char byte;
	ssize_t came = socket != -1 ? recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) : 0;

	return came == 0 || (came == -1 && errno != EAGAIN && errno != EINTR);
}

bool http_is_short(const struct http_request *request)
{
	return server_is_short(((const struct http_exchange *)request)->server);
}

static const char *owner_of(const struct config_api_key *key)
{
	return key != NULL && key->sees_own ? key->name : "";
}

bool http_stream_begin(struct http_request *request, struct http_stream *stream, const char *content_type, const char *headers)
{
	struct http_exchange *x = (struct http_exchange *)request;
	struct buffer *out = &x->worker->out;

	if (reply_capture(x, &(struct http_reply){ .status = 500 }))
		return false;
	*stream = (struct http_stream){ .request = request, .socket = x->worker->socket };
	x->close = true;
	out->maximum = STREAM_HEAD_BYTES;
	reply_write_stream_head(x, content_type, headers);
	if (out->failed)
		return reply_refuse(x, 503, "Retry-After: 1\r\n", "out of memory");
	x->status = 200;
	request->streamed = true;
	stream->generation = request->view->generation;
	stream->session = request->session_expires != 0;
	snprintf(stream->own, sizeof stream->own, "%s", owner_of(request->api_key));
	gate_release(x->server->gate, request->view);
	request->view = NULL;
	request->api_key = NULL;
	return http_stream_write(stream, out->data, out->length, LIMIT_STREAM_WRITE_MS) && !x->head_only;
}

/* For a while: the caller tries again. False when it is too late, or the host stops: the client will resume with the next one. */
static bool stream_await_room(const struct http_stream *stream, int64_t deadline_ns)
{
	struct http_server *server = ((struct http_exchange *)stream->request)->server;
	struct pollfd wanted = { .fd = stream->socket, .events = POLLOUT };
	int64_t left = (deadline_ns - clock_monotonic_ns()) / 1000000;

	if (left <= 0 || atomic_load_explicit(&server->draining, memory_order_relaxed))
		return false;
	return poll(&wanted, 1, left < ROOM_POLL_MS ? (int)left : ROOM_POLL_MS) >= 0 || errno == EINTR;
}

bool http_stream_write(struct http_stream *stream, const void *bytes, size_t length, int timeout_ms)
{
	int64_t deadline = clock_monotonic_ns() + timeout_ms * 1000000LL;
	const char *at = bytes;
	ssize_t sent;

	while (length > 0 && !stream->gone) {
		sent = send(stream->socket, at, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			at += sent;
			length -= (size_t)sent;
		} else if (sent == -1 && errno != EAGAIN && errno != EINTR) {
			stream->gone = true;
		}
		if (length > 0 && !stream->gone && !stream_await_room(stream, deadline))
			stream->gone = true;
	}
	if (stream->gone)
		((struct http_exchange *)stream->request)->lost = true;
	return !stream->gone;
}

size_t http_stream_push(void *context, const struct iovec *parts, int count)
{
	struct http_stream *stream = context;
	struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count };
	ssize_t sent = stream->gone ? 0 : sendmsg(stream->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent > 0 ? (size_t)sent : 0; /* an error is for the stream's own thread to find */
}

bool http_stream_gone(struct http_stream *stream)
{
	stream->gone = stream->gone || http_client_left(stream->socket);
	return stream->gone;
}

/* What it was let in to see may not be what the key sees now. */
static const char *role_refusal(const struct http_stream *stream, const struct config_api_key *key)
{
	if (key != NULL && (key->may & ROLE_READ) == 0)
		return "this API key has no longer the role read";
	return strcmp(owner_of(key), stream->own) != 0 ? "what this API key sees has changed" : NULL;
}

/* By the headers that it came with: they stay in civetweb's buffer for as long as nothing else is read. */
const char *http_stream_refusal(struct http_stream *stream)
{
	const struct http_exchange *x = (const struct http_exchange *)stream->request;
	const struct gate_view *view = gate_acquire(x->server->gate);
	struct auth_caller caller;
	const char *refusal = NULL;

	if (view->generation != stream->generation || stream->session) {
		refusal = auth_refusal(x, &view->config->server, &caller);
		if (refusal == NULL)
			refusal = role_refusal(stream, caller.key);
		else if (stream->session)
			refusal = "the session has ended";
	}
	stream->generation = view->generation;
	gate_release(x->server->gate, view);
	return refusal;
}

const char *http_stream_enter(struct http_stream *stream)
{
	struct http_exchange *x = (struct http_exchange *)stream->request;
	const struct gate_view *view = gate_acquire(x->server->gate);
	struct auth_caller caller;
	const char *refusal = auth_refusal(x, &view->config->server, &caller);

	if (refusal == NULL)
		refusal = role_refusal(stream, caller.key);
	if (refusal != NULL) {
		gate_release(x->server->gate, view);
		return refusal;
	}
	x->request.view = view;
	x->request.api_key = caller.key;
	return NULL;
}

void http_stream_leave(struct http_stream *stream)
{
	struct http_exchange *x = (struct http_exchange *)stream->request;

	gate_release(x->server->gate, x->request.view);
	x->request.view = NULL;
	x->request.api_key = NULL;
}

/* The same last look as http_send() takes. */
static enum mask_outcome mask_event(const struct http_stream *stream, const char *json, size_t length, struct buffer *masked)
{
	struct http_server *server = ((struct http_exchange *)stream->request)->server;
	const struct gate_view *view = gate_acquire(server->gate);
	const struct mask_known known = { .index = view->known };
	enum mask_outcome outcome = mask_known_text(&known, true, json, length, masked);

	gate_release(server->gate, view);
	return outcome;
}

bool http_stream_event(struct http_stream *stream, const char *type, const char *json, size_t length, int timeout_ms)
{
	struct buffer masked, out;
	enum mask_outcome outcome;

	buffer_init(&masked, 2 * length + 64);
	outcome = mask_event(stream, json, length, &masked);
	buffer_init(&out, 2 * length + EVENT_FRAME_BYTES);
	buffer_text(&out, "event: ");
	buffer_text(&out, type);
	buffer_text(&out, "\ndata: ");
	if (outcome == MASK_MASKED)
		buffer_append(&out, masked.data, masked.length);
	else
		buffer_append(&out, json, length);
	buffer_text(&out, "\n\n");
	if (outcome == MASK_STARVED || out.failed)
		stream->gone = true; /* half of it would be worse than nothing */
	else
		http_stream_write(stream, out.data, out.length, timeout_ms);
	buffer_free(&masked);
	buffer_free(&out);
	return !stream->gone;
}
