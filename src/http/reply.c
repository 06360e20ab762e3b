/* reply.c - answers: head and body in one buffer and one write: one for each header would halve the throughput.
 *
 * Runs on HTTP threads, in the thread's buffer. A body too large for that is not copied: it follows its head. A client that
 * does not take an answer in time is left. Sends one answer per request; a second one is a bug, logged and not sent. */
#include "http/internal.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "gate/mask.h"
#include "gate/mask_known.h"

#define REPLY_HEAD_BYTES 8192 /* beyond the body; the handler's own headers included */
#define DETAIL_BYTES 400
#define NO_ANSWER 444 /* as nginx notes it */
#define ROOM_POLL_MS 250
#define NS_PER_SECOND INT64_C(1000000000)
#define PATH_BYTES 256 /* of what is looked at in a field's path */

static const char common_heads[] = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Request-ID: ";

static const char published_heads[] = "Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\nX-Request-ID: ";

/* Kept for who asks with the same key: another's browser, or one that logged out, asks again. */
static const char immutable_heads[] = "Cache-Control: private, max-age=3600, immutable\r\nVary: Origin, Cookie, Authorization, "
				      "X-API-Key\r\nX-Content-Type-Options: nosniff\r\nX-Request-ID: ";
static const char revalidated_heads[] = "Cache-Control: private, no-cache\r\nX-Content-Type-Options: nosniff\r\nX-Request-ID: ";

const char *reply_reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 201: return "Created";
	case 202: return "Accepted";
	case 204: return "No Content";
	case 206: return "Partial Content";
	case 304: return "Not Modified";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 402: return "Payment Required";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 406: return "Not Acceptable";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 410: return "Gone";
	case 411: return "Length Required";
	case 412: return "Precondition Failed";
	case 413: return "Content Too Large";
	case 414: return "URI Too Long";
	case 415: return "Unsupported Media Type";
	case 416: return "Range Not Satisfiable";
	case 417: return "Expectation Failed";
	case 421: return "Misdirected Request";
	case 422: return "Unprocessable Content";
	case 424: return "Failed Dependency";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 500: return "Internal Server Error";
	case 501: return "Not Implemented";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	case 505: return "HTTP Version Not Supported";
	case 307: return "Temporary Redirect";
	default: return status < 400 ? "OK" : "Error";
	}
}

static void write_literal(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text));
}

/* What lets the page of an allowed origin read the answer. */
static void write_cors(struct buffer *out, const char *origin)
{
	write_literal(out, "Access-Control-Allow-Origin: ");
	buffer_text(out, origin);
	write_literal(out,
		"\r\nVary: Origin\r\n"
		"Access-Control-Expose-Headers: Accept-Ranges, Allow, Content-Disposition, Content-Range, ETag, "
		"Idempotent-Replayed, Location, OpenAI-Poll-After-Ms, Preference-Applied, Retry-After, Retry-After-Ms, "
		"WWW-Authenticate, X-Providerd-Cost-Usd, X-Providerd-Dry-Run, X-Providerd-Estimated-Cost-Usd, "
		"X-Providerd-Job-Id, X-Request-ID, X-Should-Retry\r\n");
}

static const char *constant_heads(const struct http_reply *reply)
{
	if (reply->published)
		return published_heads;
	if (reply->immutable)
		return immutable_heads;
	return reply->revalidate ? revalidated_heads : common_heads;
}

/* The statuses that clients' libraries send a request again for, by themselves. */
static bool is_repeated(int status)
{
	return status == 408 || status == 409 || status == 429 || status >= 500;
}

/* Whoever made this answer, and for whatever reason: one that sends the client back to pay again does not leave. */
static int safe_status(const struct http_exchange *x, int status)
{
	if (!x->request.may_have_paid || !is_repeated(status))
		return status;
	log_message(LOG_ERROR, "http.reply", "status %d is told as 424: what was asked for may be paid for already", status);
	return 424;
}

static void write_head(struct http_exchange *x, const struct http_reply *reply, struct buffer *out)
{
	bool bodyless = reply->status == 204 || reply->status == 304;

	write_literal(out, "HTTP/1.1 ");
	buffer_unsigned(out, (uint64_t)x->status);
	buffer_char(out, ' ');
	buffer_text(out, reply_reason(x->status));
	if (!bodyless && !reply->bare) {
		write_literal(out, "\r\nContent-Type: ");
		buffer_text(out, reply->content_type != NULL ? reply->content_type : "application/json");
	}
	if (!bodyless) {
		write_literal(out, "\r\nContent-Length: ");
		buffer_unsigned(out, reply->body_length);
	}
	write_literal(out, x->close ? "\r\nConnection: close\r\n" : "\r\nConnection: keep-alive\r\n");
	if (!reply->bare) {
		buffer_text(out, constant_heads(reply));
		buffer_text(out, x->request.request_id);
		write_literal(out, "\r\n");
	}
	if (x->origin != NULL)
		write_cors(out, x->origin);
	if (reply->headers != NULL)
		buffer_text(out, reply->headers);
	if (x->status != reply->status)
		write_literal(out, "X-Should-Retry: true\r\n");
	write_literal(out, "\r\n");
}

void reply_write_stream_head(struct http_exchange *x, const char *content_type, const char *headers)
{
	struct buffer *out = &x->worker->out;

	buffer_clear(out);
	write_literal(out, "HTTP/1.1 200 OK\r\nContent-Type: ");
	write_literal(out, content_type);
	write_literal(out, "\r\nConnection: close\r\nX-Accel-Buffering: no\r\n");
	write_literal(out, common_heads);
	buffer_text(out, x->request.request_id);
	write_literal(out, "\r\n");
	if (x->origin != NULL)
		write_cors(out, x->origin);
	if (headers != NULL)
		buffer_text(out, headers);
	write_literal(out, "\r\n");
}

/* ---- writing ---- */

/* For a while: the caller tries again. False when the client had its time: all of it (from its first wait on), or a whole pause in which it took
 * nothing. civetweb's write knows the pause only. */
static bool reply_await_room(struct http_exchange *x, int64_t last_ns)
{
	struct pollfd wanted = { .fd = x->worker->socket, .events = POLLOUT };
	int64_t now = clock_monotonic_ns();

	if (x->write_until == 0)
		x->write_until =
			now + (x->server->reply_seconds + (int64_t)x->reply_bytes / LIMIT_FILE_BYTES_PER_SECOND) * NS_PER_SECOND;
	if (now >= x->write_until || now - last_ns >= LIMIT_REPLY_PAUSE_MS * INT64_C(1000000) ||
		atomic_load_explicit(&x->server->stopping, memory_order_relaxed))
		return false;
	return poll(&wanted, 1, ROOM_POLL_MS) >= 0 || errno == EINTR;
}

static bool write_all(struct http_exchange *x, const char *bytes, size_t length)
{
	int64_t last_ns = 0;
	ssize_t sent;

	while (length > 0) {
		sent = send(x->worker->socket, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent == -1 && errno != EAGAIN && errno != EINTR)
			return false;
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
			last_ns = 0;
		}
		if (length > 0 && last_ns == 0)
			last_ns = clock_monotonic_ns();
		if (length > 0 && !reply_await_room(x, last_ns))
			return false;
	}
	return true;
}

bool reply_write(struct http_exchange *x, const char *bytes, size_t length)
{
	if (!write_all(x, bytes, length))
		x->lost = true;
	return !x->lost;
}

/* What is said when there is no memory to say more. */
static const char no_memory[] =
	"{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"out of memory\"}";

/* False: there was an answer already. */
static bool take_turn(struct http_exchange *x, const struct http_reply *reply)
{
	if (x->status != 0) {
		log_message(LOG_ERROR, "http.reply", "a second answer (%d after %d) was not sent", reply->status, x->status);
		return false;
	}
	x->status = safe_status(x, reply->status);
	x->reply_bytes = reply->body_length;
	x->write_until = 0;
	x->worker->out.maximum = LIMIT_REPLY_ONE_WRITE_BYTES + REPLY_HEAD_BYTES;
	buffer_clear(&x->worker->out);
	return true;
}

/* Without the thread's buffer: what was done is told, though there is no memory for a copy of it. */
static bool send_apart(struct http_exchange *x, const struct http_reply *reply, size_t length)
{
	char space[REPLY_HEAD_BYTES];
	struct buffer head = { .data = space, .capacity = sizeof space, .maximum = sizeof space - 1 };

	write_head(x, reply, &head);
	return !head.failed && reply_write(x, head.data, head.length) && reply_write(x, reply->body, length);
}

bool reply_begin(struct http_exchange *x, const struct http_reply *reply)
{
	struct buffer *out = &x->worker->out;

	if (reply_capture(x, &(struct http_reply){ .status = 500 }) || !take_turn(x, reply))
		return false;
	write_head(x, reply, out);
	if (!out->failed)
		return true;
	x->close = true;
	x->status = safe_status(x, 503);
	send_apart(x,
		&(struct http_reply){ .status = 503,
			.content_type = "application/problem+json",
			.headers = "Retry-After: 1\r\n",
			.body = no_memory,
			.body_length = sizeof no_memory - 1 },
		x->head_only ? 0 : sizeof no_memory - 1);
	return false;
}

static void send_reply(struct http_request *request, const struct http_reply *reply)
{
	struct http_exchange *x = (struct http_exchange *)request;
	struct buffer *out = &x->worker->out;
	size_t length = x->head_only || reply->status == 204 || reply->status == 304 ? 0 : reply->body_length;
	bool at_once = length <= LIMIT_REPLY_ONE_WRITE_BYTES, sent;

	if (reply_capture(x, reply) || !take_turn(x, reply))
		return;
	if (reply->cut) {
		x->close = true;
		length /= 2;
	}
	write_head(x, reply, out);
	if (at_once)
		buffer_append(out, reply->body, length);
	if (out->failed)
		sent = send_apart(x, reply, length);
	else
		sent = reply_write(x, out->data, out->length) && (at_once || reply_write(x, reply->body, length));
	if (!sent)
		x->close = true;
}

static bool reply_is_json(const struct http_reply *reply)
{
	return reply->content_type == NULL || strstr(reply->content_type, "json") != NULL;
}

/* The last look: what is a secret of the host's does not leave it, whoever wrote it into an answer. */
void reply_mask(const struct http_request *request, struct http_reply *reply, struct buffer *out)
{
	struct mask_known known = { .index = request->view != NULL ? request->view->known : NULL };
	enum mask_outcome outcome;

	buffer_init(out, 2 * reply->body_length + 64);
	outcome = reply->body_length > 0 && !reply->published
			  ? mask_known_text(&known, reply_is_json(reply), reply->body, reply->body_length, out)
			  : MASK_CLEAN;
	if (outcome == MASK_MASKED) {
		reply->body = out->data;
		reply->body_length = out->length;
	} else if (outcome == MASK_STARVED) {
		*reply = (struct http_reply){ .status = 503,
			.content_type = "application/problem+json",
			.headers = "Retry-After: 1\r\n",
			.body = no_memory,
			.body_length = sizeof no_memory - 1 };
	}
}

void http_send(struct http_request *request, const struct http_reply *reply)
{
	struct http_reply masked = *reply;
	struct buffer out;

	reply_mask(request, &masked, &out);
	send_reply(request, &masked);
	buffer_free(&out);
}

/* Dissolving a TCP connection sends one; closing it does not. */
void http_reset(struct http_request *request)
{
	struct http_exchange *x = (struct http_exchange *)request;

	if (reply_capture(x, &(struct http_reply){ .status = 500 }))
		return;
	x->status = NO_ANSWER;
	x->lost = true;
	x->close = true;
	connect(x->worker->socket, &(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr));
}

/* A path is made of names as the client wrote them: is one a credential that stands in the wrong place? */
static bool holds_credential(const struct http_request *request, const char *path)
{
	char names[PATH_BYTES], *rest = NULL;
	bool found = mask_finds(request->view, path);

	snprintf(names, sizeof names, "%s", path);
	for (char *name = strtok_r(names, ".[]", &rest); name != NULL && !found; name = strtok_r(NULL, ".[]", &rest))
		found = mask_finds(request->view, name);
	return found;
}

static void write_problem(struct buffer *out, const struct http_request *request, const struct http_problem *problem)
{
	write_literal(out, "{\"type\":\"about:blank\",\"title\":");
	json_write_text(out, reply_reason(problem->status));
	write_literal(out, ",\"status\":");
	buffer_unsigned(out, (uint64_t)problem->status);
	write_literal(out, ",\"detail\":");
	json_write_text(out, problem->detail);
	write_literal(out, ",\"request_id\":");
	json_write_text(out, request->request_id);
	if (problem->path != NULL) {
		write_literal(out, ",\"errors\":[{\"path\":");
		json_write_text(out, holds_credential(request, problem->path) ? "" : problem->path);
		write_literal(out, ",\"message\":");
		json_write_text(out, problem->detail);
		write_literal(out, "}]");
	}
	if (problem->members != NULL && problem->members[0] != '\0') {
		buffer_char(out, ',');
		buffer_text(out, problem->members);
	}
	buffer_char(out, '}');
}

/* In the form of its path's clients, if they know another. */
static bool tell_in_form(struct http_request *request, const struct http_problem *problem)
{
	const struct http_exchange *x = (const struct http_exchange *)request;
	const char *raw = x->info != NULL && x->info->local_uri_raw != NULL ? x->info->local_uri_raw : "";

	return request->inner == NULL && x->server->tell != NULL &&
	       x->server->tell(x->server->handle_context, request, request->path != NULL ? request->path : raw, problem);
}

void http_send_problem(struct http_request *request, const struct http_problem *problem)
{
	struct buffer body;

	if (tell_in_form(request, problem))
		return;
	buffer_init(&body, LIMIT_REPLY_BYTES);
	write_problem(&body, request, problem);
	http_send(request, &(struct http_reply){
				   .status = body.failed ? 503 : problem->status,
				   .content_type = "application/problem+json",
				   .headers = body.failed ? "Retry-After: 1\r\n" : problem->headers,
				   .body = body.failed ? no_memory : body.data,
				   .body_length = body.failed ? sizeof no_memory - 1 : body.length,
			   });
	buffer_free(&body);
}

bool reply_refuse(struct http_exchange *x, int status, const char *headers, const char *detail, ...)
{
	char text[DETAIL_BYTES];
	va_list arguments;

	va_start(arguments, detail);
	vsnprintf(text, sizeof text, detail, arguments);
	va_end(arguments);
	if (x->unread)
		x->close = true;
	if (x->request.request_id == NULL)
		request_choose_id(x);
	http_send_problem(&x->request, &(struct http_problem){ .status = status, .detail = text, .headers = headers });
	return false;
}

const char *reply_quote(const char *text, char quoted[QUOTE_BYTES])
{
	size_t length = 0;

	for (; *text != '\0' && length < QUOTE_BYTES - 1; text++)
		if (*text >= ' ' && *text < 0x7f)
			quoted[length++] = *text;
	quoted[length] = '\0';
	return quoted;
}
