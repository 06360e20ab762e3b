/* submission.c - a submit from request to durable answer (design 5): a dry run, or the beginning of a live job. */
#include "api/submission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/callback.h"
#include "api/envelope.h"
#include "api/pending_call.h"
#include "api/key_turn.h"
#include "api/live_job.h"
#include "registry/task_json.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "event/event_log.h"
#include "gate/mask.h"
#include "event/host_event.h"

/* ---- engine thread ---- */

/* A live job, not a dry run: live_order() has filled in its half of the row. */
static bool is_ordered(const struct pending_call *pending)
{
	return pending->write.task.live != NULL;
}

static void write_job_fields(struct pending_call *pending, struct buffer *out)
{
	const struct script_call *call = &pending->call.call;
	const struct manifest *manifest = &call->provider->manifest;
	bool gpu = strcmp(manifest->kind, "gpu") == 0;

	buffer_text(out, "\"id\":");
	json_write_text(out, !is_ordered(pending) ? pending->vendor_id : NULL); /* the vendor's, once it has the job */
	buffer_text(out, ",\"job_id\":");
	json_write_text(out, pending->job_id);
	buffer_text(out, !is_ordered(pending) ? ",\"status\":\"done\"," : ",\"status\":\"queued\",");
	if (call->mode[0] != '\0') {
		buffer_text(out, "\"mode\":");
		json_write_text(out, call->mode);
		buffer_char(out, ',');
	}
	envelope_add(out, &call->fields);
	envelope_write_json(out, gpu ? "job" : "payload", &call->payload);
	envelope_write_json(out, "estimates", &call->estimates);
	envelope_write_json(out, "upstream", &call->upstream);
	buffer_text(out, "\"artifacts\":[],");
	if (pending->callback != NULL)
		callback_write(out, pending->callback);
	if (is_ordered(pending)) {
		buffer_text(out, "\"reserved_usd\":");
		json_write_usd(out, pending->write.task.money->reserved);
		buffer_text(out, ",\"money\":");
		task_json_write_money(out, pending->write.task.money);
		buffer_char(out, ',');
	}
}

static void fill_row(struct pending_call *pending)
{
	struct script_call *call = &pending->call.call;
	struct task *task = &pending->write.task;

	json_write_abbreviated(&pending->row_payload, call->payload.data, call->payload.length, LIMIT_STORED_TEXT_BYTES);
	task->kind = call->provider->manifest.kind;
	task->provider = call->provider->manifest.id;
	task->dry_run = !is_ordered(pending);
	task->status = task->dry_run ? TASK_DONE : TASK_QUEUED;
	task->progress = task->dry_run ? 1 : 0;
	task->created_ms = task->updated_ms = clock_unix_ms();
	task->vendor_id = task->dry_run ? pending->vendor_id : NULL;
	task->request_id = pending->request_id;
	task->caller = pending->caller_name[0] != '\0' ? pending->caller_name : NULL;
	task->payload = pending->row_payload.data;
	task->estimates = call->estimates.data;
	task->result = NULL;
}

/* A credential that is optional counts for a request that names it. */
static void count_optional(struct pending_call *pending)
{
	struct verdict_json *verdict_json = pending->verdict_json;

	if ((verdict_json->lacking & pending->call.call.optional_credentials) == 0)
		return;
	pending->verdict_json = verdict_json_hold(verdict_json->with_optional);
	verdict_json_release(verdict_json);
}

/* Makes a live job of a dry run that could be one: reserves its money. What is missing is said, and it stays a dry run; a budget that is short
 * refuses it. */
static void order_job(struct pending_call *pending)
{
	struct script_call *call = &pending->call.call;
	struct live_order order = {
		.call = call,
		.view = pending->view,
		.caller = pending->caller_name[0] != '\0' ? pending->caller_name : NULL,
		.trace = pending->trace[0] != '\0' ? pending->trace : NULL,
		.request = pending->live_request.data,
		.max_cost = pending->max_cost,
	};
	struct error error = { 0 };

	pending_call_note_stopped(pending);
	if (call->outcome != CALL_PREVIEW || call->refusals.length > 0 || call->needs.length > 0 ||
		!pending->verdict_json->live_allowed)
		return;
	if (pending->live_request.failed) {
		error_memory(&pending->refused);
		return;
	}
	switch (live_order(pending->host->live, &order, &pending->write, &error)) {
	case ERROR_NONE: break;
	case ERROR_INVALID: pending_call_add_missing(pending, error.message); break;
	default: pending->refused = error; break;
	}
}

/* How a live job stands when it is registered; a dry run never changes, so its event says nothing beside its row. */
static const char live_submit_data[] = "{\"status\":\"queued\",\"progress\":0.0,\"vendor_id\":null,\"reason\":null}";

/* What was made of the call does not fit: there is no memory, or the script said too much. */
static void refuse_size(struct pending_call *pending, const struct buffer *buffer, const char *what)
{
	if (buffer->starved)
		error_memory(&pending->refused);
	else
		error_set(&pending->refused, ERROR_SCRIPT, NULL, "%s: the %s would have more than %zu MiB",
			pending->call.call.provider->file, what, buffer->maximum / 1048576);
}

void submission_compose(struct pending_call *pending)
{
	struct script_call *call = &pending->call.call;
	struct buffer *out = &pending->answer;

	count_optional(pending);
	if (pending->liveness == LIVENESS_LIVE) {
		order_job(pending);
		if (pending->refused.code != ERROR_NONE)
			return;
		pending->liveness = is_ordered(pending) ? LIVENESS_LIVE : LIVENESS_ASKED;
	}
	snprintf(pending->vendor_id, sizeof pending->vendor_id, "mock-%s-1", call->provider->manifest.id);
	id_format(&pending->write.task.id, pending->job_id);
	buffer_reserve(out, 2048 + call->payload.length + call->upstream.length + strlen(call->provider->common));
	buffer_char(out, '{');
	envelope_write_members(out, call->provider, pending->verdict_json, pending->liveness);
	write_job_fields(pending, out);
	envelope_write_causes(out, pending->verdict_json, call, pending->liveness);
	buffer_char(out, '}');
	fill_row(pending);
	/* what cannot be told is not registered: its client would hear 503 and send it again */
	if (out->failed || pending->row_payload.failed) {
		refuse_size(pending, out->failed ? out : &pending->row_payload, out->failed ? "answer" : "registry's row");
		return;
	}
	pending->write.events[pending->write.event_count++] =
		(struct store_event){ .verb = "submit", .data = is_ordered(pending) ? live_submit_data : NULL };
	pending->write.idempotency.answer = out->data;
	pending->write.idempotency.answer_length = out->length;
	pending->write.idempotency.status = is_ordered(pending) ? 202 : 200;
}

/* ---- HTTP thread ---- */

static void send_replay(struct incoming *incoming, int status, const char *answer, size_t length)
{
	http_send(incoming->http,
		&(struct http_reply){
			.status = status, .headers = "Idempotent-Replayed: true\r\n", .body = answer, .body_length = length });
}

static void send_key_clash(struct incoming *incoming)
{
	incoming_problem(
		incoming, 409, NULL, "this Idempotency-Key was used with another body: use a new key for a new request", NULL);
}

/* The key is kept as long as the answer, so of one that looks like a credential only the hash is. */
static const char *kept_key(const struct incoming *incoming, const char *key, char hashed[2 * SHA256_DIGEST_LENGTH + 1])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	if (!mask_finds(incoming->http->view, key))
		return key;
	SHA256((const unsigned char *)key, strlen(key), digest);
	text_write_hex(hashed, digest, sizeof digest);
	return hashed;
}

/* The key's scope is who sent it and where to, so that two clients cannot meet. False: an answer was sent. */
static bool read_idempotency_key(struct pending_call *pending, struct incoming *incoming)
{
	struct idempotency *idempotency = &pending->write.idempotency;
	const char *key = http_header(incoming->http, "Idempotency-Key");
	const char *owner = incoming->http->api_key != NULL ? incoming->http->api_key->name : "";
	char hashed[2 * SHA256_DIGEST_LENGTH + 1];
	int length;

	if (key == NULL)
		return true;
	if (*key == '\0' || strlen(key) > LIMIT_IDEMPOTENCY_KEY_BYTES) {
		incoming_problem(incoming, 400, NULL, "Idempotency-Key must have 1 to 255 characters", NULL);
		return false;
	}
	if (!crypto_load()) {
		incoming_problem(incoming, 503, NULL,
			"Idempotency-Key needs libcrypto (libssl3), which cannot be loaded: is it installed?", NULL);
		return false;
	}
	length = snprintf(pending->idempotency_key, sizeof pending->idempotency_key, "%.64s\n%s/%s/%d\n%s", owner, incoming->kind,
		incoming->provider->manifest.id, (int)incoming->verb, kept_key(incoming, key, hashed));
	if (length < 0 || (size_t)length >= sizeof pending->idempotency_key) {
		incoming_problem(incoming, 400, NULL, "Idempotency-Key is too long", NULL);
		return false;
	}
	SHA256((const unsigned char *)incoming->http->body, incoming->http->body_length, idempotency->body_sha256);
	idempotency->key = pending->idempotency_key;
	return true;
}

/* A key that is known already is answered without running the script. True: an answer was sent. */
static bool answer_known_key(struct pending_call *pending, struct incoming *incoming)
{
	struct error error = { 0 };
	char *answer = NULL;
	size_t length = 0;
	int status = 0;

	switch (task_store_replay(incoming->host->store, &pending->write.idempotency, &answer, &length, &status, &error)) {
	case STORE_WRITTEN: return false;
	case STORE_REPLAY: send_replay(incoming, status, answer, length); break;
	case STORE_KEY_CLASH: send_key_clash(incoming); break;
	case STORE_VENDOR_ID_TAKEN: /* of STORE_FIND_VENDOR_ID only */
	case STORE_FAILED: incoming_problem(incoming, 503, NULL, error.message, "Retry-After: 1\r\n"); break;
	}
	free(answer);
	return true;
}

void submission_emit(const struct pending_call *pending)
{
	const struct script_call *call = &pending->call.call;

	event_log(&(struct event){
		.kind = call->provider->manifest.kind,
		.verb = "submit",
		.provider = call->provider->manifest.id,
		.dry_run = pending->liveness != LIVENESS_LIVE,
		.execution_allowed = pending->verdict_json->execution_allowed,
		.job_id = pending->job_id,
		.request_id = pending->request_id,
		.trace = pending->trace[0] != '\0' ? pending->trace : NULL,
		.caller = pending->caller_name[0] != '\0' ? pending->caller_name : NULL,
		.estimate_micro_usd = call->estimate_micro_usd,
		.mode = call->mode[0] != '\0' ? call->mode : NULL,
		.payload = call->payload.data,
		.payload_length = call->payload.length,
	});
}

static void emit_refused(const struct pending_call *pending, const struct incoming *incoming)
{
	const struct config_api_key *caller = incoming->http->api_key;
	struct buffer out;

	buffer_init(&out, LIMIT_HOST_EVENT_BYTES - 1);
	buffer_text(&out, "{\"provider\":");
	json_write_text(&out, incoming->provider->manifest.id);
	buffer_text(&out, ",\"api_key\":");
	json_write_text(&out, caller != NULL ? caller->name : NULL);
	buffer_text(&out, ",\"reason\":");
	json_write_text(&out, pending->refused.message);
	buffer_char(&out, '}');
	if (!out.failed)
		host_event_emit(incoming->host->store, "host.budget.refused", out.data);
	buffer_free(&out);
}

/* Whose budget is short, or that there is no room for more jobs. */
static void send_refused(struct pending_call *pending, struct incoming *incoming)
{
	const struct error *error = &pending->refused;

	if (error->code == ERROR_LIMIT) {
		emit_refused(pending, incoming);
		incoming_problem(incoming, 402, NULL, error->message, NULL);
		return;
	}
	if (error->code == ERROR_SCRIPT) {
		log_message(LOG_ERROR, "script.failed", "%s", error->message);
		incoming_problem(incoming, 500, NULL, error->message, NULL);
		return;
	}
	incoming_problem(incoming, 503, NULL, error->message, "Retry-After: 1\r\n");
}

/* Prefer: wait=N (RFC 7240): at most so many seconds for the job to end. 0: it is not asked for. */
static int preferred_wait(const struct incoming *incoming)
{
	const char *prefer = http_header(incoming->http, "Prefer");
	const char *wait = prefer != NULL ? strstr(prefer, "wait=") : NULL;
	long seconds = wait != NULL ? strtol(wait + 5, NULL, 10) : 0;

	return seconds <= 0 ? 0 : seconds < LIMIT_LIVE_WAIT_SECONDS ? (int)seconds : LIMIT_LIVE_WAIT_SECONDS;
}

static bool is_over(void *context)
{
	return http_is_short(context) || http_client_left(http_socket(context));
}

/* It is asked for only: not for a client that has left, nor while most threads are taken, by others who wait maybe. */
static bool wait_for_end(const struct pending_call *pending, const struct incoming *incoming)
{
	struct live_patience patience = {
		.timeout_ms = preferred_wait(incoming) * 1000, .over = is_over, .context = incoming->http
	};

	return patience.timeout_ms > 0 && !is_over(incoming->http) &&
	       live_wait(incoming->host->live, &pending->write.task.id, &patience);
}

static void send_accepted(struct pending_call *pending, struct incoming *incoming)
{
	char headers[160];

	snprintf(headers, sizeof headers, "Location: /api/jobs/status/%s\r\n", pending->job_id);
	http_send(incoming->http,
		&(struct http_reply){
			.status = 202, .headers = headers, .body = pending->answer.data, .body_length = pending->answer.length });
}

static void send_written(struct pending_call *pending, struct incoming *incoming)
{
	struct error error;

	if (pending->liveness != LIVENESS_LIVE)
		http_send(incoming->http,
			&(struct http_reply){
				.status = 200, .body = pending->answer.data, .body_length = pending->answer.length });
	else if (!wait_for_end(pending, incoming) ||
		 !live_job_send(incoming, &pending->write.task.id, pending->callback, "Preference-Applied: wait\r\n", &error))
		send_accepted(pending, incoming);
	submission_emit(pending);
}

static void send_outcome(struct pending_call *pending, struct incoming *incoming)
{
	const struct store_write *write = &pending->write;

	if (pending->refused.code != ERROR_NONE) {
		send_refused(pending, incoming);
		return;
	}
	switch (write->outcome) {
	case STORE_WRITTEN: send_written(pending, incoming); break;
	case STORE_REPLAY: send_replay(incoming, write->replay_status, write->replay, write->replay_length); break;
	case STORE_KEY_CLASH: send_key_clash(incoming); break;
	case STORE_VENDOR_ID_TAKEN: /* of STORE_FIND_VENDOR_ID only */
	case STORE_FAILED: incoming_problem(incoming, 503, NULL, write->error.message, "Retry-After: 1\r\n"); break;
	}
}

/* False: a problem was sent. */
static bool take_callback(struct pending_call *pending, struct incoming *incoming)
{
	pending->callback = incoming->callback;
	incoming->callback = NULL;
	if (pending->callback == NULL || callback_store(pending->callback, incoming->host->webhooks_out, &pending->write))
		return true;
	incoming_no_memory(incoming);
	return false;
}

/* Equal requests take turns: the first runs, the others are answered with what it left in the store. False: an answer was sent. */
static bool take_turn(struct pending_call *pending, struct incoming *incoming, struct key_turn *turn)
{
	int64_t deadline = clock_monotonic_ns() + LIMIT_CALL_WAIT_MS * 1000000LL;
	struct key_turns *turns = incoming->host->turns;

	for (;;) {
		switch (key_turn_take(turns, turn, pending->write.idempotency.key, deadline)) {
		case KEY_TURN_TAKEN:
			if (!answer_known_key(pending, incoming))
				return true;
			key_turn_end(turns, turn);
			return false;
		case KEY_TURN_OVER:
			if (answer_known_key(pending, incoming))
				return false;
			break;
		case KEY_TURN_LATE:
			incoming_problem(incoming, 503, NULL, "a request with this Idempotency-Key is still under way",
				"Retry-After: 1\r\n");
			return false;
		}
	}
}

/* False: an answer was sent. */
static bool run(struct pending_call *pending, struct incoming *incoming)
{
	struct key_turn turn;
	bool ran;

	if (pending->write.idempotency.key == NULL)
		return pending_call_run(pending, incoming);
	if (!take_turn(pending, incoming, &turn))
		return false;
	ran = pending_call_run(pending, incoming);
	key_turn_end(incoming->host->turns, &turn); /* the row is written, or none will be */
	return ran;
}

void submission_handle(struct incoming *incoming)
{
	struct pending_call *pending = pending_call_new(incoming, FUNCTION_SUBMIT, incoming->script_request);

	if (pending == NULL) {
		incoming_no_memory(incoming);
		return;
	}
	pending->write.task.id = id_make();
	if (take_callback(pending, incoming) && read_idempotency_key(pending, incoming) && run(pending, incoming))
		send_outcome(pending, incoming);
	pending_call_release(pending);
}
