/* model_list.c - GET /v1/models and /v1/models/{id}: what may be asked for, of image and video providers, and the names that the configuration gives.
 * HTTP threads.
 *
 * To make the list reads every schema of every script, so it is made once for each version of scripts and configuration. */
#include "openai/model_list.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/answer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "openai/fields_map.h"
#include "openai/model_names.h"
#include "openai/named_model.h"
#include "openai/problem.h"

static const char *const kinds_listed[] = { "image", "video" };

#define KINDS_LISTED 2

/* The list as it is sent, shared by those who send it; never changed once it is made. */
struct list_page {
	_Atomic int holders;
	uint64_t set_generation, view_generation;
	json_t *by_id;
	struct buffer text;
};

struct openai_model_lists {
	pthread_mutex_t lock;
	struct list_page *page; /* the newest, or NULL */
};

/* Names, each with its object. */
struct model_list {
	json_t *by_id;
	json_t *capabilities; /* of the provider being listed */
	const struct provider *provider;
};

/* ---- one ---- */

/* "2025-02-17" in seconds since 1970; 0 for what is no date. */
static json_int_t date_seconds(const char *date)
{
	struct tm parts = { 0 };

	if (date == NULL || sscanf(date, "%4d-%2d-%2d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday) != 3)
		return 0;
	parts.tm_year -= 1900;
	parts.tm_mon--;
	return timegm(&parts);
}

/* What is ours: { kind, model, sizes?, seconds?, pricing }. */
static json_t *describe(const struct manifest_choice *choice)
{
	json_t *own = json_object(), *facts = model_facts(choice);
	json_t *schema = json_read_stored(choice->schema);
	json_t *price = json_object_get(facts, "price");

	json_object_set_new(own, "kind", json_string(choice->kind));
	json_object_set_new(own, "model", choice->model != NULL ? json_string(choice->model) : json_null());
	openai_fields_describe(schema, own);
	json_object_set(own, "pricing", price != NULL ? price : json_null());
	json_decref(schema);
	json_decref(facts);
	return own;
}

static json_t *make_model(const char *id, const struct provider *provider, json_t *own)
{
	json_t *model = json_object();

	json_object_set_new(model, "id", json_string(id));
	json_object_set_new(model, "object", json_string("model"));
	json_object_set_new(model, "created", json_integer(date_seconds(provider->manifest.last_checked)));
	json_object_set_new(model, "owned_by", json_string(provider->manifest.id));
	json_object_set_new(model, "providerd", own);
	return model;
}

/* ---- all ---- */

/* The first choice of a mode is its default, and so is what is told of it. A path with a place for something in it is no name. */
static void add_name(struct model_list *list, const char *name, const struct manifest_choice *choice)
{
	char id[2 * OPENAI_MODEL_BYTES];

	snprintf(id, sizeof id, "%s/%s", list->provider->manifest.id, name);
	if (strlen(id) < OPENAI_MODEL_BYTES && strchr(name, '{') == NULL && json_object_get(list->by_id, id) == NULL)
		json_object_set_new(list->by_id, id, make_model(id, list->provider, describe(choice)));
}

static bool makes_its_kind(const struct manifest_choice *choice)
{
	json_t *facts = model_facts(choice);
	const char *makes = json_text(facts, "makes");
	bool fits = makes == NULL || strcmp(makes, choice->kind) == 0;

	json_decref(facts);
	return fits;
}

static const struct manifest_choice *first_of_mode(const struct manifest *manifest, const char *kind, const char *mode)
{
	for (size_t i = 0; i < manifest->choice_count; i++) {
		const struct manifest_choice *choice = &manifest->choices[i];

		if (strcmp(choice->kind, kind) == 0 && choice->mode != NULL && strcmp(choice->mode, mode) == 0)
			return choice;
	}
	return NULL;
}

static void add_modes(struct model_list *list, const struct provider_kind *as)
{
	json_t *modes = json_read_stored(as->modes), *mode;
	struct manifest_choice undescribed = { .kind = (char *)(uintptr_t)as->kind->name };
	const struct manifest_choice *choice;
	const char *id;
	size_t i;

	json_array_foreach(modes, i, mode) {
		id = json_text(mode, "id");
		if (id == NULL)
			continue;
		choice = first_of_mode(&list->provider->manifest, as->kind->name, id);
		add_name(list, id, choice != NULL ? choice : &undescribed);
	}
	json_decref(modes);
}

static void add_models(struct model_list *list, const struct provider_kind *as)
{
	const struct manifest *manifest = &list->provider->manifest;

	for (size_t i = 0; i < manifest->choice_count; i++) {
		const struct manifest_choice *choice = &manifest->choices[i];

		if (choice->model != NULL && strcmp(choice->kind, as->kind->name) == 0 && makes_its_kind(choice))
			add_name(list, model_name_of(choice, list->capabilities), choice);
	}
}

static void add_provider(struct model_list *list, const struct provider *provider)
{
	list->provider = provider;
	list->capabilities = json_read(provider->manifest.capabilities, strlen(provider->manifest.capabilities), NULL);
	for (size_t i = 0; i < KINDS_LISTED; i++) {
		const struct provider_kind *as = provider_as(provider, kinds_listed[i]);

		if (as == NULL)
			continue;
		add_modes(list, as);
		add_models(list, as);
	}
	json_decref(list->capabilities);
}

/* What is not listed, and can be asked for all the same: a provider alone, a model of a market. NULL: it cannot. */
static json_t *find_unlisted(struct host *host, const struct gate_view *view, const char *name)
{
	struct openai_model model;
	json_t *found = NULL;

	for (size_t i = 0; i < KINDS_LISTED && found == NULL; i++) {
		struct manifest_choice undescribed = { .kind = (char *)(uintptr_t)kinds_listed[i] };

		if (openai_model_find(host, view, kinds_listed[i], name, &model) != OPENAI_MODEL_FOUND)
			continue;
		undescribed.model = model.model[0] != '\0' ? model.model : NULL;
		found = make_model(name, model.provider, describe(&undescribed));
		openai_model_close(&model);
	}
	return found;
}

/* A name of the configuration is listed as what it stands for, if that is there. */
static void add_aliases(struct model_list *list, struct host *host, const struct gate_view *view)
{
	const struct config *config = view->config;

	for (size_t i = 0; i < config->openai.model_count; i++) {
		const struct config_openai_model *alias = &config->openai.models[i];
		json_t *target = json_object_get(list->by_id, alias->target), *model;

		model = target != NULL ? json_copy(target) : find_unlisted(host, view, alias->name);
		if (model == NULL)
			continue;
		json_object_set_new(model, "id", json_string(alias->name));
		json_object_set_new(list->by_id, alias->name, model);
	}
}

static json_t *list_models(struct host *host, const struct provider_set *set, const struct gate_view *view)
{
	struct model_list list = { .by_id = json_object() };

	for (size_t i = 0; i < set->count; i++)
		if (set->entries[i].provider != NULL)
			add_provider(&list, set->entries[i].provider);
	add_aliases(&list, host, view);
	return list.by_id;
}

/* ---- the page ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **sorted_ids(json_t *by_id)
{
	const char **ids = memory_new_array(json_object_size(by_id) + 1, sizeof *ids), *id;
	size_t count = 0;
	json_t *model;

	json_object_foreach(by_id, id, model) {
		ids[count++] = id;
	}
	qsort(ids, count, sizeof *ids, compare_texts);
	return ids;
}

static void write_page(struct list_page *page)
{
	const char **ids = sorted_ids(page->by_id);

	buffer_init(&page->text, LIMIT_PAGE_BYTES);
	buffer_text(&page->text, "{\"object\":\"list\",\"data\":[");
	for (size_t i = 0; i < json_object_size(page->by_id); i++) {
		buffer_text(&page->text, i > 0 ? "," : "");
		json_write(&page->text, json_object_get(page->by_id, ids[i]));
	}
	buffer_text(&page->text, "]}");
	free(ids);
}

static void list_page_release(struct list_page *page)
{
	if (page == NULL || atomic_fetch_sub_explicit(&page->holders, 1, memory_order_acq_rel) != 1)
		return;
	json_decref(page->by_id);
	buffer_free(&page->text);
	free(page);
}

static struct list_page *find_page(struct openai_model_lists *lists, uint64_t set_generation, uint64_t view_generation)
{
	struct list_page *found = NULL;

	pthread_mutex_lock(&lists->lock);
	if (lists->page != NULL && lists->page->set_generation == set_generation &&
		lists->page->view_generation == view_generation) {
		found = lists->page;
		atomic_fetch_add_explicit(&found->holders, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&lists->lock);
	return found;
}

static void keep_page(struct openai_model_lists *lists, struct list_page *page)
{
	struct list_page *old;

	atomic_fetch_add_explicit(&page->holders, 1, memory_order_relaxed);
	pthread_mutex_lock(&lists->lock);
	old = lists->page;
	lists->page = page;
	pthread_mutex_unlock(&lists->lock);
	list_page_release(old);
}

/* With one more holder. Made outside of the lock: two who find none make it twice, and nobody waits. */
static struct list_page *acquire_page(struct host *host, const struct http_request *request)
{
	struct provider_set *set = provider_loader_acquire(host->loader);
	struct list_page *page = find_page(host->openai_models, set->generation, request->view->generation);

	if (page == NULL) {
		page = memory_new(sizeof *page);
		atomic_store(&page->holders, 1);
		page->set_generation = set->generation;
		page->view_generation = request->view->generation;
		page->by_id = list_models(host, set, request->view);
		write_page(page);
		keep_page(host->openai_models, page);
	}
	provider_set_release(set);
	return page;
}

struct openai_model_lists *openai_model_lists_new(void)
{
	struct openai_model_lists *lists = memory_new(sizeof *lists);

	pthread_mutex_init(&lists->lock, NULL);
	return lists;
}

void openai_model_lists_free(struct openai_model_lists *lists)
{
	if (lists == NULL)
		return;
	list_page_release(lists->page);
	pthread_mutex_destroy(&lists->lock);
	free(lists);
}

/* ---- answers ---- */

void openai_models_list(struct host *host, struct http_request *request)
{
	struct list_page *page = acquire_page(host, request);

	answer_json(request, 200, NULL, &page->text);
	list_page_release(page);
}

static void send_no_model(struct http_request *request, const char *id)
{
	char quoted[OPENAI_QUOTE_BYTES], message[OPENAI_QUOTE_BYTES + 128];

	snprintf(message, sizeof message, "The model '%s' does not exist here. GET /v1/models lists the models.",
		openai_quote(request, id, quoted));
	openai_send_error(request,
		&(struct openai_error){ .status = 404, .code = "model_not_found", .param = "model", .message = message });
}

void openai_models_retrieve(struct host *host, struct http_request *request, const char *id)
{
	struct list_page *page = acquire_page(host, request);
	json_t *model = json_incref(json_object_get(page->by_id, id));
	struct buffer out;

	if (model == NULL &&
		strchr(id, '/') == NULL) /* of a market any name could be a model: who asks wants to know whether it is one */
		model = find_unlisted(host, request->view, id);

	if (model == NULL) {
		send_no_model(request, id);
	} else {
		buffer_init(&out, LIMIT_PAGE_BYTES);
		json_write(&out, model);
		answer_json(request, 200, NULL, &out);
		buffer_free(&out);
	}
	json_decref(model);
	list_page_release(page);
}
