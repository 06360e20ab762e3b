/* receiver.c - whom deliveries go to: how many may be under way to one receiver, so that one that hangs delays only its own. Under the webhooks' lock.
 *
 * Callback URLs are anybody's, and names cost nothing: of them a receiver (name and port) begins with one delivery at a time and gets more once it has
 * taken one, the ports of a name share a maximum, those that have taken nothing yet share some places, and those that are slow a few. When the places of
 * the new are taken, more of them get less time for their answer. A registered webhook is a receiver by itself. */
#include "webhook_out/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define BUCKETS 256
#define SLOW_MS 1000 /* an answer that takes longer, or does not come */

struct receivers {
	struct receiver *buckets[BUCKETS];
	int count;
};

void receiver_read(const char *url, char authority[RECEIVER_AUTHORITY_BYTES])
{
	const char *begin = strstr(url, "://");
	size_t length;

	begin = begin != NULL ? begin + 3 : url;
	length = strcspn(begin, "/?#");
	snprintf(authority, RECEIVER_AUTHORITY_BYTES, "%.*s",
		length < RECEIVER_AUTHORITY_BYTES ? (int)length : RECEIVER_AUTHORITY_BYTES - 1, begin);
	for (char *at = authority; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + 32);
}

static struct receiver **place_of(struct receivers *receivers, const char *text)
{
	struct receiver **place = &receivers->buckets[text_digest(text, strlen(text)) % BUCKETS];

	while (*place != NULL && strcmp((*place)->text, text) != 0)
		place = &(*place)->next;
	return place;
}

static struct receiver *find_or_make(struct receivers *receivers, const char *text)
{
	struct receiver **place = place_of(receivers, text), *made;

	if (*place != NULL)
		return *place;
	made = calloc(1, sizeof *made);
	if (made == NULL || (made->text = strdup(text)) == NULL) {
		free(made);
		return NULL;
	}
	made->anybodys = true;
	receivers->count++;
	*place = made;
	return made;
}

static void forget(struct receivers *receivers, struct receiver *receiver)
{
	struct receiver **place = place_of(receivers, receiver->text), *name = receiver->name;

	*place = receiver->next;
	receivers->count--;
	free(receiver->text);
	free(receiver);
	if (name != NULL && --name->uses == 0)
		forget(receivers, name);
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
			forget(receivers, at); /* its name may be in this bucket too: begin again */
			next = receivers->buckets[i];
		}
	}
}

static void drop_port(char authority[RECEIVER_AUTHORITY_BYTES])
{
	char *colon = strrchr(authority, ':');

	if (colon != NULL && strchr(colon, ']') == NULL)
		*colon = '\0';
}

struct receiver *receiver_hold(struct webhook *webhook, const char *authority)
{
	char name[RECEIVER_AUTHORITY_BYTES + 1] = "/"; /* no authority has one */
	struct receiver *receiver;

	if (webhook->number != WEBHOOK_CALLBACKS || *authority == '\0')
		return &webhook->receiver;
	if (webhook->receivers == NULL)
		webhook->receivers = calloc(1, sizeof *webhook->receivers);
	if (webhook->receivers == NULL)
		return &webhook->receiver;
	if (webhook->receivers->count > LIMIT_WEBHOOK_OUT_HOSTS)
		forget_unused(webhook->receivers);
	receiver = find_or_make(webhook->receivers, authority);
	if (receiver == NULL)
		return &webhook->receiver;
	if (receiver->name == NULL) {
		snprintf(name + 1, RECEIVER_AUTHORITY_BYTES, "%s", authority);
		drop_port(name + 1);
		receiver->name = find_or_make(webhook->receivers, name);
		if (receiver->name != NULL)
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

bool receiver_is_slow(const struct receiver *receiver, int64_t now_ms)
{
	return receiver->slow || (receiver->under_way > 0 && now_ms - receiver->since_ms > SLOW_MS);
}

static enum receiver_share share_of(const struct receiver *receiver, int64_t now_ms)
{
	if (receiver_is_slow(receiver, now_ms))
		return receiver->anybodys ? SHARE_OF_SLOW : SHARE_OF_OWN_SLOW;
	return receiver->anybodys && !receiver->proven ? SHARE_OF_NEW : SHARE_OF_ALL;
}

bool receiver_may_start(const struct webhooks_out *webhooks, const struct receiver *receiver, int64_t now_ms)
{
	static const int places[RECEIVER_SHARES] = { [SHARE_OF_ALL] = LIMIT_WEBHOOKS_OUT_CONCURRENT,
		[SHARE_OF_NEW] = LIMIT_WEBHOOK_OUT_NEW_CONCURRENT,
		[SHARE_OF_SLOW] = LIMIT_WEBHOOK_OUT_SLOW_CONCURRENT,
		[SHARE_OF_OWN_SLOW] = LIMIT_WEBHOOK_OUT_OWN_SLOW_CONCURRENT };
	enum receiver_share share = share_of(receiver, now_ms);
	int most = share != SHARE_OF_ALL ? 1
		   : receiver->anybodys	 ? LIMIT_WEBHOOK_OUT_HOST_CONCURRENT
					 : LIMIT_WEBHOOK_OUT_CONCURRENT;

	if (webhooks->under_way_of[share] >= places[share])
		return false;
	return receiver->under_way < most &&
	       (receiver->name == NULL || receiver->name->under_way < LIMIT_WEBHOOK_OUT_NAME_CONCURRENT);
}

enum receiver_share receiver_begin(struct webhooks_out *webhooks, struct receiver *receiver, int64_t now_ms)
{
	enum receiver_share share = share_of(receiver, now_ms);

	if (receiver->under_way++ == 0)
		receiver->since_ms = now_ms;
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

void receiver_end(struct webhooks_out *webhooks, struct receiver *receiver, enum receiver_share share, int64_t took_ms,
	bool delivered, int64_t now_ms)
{
	receiver->under_way--;
	receiver->since_ms = now_ms;
	if (receiver->name != NULL)
		receiver->name->under_way--;
	webhooks->under_way_of[share]--;
	receiver->slow = took_ms > SLOW_MS && !delivered;
	receiver->proven = delivered;
}
