/* problem_inner.c - what the REST API answered to this door, as clients of OpenAI's API are told it. No state.
 *
 * The host's paths of fields become their names; a refusal that a live job would meet too is an error here, never a placeholder. */
#include "openai/problem.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define MESSAGE_BYTES 4096
#define PATH_BYTES 160
#define PARAMETERS "parameters."

/* ---- names of fields ---- */

struct param {
	const char *field; /* of the host's requests, without "parameters." */
	const char *image, *video;
};

/* What OpenAI's fields become (fields_map.h), the other way round. */
static const struct param params[] = {
	{ "samples", "n", "n" },
	{ "num_images", "n", "n" },
	{ "num_outputs", "n", "n" },
	{ "number_of_images", "n", "n" },
	{ "width", "size", "size" },
	{ "height", "size", "size" },
	{ "size", "size", "size" },
	{ "ratio", "size", "size" },
	{ "image_size", "size", "size" },
	{ "resolution", "size", "size" },
	{ "aspect_ratio", "size", "size" },
	{ "duration", "seconds", "seconds" },
	{ "duration_seconds", "seconds", "seconds" },
	{ "image", "image", "input_reference" },
	{ "images", "image", "input_reference" },
	{ "init_image", "image", "input_reference" },
	{ "output_format", "output_format", "output_format" },
	{ "image_format", "output_format", "output_format" },
	{ "format", "output_format", "output_format" },
	{ "negative_prompt", "negative_prompt", "negative_prompt" },
};

static bool is_of_videos(const struct http_request *request)
{
	return strstr(request->path, "/v1/videos") != NULL;
}

const char *openai_param_of(const struct http_request *request, const char *path)
{
	const char *name = strncmp(path, PARAMETERS, sizeof PARAMETERS - 1) == 0 ? path + sizeof PARAMETERS - 1 : path;
	size_t length = strcspn(name, "["); /* an item of a list, "image[1]", is of the same field */

	if (*path == '\0')
		return NULL;
	for (size_t i = 0; i < sizeof params / sizeof *params; i++)
		if (strlen(params[i].field) == length && strncmp(params[i].field, name, length) == 0)
			return is_of_videos(request) ? params[i].video : params[i].image;
	return path;
}

/* A refusal of a field begins with its path and a colon; the gate's reasons are sentences. */
static size_t path_length(const char *text)
{
	size_t length = strcspn(text, ": ");

	return length < PATH_BYTES && text[length] == ':' && text[length + 1] == ' ' ? length : 0;
}

/* "path: what is wrong" as "param: what is wrong"; the param alone. */
static const char *retell(
	const struct http_request *request, const char *text, char path[PATH_BYTES], char message[MESSAGE_BYTES])
{
	size_t length = path_length(text);
	const char *param;

	snprintf(path, PATH_BYTES, "%.*s", (int)length, text);
	param = openai_param_of(request, path);
	snprintf(message, MESSAGE_BYTES, "%s%s", param, text + length);
	return param;
}

/* The first text that refuses a field, or NULL. */
static const char *find_refusal(const json_t *texts)
{
	const char *text;

	for (size_t i = 0; i < json_array_size(texts); i++) {
		text = json_text_value(json_array_get(texts, i));
		if (text != NULL && path_length(text) > 0)
			return text;
	}
	return NULL;
}

/* ---- refusals of a request ---- */

static void refuse_field(struct http_request *request, const char *path, const char *detail)
{
	const char *param = path != NULL ? openai_param_of(request, path) : NULL;
	bool missing = strncmp(detail, "is required", 11) == 0;

	if (param != NULL && missing)
		openai_refuse(request, "missing_required_parameter", param, "Missing required parameter: '%s'.", param);
	else if (param != NULL && strcmp(param, "model") == 0)
		openai_send_error(request,
			&(struct openai_error){ .status = 404, .code = "model_not_found", .param = param, .message = detail });
	else if (param != NULL)
		openai_refuse(request, "invalid_value", param, "%s: %.3000s", param, detail);
	else
		openai_refuse(request, "invalid_value", NULL, "%.3000s", detail);
}

static const char *path_of_problem(const json_t *body)
{
	return json_text(json_array_get(json_object_get(body, "errors"), 0), "path");
}

/* ---- by status ---- */

/* Whose budget, of which period, and what is left. */
static void send_short_budget(struct http_request *request, const json_t *body, const char *detail)
{
	char message[MESSAGE_BYTES];

	snprintf(message, sizeof message, "%.3000s. Nothing was sent.", detail);
	openai_send_error(request, &(struct openai_error){ .status = 402,
					   .type = "insufficient_quota",
					   .code = "billing_hard_limit_reached",
					   .message = message,
					   .providerd = json_object_get(body, "budget") });
}

/* The commit has begun and did not end in time: it may be registered, and be paid for. */
static void send_unsure(struct http_request *request, const json_t *body, const char *detail)
{
	const char *job_id = json_text(body, "job_id");
	json_t *providerd = json_object();

	if (job_id != NULL)
		json_object_set_new(providerd, "job_id", json_string(job_id));
	openai_send_error(request, &(struct openai_error){ .status = 424,
					   .type = "provider_error",
					   .code = "outcome_unknown",
					   .message = detail,
					   .providerd = providerd });
	json_decref(providerd);
}

/* Nothing was begun. */
static void send_busy(struct http_request *request, const struct inner_answer *answer, const char *detail)
{
	openai_send_error(request, &(struct openai_error){ .status = 503,
					   .code = "provider_unavailable",
					   .message = detail,
					   .should_retry = answer->retry_after >= 0 ? -1 : 0,
					   .retry_after_ms = answer->retry_after < 0	? 0
							     : answer->retry_after == 0 ? 1000
											: answer->retry_after * 1000 });
}

static void send_as(struct http_request *request, int status, const char *code, const char *detail)
{
	openai_send_error(request, &(struct openai_error){ .status = status, .code = code, .message = detail });
}

/* An Idempotency-Key of another request; or the vendor would get another request than the client has seen in a dry run, which has its digest. */
static void send_conflict(struct http_request *request, const json_t *body, const char *detail)
{
	json_t *digest = json_object_get(body, "upstream_sha256"), *providerd = json_object();

	if (digest == NULL) {
		send_as(request, 409, "idempotency_conflict", detail);
	} else {
		json_object_set(providerd, "upstream_sha256", digest);
		openai_send_error(request, &(struct openai_error){ .status = 400,
						   .code = "upstream_changed",
						   .param = "expect_upstream_sha256",
						   .message = detail,
						   .providerd = providerd });
	}
	json_decref(providerd);
}

void openai_send_inner_problem(struct http_request *request, const struct inner_answer *answer)
{
	const char *detail = json_text(answer->body, "detail");

	if (detail == NULL)
		detail = "the host could not answer";
	switch (answer->status) {
	case 400: refuse_field(request, path_of_problem(answer->body), detail); break;
	case 402: send_short_budget(request, answer->body, detail); break;
	case 403: send_as(request, 403, "insufficient_permissions", detail); break;
	case 404: send_as(request, 404, "not_found", detail); break;
	case 409: send_conflict(request, answer->body, detail); break;
	case 413: send_as(request, 413, "request_too_large", detail); break;
	case 503: send_busy(request, answer, detail); break;
	case 504: send_unsure(request, answer->body, detail); break;
	default: send_as(request, 500, "internal_error", detail); break; /* a script failed before anything was sent */
	}
}

/* ---- a dry run's answer ---- */

static bool is_null(const json_t *value)
{
	return value == NULL || json_is_null(value);
}

static void send_refusal(struct http_request *request, const char *text)
{
	char path[PATH_BYTES], message[MESSAGE_BYTES];
	const char *param = retell(request, text, path, message);

	if (strcmp(param, "model") == 0)
		openai_send_error(request,
			&(struct openai_error){ .status = 404, .code = "model_not_found", .param = "model", .message = message });
	else
		openai_refuse(request, "invalid_value", param, "%s", message);
}

static void send_inexpressible(struct http_request *request, const json_t *missing)
{
	const char *text = find_refusal(missing);

	if (text != NULL)
		send_refusal(request, text);
	else
		openai_refuse(request, "invalid_value", NULL, "The provider cannot express this request.");
}

/* What the client allows it to cost is missing, or too little: nothing else is. */
static void send_price(struct http_request *request, const char *why)
{
	bool exceeds = strstr(why, "more than max_cost_usd") != NULL;

	openai_refuse(request, exceeds ? "max_cost_exceeded" : "max_cost_required", "max_cost_usd",
		"max_cost_usd: %s. Nothing was sent.", why);
}

/* All that is missing, in one text. */
static void list_missing(const json_t *missing, char *text, size_t size)
{
	const char *one;
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < json_array_size(missing) && used < size; i++) {
		one = json_text_value(json_array_get(missing, i));
		if (one != NULL)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? "; " : "", one);
	}
}

static void send_live_off(struct http_request *request, json_t *missing)
{
	json_t *providerd = json_object();
	char causes[MESSAGE_BYTES - 128], message[MESSAGE_BYTES];

	json_object_set(providerd, "missing", missing);
	list_missing(missing, causes, sizeof causes);
	snprintf(message, sizeof message, "Live execution is off: %s. Nothing was sent.", causes);
	openai_send_error(request,
		&(struct openai_error){
			.status = 403, .code = "live_disabled", .param = "dry_run", .message = message, .providerd = providerd });
	json_decref(providerd);
}

/* With all switches on it is a field, or the price, that keeps it from being sent. */
static void send_not_live(struct http_request *request, const json_t *body)
{
	json_t *missing = json_object_get(json_object_get(body, "live"), "missing");
	const char *only = json_array_size(missing) == 1 ? json_text_value(json_array_get(missing, 0)) : NULL;

	if (only != NULL && path_length(only) > 0)
		send_refusal(request, only);
	else if (only != NULL && (strstr(only, "max_cost_usd") != NULL || strncmp(only, "the price ", 10) == 0))
		send_price(request, only);
	else
		send_live_off(request, missing);
}

bool openai_accepts_answer(struct http_request *request, bool wants_live, const struct inner_answer *answer)
{
	bool is_dry = !json_is_false(json_object_get(answer->body, "dry_run"));

	if (answer->status >= 400 || answer->body == NULL)
		openai_send_inner_problem(request, answer);
	else if (is_dry && is_null(json_object_get(answer->body, "upstream")))
		send_inexpressible(request, json_object_get(json_object_get(answer->body, "live"), "missing"));
	else if (wants_live && is_dry)
		send_not_live(request, answer->body);
	else
		return true;
	return false;
}
