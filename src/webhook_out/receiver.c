/* receiver.c - whom deliveries go to: how many may be under way to one receiver, so that one that hangs delays only its own. Under the hooks' lock.
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

struct hook_hosts {
	struct hook_host *buckets[BUCKETS];
	int count;
};

void host_read(const char *url, char authority[HOOK_AUTHORITY_BYTES])
{
	const char *begin = strstr(url, "://");
	size_t length;

	begin = begin != NULL ? begin + 3 : url;
	length = strcspn(begin, "/?#");
	snprintf(authority, HOOK_AUTHORITY_BYTES, "%.*s", length < HOOK_AUTHORITY_BYTES ? (int)length : HOOK_AUTHORITY_BYTES - 1,
		begin);
	for (char *at = authority; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + 32);
}

static struct hook_host **place_of(struct hook_hosts *hosts, const char *text)
{
	struct hook_host **place = &hosts->buckets[text_digest(text, strlen(text)) % BUCKETS];

	while (*place != NULL && strcmp((*place)->text, text) != 0)
		place = &(*place)->next;
	return place;
}

static struct hook_host *find_or_make(struct hook_hosts *hosts, const char *text)
{
	struct hook_host **place = place_of(hosts, text), *made;

	if (*place != NULL)
		return *place;
	made = calloc(1, sizeof *made);
	if (made == NULL || (made->text = strdup(text)) == NULL) {
		free(made);
		return NULL;
	}
	made->anybodys = true;
	hosts->count++;
	*place = made;
	return made;
}

static void forget(struct hook_hosts *hosts, struct hook_host *host)
{
	struct hook_host **place = place_of(hosts, host->text), *name = host->name;

	*place = host->next;
	hosts->count--;
	free(host->text);
	free(host);
	if (name != NULL && --name->uses == 0)
		forget(hosts, name);
}

/* Receivers that nobody waits for, when they are many: what was learned of them is lost. */
static void forget_unused(struct hook_hosts *hosts)
{
	struct hook_host *at, *next;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (at = hosts->buckets[i]; at != NULL; at = next) {
			next = at->next;
			if (at->uses > 0)
				continue;
			forget(hosts, at); /* its name may be in this bucket too: begin again */
			next = hosts->buckets[i];
		}
	}
}

static void drop_port(char authority[HOOK_AUTHORITY_BYTES])
{
	char *colon = strrchr(authority, ':');

	if (colon != NULL && strchr(colon, ']') == NULL)
		*colon = '\0';
}

struct hook_host *host_hold(struct hook *hook, const char *authority)
{
	char name[HOOK_AUTHORITY_BYTES + 1] = "/"; /* no authority has one */
	struct hook_host *host;

	if (hook->number != HOOK_CALLBACKS || *authority == '\0')
		return &hook->host;
	if (hook->hosts == NULL)
		hook->hosts = calloc(1, sizeof *hook->hosts);
	if (hook->hosts == NULL)
		return &hook->host;
	if (hook->hosts->count > LIMIT_HOOK_HOSTS)
		forget_unused(hook->hosts);
	host = find_or_make(hook->hosts, authority);
	if (host == NULL)
		return &hook->host;
	if (host->name == NULL) {
		snprintf(name + 1, HOOK_AUTHORITY_BYTES, "%s", authority);
		drop_port(name + 1);
		host->name = find_or_make(hook->hosts, name);
		if (host->name != NULL)
			host->name->uses++;
	}
	host->uses++;
	return host;
}

void host_release(struct hook *hook, struct hook_host *host)
{
	if (host != &hook->host)
		host->uses--;
}

void hosts_free(struct hook *hook)
{
	struct hook_host *next;

	for (size_t i = 0; hook->hosts != NULL && i < BUCKETS; i++) {
		for (; hook->hosts->buckets[i] != NULL; hook->hosts->buckets[i] = next) {
			next = hook->hosts->buckets[i]->next;
			free(hook->hosts->buckets[i]->text);
			free(hook->hosts->buckets[i]);
		}
	}
	free(hook->hosts);
}

bool host_is_slow(const struct hook_host *host, int64_t now_ms)
{
	return host->slow || (host->under_way > 0 && now_ms - host->since_ms > SLOW_MS);
}

static enum hook_share share_of(const struct hook_host *host, int64_t now_ms)
{
	if (host_is_slow(host, now_ms))
		return host->anybodys ? SHARE_OF_SLOW : SHARE_OF_OWN_SLOW;
	return host->anybodys && !host->proven ? SHARE_OF_NEW : SHARE_OF_ALL;
}

bool host_may_start(const struct hooks *hooks, const struct hook_host *host, int64_t now_ms)
{
	static const int places[HOOK_SHARES] = { [SHARE_OF_ALL] = LIMIT_HOOKS_CONCURRENT,
		[SHARE_OF_NEW] = LIMIT_HOOK_NEW_CONCURRENT,
		[SHARE_OF_SLOW] = LIMIT_HOOK_SLOW_CONCURRENT,
		[SHARE_OF_OWN_SLOW] = LIMIT_HOOK_OWN_SLOW_CONCURRENT };
	enum hook_share share = share_of(host, now_ms);
	int most = share != SHARE_OF_ALL ? 1 : host->anybodys ? LIMIT_HOOK_HOST_CONCURRENT : LIMIT_HOOK_CONCURRENT;

	if (hooks->under_way_of[share] >= places[share])
		return false;
	return host->under_way < most && (host->name == NULL || host->name->under_way < LIMIT_HOOK_NAME_CONCURRENT);
}

enum hook_share host_begin(struct hooks *hooks, struct hook_host *host, int64_t now_ms)
{
	enum hook_share share = share_of(host, now_ms);

	if (host->under_way++ == 0)
		host->since_ms = now_ms;
	if (host->name != NULL)
		host->name->under_way++;
	host->served = ++hooks->turns;
	hooks->under_way_of[share]++;
	return share;
}

int host_patience(const struct hooks *hooks, enum hook_share share)
{
	return share == SHARE_OF_NEW && hooks->under_way_of[share] > LIMIT_HOOK_NEW_PATIENT ? LIMIT_HOOK_NEW_SECONDS
											    : LIMIT_HOOK_SECONDS;
}

void host_end(struct hooks *hooks, struct hook_host *host, enum hook_share share, int64_t took_ms, bool delivered, int64_t now_ms)
{
	host->under_way--;
	host->since_ms = now_ms;
	if (host->name != NULL)
		host->name->under_way--;
	hooks->under_way_of[share]--;
	host->slow = took_ms > SLOW_MS && !delivered;
	host->proven = delivered;
}
