/* named_model.c - finds what a model's name means. Reads what was kept of the scripts, and the directory; asks nobody. */
#include "openai/named_model.h"

#include <stdio.h>
#include <string.h>

#include "api/model_choice.h"
#include "base/json.h"
#include "base/limits.h"
#include "directory/directory.h"
#include "openai/model_names.h"

static bool is_mode(const struct provider_kind *as, const char *name)
{
	json_t *modes = json_read_stored(as->modes), *mode;
	const char *id;
	bool found = false;
	size_t i;

	json_array_foreach(modes, i, mode) {
		id = json_text(mode, "id");
		found |= id != NULL && strcmp(id, name) == 0;
	}
	json_decref(modes);
	return found;
}

bool openai_model_has(const struct openai_model *model, const struct manifest_choice *choice)
{
	if (strcmp(choice->kind, model->kind->name) != 0)
		return false;
	if (model->mode[0] != '\0' && (choice->mode == NULL || strcmp(choice->mode, model->mode) != 0))
		return false;
	return model->model[0] == '\0' || model_name_means(model->model, choice, model->capabilities);
}

static bool has_any_choice(const struct openai_model *model)
{
	const struct manifest *manifest = &model->provider->manifest;

	for (size_t i = 0; i < manifest->choice_count; i++)
		if (openai_model_has(model, &manifest->choices[i]))
			return true;
	return false;
}

/* A market sells more than its script describes, and a script that describes nothing takes what it takes. */
static bool takes_any_model(const struct openai_model *model)
{
	const struct manifest *manifest = &model->provider->manifest;
	size_t described = 0;

	for (size_t i = 0; i < manifest->choice_count; i++)
		described += strcmp(manifest->choices[i].kind, model->kind->name) == 0;
	return described == 0 || json_is_true(json_object_get(model->capabilities, "any_model"));
}

static bool directory_knows(struct host *host, const struct openai_model *model)
{
	struct directory_snapshot *snapshot = directory_acquire(host->directory, model->provider->manifest.id);
	const struct directory_model *known = directory_find(snapshot, model->model);
	bool fits = known != NULL && strcmp(known->kind, model->kind->name) == 0;

	directory_release(snapshot);
	return fits;
}

json_t *openai_model_schema(struct host *host, const struct openai_model *model)
{
	const struct manifest *manifest = &model->provider->manifest;
	struct directory_snapshot *snapshot = directory_acquire(host->directory, manifest->id);
	const struct directory_model *known = directory_find(snapshot, model->model);
	json_t *choice = NULL, *schema;
	struct buffer out;

	buffer_init(&out, LIMIT_INPUT_SCHEMA_BYTES * 2);
	if (model_choice_can(known)) {
		model_choice_write(known, model->kind->name, manifest->directory.place, &out);
		if (!out.failed)
			choice = json_read(out.data, out.length, NULL);
	}
	buffer_free(&out);
	directory_release(snapshot);
	schema = json_incref(json_object_get(choice, "schema"));
	json_decref(choice);
	return schema;
}

/* What stands behind the slash, as one that makes `kind`; "" is the provider's default. */
static bool choose(struct host *host, struct openai_model *model, const char *kind, const char *rest)
{
	const struct provider_kind *as = provider_as(model->provider, kind);

	model->mode[0] = model->model[0] = '\0';
	if (as == NULL)
		return false;
	model->kind = as->kind;
	if (*rest == '\0')
		return true;
	if (is_mode(as, rest)) {
		snprintf(model->mode, sizeof model->mode, "%s", rest);
		return true;
	}
	snprintf(model->model, sizeof model->model, "%s", rest);
	return has_any_choice(model) || takes_any_model(model) || directory_knows(host, model);
}

static bool is_described(struct host *host, const struct openai_model *model)
{
	return model->mode[0] != '\0' || has_any_choice(model) || directory_knows(host, model);
}

/* Of a market any name is a model of either kind, so one that is described as of the other kind is none of this. */
static bool is_described_as(struct host *host, const struct openai_model *model, const char *kind, const char *rest)
{
	struct openai_model other = { .provider = model->provider, .capabilities = model->capabilities };

	return *rest != '\0' && choose(host, &other, kind, rest) && is_described(host, &other);
}

static enum openai_model_found find_kind(struct host *host, struct openai_model *model, const char *kind, const char *rest)
{
	const char *other = strcmp(kind, "image") == 0 ? "video" : "image";
	bool found = choose(host, model, kind, rest);

	if (found && (*rest == '\0' || is_described(host, model)))
		return OPENAI_MODEL_FOUND;
	if (is_described_as(host, model, other, rest) || (!found && *rest == '\0' && provider_as(model->provider, other) != NULL))
		return OPENAI_MODEL_OTHER_KIND;
	return found ? OPENAI_MODEL_FOUND : OPENAI_MODEL_UNKNOWN;
}

enum openai_model_found openai_model_find(
	struct host *host, const struct gate_view *view, const char *kind, const char *name, struct openai_model *model)
{
	const char *target = config_openai_model(view->config, name), *slash;
	char provider[OPENAI_MODEL_BYTES];
	enum openai_model_found found = OPENAI_MODEL_UNKNOWN;

	*model = (struct openai_model){ .set = provider_loader_acquire(host->loader) };
	if (target == NULL)
		target = name;
	slash = strchr(target, '/');
	if (strlen(target) < OPENAI_MODEL_BYTES) {
		snprintf(provider, sizeof provider, "%.*s", (int)(slash != NULL ? slash - target : (long)strlen(target)), target);
		model->provider = provider_set_find(model->set, NULL, provider);
	}
	if (model->provider != NULL)
		model->capabilities =
			json_read(model->provider->manifest.capabilities, strlen(model->provider->manifest.capabilities), NULL);
	if (model->provider != NULL)
		found = find_kind(host, model, kind, slash != NULL ? slash + 1 : "");
	if (found != OPENAI_MODEL_FOUND)
		openai_model_close(model);
	return found;
}

void openai_model_close(struct openai_model *model)
{
	provider_set_release(model->set);
	json_decref(model->capabilities);
	model->capabilities = NULL;
	model->set = NULL;
	model->provider = NULL;
}
