/* inner_call.c - routes what a door asks, and reads what is answered. HTTP threads; no state. */
#include "api/inner_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define PREFER_BYTES 24

static int read_retry_after(const char *headers)
{
	const char *found = strstr(headers, "Retry-After: ");

	return found != NULL ? (int)strtol(found + 13, NULL, 10) : -1;
}

static void read_answer(struct http_captured *captured, struct inner_answer *answer)
{
	struct error error;

	*answer = (struct inner_answer){ .status = captured->status != 0 ? captured->status : 500,
		.replayed = strstr(captured->headers, "Idempotent-Replayed: true") != NULL,
		.retry_after = read_retry_after(captured->headers) };
	if (captured->body.length == 0)
		return;
	answer->body = json_read(captured->body.data, captured->body.length, &error);
}

void inner_call_run(struct host *host, struct http_request *request, const struct inner_call *call, struct inner_answer *answer)
{
	struct http_captured captured;
	char prefer[PREFER_BYTES];
	struct http_inner inner = { .method = call->method,
		.path = call->path,
		.query = call->query,
		.body = call->body,
		.idempotency_key = call->idempotency_key,
		.asker = call };

	if (call->wait_seconds > 0) {
		snprintf(prefer, sizeof prefer, "wait=%d", call->wait_seconds);
		inner.prefer = prefer;
	}
	http_ask(request, &inner, api_handle, host, &captured);
	read_answer(&captured, answer);
	buffer_free(&captured.body);
}

void inner_answer_free(struct inner_answer *answer)
{
	json_decref(answer->body);
	answer->body = NULL;
}

const struct inner_call *inner_call_of(const struct http_request *request)
{
	return request->inner != NULL ? request->inner->asker : NULL;
}
