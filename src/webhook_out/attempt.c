/* attempt.c - one POST to one webhook: rendered, signed, sent, and what becomes of its delivery. The webhooks' thread; rendered without the lock.
 *
 * Goes nowhere but to the webhook's URL: no redirect, no proxy, public addresses over TLS, or loopback where the configuration allows it. The
 * receiver's answer counts by its status alone. */
#include "webhook_out/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/standard_webhooks.h"
#include "event/event_json.h"

#define GONE 410

struct attempt {
	struct transfer transfer; /* first */
	struct outgoing outgoing;
	struct webhooks_out *webhooks;
	struct webhook *webhook;
	struct receiver *receiver; /* its delivery's, held */
	enum receiver_share share; /* of the receiver, when this began */
	int seconds;		   /* for an answer */
	int64_t began_ns;	   /* monotonic */
	int64_t event, sequence;   /* its delivery's: that may be gone at its end */
	int number;		   /* of the delivery's attempts */
	char *url, *secrets[2];
	struct buffer body;
	int64_t at_ms;		 /* of the event */
	char job[ID_TEXT_BYTES]; /* its job, or "" */
	char type[EVENT_TYPE_BYTES];
	char id[112], timestamp[24], signature[2 * (STANDARD_WEBHOOKS_SIGNATURE_BYTES + 4)];
	bool found; /* the event is there, and for this webhook */
};

/* ---- its making ---- */

static void free_attempt(struct attempt *attempt)
{
	webhook_wipe(attempt->secrets[0]);
	webhook_wipe(attempt->secrets[1]);
	free(attempt->url);
	outgoing_clear(&attempt->outgoing, 0);
	buffer_free(&attempt->outgoing.url);
	buffer_free(&attempt->outgoing.body);
	buffer_free(&attempt->body);
	response_clear(&attempt->transfer.response);
	free(attempt);
}

/* A test may be meant for one webhook only. */
static bool is_meant_for(const struct webhook *webhook, const struct event_row *row)
{
	char id[WEBHOOK_ID_BYTES];
	const char *meant;
	json_t *data;
	bool fits;

	if (strcmp(row->verb, WEBHOOK_TEST_TYPE) != 0 || row->data == NULL)
		return true;
	data = json_read(row->data, strlen(row->data), NULL);
	meant = json_text(data, "webhook");
	webhook_write_id(webhook->number, id);
	fits = meant == NULL || strcmp(meant, id) == 0;
	json_decref(data);
	return fits;
}

static bool render_event(void *context, const struct event_row *row)
{
	struct attempt *attempt = context;

	attempt->found = row->number == attempt->event && is_meant_for(attempt->webhook, row);
	if (!attempt->found)
		return false;
	attempt->at_ms = row->at_ms;
	task_event_type(attempt->type, row->task != NULL ? row->task->kind : NULL, row->verb);
	if (row->task != NULL)
		id_format(&row->task->id, attempt->job);
	event_json_write(&attempt->body, row, EVENT_WHOLE);
	return false;
}

static void copy_callback(void *context, const struct callback_row *row)
{
	struct attempt *attempt = context;

	free(attempt->url);
	webhook_wipe(attempt->secrets[0]);
	attempt->url = memory_copy_text(row->url);
	attempt->secrets[0] = memory_copy_text(row->secret);
}

/* False: the registry cannot be read now. */
static bool read_what_is_sent(struct attempt *attempt)
{
	struct event_walk walk = { .after = attempt->event - 1, .limit = 1, .follows = true };
	struct task_store *store = attempt->webhooks->store;
	struct error error = { 0 };
	enum error_code code = task_store_events(store, &walk, render_event, attempt, &error);

	if (code == ERROR_NONE && attempt->found && attempt->webhook->number == WEBHOOK_CALLBACKS)
		code = task_store_callback(store, attempt->sequence, copy_callback, attempt, &error);
	if (code == ERROR_NOT_FOUND)
		attempt->found = false;
	if (code != ERROR_NONE && code != ERROR_NOT_FOUND)
		log_message(LOG_WARN, "hook.read", "cannot read the log of events: %s", error.message);
	return code == ERROR_NONE || code == ERROR_NOT_FOUND;
}

/* "v1,<signature>", and a second one while the secret is being changed. False: libcrypto cannot be loaded. */
static bool sign(struct attempt *attempt)
{
	struct standard_webhooks_message message = { attempt->id, attempt->timestamp, attempt->body.data, attempt->body.length };
	unsigned char key[STANDARD_WEBHOOKS_KEY_BYTES];
	char *to = attempt->signature;
	bool made = true;
	size_t length;

	for (size_t i = 0; i < 2 && made && attempt->secrets[i] != NULL; i++) {
		length = standard_webhooks_key(attempt->secrets[i], key);
		to = stpcpy(to, i > 0 ? " v1," : "v1,");
		made = length > 0 && standard_webhooks_sign(&message, key, length, to);
		to += strlen(to);
	}
	explicit_bzero(key, sizeof key);
	return made;
}

static bool take_nothing(struct transfer *transfer, const void *bytes, size_t length)
{
	(void)transfer;
	(void)bytes;
	(void)length;
	return true;
}

/* Inside curl. A host that has stood still may have been declared dead: another delivers now. */
static bool may_still_send(struct transfer *transfer)
{
	const struct attempt *attempt = (const struct attempt *)(const void *)transfer;

	return webhook_owner_may_send(attempt->webhooks);
}

static void attempt_done(struct transfer *transfer);

/* The same at each attempt, and no other delivery's: all callbacks are one webhook here, so theirs begins with the job, whose id no other host has.
 * A home that was put back from a backup gives numbers of events once more; the times of two such events differ. */
static void write_id(struct attempt *attempt)
{
	char whose[ID_TEXT_BYTES];

	snprintf(whose, sizeof whose, "%016" PRIx64, (uint64_t)attempt->webhook->number);
	snprintf(attempt->id, sizeof attempt->id, "msg_%s_%" PRIx64 "_%" PRId64,
		attempt->webhook->number == WEBHOOK_CALLBACKS ? attempt->job : whose, (uint64_t)attempt->at_ms, attempt->event);
}

/* False: it is too large, or cannot be signed. */
static bool write_attempt(struct attempt *attempt)
{
	const struct outgoing_header headers[] = { { .name = "Content-Type", .value = "application/json" },
		{ .name = "webhook-id", .value = attempt->id }, { .name = "webhook-timestamp", .value = attempt->timestamp },
		{ .name = "webhook-signature", .value = attempt->signature } };
	struct outgoing *outgoing = &attempt->outgoing;

	write_id(attempt);
	snprintf(attempt->timestamp, sizeof attempt->timestamp, "%" PRId64, clock_machine_ms() / 1000);
	if (attempt->body.failed || !sign(attempt))
		return false;
	outgoing->method = "POST";
	outgoing->body_kind = BODY_TEXT;
	outgoing->text = attempt->body.data;
	outgoing->text_length = attempt->body.length;
	outgoing->timeout_seconds = attempt->seconds;
	memcpy(outgoing->headers, headers, sizeof headers);
	outgoing->header_count = sizeof headers / sizeof *headers;
	buffer_text(&outgoing->url, attempt->url);
	attempt->transfer.outgoing = outgoing;
	attempt->transfer.sink = take_nothing;
	attempt->transfer.may_leave = attempt->webhooks->shared ? may_still_send : NULL;
	attempt->transfer.done = attempt_done;
	return true;
}

/* ---- its end ---- */

/* One that was not sent, for it is gone from the log or for another webhook, says nothing about the receiver. */
static void note_success(struct attempt *attempt, int64_t now_ms)
{
	struct webhook *webhook = attempt->webhook;

	if (!attempt->found)
		return;
	webhook->problem[0] = '\0';
	webhook->delivered++;
	webhook->delivered_ms = now_ms;
}

static void note_attempt(struct attempt *attempt, int status, const char *problem, int64_t now_ms)
{
	int64_t took_ms = (clock_monotonic_ns() - attempt->began_ns) / 1000000;
	struct past_attempt past = { .event = attempt->event,
		.at_ms = now_ms - took_ms,
		.took_ms = took_ms,
		.number = attempt->number,
		.status = status };

	memcpy(past.type, attempt->type, sizeof past.type);
	memcpy(past.job, attempt->job, sizeof past.job);
	snprintf(past.problem, sizeof past.problem, "%s", problem != NULL ? problem : "");
	past_attempts_add(attempt->webhook, &past);
	attempt->webhook->news = true;
}

/* What became of it; `problem` NULL: delivered. */
static void conclude_attempt(struct attempt *attempt, int status, const char *problem)
{
	struct webhook *webhook = attempt->webhook;
	struct delivery *delivery;
	int64_t now_ms = clock_unix_ms();

	pthread_mutex_lock(&attempt->webhooks->lock);
	webhook->under_way--;
	receiver_end(attempt->webhooks, attempt->receiver, attempt->share, attempt->began_ns, problem == NULL && attempt->found);
	delivery = delivery_queue_find(webhook, attempt->event);
	if (delivery != NULL) { /* else the webhook was removed */
		delivery->under_way = false;
		delivery->status = status;
		webhook->status = attempt->found ? status : webhook->status;
		if (problem != NULL || attempt->found)
			note_attempt(attempt, status, problem, now_ms);
		if (problem != NULL) {
			snprintf(webhook->problem, sizeof webhook->problem, "%s", problem);
			delivery_queue_failed(attempt->webhooks, webhook, delivery, now_ms, status == GONE, problem);
		} else {
			delivery_queue_done(attempt->webhooks, webhook, delivery);
			note_success(attempt, now_ms);
		}
	}
	receiver_release(webhook, attempt->receiver);
	pthread_mutex_unlock(&attempt->webhooks->lock);
	attempt->webhooks->under_way--;
	free_attempt(attempt);
}

static void attempt_done(struct transfer *transfer)
{
	struct attempt *attempt = (struct attempt *)(void *)transfer;
	const struct response *response = &transfer->response;
	char problem[LIMIT_WEBHOOK_OUT_PROBLEM_BYTES];
	bool answered = response->status >= 200 && response->status < 300;

	if (response->failed && !answered)
		snprintf(problem, sizeof problem, "%.100s", response->message);
	else
		snprintf(problem, sizeof problem, "the receiver answered %d", response->status);
	conclude_attempt(attempt, response->status, answered ? NULL : problem);
}

/* ---- starting ---- */

static struct attempt *new_attempt(
	struct webhooks_out *webhooks, struct webhook *webhook, const struct delivery *delivery, int64_t now_ms)
{
	struct attempt *attempt = memory_new(sizeof *attempt);

	outgoing_init(&attempt->outgoing);
	buffer_init(&attempt->body, 2 * LIMIT_EVENT_BYTES);
	response_init(&attempt->transfer.response);
	attempt->webhooks = webhooks;
	attempt->webhook = webhook;
	attempt->event = delivery->event;
	attempt->sequence = delivery->sequence;
	attempt->number = delivery->attempts + 1;
	attempt->receiver = delivery->receiver;
	attempt->began_ns = clock_monotonic_ns();
	attempt->url = memory_copy_text(webhook->url);
	attempt->secrets[0] = memory_copy_text(webhook->secret);
	if (webhook->earlier_until_ms > now_ms)
		attempt->secrets[1] = memory_copy_text(webhook->earlier_secret);
	return attempt;
}

struct attempt *attempt_take(struct webhooks_out *webhooks, struct webhook *webhook, int64_t now_ms, int64_t *due_ms)
{
	struct attempt *attempt = NULL;
	struct delivery *delivery;

	pthread_mutex_lock(&webhooks->lock);
	delivery = webhook->removed || webhook->leaving || !webhook_owner_may_send(webhooks)
			   ? NULL
			   : delivery_queue_next(webhooks, webhook, now_ms, due_ms);
	if (delivery != NULL) {
		attempt = new_attempt(webhooks, webhook, delivery, now_ms);
		delivery->under_way = true;
		if (attempt->receiver != &webhook->receiver)
			attempt->receiver->uses++;
		attempt->share = receiver_begin(webhooks, attempt->receiver);
		attempt->seconds = receiver_patience(webhooks, attempt->share);
		webhook->under_way++;
		webhooks->under_way++;
	}
	pthread_mutex_unlock(&webhooks->lock);
	return attempt;
}

void attempt_begin(struct attempt *attempt, const struct config *config)
{
	struct error error;

	if (!read_what_is_sent(attempt))
		conclude_attempt(attempt, 0, "the log of events could not be read");
	else if (!attempt->found)
		conclude_attempt(attempt, 0, NULL); /* its event was purged, or was meant for another webhook */
	else if (webhooks_out_check_url(config, attempt->url, &error) != ERROR_NONE)
		conclude_attempt(attempt, 0, error.message);
	else if (!write_attempt(attempt))
		conclude_attempt(attempt, 0, "the event is too large, or libcrypto cannot be loaded");
	else
		transfer_start(attempt->webhooks->loop, &attempt->transfer);
}
