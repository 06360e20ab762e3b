/* model_facts.c - as which kind a model is asked for, whether it would be live, and what it costs. HTTP threads; reads snapshots. */
#include "mcp/model_facts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/verdict_json.h"
#include "base/json.h"
#include "directory/directory.h"
#include "mcp/numbers.h"

#define NAMED_PROVIDERS 64
#define UNIT_LETTERS "abcdefghijklmnopqrstuvwxyz "

const char *mcp_kind_path(const char *kind)
{
	if (strcmp(kind, "gpu") == 0)
		return "/api/providers/gpu/public/";
	return strcmp(kind, "image") == 0 ? "/api/providers/image/" : "/api/providers/video/";
}

/* ---- the kind ---- */

static const char *served_kind(const struct provider *provider, const char *name)
{
	const struct kind *kind = kind_named(name);

	return kind != NULL && manifest_has_kind(&provider->manifest, kind) ? kind->name : NULL;
}

/* A media choice counts before a GPU one: a request without a job is a media request. */
static const char *kind_of_choice(const struct manifest *manifest, const char *model)
{
	const char *found = NULL;

	for (size_t i = 0; i < manifest->choice_count; i++) {
		const struct manifest_choice *choice = &manifest->choices[i];

		if (choice->model == NULL || strcmp(choice->model, model) != 0)
			continue;
		if (strcmp(choice->kind, "gpu") != 0)
			return choice->kind;
		found = choice->kind;
	}
	return found;
}

static const char *kind_in_directory(struct directory *directory, const struct provider *provider, const char *model)
{
	struct directory_snapshot *snapshot = directory_acquire(directory, provider->manifest.id);
	const struct directory_model *known = directory_find(snapshot, model);
	const char *kind = known != NULL ? served_kind(provider, known->kind) : NULL;

	directory_release(snapshot);
	return kind;
}

const char *mcp_media_kind(const struct provider *provider)
{
	for (size_t i = 0; i < provider->manifest.kind_count; i++)
		if (strcmp(provider->manifest.kinds[i]->name, "gpu") != 0)
			return provider->manifest.kinds[i]->name;
	return NULL;
}

const char *mcp_kind_of(struct mcp_call *call, const struct provider *provider, const char *model, bool is_job)
{
	const char *own = provider->manifest.kinds[0]->name, *kind = NULL;

	if (is_job)
		return served_kind(provider, "gpu");
	if (model != NULL)
		kind = kind_of_choice(&provider->manifest, model);
	if (kind == NULL && model != NULL)
		kind = kind_in_directory(call->host->directory, provider, model);
	if (kind == NULL && strcmp(own, "gpu") == 0)
		kind = mcp_media_kind(provider);
	return kind != NULL ? kind : own;
}

void mcp_refuse_provider(struct mcp_call *call, const struct provider_set *set)
{
	json_t *names = json_array();

	for (size_t i = 0; i < set->count && json_array_size(names) < NAMED_PROVIDERS; i++)
		if (set->entries[i].provider != NULL)
			json_array_append_new(names, json_string(set->entries[i].provider->manifest.id));
	mcp_call_refuse_with(call, "unknown_provider", json_pack("{s:o}", "providers", names),
		"there is no provider of this name; `providers` has those that there are");
}

/* ---- what is said of it ---- */

bool mcp_is_live(const struct mcp_call *call, struct provider *provider, const char *kind)
{
	struct verdict_json *verdict =
		verdict_json_acquire(call->host->verdict_jsons, provider, provider_as(provider, kind), call->request->view, NULL);
	bool live = verdict->live_allowed && call->request->view->config->mcp.live && access_has(call->request, ROLE_LIVE) &&
		    !live_is_stopped(call->host->live);

	verdict_json_release(verdict);
	return live;
}

/* "$0.07", and what stands behind it; NULL: there is no amount. */
static const char *read_amount(const char *at, json_t **amount)
{
	char *end;
	double dollars;

	if (*at != '$' || !isdigit((unsigned char)at[1]))
		return NULL;
	dollars = strtod(at + 1, &end);
	*amount = mcp_number(dollars);
	return end;
}

/* Scripts write "$0.07 / second" and "$0.07 to $0.14 / second" as a rule. What is written otherwise stays as it is. */
static json_t *price_of_words(const char *words)
{
	json_t *low = NULL, *high = NULL, *told = NULL;
	const char *at = read_amount(words, &low);

	if (at != NULL && strncmp(at, " to ", 4) == 0)
		at = read_amount(at + 4, &high);
	if (at != NULL && strncmp(at, " / ", 3) == 0 && at[3] != '\0' && at[3 + strspn(at + 3, UNIT_LETTERS)] == '\0')
		told = high != NULL ? json_pack("{s:O, s:O, s:s}", "low_usd", low, "high_usd", high, "unit", at + 3)
				    : json_pack("{s:O, s:s}", "usd", low, "unit", at + 3);
	json_decref(low);
	json_decref(high);
	return told != NULL ? told : json_pack("{s:s}", "text", words);
}

/* Of a time the day is enough. */
static json_t *price_member(const char *name, json_t *value)
{
	const char *text = json_text_value(value);

	if (text != NULL && strcmp(name, "as_of") == 0)
		return json_stringn(text, strcspn(text, "T"));
	return json_incref(value);
}

json_t *mcp_price(const json_t *price)
{
	static const char *const names[] = { "usd", "unit", "as_of" };
	const char *words = json_text_value(price) != NULL ? json_text_value(price) : json_text(price, "text");
	json_t *told, *value;

	if (words != NULL)
		return price_of_words(words);
	if (!json_is_object(price))
		return json_null();
	told = json_object();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		value = json_object_get(price, names[i]);
		if (value != NULL && !json_is_null(value))
			json_object_set_new(told, names[i], price_member(names[i], value));
	}
	return told;
}
