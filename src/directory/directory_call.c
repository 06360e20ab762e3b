/* directory_call.c - one call of models, describe or prices: posted by the directory's thread, run by the engine's, handed back to the first.
 *
 * Before each request the switches are looked at anew, and once more when the connection stands. Nothing that may cost leaves. A credential that is not
 * there is left out: what a vendor tells anybody still works without it. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "directory/internal.h"

static struct directory_call *directory_call_of(const struct engine_call *call)
{
	return (struct directory_call *)(uintptr_t)call;
}

static bool is_switched_on(const struct directory_call *call)
{
	struct directory *directory = call->shelf->directory;
	const struct gate_view *view;
	bool on;

	if (atomic_load(&directory->stopping) || !atomic_load(&call->shelf->on))
		return false;
	view = gate_acquire(directory->gate);
	on = config_asks_directory(view->config, call->shelf->id);
	gate_release(directory->gate, view);
	return on;
}

/* Engine thread, inside curl. */
static bool directory_call_may_leave(const struct engine_call *engine_call)
{
	return is_switched_on(directory_call_of(engine_call));
}

static bool directory_call_unwanted(const struct engine_call *engine_call)
{
	const struct directory_call *call = directory_call_of(engine_call);

	return atomic_load(&call->shelf->directory->stopping) || !atomic_load(&call->shelf->on);
}

/* ---- its requests; engine thread ---- */

/* Is every credential there that the header names? */
static bool is_fillable(const struct directory_call *call, const struct outgoing_header *header)
{
	const struct gate_subject *subject = &call->call.call.provider->subject;
	char name[64];
	const char *text = header->value, *place;
	size_t length;

	while ((place = credential_placeholder(text, &length)) != NULL) {
		snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), place);
		if (gate_credential_named(call->view, subject, name) == NULL)
			return false;
		text = place + length + 1;
	}
	return true;
}

static void leave_out_credentials(struct directory_call *call)
{
	struct outgoing *outgoing = &call->call.call.outgoing;
	size_t kept = 0;

	for (size_t i = 0; i < outgoing->header_count; i++)
		if (!outgoing->headers[i].credential || is_fillable(call, &outgoing->headers[i]))
			outgoing->headers[kept++] = outgoing->headers[i];
	outgoing->header_count = kept;
}

static void directory_call_before_sending(struct engine_call *engine_call)
{
	struct directory_call *call = directory_call_of(engine_call);
	struct outgoing *outgoing = &engine_call->call.outgoing;
	const char *why = NULL;

	if (!is_switched_on(call)) {
		call->held = true;
		why = "the directory is switched off";
	} else if (outgoing_may_cost(outgoing))
		why = "models, describe and prices send GET and HEAD only, and what they mark as `free = true`";
	else if (++call->requests > LIMIT_DIRECTORY_REQUESTS)
		why = "too many requests in one call of the directory's";
	if (why != NULL) {
		engine_deny(engine_call, "held", why);
		return;
	}
	atomic_fetch_add_explicit(&call->shelf->requests, 1, memory_order_relaxed);
	leave_out_credentials(call);
	if (!(outgoing->timeout_seconds > 0 && outgoing->timeout_seconds < LIMIT_DIRECTORY_REQUEST_SECONDS))
		outgoing->timeout_seconds = LIMIT_DIRECTORY_REQUEST_SECONDS;
	engine_call->transfer.response.body.maximum = LIMIT_DIRECTORY_RESPONSE_BYTES;
	engine_send(engine_call);
}

static int64_t seconds_of(const char *text)
{
	char *end;
	long seconds;

	if (text == NULL)
		return 0;
	seconds = strtol(text, &end, 10);
	return end != text && seconds > 0 ? (seconds < 86400 ? seconds : 86400) : 0;
}

/* RateLimit: "default";r=0;t=55 (draft-ietf-httpapi-ratelimit-headers), or one with ratelimit-remaining and -reset beside it. */
static int64_t seconds_until_reset(const struct response *response)
{
	const char *limit = response_header(response, "ratelimit"), *left = response_header(response, "ratelimit-remaining"), *at;

	if (left != NULL && strcmp(left, "0") == 0)
		return seconds_of(response_header(response, "ratelimit-reset"));
	if (limit == NULL || strstr(limit, "r=0") == NULL || (at = strstr(limit, "t=")) == NULL)
		return 0;
	return seconds_of(at + 2);
}

/* What the vendor says of when to come again, before the script sees the answer. */
static void directory_call_answered(struct engine_call *engine_call)
{
	struct directory_call *call = directory_call_of(engine_call);
	const struct response *response = &engine_call->transfer.response;
	int64_t seconds = seconds_of(response_header(response, "retry-after"));

	call->status = response->failed ? 0 : response->status;
	if (seconds == 0)
		seconds = seconds_until_reset(response);
	call->retry_ms = 1000 * seconds;
}

static void directory_call_done(struct engine_call *engine_call)
{
	struct directory_call *call = directory_call_of(engine_call);
	struct directory *directory = call->shelf->directory;

	pthread_mutex_lock(&directory->lock);
	call->next = directory->finished;
	directory->finished = call;
	pthread_cond_signal(&directory->work);
	pthread_mutex_unlock(&directory->lock);
}

/* ---- its life; the directory's thread ---- */

static enum manifest_function function_of(enum part part)
{
	return part == PART_MODEL ? FUNCTION_DESCRIBE : part == PART_PRICE ? FUNCTION_PRICES : FUNCTION_MODELS;
}

static void free_keys(char **keys)
{
	for (size_t i = 0; keys != NULL && keys[i] != NULL; i++)
		free(keys[i]);
	free(keys);
}

void directory_call_free(struct directory_call *call)
{
	script_call_free(&call->call.call);
	gate_release(call->shelf->directory->gate, call->view);
	free_keys(call->keys);
	free(call);
}

/* NULL: there is no script for it now. The set is released by the caller. */
static struct provider *provider_of(const struct shelf *shelf, enum part part, struct provider_set *set)
{
	struct provider *provider = provider_set_find(set, NULL, shelf->id);

	return provider != NULL && provider->manifest.directory.declared && provider->manifest.has[function_of(part)] ? provider
														      : NULL;
}

static struct directory_call *make_call(
	struct shelf *shelf, enum part part, char **keys, struct provider *provider, json_t *request)
{
	struct directory *directory = shelf->directory;
	struct directory_call *call = memory_new(sizeof *call);
	struct engine_call *engine_call = &call->call;

	call->shelf = shelf;
	call->part = part;
	call->keys = keys;
	call->started_ms = clock_unix_ms();
	call->view = gate_acquire(directory->gate);
	script_call_init(&engine_call->call);
	script_call_set(&engine_call->call, provider, function_of(part), provider->manifest.kind, request, false);
	engine_call->call.large_request = true; /* what a vendor's answer makes of it must not keep clients from the provider */
	engine_way_open(&engine_call->way, call->view, provider);
	engine_call->call.outgoing.detour = &engine_call->way.detour;
	engine_call->before_sending = directory_call_before_sending;
	engine_call->may_leave = directory_call_may_leave;
	engine_call->answered = directory_call_answered;
	engine_call->unwanted = directory_call_unwanted;
	engine_call->done = directory_call_done;
	return call;
}

bool directory_call_post(struct shelf *shelf, enum part part, char **keys, json_t *request)
{
	struct directory *directory = shelf->directory;
	struct provider_set *set = provider_loader_acquire(directory->loader);
	struct provider *provider = provider_of(shelf, part, set);
	struct directory_call *call = NULL;

	if (provider != NULL)
		call = make_call(shelf, part, keys, provider, request);
	provider_set_release(set);
	json_decref(request);
	if (call == NULL) {
		free_keys(keys);
		return false;
	}
	if (engine_post(directory->engine, &call->call) != ERROR_NONE) {
		directory_call_free(call);
		return false;
	}
	directory->calls++;
	shelf->running[part == PART_MODEL || part == PART_PRICE] = call;
	shelf->free_ns = clock_monotonic_ns() + atomic_load(&shelf->pace_ms) * 1000000;
	return true;
}
