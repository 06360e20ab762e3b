/* inner.c - the host asked by one of its own doors, within a request. HTTP threads; keeps nothing.
 *
 * The request itself is lent: for as long as it takes it has the method, path and body of what is asked, and what would be sent is kept. So every
 * check of who asks and of what is allowed is the same as for a client, by construction. */
#include "http/internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/log.h"

bool reply_capture(struct http_exchange *x, const struct http_reply *reply)
{
	struct http_captured *captured = x->captured;

	if (captured == NULL)
		return false;
	if (captured->status != 0) {
		log_message(LOG_ERROR, "http.ask", "a second answer (%d after %d) was not kept", reply->status, captured->status);
		return true;
	}
	captured->status = reply->status;
	if (reply->headers != NULL && strlen(reply->headers) < sizeof captured->headers)
		snprintf(captured->headers, sizeof captured->headers, "%s", reply->headers);
	buffer_append(&captured->body, reply->body != NULL ? reply->body : "", reply->body_length);
	if (captured->body.failed)
		captured->status = 503;
	return true;
}

/* What the client said of the body, of caches and of keys was said of another request. */
static const char *passed_header(const struct http_request *request, const char *name)
{
	static const char *const passed[] = { "Host", "Authorization", "X-API-Key" };

	for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
		if (strcasecmp(name, passed[i]) == 0)
			return mg_get_header(request->connection, name);
	return NULL;
}

const char *http_header(const struct http_request *request, const char *name)
{
	const struct http_inner *inner = request->inner;

	if (inner == NULL)
		return mg_get_header(request->connection, name);
	if (strcasecmp(name, "Idempotency-Key") == 0)
		return inner->idempotency_key;
	if (strcasecmp(name, "Prefer") == 0)
		return inner->prefer;
	return passed_header(request, name);
}

void http_ask(struct http_request *request, const struct http_inner *inner,
	void (*handle)(void *context, struct http_request *request), void *context, struct http_captured *captured)
{
	struct http_exchange *x = (struct http_exchange *)request;
	const struct http_request own = *request;
	struct http_captured *outer = x->captured;

	*captured = (struct http_captured){ .status = 0 };
	buffer_init(&captured->body, LIMIT_REPLY_BYTES);
	request->method = inner->method;
	request->path = inner->path;
	request->query = inner->query;
	request->inner = inner;
	x->captured = captured;
	handle(context, request);
	x->captured = outer;
	*request = own;
}
