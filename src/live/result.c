/* result.c - what a script's function returned, read (docs/provider-scripts.md). Pure functions. */
#include "live/internal.h"

#include <string.h>

#include "base/json.h"

double result_number(const json_t *result, const char *name, double most, double otherwise)
{
	const json_t *value = json_object_get(result, name);
	double number = json_is_number(value) ? json_number_value(value) : otherwise;

	return number >= 0 && number <= most ? number : otherwise;
}

bool result_has(const json_t *result, const char *status)
{
	const char *text = json_text(result, "status");

	return text != NULL && strcmp(text, status) == 0;
}

enum task_status result_status(const json_t *result)
{
	const char *text = json_text(result, "status");
	enum task_status status;

	return text != NULL && task_status_parse(text, &status) ? status : TASK_RUNNING;
}

bool result_is_end(const json_t *result)
{
	return result_has(result, "done") || result_has(result, "error") || result_has(result, "canceled");
}

const char *result_reason(const json_t *result, const char *otherwise)
{
	const char *reason = json_text(result, "reason");
	const char *message = json_text(json_object_get(result, "error"), "message");

	return reason != NULL ? reason : message != NULL ? message : otherwise;
}

bool result_is_put_off(const json_t *result)
{
	const json_t *error = json_object_get(result, "error");
	const char *code = json_text(error, "code");

	if (json_is_true(json_object_get(result, "resubmit")))
		return true;
	return result_has(result, "error") && code != NULL && strcmp(code, "rate_limited") == 0 &&
	       json_is_false(json_object_get(error, "billed"));
}

bool result_leaves_open(const json_t *result, bool paid)
{
	const json_t *error = json_object_get(result, "error");

	if (result_has(result, "unknown"))
		return true;
	return paid && result_has(result, "error") && json_text(result, "id") == NULL &&
	       !json_is_boolean(json_object_get(error, "billed"));
}
