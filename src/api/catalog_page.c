/* catalog_page.c - renders a kind's catalog once per change and sends the same text until the next. HTTP threads. */
#include "api/catalog_page.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/envelope.h"
#include "api/file_problem_json.h"
#include "api/last_probe.h"
#include "api/verdict_json.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "script/script_problem.h"

/* One rendered catalog, shared by the requests that send it. */
struct page {
	_Atomic int holders;
	uint64_t set_generation;
	uint64_t view_generation;
	uint64_t probes; /* a probe tells how its vendor does */
	int stops;	 /* of all providers: a stop changes what `script` says */
	int resting;	 /* providers that rest: the end of a rest does too */
	struct buffer text;
	uint64_t digest; /* of it, and of the view, by which secrets are masked in it */
};

struct catalog_page_cache {
	pthread_mutex_t lock;
	struct page *pages[KIND_COUNT];
};

struct catalog_page_cache *catalog_page_cache_new(void)
{
	struct catalog_page_cache *cache = memory_new(sizeof *cache);

	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

static void page_release(struct page *page)
{
	if (page == NULL || atomic_fetch_sub_explicit(&page->holders, 1, memory_order_acq_rel) != 1)
		return;
	buffer_free(&page->text);
	free(page);
}

void catalog_page_cache_free(struct catalog_page_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < KIND_COUNT; i++)
		page_release(cache->pages[i]);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* ---- rendering ---- */

static void write_texts(struct buffer *out, char *const *texts)
{
	buffer_char(out, '[');
	for (size_t i = 0; texts[i] != NULL; i++) {
		if (i > 0)
			buffer_char(out, ',');
		json_write_text(out, texts[i]);
	}
	buffer_char(out, ']');
}

static void write_list_of(struct buffer *out, const char *name, const char *json, const char *otherwise)
{
	json_member_json(out, name, json != NULL && strcmp(json, "{}") != 0 ? json : otherwise);
}

/* Names and places of the credentials; never a value. */
static void write_credential_specs(struct buffer *out, const struct manifest *manifest)
{
	bool first = true;

	buffer_text(out, "\"env_keys\":[");
	for (size_t i = 0; i < manifest->credential_count; i++) {
		for (char **name = manifest->credentials[i].env; *name != NULL; name++) {
			if (!first)
				buffer_char(out, ',');
			json_write_text(out, *name);
			first = false;
		}
	}
	buffer_text(out, "],\"credential_keys\":{");
	for (size_t i = 0; i < manifest->credential_count; i++) {
		const struct credential_spec *spec = &manifest->credentials[i];

		if (i > 0)
			buffer_char(out, ',');
		json_write_text(out, spec->name);
		buffer_text(out, ":{\"env\":");
		write_texts(out, spec->env);
		buffer_text(out, ",\"secret\":");
		write_texts(out, spec->secret);
		buffer_text(out, ",\"optional\":");
		json_write_bool(out, spec->optional);
		buffer_char(out, '}');
	}
	buffer_text(out, "},");
}

/* Why the newest text of the file is not in use, or why the script rests; NULL: neither. To be released. */
static struct file_problem *script_trouble(const struct provider_entry *entry)
{
	char why[256];

	if (entry->problem != NULL)
		return file_problem_hold(entry->problem);
	if (!provider_rests(entry->provider))
		return NULL;
	provider_rest_reason(entry->provider, why, sizeof why);
	return script_problem_new(why, entry->file);
}

static void write_script(struct buffer *out, const struct provider_entry *entry)
{
	char time[CLOCK_TEXT_BYTES];
	int64_t rest = provider_resting_ms(entry->provider);
	struct file_problem *trouble = script_trouble(entry);

	clock_format(entry->provider->loaded_ms, time);
	buffer_text(out, "\"script\":{\"file\":");
	json_write_text(out, entry->file);
	buffer_format(out, ",\"generation\":%llu,\"loaded_at\":\"%s\",\"stops\":%d,\"rests_until\":",
		(unsigned long long)entry->provider->generation, time, atomic_load(&entry->provider->stops));
	clock_format(clock_unix_ms() + rest, time);
	json_write_text(out, rest > 0 ? time : NULL);
	buffer_text(out, ",\"error\":");
	json_write_text(out, trouble != NULL ? trouble->text : NULL);
	buffer_text(out, ",\"error_at\":");
	file_problem_write_place(out, trouble);
	buffer_text(out, "},");
	file_problem_release(trouble);
}

static void write_kinds(struct buffer *out, const struct provider *provider)
{
	buffer_text(out, "\"kinds\":[");
	for (size_t i = 0; i < provider->kind_count; i++)
		buffer_format(out, "%s\"%s\"", i > 0 ? "," : "", provider->kinds[i].kind->name);
	buffer_text(out, "],");
}

/* What goes into one catalog. */
struct listing {
	struct host *host;
	const struct gate_view *view;
	const struct kind *kind;
	struct buffer entries;
	bool allowed; /* one of them could be executed */
};

static void write_catalog_entry(struct listing *listing, const struct provider_entry *entry)
{
	struct buffer *out = &listing->entries;
	struct provider *provider = entry->provider;
	const struct provider_kind *as = provider_as(provider, listing->kind->name);
	struct verdict_json *verdict_json = verdict_json_acquire(listing->host->verdict_jsons, provider, as, listing->view, NULL);

	listing->allowed |= verdict_json->execution_allowed;
	buffer_text(out, out->length > 0 ? ",{\"id\":" : "{\"id\":");
	json_write_text(out, provider->manifest.id);
	buffer_char(out, ',');
	envelope_write_members(out, as, verdict_json, LIVENESS_ASKED);
	write_kinds(out, provider);
	buffer_text(out, "\"aliases\":");
	write_texts(out, provider->manifest.aliases);
	buffer_char(out, ',');
	write_list_of(out, "tags", provider->manifest.tags, "[]");
	write_list_of(out, "modes", as->modes, "[]");
	write_list_of(out, "reviews", provider->manifest.reviews, "null");
	write_credential_specs(out, &provider->manifest);
	json_member_text(out, "dashboard_url", provider->manifest.dashboard_url);
	buffer_text(out, "\"last_probe\":");
	last_probes_write(listing->host->last_probes, provider->manifest.id, listing->kind, out);
	buffer_char(out, ',');
	write_script(out, entry);
	envelope_write_causes(out, verdict_json, NULL, LIVENESS_ASKED);
	buffer_char(out, '}');
	verdict_json_release(verdict_json);
}

/* Those whose own kind it is come first, each group by file. */
static void write_entries(struct listing *listing, const struct provider_set *set, bool own)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct provider *provider = set->entries[i].provider;

		if (provider != NULL && manifest_has_kind(&provider->manifest, listing->kind) &&
			(provider->manifest.kinds[0] == listing->kind) == own)
			write_catalog_entry(listing, &set->entries[i]);
	}
}

/* Files that have never loaded belong to no kind: every catalog names them. */
static void write_errors(struct buffer *out, const struct provider_set *set)
{
	bool first = true;

	buffer_text(out, ",\"script_errors\":[");
	for (size_t i = 0; i < set->count; i++) {
		if (set->entries[i].problem == NULL)
			continue;
		if (!first)
			buffer_char(out, ',');
		json_write_text(out, set->entries[i].problem->text);
		first = false;
	}
	buffer_char(out, ']');
}

static void render_page(struct page *page, struct host *host, const struct gate_view *view, const struct provider_set *set,
	const struct kind *kind)
{
	struct listing listing = { .host = host, .view = view, .kind = kind };
	struct buffer *out = &page->text;
	const char *allowed;

	buffer_init(&listing.entries, LIMIT_REPLY_BYTES);
	write_entries(&listing, set, true);
	write_entries(&listing, set, false);
	allowed = listing.allowed ? "true" : "false";
	buffer_format(out,
		"{\"ok\":%s,\"kind\":\"%s\",\"feature\":{\"feature\":\"%s\",\"enabled\":%s},\"dry_run\":true,\"execution_"
		"allowed\":%s",
		allowed, kind->name, kind->flag, gate_feature_enabled(view, kind->flag) ? "true" : "false", allowed);
	write_errors(out, set);
	buffer_text(out, ",\"providers\":[");
	buffer_append(out, listing.entries.data, listing.entries.length);
	buffer_text(out, "]}");
	out->failed |= listing.entries.failed;
	buffer_free(&listing.entries);
}

/* ---- cache ---- */

static void count_troubles(const struct provider_set *set, struct page *key)
{
	for (size_t i = 0; i < set->count; i++) {
		struct provider *provider = set->entries[i].provider;

		if (provider == NULL)
			continue;
		key->stops += atomic_load_explicit(&provider->stops, memory_order_relaxed);
		key->resting += provider_resting_ms(provider) > 0;
	}
}

static bool is_current(const struct page *page, const struct page *key)
{
	return page->set_generation == key->set_generation && page->view_generation == key->view_generation &&
	       page->probes == key->probes && page->stops == key->stops && page->resting == key->resting;
}

static struct page *find_page(struct catalog_page_cache *cache, const struct kind *kind, const struct page *key)
{
	struct page *page;

	pthread_mutex_lock(&cache->lock);
	page = cache->pages[kind_place(kind)];
	if (page != NULL && !is_current(page, key))
		page = NULL;
	if (page != NULL)
		atomic_fetch_add_explicit(&page->holders, 1, memory_order_relaxed);
	pthread_mutex_unlock(&cache->lock);
	return page;
}

static void keep_page(struct catalog_page_cache *cache, const struct kind *kind, struct page *page)
{
	struct page *old;

	atomic_fetch_add_explicit(&page->holders, 1, memory_order_relaxed);
	pthread_mutex_lock(&cache->lock);
	old = cache->pages[kind_place(kind)];
	cache->pages[kind_place(kind)] = page;
	pthread_mutex_unlock(&cache->lock);
	page_release(old);
}

static struct page *get_page(
	struct host *host, const struct gate_view *view, const struct provider_set *set, const struct kind *kind)
{
	struct page key = { .set_generation = set->generation,
		.view_generation = view->generation,
		.probes = last_probes_generation(host->last_probes) };
	struct page *page;

	count_troubles(set, &key);
	page = find_page(host->catalog_pages, kind, &key);
	if (page != NULL)
		return page;
	page = memory_new(sizeof *page);
	atomic_store(&page->holders, 1);
	page->set_generation = key.set_generation;
	page->view_generation = key.view_generation;
	page->probes = key.probes;
	page->stops = key.stops;
	page->resting = key.resting;
	buffer_init(&page->text, LIMIT_REPLY_BYTES);
	render_page(page, host, view, set, kind);
	page->digest = text_digest(buffer_begin(&page->text), page->text.length) * 31 + view->generation;
	if (!page->text.failed)
		keep_page(host->catalog_pages, kind, page);
	return page;
}

void catalog_page_handle(struct host *host, struct http_request *request, const char *kind, const char *name)
{
	struct provider_set *set = provider_loader_acquire(host->loader);
	struct page *page;

	(void)name;
	page = get_page(host, request->view, set, kind_named(kind));
	answer_tagged(request, &page->text, page->digest, false);
	page_release(page);
	provider_set_release(set);
}
