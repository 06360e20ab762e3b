/* provider.c - loads a script into a provider, and notes whether it may be called. */
#include "script/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"

static enum error_code make_kinds(struct provider *provider, struct error *error)
{
	const struct manifest *manifest = &provider->manifest;
	enum error_code code = ERROR_NONE;

	for (; provider->kind_count < manifest->kind_count && code == ERROR_NONE; provider->kind_count++)
		code = provider_kind_make(
			manifest, manifest->kinds[provider->kind_count], &provider->kinds[provider->kind_count], error);
	return code;
}

const struct provider_kind *provider_as(const struct provider *provider, const char *kind)
{
	for (size_t i = 0; i < provider->kind_count; i++)
		if (strcmp(provider->kinds[i].kind->name, kind) == 0)
			return &provider->kinds[i];
	return NULL;
}

static void provider_free(struct provider *provider)
{
	instance_free(provider, provider->live);
	instance_pool_close(provider);
	manifest_free(&provider->manifest);
	for (size_t i = 0; i < provider->kind_count; i++)
		provider_kind_free(&provider->kinds[i]);
	script_library_release(provider->library);
	free(provider->text);
	free(provider->file);
	pthread_mutex_destroy(&provider->rest_lock);
	free(provider);
}

static struct provider *provider_make(const struct provider_source *source)
{
	struct provider *made = memory_new(sizeof *made);

	pthread_mutex_init(&made->rest_lock, NULL);
	instance_pool_open(&made->pool);
	atomic_store(&made->holders, 1);
	made->file = memory_copy_text(source->file);
	made->text = memory_copy_bytes(source->text, source->length);
	made->text_length = source->length;
	made->library = script_library_hold(source->library);
	made->watch = source->watch;
	made->digest = source->digest;
	made->generation = source->generation;
	made->loaded_ms = clock_unix_ms();
	return made;
}

enum error_code provider_load(const struct provider_source *source, struct provider **provider, struct error *error)
{
	struct provider *made = provider_make(source);
	struct script_instance *first = NULL;
	enum error_code code = instance_load(made, true, &made->manifest, &first, error);

	if (code == ERROR_NONE) {
		instance_free(made, first);
		code = make_kinds(made, error);
	}
	if (code != ERROR_NONE) {
		instance_name_file(source->file, error);
		provider_free(made);
		return code;
	}
	made->subject = (struct gate_subject){
		.provider = made->manifest.id,
		.aliases = made->manifest.aliases,
		.credentials = made->manifest.credentials,
		.credential_count = made->manifest.credential_count,
	};
	*provider = made;
	return ERROR_NONE;
}

struct script_instance *provider_live_instance(struct provider *provider, struct error *error)
{
	if (provider->live == NULL)
		instance_load(provider, false, NULL, &provider->live, error);
	return provider->live;
}

void provider_count_memory(struct provider *provider, struct script_instance *instance)
{
	size_t used = instance->state->memory_used;

	atomic_fetch_add_explicit(&provider->memory_used, used - instance->counted, memory_order_relaxed);
	instance->counted = used;
}

struct destination_detour provider_detour(const struct provider *provider, const struct gate_view *view)
{
	const struct config_live_provider *own = config_live_provider(view->config, provider->manifest.id);

	return (struct destination_detour){ .upstream = view->config->live.upstream,
		.script_base = provider->manifest.base_url,
		.base_url = own != NULL ? own->base_url : NULL };
}

struct provider *provider_hold(struct provider *provider)
{
	atomic_fetch_add_explicit(&provider->holders, 1, memory_order_relaxed);
	return provider;
}

void provider_release(struct provider *provider)
{
	if (provider != NULL && atomic_fetch_sub_explicit(&provider->holders, 1, memory_order_acq_rel) == 1)
		provider_free(provider);
}

/* Under the lock. */
static void begin_rest(struct provider *provider, const char *why, int64_t now_ns)
{
	snprintf(provider->rest_reason, sizeof provider->rest_reason, "%.160s; stopped %d times within %d s, so it rests", why,
		LIMIT_SCRIPT_KILLS, LIMIT_SCRIPT_KILL_WINDOW_MS / 1000);
	memset(provider->stop_times_ns, 0, sizeof provider->stop_times_ns);
	atomic_store(&provider->rest_until_ns, now_ns + LIMIT_SCRIPT_REST_MS * 1000000LL);
}

void provider_note_stop(struct provider *provider, const char *why)
{
	int64_t now = clock_monotonic_ns();
	int64_t *times = provider->stop_times_ns;
	bool rests;

	pthread_mutex_lock(&provider->rest_lock);
	memmove(times + 1, times, (LIMIT_SCRIPT_KILLS - 1) * sizeof *times);
	times[0] = now;
	rests = times[LIMIT_SCRIPT_KILLS - 1] != 0 &&
		now - times[LIMIT_SCRIPT_KILLS - 1] < LIMIT_SCRIPT_KILL_WINDOW_MS * 1000000LL;
	if (rests)
		begin_rest(provider, why, now);
	pthread_mutex_unlock(&provider->rest_lock);
	atomic_fetch_add(&provider->stops, 1);
	if (rests)
		log_message(LOG_WARN, "script.rests",
			"%.160s; stopped %d times within %d s, so it rests for %d s or until it is changed", why,
			LIMIT_SCRIPT_KILLS, LIMIT_SCRIPT_KILL_WINDOW_MS / 1000, LIMIT_SCRIPT_REST_MS / 1000);
}

void provider_stood_still(struct provider *provider, const char *step, const char *at)
{
	provider->stood_still = true;
	snprintf(provider->rest_reason, sizeof provider->rest_reason,
		"%.120s rests until it is changed: its %s did not come back (%s), and the host had to be ended", provider->file,
		step, at != NULL ? at : "earlier");
	log_message(LOG_WARN, "script.rests", "%s", provider->rest_reason);
}

bool provider_rests(struct provider *provider)
{
	return provider->stood_still || provider_resting_ms(provider) > 0;
}

int64_t provider_resting_ms(struct provider *provider)
{
	int64_t until = atomic_load_explicit(&provider->rest_until_ns, memory_order_relaxed);
	int64_t left;

	if (until == 0)
		return 0;
	left = until - clock_monotonic_ns();
	return left > 0 ? left / 1000000 + 1 : 0;
}

void provider_rest_reason(struct provider *provider, char *text, size_t size)
{
	pthread_mutex_lock(&provider->rest_lock);
	snprintf(text, size, "%s", provider->rest_reason);
	pthread_mutex_unlock(&provider->rest_lock);
}
