/* poll.c - how a job stands: a live one as the registry has it, a dry one with the request that would ask its vendor. HTTP threads. */
#include <stdio.h>
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

/* The job's id that the client asks for, or the deterministic one. NULL: an answer was sent. */
static const char *polled_id(struct incoming *incoming, char *deterministic, size_t size)
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
	snprintf(deterministic, size, "mock-%s-1", incoming->provider->manifest.id);
	return deterministic;
}

/* A task of the registry, copied out of the reader's hands as the members of the answer. */
struct found_task {
	const struct http_request *request;
	const char *provider;
	const struct kind *kind;
	bool matches;
	bool live;
	struct buffer members;
	json_t *payload; /* for the script, which may need it to build the request */
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
		found->payload = json_read(task->payload, strlen(task->payload), NULL);
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

/* The members of the answer that tell how the job stands. False: an answer was sent. */
static bool read_job_state(struct incoming *incoming, const char *id, struct buffer *members, json_t **payload)
{
	struct found_task found = { .request = incoming->http, .provider = incoming->provider->manifest.id };
	struct error error = { 0 };
	struct id uuid;

	if (!id_parse(id, &uuid)) {
		buffer_text(members, "\"job_id\":");
		json_write_text(members, id);
		buffer_text(members, ",\"status\":\"done\",\"progress\":1.0,\"artifacts\":[],");
		return true;
	}
	buffer_init(&found.members, LIMIT_REPLY_BYTES);
	if (task_store_get(incoming->host->store, &uuid, copy_task, &found, &error) == ERROR_NONE && found.matches) {
		if (found.kind != NULL)
			incoming_take_kind(incoming, found.kind->name);
		if (found.live) {
			buffer_free(&found.members);
			answer_live_poll(incoming, &uuid);
			return false;
		}
		*members = found.members;
		*payload = found.payload;
		return true;
	}
	json_decref(found.payload);
	buffer_free(&found.members);
	if (error.code == ERROR_NONE || error.code == ERROR_NOT_FOUND)
		incoming_problem(incoming, 404, "job_id", "the registry has no job of this provider with this id");
	else
		incoming_retry(incoming, 1, error.message);
	return false;
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

/* The job as the script knows it. Takes `payload` over. */
static json_t *make_job(const char *id, json_t *payload)
{
	json_t *job = json_object();

	json_object_set_new(job, "id", json_string(id));
	json_object_set_new(job, "state", json_object());
	json_object_set_new(job, "payload", payload != NULL ? payload : json_object());
	return job;
}

/* Takes `payload` over. */
static void run_poll(struct incoming *incoming, const char *id, const struct buffer *state, json_t *payload)
{
	/* A registry id is the host's own; to the vendor a dry-run job has the deterministic id. */
	struct id uuid;
	char deterministic[64];
	json_t *job;
	struct provider_call *call;

	snprintf(deterministic, sizeof deterministic, "mock-%s-1", incoming->provider->manifest.id);
	job = make_job(id_parse(id, &uuid) ? deterministic : id, payload);
	call = provider_call_new(incoming, FUNCTION_POLL, job);
	json_decref(job);
	if (provider_call_run(call, incoming)) {
		answer_poll(incoming, &call->script, state);
		providers_log(incoming, "poll", id);
	}
	provider_call_free(call);
}

void poll_handle(struct incoming *incoming)
{
	char deterministic[64];
	const char *id = polled_id(incoming, deterministic, sizeof deterministic);
	struct buffer state;
	json_t *payload = NULL;

	if (id == NULL)
		return;
	buffer_init(&state, LIMIT_REPLY_BYTES);
	if (read_job_state(incoming, id, &state, &payload))
		run_poll(incoming, id, &state, payload);
	else
		json_decref(payload);
	buffer_free(&state);
}
