/* answer.c - sends JSON and problems. HTTP threads; no state. */
#include "api/answer.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void answer_json(struct http_request *request, int status, const char *headers, const struct buffer *out)
{
	if (out->failed)
		answer_problem(request, 503, NULL, "out of memory");
	else
		http_send(request, &(struct http_reply){
					   .status = status, .headers = headers, .body = out->data, .body_length = out->length });
}

void answer_tagged(struct http_request *request, const struct buffer *out, uint64_t digest, bool weak)
{
	char etag[24], headers[48];
	struct http_reply reply = {
		.status = 200, .headers = headers, .body = out->data, .body_length = out->length, .revalidate = true
	};

	if (out->failed) {
		answer_problem(request, 503, NULL, "out of memory");
		return;
	}
	snprintf(etag, sizeof etag, "\"%016llx\"", (unsigned long long)digest);
	snprintf(headers, sizeof headers, "ETag: %s%s\r\n", weak ? "W/" : "", etag);
	if (http_client_has(request, etag)) {
		reply.status = 304;
		reply.body = "";
		reply.body_length = 0;
	}
	http_send(request, &reply);
}

void answer_ok(struct http_request *request)
{
	http_send(request, &(struct http_reply){ .status = 200, .body = "{\"ok\":true}", .body_length = 11 });
}

void answer_problem(struct http_request *request, int status, const char *path, const char *detail)
{
	http_send_problem(request, &(struct http_problem){ .status = status,
					   .path = path,
					   .detail = detail,
					   .headers = status == 503 ? "Retry-After: 1\r\n" : NULL });
}

void answer_no_job(struct http_request *request, const struct error *error)
{
	if (error->code == ERROR_NOT_FOUND)
		answer_problem(request, 404, NULL, "the registry has no job with this id");
	else
		answer_problem(request, 503, NULL, error->message);
}

json_t *answer_read_body(struct http_request *request)
{
	struct error error;
	json_t *body = http_read_json(request, &error);

	if (body == NULL)
		answer_problem(request, error.code == ERROR_MEMORY ? 503 : 400, error.path, error.message);
	return body;
}

static bool refuse_member(struct http_request *request, const char *name, const char *const *known)
{
	const char *nearest = text_nearest(name, known);
	char detail[160];

	snprintf(detail, sizeof detail, "is not a member of this request%s%s%s", nearest != NULL ? "; did you mean \"" : "",
		nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
	answer_problem(request, 400, name, detail);
	return false;
}

json_t *answer_read_members(struct http_request *request, const char *const *known)
{
	json_t *body = http_has_body(request) ? answer_read_body(request) : json_object(), *value;
	const char *name;
	bool good = true;

	if (body == NULL)
		return NULL;
	if (json_is_null(body))
		body = json_object();
	if (!json_is_object(body)) {
		answer_problem(request, 400, "", "must be a JSON object");
		good = false;
	}
	json_object_foreach(body, name, value) {
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], name) != 0)
			i++;
		if (good && known[i] == NULL)
			good = refuse_member(request, name, known);
	}
	if (good)
		return body;
	json_decref(body);
	return NULL;
}
