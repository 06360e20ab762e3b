/* receiver.c - whom deliveries go to: how many attempts may be under way to one, so that one that hangs delays only its own. Under the webhooks'
 * lock.
 *
 * * Callback URLs are anybody's, and names cost nothing: of them a receiver (name and port) begins with one attempt at a time and gets more once
 * it has taken one, the ports of a name share a maximum, those that have taken nothing yet share some places, and those that are slow a few. When
 * the places of the new are taken, more of them get less time for their answer. A registered webhook is a receiver by itself. */
#include "webhook_out/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define BUCKETS 256
#define SLOW_NS INT64_C(1000000000) /* an answer that takes longer, or does not come */

struct receivers {
	struct receiver *buckets[BUCKETS];
	int count;
};

/* ---- whose a URL is ---- */

static void copy_authority(void *context, const struct callback_row *row)
{
	char *authority = context;
	const char *begin = strstr(row->url, "://");
	size_t length;

	begin = begin != NULL ? begin + 3 : row->url;
	length = strcspn(begin, "/?#");
	snprintf(authority, RECEIVER_AUTHORITY_BYTES, "%.*s",
		length < RECEIVER_AUTHORITY_BYTES ? (int)length : RECEIVER_AUTHORITY_BYTES - 1, begin);
	for (char *at = authority; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + 32);
}

bool receiver_of_job(struct task_store *store, int64_t sequence, char authority[RECEIVER_AUTHORITY_BYTES])
{
	struct error error;
	enum error_code code;

	*authority = '\0';
	code = task_store_callback(store, sequence, copy_authority, authority, &error);
	return code == ERROR_NONE || code == ERROR_NOT_FOUND;
}

static void drop_port(char authority[RECEIVER_AUTHORITY_BYTES])
{
	char *colon = strrchr(authority, ':');

	if (colon != NULL && strchr(colon, ']') == NULL)
		*colon = '\0';
}

/* ---- the table of those that are anybody's ---- */

static struct receiver **receiver_place(struct receivers *receivers, const char *text)
{
	struct receiver **place = &receivers->buckets[text_digest(text, strlen(text)) % BUCKETS];

	while (*place != NULL && strcmp((*place)->text, text) != 0)
		place = &(*place)->next;
	return place;
}

static struct receiver *receiver_named(struct receivers *receivers, const char *text)
{
	struct receiver **place = receiver_place(receivers, text);

	if (*place != NULL)
		return *place;
	*place = memory_new(sizeof **place);
	(*place)->text = memory_copy_text(text);
	(*place)->anybodys = true;
	receivers->count++;
	return *place;
}

static void forget_receiver(struct receivers *receivers, struct receiver *receiver)
{
	struct receiver **place = receiver_place(receivers, receiver->text), *name = receiver->name;

	*place = receiver->next;
	receivers->count--;
	free(receiver->text);
	free(receiver);
	if (name != NULL && --name->uses == 0)
		forget_receiver(receivers, name);
}

/* Receivers that nobody waits for, when they are many: what was learned of them is lost. */
static void forget_unused(struct receivers *receivers)
{
	struct receiver *at, *next;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (at = receivers->buckets[i]; at != NULL; at = next) {
			next = at->next;
			if (at->uses > 0)
				continue;
			forget_receiver(receivers, at); /* its name may be in this bucket too: begin again */
			next = receivers->buckets[i];
		}
	}
}

struct receiver *receiver_hold(struct webhook *webhook, const char *authority)
{
	char name[RECEIVER_AUTHORITY_BYTES + 1] = "/"; /* which no authority has in it */
	struct receiver *receiver;

	if (webhook->number != WEBHOOK_CALLBACKS || *authority == '\0')
		return &webhook->receiver;
	if (webhook->receivers == NULL)
		webhook->receivers = memory_new(sizeof *webhook->receivers);
	if (webhook->receivers->count > LIMIT_WEBHOOK_OUT_RECEIVERS)
		forget_unused(webhook->receivers);
	receiver = receiver_named(webhook->receivers, authority);
	if (receiver->name == NULL) {
		snprintf(name + 1, RECEIVER_AUTHORITY_BYTES, "%s", authority);
		drop_port(name + 1);
		receiver->name = receiver_named(webhook->receivers, name);
		receiver->name->uses++;
	}
	receiver->uses++;
	return receiver;
}

void receiver_release(struct webhook *webhook, struct receiver *receiver)
{
	if (receiver != &webhook->receiver)
		receiver->uses--;
}

void receivers_free(struct webhook *webhook)
{
	struct receiver *next;

	for (size_t i = 0; webhook->receivers != NULL && i < BUCKETS; i++) {
		for (; webhook->receivers->buckets[i] != NULL; webhook->receivers->buckets[i] = next) {
			next = webhook->receivers->buckets[i]->next;
			free(webhook->receivers->buckets[i]->text);
			free(webhook->receivers->buckets[i]);
		}
	}
	free(webhook->receivers);
}

/* ---- attempts ---- */

bool receiver_is_slow(const struct receiver *receiver)
{
	return receiver->slow || (receiver->under_way > 0 && clock_monotonic_ns() - receiver->since_ns > SLOW_NS);
}

static enum receiver_share share_of(const struct receiver *receiver)
{
	if (receiver_is_slow(receiver))
		return receiver->anybodys ? SHARE_OF_SLOW : SHARE_OF_OWN_SLOW;
	return receiver->anybodys && !receiver->proven ? SHARE_OF_NEW : SHARE_OF_ALL;
}

bool receiver_may_start(const struct webhooks_out *webhooks, const struct receiver *receiver)
{
	static const int places[RECEIVER_SHARES] = { [SHARE_OF_ALL] = LIMIT_WEBHOOKS_OUT_CONCURRENT,
		[SHARE_OF_NEW] = LIMIT_WEBHOOK_OUT_NEW_CONCURRENT,
		[SHARE_OF_SLOW] = LIMIT_WEBHOOK_OUT_SLOW_CONCURRENT,
		[SHARE_OF_OWN_SLOW] = LIMIT_WEBHOOK_OUT_OWN_SLOW_CONCURRENT };
	enum receiver_share share = share_of(receiver);
	int most = share != SHARE_OF_ALL ? 1
		   : receiver->anybodys	 ? LIMIT_WEBHOOK_OUT_RECEIVER_CONCURRENT
					 : LIMIT_WEBHOOK_OUT_CONCURRENT;

	if (webhooks->under_way_of[share] >= places[share])
		return false;
	return receiver->under_way < most &&
	       (receiver->name == NULL || receiver->name->under_way < LIMIT_WEBHOOK_OUT_NAME_CONCURRENT);
}

enum receiver_share receiver_begin(struct webhooks_out *webhooks, struct receiver *receiver)
{
	enum receiver_share share = share_of(receiver);

	if (receiver->under_way++ == 0)
		receiver->since_ns = clock_monotonic_ns();
	if (receiver->name != NULL)
		receiver->name->under_way++;
	receiver->served = ++webhooks->turns;
	webhooks->under_way_of[share]++;
	return share;
}

int receiver_patience(const struct webhooks_out *webhooks, enum receiver_share share)
{
	return share == SHARE_OF_NEW && webhooks->under_way_of[share] > LIMIT_WEBHOOK_OUT_NEW_PATIENT
		       ? LIMIT_WEBHOOK_OUT_NEW_SECONDS
		       : LIMIT_WEBHOOK_OUT_SECONDS;
}

void receiver_end(
	struct webhooks_out *webhooks, struct receiver *receiver, enum receiver_share share, int64_t began_ns, bool delivered)
{
	int64_t now_ns = clock_monotonic_ns();

	receiver->under_way--;
	receiver->since_ns = now_ns;
	if (receiver->name != NULL)
		receiver->name->under_way--;
	webhooks->under_way_of[share]--;
	receiver->slow = now_ns - began_ns > SLOW_NS && !delivered;
	receiver->proven = delivered;
}
