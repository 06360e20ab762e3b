/* tool_search_models.c - search_models: a page of all providers' models, one provider after the other. HTTP threads; no state.
 *
 * Each provider is asked as REST would be (GET .../models), until the page is full. Providers of GPU jobs, which may have no models at all, are a row each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "mcp/model_facts.h"
#include "mcp/query_text.h"
#include "mcp/tool_table.h"

#define MOST_ROWS 25
#define USUAL_ROWS 10
#define STEPS (2 * LIMIT_PROVIDERS) /* a provider's models, and its GPU jobs */
#define CURSOR_BYTES 96
#define QUERY_BYTES 2048
#define PATH_BYTES 160

/* One provider, for its models or (gpu) for its jobs. */
struct step {
	struct provider *provider; /* borrowed from the set */
	bool gpu;
};

struct search {
	struct mcp_call *call;
	struct provider_set *set;
	const char *kind, *words; /* or NULL */
	struct step *steps;
	size_t step_count, step;
	int64_t skip; /* models of this step that come before */
	json_t *rows;
	size_t limit;
};

/* ---- the order ---- */

static bool is_media(const struct kind *kind)
{
	return strcmp(kind->name, "gpu") != 0;
}

/* Has it models of the wanted kind: as a kind that it serves? */
static bool may_have(const struct search *search, const struct provider *provider)
{
	for (size_t i = 0; i < provider->manifest.kind_count; i++)
		if (is_media(provider->manifest.kinds[i]) &&
			(search->kind == NULL || strcmp(provider->manifest.kinds[i]->name, search->kind) == 0))
			return true;
	return false;
}

static bool wants_provider(const struct search *search, const struct provider *provider)
{
	return provider != NULL &&
	       (mcp_argument_text(search->call, "provider") == NULL ||
		       provider == provider_set_find(search->set, NULL, mcp_argument_text(search->call, "provider")));
}

static void add_steps(struct search *search, bool gpu, bool own)
{
	const struct kind *kind = kind_named("gpu");

	for (size_t i = 0; i < search->set->count && search->step_count < STEPS; i++) {
		struct provider *provider = search->set->entries[i].provider;

		if (!wants_provider(search, provider))
			continue;
		if (gpu ? manifest_has_kind(&provider->manifest, kind)
			: may_have(search, provider) && own == is_media(provider->manifest.kinds[0]))
			search->steps[search->step_count++] = (struct step){ .provider = provider, .gpu = gpu };
	}
}

/* Whose own kind it is first, then the markets where GPUs are let too, then the GPU jobs. */
static void order_steps(struct search *search)
{
	bool jobs_only = search->kind != NULL && strcmp(search->kind, "gpu") == 0;

	search->steps = memory_new_array(STEPS, sizeof *search->steps);
	if (!jobs_only) {
		add_steps(search, false, true);
		add_steps(search, false, false);
	}
	if (search->kind == NULL || jobs_only)
		add_steps(search, true, false);
}

/* ---- cursors: "fal.20", "gpu.modal.0" ---- */

static json_t *new_cursor(const struct search *search)
{
	const struct step *step = &search->steps[search->step];

	if (search->step >= search->step_count)
		return json_null();
	return json_sprintf("%s%s.%lld", step->gpu ? "gpu." : "", step->provider->manifest.id, (long long)search->skip);
}

static bool begin_at(struct search *search, const char *cursor)
{
	char id[CURSOR_BYTES];
	const char *dot = strrchr(cursor, '.');
	bool gpu = strncmp(cursor, "gpu.", 4) == 0;
	char *end;

	cursor += gpu ? 4 : 0;
	if (dot == NULL || dot < cursor || (size_t)(dot - cursor) >= sizeof id)
		return false;
	snprintf(id, sizeof id, "%.*s", (int)(dot - cursor), cursor);
	search->skip = strtoll(dot + 1, &end, 10);
	for (; search->step < search->step_count; search->step++)
		if (search->steps[search->step].gpu == gpu && strcmp(search->steps[search->step].provider->manifest.id, id) == 0)
			break;
	return *end == '\0' && end > dot + 1 && search->skip >= 0 && search->step < search->step_count;
}

/* ---- rows ---- */

static void add_model_row(
	struct search *search, struct provider *provider, const char *model, const char *kind, const json_t *price)
{
	const char *as = kind_named(kind) != NULL && manifest_has_kind(&provider->manifest, kind_named(kind))
				 ? kind
				 : provider->manifest.kinds[0]->name;

	json_array_append_new(
		search->rows, json_pack("{s:s, s:s?, s:s, s:o, s:b}", "provider", provider->manifest.id, "model", model, "kind",
				      kind, "price", mcp_price(price), "live", (int)mcp_is_live(search->call, provider, as)));
}

/* All of the words in its id or name. */
static bool fits_words(const struct search *search, const struct provider *provider)
{
	char text[512], words[LIMIT_MODEL_SEARCH_BYTES + 1], name[256], *word, *rest = words;

	if (search->words == NULL)
		return true;
	if (!text_fold(search->words, words, sizeof words))
		return false;
	if (!text_fold(provider->manifest.name, name, sizeof name))
		name[0] = '\0';
	snprintf(text, sizeof text, "%s %s", provider->manifest.id, name);
	while ((word = strtok_r(rest, " \t", &rest)) != NULL)
		if (strstr(text, word) == NULL)
			return false;
	return true;
}

static void take_models(struct search *search, struct provider *provider, const struct inner_answer *answer)
{
	const char *next = json_text(answer->body, "next"), *id, *kind;
	json_t *model;
	size_t i;

	json_array_foreach(json_object_get(answer->body, "models"), i, model) {
		id = json_text(model, "id");
		kind = json_text(model, "kind");
		if (id != NULL)
			add_model_row(search, provider, id, kind != NULL ? kind : "other", json_object_get(model, "price"));
	}
	search->skip = next != NULL ? strtoll(next, NULL, 10) : 0;
	search->step += next == NULL;
}

/* False: the call was refused. */
static bool ask_provider(struct search *search, struct provider *provider)
{
	const char *kind = search->kind != NULL ? search->kind : mcp_media_kind(provider);
	char path[PATH_BYTES], number[24];
	struct inner_answer answer;
	struct buffer query;
	bool good;

	snprintf(path, sizeof path, "%s%s/models", mcp_kind_path(kind), provider->manifest.id);
	buffer_init(&query, QUERY_BYTES);
	mcp_query_add(&query, "kind", search->kind);
	mcp_query_add(&query, "q", search->words);
	snprintf(number, sizeof number, "%zu", search->limit - json_array_size(search->rows));
	mcp_query_add(&query, "limit", number);
	snprintf(number, sizeof number, "%lld", (long long)search->skip);
	mcp_query_add(&query, "cursor", number);
	mcp_call_inner(search->call, &(struct inner_call){ .method = "GET", .path = path, .query = query.data }, &answer);
	good = answer.status == 200;
	if (good)
		take_models(search, provider, &answer);
	else
		mcp_call_refuse_inner(search->call, &answer);
	inner_answer_free(&answer);
	buffer_free(&query);
	return good;
}

static void run_search(struct search *search)
{
	while (search->step < search->step_count && json_array_size(search->rows) < search->limit) {
		const struct step *step = &search->steps[search->step];

		if (!step->gpu) {
			if (!ask_provider(search, step->provider))
				return;
			continue;
		}
		if (fits_words(search, step->provider))
			add_model_row(search, step->provider, NULL, "gpu", NULL);
		search->step++;
		search->skip = 0;
	}
	mcp_call_answer(search->call, json_pack("{s:O, s:o}", "models", search->rows, "next", new_cursor(search)));
}

static bool is_sane(struct mcp_call *call, const char *words)
{
	if (words == NULL || strlen(words) <= LIMIT_MODEL_SEARCH_BYTES)
		return true;
	mcp_call_refuse(call, "invalid_arguments", "query is too long: some words of an id or a name are enough");
	return false;
}

static void run_search_models(struct mcp_call *call)
{
	const char *cursor = mcp_argument_text(call, "cursor"), *provider = mcp_argument_text(call, "provider");
	struct search search = { .call = call,
		.kind = mcp_argument_text(call, "kind"),
		.words = mcp_argument_text(call, "query"),
		.limit = (size_t)mcp_argument_integer(call, "limit", USUAL_ROWS) };

	if (!is_sane(call, search.words))
		return;
	search.set = provider_loader_acquire(call->host->loader);
	search.rows = json_array();
	order_steps(&search);
	if (provider != NULL && provider_set_find(search.set, NULL, provider) == NULL)
		mcp_refuse_provider(call, search.set);
	else if (cursor != NULL && !begin_at(&search, cursor))
		mcp_call_refuse(call, "invalid_arguments", "cursor must be the `next` of a page with the same arguments");
	else
		run_search(&search);
	free(search.steps);
	json_decref(search.rows);
	provider_set_release(search.set);
}

static const char *const kinds[] = { "image", "video", "gpu", NULL };

static const struct mcp_argument arguments[] = {
	{ .name = "kind", .type = MCP_TEXT, .values = kinds },
	{ .name = "provider", .type = MCP_TEXT, .description = MCP_PROVIDER_WORDS },
	{ .name = "query", .type = MCP_TEXT },
	{ .name = "limit", .type = MCP_INTEGER, .ranged = true, .least = 1, .most = MOST_ROWS, .otherwise = "10" },
	{ .name = "cursor", .type = MCP_TEXT },
	{ .name = NULL },
};

const struct mcp_tool mcp_tool_search_models = {
	.name = "search_models",
	.title = "Find a model",
	.description = "Find image, video and GPU models with their prices. Free.",
	.arguments = arguments,
	.output_schema = "{\"type\":\"object\",\"properties\":{\"models\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
			 "\"properties\":"
			 "{\"provider\":{\"type\":\"string\"},\"model\":" MCP_WORDS_SCHEMA
			 ",\"kind\":{\"type\":\"string\"},\"price\":{\"anyOf\":[{\"type\":\"object\"},{\"type\":\"null\"}]},"
			 "\"live\":{\"type\":\"boolean\"}}}},\"next\":" MCP_WORDS_SCHEMA "},\"required\":[\"models\"]}",
	.annotations = { .read_only = true },
	.role = ROLE_READ,
	.run = run_search_models,
};
