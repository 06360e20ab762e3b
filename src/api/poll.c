/* poll.c - how a job stands: a live one as the registry has it, a dry one with the request that would ask its vendor. HTTP threads. */
#include <string.h>

#include "api/access.h"
#include "api/envelope.h"
#include "api/live_job.h"
#include "api/provider_call.h"
#include "api/providers.h"
#include "base/json.h"
#include "base/limits.h"
#include "gate/mask.h"
#include "registry/task_json.h"

/* The id as it may be shown and logged: masked as all texts of a client are. */
static const char *shown_id(struct incoming *incoming, json_t *id)
{
	bool changed;

	incoming->polled_id = mask_json_with(incoming->http->view, incoming->also, id, &changed);
	return json_string_value(incoming->polled_id);
}

/* The job's id that the client asks for, or that of every dry run. NULL: an answer was sent. */
static const char *polled_id(struct incoming *incoming)
{
	static const char *const keys[] = { "job_id", "id" };

	for (size_t i = 0; i < 2; i++) {
		json_t *value = json_object_get(incoming->body, keys[i]);

		if (value == NULL || json_is_null(value))
			continue;
		if (json_text_value(value) == NULL) {
			incoming_problem(incoming, 400, keys[i], "must be text");
			return NULL;
		}
		if (json_string_length(value) > LIMIT_PATH_SEGMENT_BYTES) {
			incoming_problem(incoming, 400, keys[i], "is too long: at most 256 bytes");
			return NULL;
		}
		if (json_string_length(value) > 0)
			return shown_id(incoming, value);
	}
	return incoming->provider->manifest.dry_id;
}

/* A task of the registry, copied out of the reader's hands as the members of the answer. */
struct found_task {
	const struct http_request *request;
	const char *provider;
	const struct kind *kind;
	bool matches;
	bool live;
	struct buffer members;
	struct buffer payload; /* for the script, which may need it to build the request */
};

static void copy_task(void *context, const struct task *task)
{
	struct found_task *found = context;

	found->matches = strcmp(task->provider, found->provider) == 0 && access_sees(found->request, task);
	found->live = task->live != NULL;
	found->kind = kind_named(task->kind);
	if (!found->matches || found->live)
		return;
	task_json_write_state(&found->members, task);
	if (task->payload != NULL)
		buffer_text(&found->payload, task->payload);
}

/* A live job is the registry's to tell; "refresh": true asks the vendor first. */
static void answer_live_poll(struct incoming *incoming, const struct id *id)
{
	const json_t *refresh = json_object_get(incoming->body, "refresh");
	struct live_patience patience = live_job_patience(incoming->http);
	enum error_code code = ERROR_NONE;
	struct error error;

	if (json_is_true(refresh))
		code = live_refresh(incoming->host->live, id, &patience, &error);
	if (code == ERROR_BUSY || !live_job_send(incoming, id, NULL, NULL, &error))
		incoming_retry(incoming, 1, error.message);
}

/* Reads how the job of this id stands into `found`. False: an answer was sent. */
static bool find_job(struct incoming *incoming, const struct id *id, struct found_task *found)
{
	struct error error = { 0 };
	enum error_code code = task_store_get(incoming->host->store, id, copy_task, found, &error);

	if (code == ERROR_NONE && found->payload.failed)
		code = error_memory(&error);
	if (code != ERROR_NONE && code != ERROR_NOT_FOUND) {
		incoming_retry(incoming, 1, error.message);
		return false;
	}
	if (code == ERROR_NOT_FOUND || !found->matches) {
		incoming_problem(incoming, 404, "job_id", "the registry has no job of this provider with this id");
		return false;
	}
	if (found->kind != NULL)
		incoming_take_kind(incoming, found->kind->name);
	if (found->live)
		answer_live_poll(incoming, id);
	return !found->live;
}

static void answer_poll(struct incoming *incoming, const struct script_call *call, const struct buffer *state)
{
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_reserve(&out, ENVELOPE_USUAL_BYTES + strlen(incoming->as->common) + state->length + call->upstream.length);
	buffer_char(&out, '{');
	envelope_write_members(&out, incoming->as, incoming->verdict_json, incoming->liveness);
	envelope_add(&out, state);
	envelope_write_json(&out, "upstream", &call->upstream);
	envelope_write_causes(&out, incoming->verdict_json, call, incoming->liveness);
	buffer_char(&out, '}');
	providers_send(incoming, &out);
	buffer_free(&out);
}

/* `id` is as the client knows the job, `job` as the script does. */
static void run_poll(struct incoming *incoming, const char *id, const struct script_job *job, const struct buffer *state)
{
	struct provider_call *call = provider_call_new(incoming, FUNCTION_POLL, NULL);

	call->script.job = job;
	if (provider_call_run(call, incoming)) {
		answer_poll(incoming, &call->script, state);
		providers_log(incoming, "poll", id);
	}
	provider_call_free(call);
}

/* A job of the registry. Its id is the host's own: to the vendor a dry run has another. */
static void poll_registered(struct incoming *incoming, const char *id, const struct id *uuid)
{
	struct found_task found = { .request = incoming->http, .provider = incoming->provider->manifest.id };
	struct script_job job = { .id = incoming->provider->manifest.dry_id };

	buffer_init(&found.members, LIMIT_REPLY_BYTES);
	buffer_init(&found.payload, LIMIT_ROW_BYTES);
	if (find_job(incoming, uuid, &found)) {
		job.payload = found.payload.data;
		job.payload_length = found.payload.length;
		run_poll(incoming, id, &job, &found.members);
	}
	buffer_free(&found.payload);
	buffer_free(&found.members);
}

/* Any other id is that of a dry run, which is done. */
static void poll_unknown(struct incoming *incoming, const char *id)
{
	const struct script_job job = { .id = id };
	struct buffer state;

	buffer_init(&state, LIMIT_REPLY_BYTES);
	buffer_text(&state, "\"job_id\":");
	json_write_text(&state, id);
	buffer_text(&state, ",\"status\":\"done\",\"progress\":1.0,\"artifacts\":[],");
	run_poll(incoming, id, &job, &state);
	buffer_free(&state);
}

void poll_handle(struct incoming *incoming)
{
	const char *id = polled_id(incoming);
	struct id uuid;

	if (id == NULL)
		return;
	if (id_parse(id, &uuid))
		poll_registered(incoming, id, &uuid);
	else
		poll_unknown(incoming, id);
}
