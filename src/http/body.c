/* body.c - reads a request's body: bounded in size and in time, whatever the client does.
 *
 * Runs on HTTP threads, into the thread's buffer. A length that is too large is refused before a byte is read; a chunked body is
 * counted as it comes. deadline.c ends reads that hang. Never calls civetweb's form parser, which writes files and has had holes. */
#include "http/internal.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/json_digest.h"
#include "base/limits.h"
#include "base/test_setting.h"
#include "http/form.h"

#define NS_PER_MS 1000000LL
#define RESERVE_BYTES (128 * 1024) /* taken at once on the word of Content-Length; more only as it arrives */

/* What all bodies hold, on whatever thread. */
static struct buffer_total bodies;

static const char no_room[] = "too many large requests are being worked on, or the host is out of memory: send it again later";

enum taken { TAKEN_MORE = 0, TAKEN_ALL, TAKEN_TOO_LARGE, TAKEN_SLOW, TAKEN_CUT, TAKEN_MEMORY };

/* "application/json", or any "...+json", parameters or not. */
static bool type_is_json(const char *type)
{
	size_t length = strcspn(type, "; ");

	if (length == 16 && strncasecmp(type, "application/json", 16) == 0)
		return true;
	return length > 5 && strncasecmp(type + length - 5, "+json", 5) == 0;
}

/* Programs made for OpenAI's API send what has files in it, and all of a video, as a form. */
static bool takes_forms(const char *path)
{
	return strncmp(path, OPENAI_PATHS, sizeof OPENAI_PATHS - 1) == 0 ||
	       strncmp(path, OPENAI_LIVE_PATHS, sizeof OPENAI_LIVE_PATHS - 1) == 0;
}

static bool check_type(struct http_exchange *x)
{
	const char *type = x->head[HEAD_CONTENT_TYPE];
	const char *encoding = x->head[HEAD_CONTENT_ENCODING];
	char quoted[QUOTE_BYTES];
	bool forms = takes_forms(x->request.path);

	if (!request_takes_body(x) || x->server->gate == NULL)
		return true;
	if (encoding != NULL && strcasecmp(encoding, "identity") != 0)
		return reply_refuse(
			x, 415, NULL, "send the body as it is, without Content-Encoding: %s", reply_quote(encoding, quoted));
	if (type == NULL)
		return reply_refuse(x, 415, NULL, "the body must be JSON: send the header \"Content-Type: application/json\"");
	if (forms && form_is(type))
		return true;
	if (!type_is_json(type) && forms)
		return reply_refuse(
			x, 415, NULL, "the body must be JSON or multipart/form-data, not \"%s\"", reply_quote(type, quoted));
	if (!type_is_json(type))
		return reply_refuse(x, 415, NULL,
			"the body must be JSON, not \"%s\": send the header \"Content-Type: application/json\"",
			reply_quote(type, quoted));
	return true;
}

/* A client that asked first is told to go on; civetweb leaves that to us. */
static bool answer_expectation(struct http_exchange *x)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const char *expect = x->head[HEAD_EXPECT];

	if (expect == NULL || strcmp(x->info->http_version, "1.1") != 0)
		return true;
	if (strcasecmp(expect, "100-continue") != 0)
		return reply_refuse(x, 417, NULL, "the only expectation understood is 100-continue");
	x->head[HEAD_EXPECT] = NULL; /* met: from now on the body is on its way */
	return reply_write(x, go_on, sizeof go_on - 1) || (x->close = true, false);
}

/* What mg_read() returned instead of bytes. 0 is the end of chunks, or a pause as long as civetweb's own timeout, which only the
 * deadline turns into an error; it comes at once when the server is being stopped. */
static enum taken why_nothing(const struct http_exchange *x, int got, int64_t waited_ns)
{
	bool paused = waited_ns >= LIMIT_HEAD_MS * NS_PER_MS * 9 / 10;

	if (got == 0 && x->chunked)
		return TAKEN_ALL;
	if (got == 0 && paused)
		return TAKEN_MORE;
	return paused ? TAKEN_SLOW : TAKEN_CUT;
}

static enum taken take_slice(struct http_exchange *x, size_t maximum, int64_t deadline)
{
	struct buffer *body = &x->worker->body;
	size_t want = LIMIT_BODY_SLICE_BYTES;
	int64_t now = clock_monotonic_ns();
	char *to;
	int got;

	if (!x->chunked && body->length == x->declared)
		return TAKEN_ALL;
	if (body->length > maximum)
		return TAKEN_TOO_LARGE;
	if (now >= deadline)
		return TAKEN_SLOW;
	if (!x->chunked && want > x->declared - body->length)
		want = x->declared - body->length;
	to = buffer_reserve(body, want);
	if (to == NULL)
		return TAKEN_MEMORY;
	got = mg_read(x->request.connection, to, want);
	if (got <= 0)
		return why_nothing(x, got, clock_monotonic_ns() - now);
	body->length += (size_t)got;
	body->data[body->length] = '\0';
	return TAKEN_MORE;
}

static enum taken take_body(struct http_exchange *x, size_t maximum)
{
	struct buffer *body = &x->worker->body;
	int64_t deadline = clock_monotonic_ns() + LIMIT_BODY_SECONDS * 1000 * NS_PER_MS;
	enum taken result = TAKEN_MORE;

	buffer_clear(body);
	body->maximum = maximum + LIMIT_BODY_SLICE_BYTES; /* so that a chunked one can be seen to be too large */
	buffer_reserve(body, x->declared < RESERVE_BYTES ? x->declared : RESERVE_BYTES);
	deadline_arm(x->worker, deadline);
	while (result == TAKEN_MORE)
		result = take_slice(x, maximum, deadline);
	if (deadline_disarm(x->worker) && result == TAKEN_CUT)
		result = TAKEN_SLOW;
	return result;
}

/* Names the limit that counts: a setting only where changing it would help. */
static bool refuse_large(struct http_exchange *x, size_t maximum)
{
	if (x->server->gate == NULL)
		return reply_refuse(x, 413, NULL, "the body is larger than %zu bytes", maximum);
	if (maximum == x->request.view->config->server.max_body_bytes)
		return reply_refuse(x, 413, NULL, "the body is larger than server.max_body_bytes, %zu", maximum);
	return reply_refuse(x, 413, NULL, "the body is larger than %s may be: %zu bytes, a fixed limit",
		strcmp(x->request.path, SESSION_PATH) == 0 ? "a login" : "a vendor's delivery", maximum);
}

static bool refuse_body(struct http_exchange *x, enum taken why, size_t maximum)
{
	switch (why) {
	case TAKEN_TOO_LARGE: return refuse_large(x, maximum);
	case TAKEN_SLOW:
		return reply_refuse(x, 408, NULL, "the body did not arrive in time: at most %d seconds", LIMIT_BODY_SECONDS);
	case TAKEN_MEMORY: buffer_free(&x->worker->body); return reply_refuse(x, 503, "Retry-After: 1\r\n", "%s", no_room);
	default:
		return reply_refuse(x, 400, NULL,
			x->chunked ? "the body's chunks are malformed or cut short; extensions and trailers are not taken"
				   : "the body was cut short");
	}
}

/* Vendors need no key, nor does who logs in, so what anybody may send there is bounded for itself. */
static size_t largest_body(const struct http_exchange *x)
{
	bool gated = x->server->gate != NULL;
	size_t maximum = gated ? x->request.view->config->server.max_body_bytes : x->server->max_body_bytes;
	size_t bound = maximum;

	if (gated && strncmp(x->request.path, WEBHOOKS, sizeof WEBHOOKS - 1) == 0)
		bound = LIMIT_WEBHOOK_IN_BODY_BYTES;
	else if (gated && strcmp(x->request.path, SESSION_PATH) == 0)
		bound = LIMIT_SESSION_BODY_BYTES;
	return bound < maximum ? bound : maximum;
}

static struct buffer_budget new_share(void)
{
	return (struct buffer_budget){ .limit = SIZE_MAX, .uncharged = LIMIT_BODY_FREE_BYTES, .total = &bodies };
}

void body_set_total(void)
{
	atomic_store(&bodies.limit, (size_t)test_setting(TEST_BODIES_BYTES, LIMIT_BODIES_BYTES));
}

void body_init(struct worker *worker)
{
	buffer_init(&worker->body, 0);
	worker->held = new_share();
	worker->body.budget = &worker->held;
}

size_t http_bodies_bytes(void)
{
	return atomic_load_explicit(&bodies.used, memory_order_relaxed);
}

json_t *http_read_json(struct http_request *request, struct error *error)
{
	struct http_exchange *x = (struct http_exchange *)request;
	size_t bytes;
	json_t *value;

	if (request->inner != NULL)
		return json_incref(request->inner->body);
	value = json_read_counted(request->body, request->body_length, &x->worker->held, &bytes, error);
	x->parsed_bytes += bytes;
	if (value == NULL && error->code == ERROR_MEMORY)
		error_set(error, ERROR_MEMORY, NULL, "%s", no_room);
	return value;
}

bool http_has_body(const struct http_request *request)
{
	return request->inner != NULL ? request->inner->body != NULL : request->body_length > 0;
}

void http_digest_body(const struct http_request *request, unsigned char digest[32])
{
	if (request->inner != NULL)
		json_sha256(request->inner->body, digest);
	else
		crypto_sha256(request->body, request->body_length, digest);
}

bool http_count_json(struct http_request *request, size_t bytes)
{
	struct http_exchange *x = (struct http_exchange *)request;

	if (!buffer_budget_take(&x->worker->held, bytes))
		return false;
	x->parsed_bytes += bytes;
	return true;
}

void http_uncount_json(struct http_request *request, size_t bytes)
{
	struct http_exchange *x = (struct http_exchange *)request;

	buffer_budget_give(&x->worker->held, bytes);
	x->parsed_bytes -= bytes;
}

bool body_read(struct http_exchange *x)
{
	size_t maximum = largest_body(x);
	enum taken result;

	x->request.body = "";
	if (!x->unread)
		return true;
	if (x->declared > maximum)
		return refuse_body(x, TAKEN_TOO_LARGE, maximum);
	if ((!x->chunked && !check_type(x)) || !answer_expectation(x))
		return false;
	result = take_body(x, maximum);
	if (result != TAKEN_ALL)
		return refuse_body(x, result, maximum);
	if (x->worker->framing.bodies < (uint64_t)x->worker->requests)
		return refuse_body(x, TAKEN_CUT, maximum); /* civetweb lets a trailer pass, and a CR within a chunk's size */
	x->unread = false;
	if (x->worker->body.length == 0 || !request_takes_body(x)) /* a GET's body means nothing */
		return true;
	x->request.body = x->worker->body.data;
	x->request.body_length = x->worker->body.length;
	return !x->chunked || check_type(x);
}

void body_drain(struct http_exchange *x)
{
	struct buffer *body = &x->worker->body;
	int64_t patience_ms = server_is_short(x->server) ? LIMIT_SHORT_DRAIN_MS : LIMIT_DRAIN_MS;
	int64_t deadline = clock_monotonic_ns() + patience_ms * NS_PER_MS;
	size_t total = 0;
	char *to;
	int got;

	if (x->head[HEAD_EXPECT] != NULL) /* not told to go on, so nothing is coming */
		return;
	buffer_reset(body, LIMIT_KEPT_BUFFER_BYTES);
	body->maximum = LIMIT_BODY_SLICE_BYTES;
	to = buffer_reserve(body, LIMIT_BODY_SLICE_BYTES / 4);
	deadline_arm(x->worker, deadline);
	while (to != NULL && total < LIMIT_DRAIN_BYTES && clock_monotonic_ns() < deadline) {
		got = mg_read(x->request.connection, to, LIMIT_BODY_SLICE_BYTES / 4);
		if (got <= 0)
			break;
		total += (size_t)got;
	}
	deadline_disarm(x->worker);
}
