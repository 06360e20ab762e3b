/* asking.c - what is asked of another host's job: put into the registry, where the owner's pulse finds it, and its answer fetched from there. HTTP threads wait;
 * that of takeover.c brings answers. */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "cluster/cluster.h"

#define RETRY_SECONDS 1.0

struct asking {
	int64_t number;
	struct waiter *waiter;
	struct asking *next;
};

static int64_t asking_number(void)
{
	struct id id = id_make();

	return id_sequence(&id);
}

static void asking_add(struct live *live, struct asking *asking)
{
	pthread_mutex_lock(&live->asking_lock);
	asking->next = live->asking;
	live->asking = asking;
	pthread_mutex_unlock(&live->asking_lock);
	cluster_follow(live->cluster, true);
}

/* Its waiter is the thread's alone then. */
static void asking_remove(struct live *live, struct asking *asking)
{
	struct asking **link;

	cluster_follow(live->cluster, false);
	pthread_mutex_lock(&live->asking_lock);
	for (link = &live->asking; *link != NULL && *link != asking; link = &(*link)->next)
		;
	if (*link != NULL) {
		*link = asking->next;
		waiter_release(asking->waiter);
	}
	pthread_mutex_unlock(&live->asking_lock);
}

static enum error_code asking_withdraw(struct live *live, int64_t number, enum ask_wish wish, struct error *error)
{
	struct host_change change = { .kind = HOST_WITHDRAWS, .ask.number = number };
	enum store_outcome outcome = STORE_FAILED;
	enum error_code code = host_change_run(live->store, &change, &outcome, error);

	if (code == ERROR_NONE && outcome == STORE_WRITTEN)
		return error_set(error, ERROR_BUSY, NULL, "the job's host did not get to it in time: nothing was done");
	if (wish == ASK_REFRESH)
		return error_set(error, ERROR_BUSY, NULL, "the vendor has not answered yet");
	return error_set(
		error, ERROR_PENDING, NULL, "the job's host was asked, and has not confirmed it yet: the job's status will tell");
}

static enum error_code asking_wait(
	struct live *live, struct asking *asking, enum ask_wish wish, const struct live_patience *patience, struct error *error)
{
	if (!waiter_wait(live, asking->waiter, patience))
		return asking_withdraw(live, asking->number, wish, error);
	if (asking->waiter->code != ERROR_NONE)
		*error = asking->waiter->error;
	return asking->waiter->code;
}

static enum error_code asking_insert(
	struct live *live, struct host_change *change, enum store_outcome *outcome, struct error *error)
{
	char *body = change->ask.body;
	enum error_code code;

	change->kind = HOST_ASKS;
	code = host_change_run(live->store, change, outcome, error);
	free(body);
	return code;
}

enum error_code asking_run(struct live *live, const struct id *id, enum ask_wish wish, char *body,
	const struct live_patience *patience, struct error *error)
{
	struct asking asking = { .number = asking_number(), .waiter = waiter_make(WAIT_STEP) };
	struct host_change change = {
		.ask = { .number = asking.number, .job = *id, .wish = wish, .asker = cluster_host(live->cluster), .body = body }
	};
	enum store_outcome outcome;
	enum error_code code;

	asking_add(live, &asking);
	code = asking_insert(live, &change, &outcome, error);
	if (code == ERROR_NONE)
		code = asking_wait(live, &asking, wish, patience, error);
	asking_remove(live, &asking);
	waiter_release(asking.waiter);
	return code;
}

enum error_code asking_put(struct live *live, const struct id *id, enum ask_wish wish, char *body, const unsigned char *digest,
	bool *own, struct error *error)
{
	struct host_change change = { .ask = { .number = asking_number(), .job = *id, .wish = wish, .body = body },
		.digest = digest };
	enum store_outcome outcome = STORE_FAILED;
	enum error_code code = asking_insert(live, &change, &outcome, error);

	*own = code == ERROR_NONE && outcome == STORE_WRITTEN && change.own;
	return code;
}

/* ---- answers ---- */

static void asking_notify(struct live *live, const struct job_ask *ask)
{
	struct asking **link, *found;
	struct error error = { 0 };

	error_set(&error, ask->code, NULL, "%s", ask->answer != NULL ? ask->answer : "");
	pthread_mutex_lock(&live->asking_lock);
	for (link = &live->asking; *link != NULL && (*link)->number != ask->number; link = &(*link)->next)
		;
	found = *link;
	if (found != NULL) {
		*link = found->next;
		waiter_notify(found->waiter, ask->code, &error);
	}
	pthread_mutex_unlock(&live->asking_lock);
}

void asking_answered(struct live *live)
{
	struct host_change change = { .kind = HOST_FETCHES };
	enum store_outcome outcome;
	struct error error;

	if (host_change_run(live->store, &change, &outcome, &error) != ERROR_NONE)
		log_message(LOG_WARN, "live.asked", "answers of other hosts cannot be fetched yet: %s", error.message);
	for (size_t i = 0; i < change.ask_count; i++)
		asking_notify(live, &change.asks[i]);
	host_change_clear(&change);
}

/* ---- without waiting ---- */

struct telling {
	struct timer timer; /* first: when it is tried again */
	struct store_write write;
	struct host_change change;
	struct engine_note note;
	struct live *live;
};

static void telling_free(struct telling *telling)
{
	free(telling->change.ask.body);
	free(telling);
}

static void telling_put(struct telling *telling);

static void telling_due(struct timer *timer)
{
	telling_put((struct telling *)(void *)timer);
}

/* Engine thread. */
static void on_told(struct engine_note *note)
{
	struct telling *telling = (struct telling *)(void *)((char *)note - offsetof(struct telling, note));

	if (telling->write.outcome == STORE_FAILED && telling->write.error.code != ERROR_NOT_FOUND)
		timer_set(telling->live, &telling->timer, schedule_after(RETRY_SECONDS));
	else
		telling_free(telling);
}

/* Store thread. */
static void telling_written(struct store_write *write)
{
	struct telling *telling = (struct telling *)(void *)((char *)write - offsetof(struct telling, write));

	telling->note.run = on_told;
	if (engine_run(telling->live->engine, &telling->note) != ERROR_NONE)
		telling_free(telling);
}

static void telling_put(struct telling *telling)
{
	telling->write = (struct store_write){
		.kind = STORE_HOST, .durable = true, .done = telling_written, .host_change = &telling->change
	};
	if (task_store_put(telling->live->store, &telling->write) != ERROR_NONE)
		timer_set(telling->live, &telling->timer, schedule_after(RETRY_SECONDS));
}

void asking_tell(struct live *live, const struct id *id, enum ask_wish wish, char *body)
{
	struct telling *telling = memory_new(sizeof *telling);

	telling->timer = (struct timer){ .due_ns = INT64_MAX, .fire = telling_due };
	telling->live = live;
	telling->change = (struct host_change){ .kind = HOST_ASKS,
		.ask = { .number = asking_number(), .job = *id, .wish = wish, .body = body } };
	telling_put(telling);
}
