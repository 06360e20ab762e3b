/* wish_body.c - see wish_body.h. */
#include "openai/wish_body.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "http/form.h"
#include "openai/problem.h"
#include "openai/wish_form.h"

static bool send_bad_json(struct http_request *request, const struct error *error)
{
	if (error->code == ERROR_MEMORY)
		openai_send_error(request, &(struct openai_error){ .status = 503,
						   .message = error->message,
						   .code = "overloaded",
						   .should_retry = -1,
						   .retry_after_ms = 1000 });
	else
		openai_refuse(request, "invalid_value", error->path[0] != '\0' ? error->path : NULL, "%s", error->message);
	return false;
}

static json_t *read_body(struct http_request *request)
{
	struct error error = { 0 };
	json_t *body;

	if (form_is(http_header(request, "Content-Type")))
		return openai_form_read(request);
	body = http_has_body(request) ? http_read_json(request, &error) : json_object();
	if (body == NULL)
		send_bad_json(request, &error);
	else if (!json_is_object(body))
		openai_refuse(request, "invalid_value", NULL, "The body must be a JSON object.");
	if (json_is_object(body))
		return body;
	json_decref(body);
	return NULL;
}

/* A part of a form may hold an object as JSON. */
static json_t *object_of(json_t *value)
{
	const char *text = json_text_value(value);
	json_t *read = text != NULL ? json_read(text, strlen(text), NULL) : NULL;

	if (read == NULL)
		return json_incref(value);
	return read;
}

/* What the SDKs put at the top of the body; some tools write it as it is called. */
static bool merge_extra_body(struct http_request *request, json_t *fields, bool from_form)
{
	json_t *there = json_object_get(fields, "extra_body"), *extra = from_form ? object_of(there) : json_incref(there), *value;
	const char *name;
	bool good = there == NULL || json_is_object(extra);

	if (!good)
		openai_refuse(request, "invalid_value", "extra_body", "extra_body: must be an object.");
	json_object_foreach(extra, name, value) {
		const json_t *said = json_object_get(fields, name);

		if (good && said != NULL && !json_equal(said, value)) {
			openai_refuse(request, "invalid_value", "extra_body", "extra_body: contradicts what stands beside it.");
			good = false;
		}
		if (good)
			json_object_set(fields, name, value);
	}
	json_decref(extra);
	json_object_del(fields, "extra_body");
	return good;
}

static bool take_parameters(struct http_request *request, json_t *fields, bool from_form)
{
	json_t *there = json_object_get(fields, "parameters"), *read;

	if (there == NULL || json_is_object(there))
		return true;
	read = from_form ? object_of(there) : json_incref(there);
	if (!json_is_object(read)) {
		json_decref(read);
		openai_refuse(request, "invalid_value", "parameters", "parameters: must be an object.");
		return false;
	}
	json_object_set_new(fields, "parameters", read);
	return true;
}

/* null is as good as nothing. */
static void drop_nulls(json_t *fields)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(fields, next, name, value)
	{
		if (json_is_null(value))
			json_object_del(fields, name);
	}
}

/* Among the model's own inputs they would go out to the vendor, and hold nobody back. */
static bool refuse_misplaced(struct http_request *request, const json_t *fields)
{
	static const char *const names[] = { "dry_run", "max_cost_usd", "expect_upstream_sha256" };
	const json_t *parameters = json_object_get(fields, "parameters");
	char param[48];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const json_t *value = json_object_get(parameters, names[i]);

		if (value == NULL || json_is_null(value))
			continue;
		snprintf(param, sizeof param, "parameters.%s", names[i]);
		openai_refuse(request, "invalid_value", param,
			"%s: is this host's, and no input of the model: it belongs beside parameters.", param);
		return false;
	}
	return true;
}

static bool refuse_credentials(struct http_request *request, const json_t *fields)
{
	static const char *const names[] = { "config", "cfg" };

	for (size_t i = 0; i < 2; i++) {
		if (json_object_get(fields, names[i]) == NULL)
			continue;
		openai_refuse(request, "unsupported_parameter", names[i],
			"%s: no credentials are taken here; the operator puts them into the secrets file or the environment.",
			names[i]);
		return false;
	}
	return true;
}

json_t *openai_body_read(struct http_request *request, bool *from_form)
{
	json_t *fields = read_body(request);
	bool good;

	*from_form = form_is(http_header(request, "Content-Type"));
	if (fields == NULL)
		return NULL;
	drop_nulls(fields);
	good = merge_extra_body(request, fields, *from_form) && take_parameters(request, fields, *from_form);
	drop_nulls(fields);
	if (good && refuse_credentials(request, fields) && refuse_misplaced(request, fields))
		return fields;
	json_decref(fields);
	return NULL;
}
