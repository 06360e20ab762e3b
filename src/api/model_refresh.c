/* model_refresh.c - an operator's wish to have the directory read anew. HTTP threads; it asks, and waits for nothing. */
#include "api/model_refresh.h"

#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "base/json.h"
#include "base/limits.h"
#include "directory/directory.h"

static bool read_refresh(struct http_request *request, const json_t *body, const char **provider, const char **model)
{
	const char *key;
	json_t *value;

	if (!json_is_object(body)) {
		answer_problem(request, 400, "", "the body must be a JSON object: {\"provider\": \"fal\"}");
		return false;
	}
	json_object_foreach((json_t *)(uintptr_t)body, key, value) {
		if (strcmp(key, "provider") == 0 || strcmp(key, "model") == 0)
			continue;
		answer_problem(request, 400, key, "unknown member; provider and model are known");
		return false;
	}
	if (!json_optional_text(body, "provider", provider) || *provider == NULL || **provider == '\0') {
		answer_problem(request, 400, "provider", "is required: a provider's id or alias, see the catalog");
		return false;
	}
	if (!json_optional_text(body, "model", model) || (*model != NULL && **model == '\0')) {
		answer_problem(request, 400, "model", "must be text: a model's id; without it the list is read");
		return false;
	}
	return true;
}

/* The provider's id, whichever of its names was given. False: a problem was sent. */
static bool find_provider_id(struct host *host, struct http_request *request, const char *name, char *id, size_t size)
{
	struct provider_set *set = provider_loader_acquire(host->loader);
	const struct provider *provider = provider_set_find(set, NULL, name);

	if (provider != NULL)
		snprintf(id, size, "%s", provider->manifest.id);
	provider_set_release(set);
	if (provider == NULL)
		answer_problem(request, 404, "provider", "there is no provider of this name; the catalogs list them");
	return provider != NULL;
}

static int status_of(enum error_code code)
{
	switch (code) {
	case ERROR_CONFLICT: return 409;
	case ERROR_INVALID: return 400;
	default: return 503;
	}
}

static void send_refresh(struct host *host, struct http_request *request, const char *id, const char *model)
{
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_text(&out, "{\"ok\":true,");
	json_member_text(&out, "provider", id);
	json_member_text(&out, "model", model);
	buffer_text(&out, "\"directory\":");
	directory_write_state(host->directory, id, &out);
	buffer_char(&out, '}');
	answer_json(request, 202, NULL, &out);
	buffer_free(&out);
}

void model_refresh_handle(struct host *host, struct http_request *request)
{
	json_t *body = answer_read_body(request);
	const char *name = NULL, *model = NULL;
	char id[LIMIT_PATH_SEGMENT_BYTES];
	struct error error = { .path = "" };
	enum error_code code;

	if (body == NULL)
		return;
	if (read_refresh(request, body, &name, &model) && find_provider_id(host, request, name, id, sizeof id)) {
		code = directory_refresh(host->directory, id, model, &error);
		if (code == ERROR_NONE)
			send_refresh(host, request, id, model);
		else
			answer_problem(request, status_of(code), *error.path != '\0' ? error.path : NULL, error.message);
	}
	json_decref(body);
}
