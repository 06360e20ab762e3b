/* verdict_json.c - renders verdicts and keeps the newest one per provider and kind. Any thread; the lock is held for a look and a count. */
#include "api/verdict_json.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"

#define TEXT_BYTES (256 * 1024)

#define SLOTS (LIMIT_PROVIDERS * KIND_COUNT)

struct slot {
	uint64_t provider_generation;
	const struct kind *kind;
	uint64_t view_generation;
	struct verdict_json *verdict_json;
};

struct verdict_json_cache {
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
};

struct verdict_json_cache *verdict_json_cache_new(void)
{
	struct verdict_json_cache *cache = memory_new(sizeof *cache);

	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void verdict_json_cache_free(struct verdict_json_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		verdict_json_release(cache->slots[i].verdict_json);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

struct verdict_json *verdict_json_hold(struct verdict_json *verdict_json)
{
	atomic_fetch_add_explicit(&verdict_json->holders, 1, memory_order_relaxed);
	return verdict_json;
}

void verdict_json_release(struct verdict_json *verdict_json)
{
	if (verdict_json == NULL || atomic_fetch_sub_explicit(&verdict_json->holders, 1, memory_order_acq_rel) != 1)
		return;
	free(verdict_json->head);
	free(verdict_json->reason);
	free(verdict_json->warnings);
	free(verdict_json->missing);
	verdict_json_release(verdict_json->with_optional);
	free(verdict_json);
}

static void write_sources(struct buffer *out, const struct verdict *verdict, const struct gate_subject *subject)
{
	buffer_text(out, "\"credentials\":{\"present\":");
	json_write_bool(out, verdict->credentials_present);
	buffer_text(out, ",\"sources\":{");
	for (size_t i = 0; i < subject->credential_count && i < VERDICT_TEXTS; i++) {
		if (i > 0)
			buffer_char(out, ',');
		json_write_text(out, subject->credentials[i].name);
		buffer_char(out, ':');
		json_write_text(out, verdict->sources[i]);
	}
	buffer_text(out, "}},");
}

/* A verdict's texts are few and bounded, so nothing but memory can be missing. */
static char *take_rendered(struct buffer *out)
{
	char *text = buffer_take(out);

	if (text == NULL)
		memory_exhausted();
	return text;
}

static char *render_head(const struct verdict *verdict, const struct gate_subject *subject, const char *flag)
{
	struct buffer out;

	buffer_init(&out, TEXT_BYTES);
	buffer_text(&out, "\"execution_allowed\":");
	json_write_bool(&out, verdict->execution_allowed);
	buffer_text(&out, ",\"feature\":{\"feature\":");
	json_write_text(&out, flag);
	buffer_text(&out, ",\"enabled\":");
	json_write_bool(&out, verdict->enabled);
	buffer_text(&out, "},");
	write_sources(&out, verdict, subject);
	return take_rendered(&out);
}

static char *render_texts(char *const *texts, size_t count)
{
	struct buffer out;

	buffer_init(&out, TEXT_BYTES);
	for (size_t i = 0; i < count; i++) {
		json_write_text(&out, texts[i]);
		buffer_char(&out, ',');
	}
	return take_rendered(&out);
}

static char *render_reason(const char *reason)
{
	struct buffer out;

	buffer_init(&out, TEXT_BYTES);
	json_write_text(&out, reason);
	return take_rendered(&out);
}

static uint32_t lacking_of(const struct verdict *verdict, const struct gate_subject *subject)
{
	uint32_t lacking = 0;

	for (size_t i = 0; i < subject->credential_count && i < VERDICT_TEXTS; i++)
		if (subject->credentials[i].optional && verdict->sources[i] == NULL)
			lacking |= UINT32_C(1) << i;
	return lacking;
}

/* Who is judged, and by what. */
struct case_of {
	const struct gate_view *view;
	const struct gate_subject *subject;
	const char *flag;
	const json_t *request_config;
};

static struct verdict_json *render_verdict(const struct case_of *judged, bool optional_too)
{
	struct verdict_json *made = memory_new(sizeof *made);
	struct verdict verdict;

	atomic_store(&made->holders, 1);
	gate_judge(judged->view, judged->subject, judged->flag, judged->request_config, optional_too, &verdict);
	made->execution_allowed = verdict.execution_allowed;
	made->request_credential = verdict.request_credential;
	made->live_allowed = verdict.live_allowed;
	made->head = render_head(&verdict, judged->subject, judged->flag);
	made->reason = render_reason(verdict.reason);
	made->warnings = render_texts(verdict.warnings, verdict.warning_count);
	made->missing = render_texts(verdict.live_missing, verdict.live_missing_count);
	made->lacking = lacking_of(&verdict, judged->subject);
	verdict_free(&verdict);
	return made;
}

static struct verdict_json *judge(const struct case_of *judged)
{
	struct verdict_json *made = render_verdict(judged, false);

	if (made->lacking != 0)
		made->with_optional = render_verdict(judged, true);
	return made;
}

static struct slot *slot_of(struct verdict_json_cache *cache, const struct slot *key)
{
	return &cache->slots[(key->provider_generation * KIND_COUNT + kind_place(key->kind)) % SLOTS];
}

static struct verdict_json *find_verdict(struct verdict_json_cache *cache, const struct slot *key)
{
	struct slot *slot = slot_of(cache, key);
	struct verdict_json *found = NULL;

	pthread_mutex_lock(&cache->lock);
	if (slot->verdict_json != NULL && slot->provider_generation == key->provider_generation && slot->kind == key->kind &&
		slot->view_generation == key->view_generation)
		found = verdict_json_hold(slot->verdict_json);
	pthread_mutex_unlock(&cache->lock);
	return found;
}

static void keep_verdict(struct verdict_json_cache *cache, const struct slot *entry)
{
	struct slot *slot = slot_of(cache, entry);
	struct verdict_json *old;

	pthread_mutex_lock(&cache->lock);
	old = slot->verdict_json;
	*slot = *entry;
	verdict_json_hold(slot->verdict_json);
	pthread_mutex_unlock(&cache->lock);
	verdict_json_release(old);
}

struct verdict_json *verdict_json_acquire(struct verdict_json_cache *cache, struct provider *provider,
	const struct provider_kind *as, const struct gate_view *view, const json_t *request_config)
{
	const struct case_of judged = {
		.view = view, .subject = &provider->subject, .flag = as->flag, .request_config = request_config
	};
	struct slot entry = {
		.provider_generation = provider->generation, .kind = as->kind, .view_generation = view->generation
	};

	if (request_config != NULL)
		return judge(&judged);
	entry.verdict_json = find_verdict(cache, &entry);
	if (entry.verdict_json == NULL) {
		entry.verdict_json = judge(&judged);
		keep_verdict(cache, &entry);
	}
	return entry.verdict_json;
}
