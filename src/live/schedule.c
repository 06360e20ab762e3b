/* schedule.c - when what is due: one heap of timers, and a lane for each provider. Engine thread.
 *
 * A job that is to be sent stands in its provider's lane, first come first served, until max_concurrent and rate_per_minute let it out. The rate
 * is a bucket that fills steadily and holds a few seconds' worth, so that jobs do not all leave at the beginning of a minute. Jobs at the
 * vendor have timers of their own. Nothing is sent while live execution is stopped, or the gate is shut for the provider. */
#include "live/room.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"

#define SECOND_NS 1000000000LL
#define BURST_SECONDS 10 /* of submits that the rate lets out at once */

/* ---- timers: a binary heap, each timer knows its place ---- */

static void put(struct timers *timers, size_t place, struct timer *timer)
{
	timers->heap[place] = timer;
	timer->place = place;
}

static void sift_up(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place;

	while (place > 1 && timers->heap[place / 2]->due_ns > timer->due_ns) {
		put(timers, place, timers->heap[place / 2]);
		place /= 2;
	}
	put(timers, place, timer);
}

static void sift_down(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place, child;

	while ((child = place * 2) <= timers->count) {
		if (child < timers->count && timers->heap[child + 1]->due_ns < timers->heap[child]->due_ns)
			child++;
		if (timers->heap[child]->due_ns >= timer->due_ns)
			break;
		put(timers, place, timers->heap[child]);
		place = child;
	}
	put(timers, place, timer);
}

/* Room is made when an owner of a timer is, so that setting one cannot fail. */
bool timers_join(struct timers *timers)
{
	size_t count = timers->owners + 1;
	size_t capacity = timers->capacity == 0 ? 64 : timers->capacity;
	struct timer **grown;

	timers->owners++;
	if (count < timers->capacity)
		return true;
	while (capacity <= count)
		capacity *= 2;
	grown = realloc(timers->heap, capacity * sizeof *grown);
	if (grown == NULL) {
		timers->owners--;
		return false;
	}
	timers->heap = grown;
	timers->capacity = capacity;
	return true;
}

void timers_leave(struct timers *timers)
{
	timers->owners--;
}

void timer_clear(struct live *live, struct timer *timer)
{
	struct timers *timers = &live->timers;
	struct timer *last;
	size_t place = timer->place;

	if (place == 0)
		return;
	timer->place = 0;
	last = timers->heap[timers->count--];
	if (last == timer)
		return;
	put(timers, place, last);
	sift_up(timers, last);
	sift_down(timers, last);
}

void timer_set(struct live *live, struct timer *timer, int64_t due_ns)
{
	struct timers *timers = &live->timers;

	timer->due_ns = due_ns;
	if (timer->place == 0) {
		put(timers, ++timers->count, timer);
		sift_up(timers, timer);
		return;
	}
	sift_up(timers, timer);
	sift_down(timers, timer);
}

int64_t schedule_tick(void *context, int64_t now_ns)
{
	struct live *live = context;
	struct timers *timers = &live->timers;
	struct timer *timer;

	while (timers->count > 0 && timers->heap[1]->due_ns <= now_ns) {
		timer = timers->heap[1];
		timer_clear(live, timer);
		timer->fire(live, timer);
	}
	return timers->count > 0 ? timers->heap[1]->due_ns : INT64_MAX;
}

/* 0 to 1; for spreading, not for secrets (xorshift). */
double schedule_jitter(struct live *live)
{
	live->random ^= live->random << 13;
	live->random ^= live->random >> 7;
	live->random ^= live->random << 17;
	return (double)(live->random >> 11) / 9007199254740992.0;
}

void schedule_in(struct live *live, struct live_job *job, double seconds)
{
	timer_set(live, &job->timer, clock_monotonic_ns() + (int64_t)(seconds * 1e9));
}

/* A job without a timer is due: one that waits for somebody has a timer that never comes. */
void schedule_never(struct live *live, struct live_job *job)
{
	timer_set(live, &job->timer, INT64_MAX);
}

/* ---- lanes ---- */

static void lane_due(struct live *live, struct timer *timer)
{
	schedule_lane(live, (struct lane *)(void *)timer);
}

struct lane *lane_of(struct live *live, const char *provider)
{
	struct lane *lane;

	for (lane = live->lanes; lane != NULL; lane = lane->next)
		if (strcmp(lane->provider, provider) == 0)
			return lane;
	lane = calloc(1, sizeof *lane);
	if (lane == NULL)
		return NULL;
	lane->provider = strdup(provider);
	if (lane->provider == NULL || !timers_join(&live->timers)) {
		free(lane->provider);
		free(lane);
		return NULL;
	}
	lane->timer = (struct timer){ .due_ns = INT64_MAX, .fire = lane_due };
	lane->last = &lane->first;
	lane->last_due = &lane->first_due;
	lane->tokens = 1;
	lane->filled_ns = clock_monotonic_ns() - BURST_SECONDS * SECOND_NS;
	lane->next = live->lanes;
	live->lanes = lane;
	return lane;
}

void lanes_free(struct live *live)
{
	struct lane *next;

	for (; live->lanes != NULL; live->lanes = next) {
		next = live->lanes->next;
		for (size_t i = 0; i < LANE_CLAIMS; i++)
			free(live->lanes->claims[i]);
		free(live->lanes->provider);
		free(live->lanes);
	}
	free(live->timers.heap);
}

/* Remembered for a while: reconciling must not find a job that is another's. */
void lane_claim(struct lane *lane, const char *vendor_id)
{
	char *copy = vendor_id != NULL ? strdup(vendor_id) : NULL;

	if (copy == NULL)
		return;
	free(lane->claims[lane->claim_at]);
	lane->claims[lane->claim_at] = copy;
	lane->claim_at = (lane->claim_at + 1) % LANE_CLAIMS;
}

void schedule_count(struct live_job *job, bool open)
{
	if (job->lane == NULL || job->counted == open)
		return;
	job->counted = open;
	job->lane->open += open ? 1 : -1;
}

void schedule_block(struct live *live, struct lane *lane, double seconds)
{
	int64_t until = clock_monotonic_ns() + (int64_t)(seconds * 1e9);

	if (until > lane->blocked_ns)
		lane->blocked_ns = until;
	timer_set(live, &lane->timer, lane->blocked_ns);
}

static void enqueue(struct live_job *job)
{
	struct lane *lane = job->lane;

	if (job->ready)
		return;
	job->ready = true;
	job->next_ready = NULL;
	*lane->last = job;
	lane->last = &job->next_ready;
}

static struct live_job *dequeue(struct lane *lane)
{
	struct live_job *job = lane->first;

	lane->first = job->next_ready;
	if (lane->first == NULL)
		lane->last = &lane->first;
	job->ready = false;
	return job;
}

static void fill(struct lane *lane, int rate_per_minute, int64_t now_ns)
{
	double per_second = rate_per_minute / 60.0;
	double most = per_second * BURST_SECONDS < 1 ? 1 : per_second * BURST_SECONDS;

	lane->tokens += (double)(now_ns - lane->filled_ns) / 1e9 * per_second;
	if (lane->tokens > most)
		lane->tokens = most;
	lane->filled_ns = now_ns;
}

bool lane_has_room(const struct lane *lane, size_t bytes)
{
	return lane->calls == 0 || (lane->calls < LIMIT_LIVE_CALLS && lane->call_bytes + bytes <= LIMIT_LIVE_CALL_BYTES);
}

static size_t request_bytes(const struct live_job *job)
{
	return job->live.request != NULL ? strlen(job->live.request) : 0;
}

/* When the lane may send its next job; 0: now; INT64_MAX: when one of its jobs or calls has ended. */
static int64_t lane_opens(struct lane *lane, const struct config_live_provider *own, int64_t now_ns)
{
	if (lane->blocked_ns > now_ns)
		return lane->blocked_ns;
	if (lane->open >= own->max_concurrent || !lane_has_room(lane, request_bytes(lane->first)))
		return INT64_MAX;
	fill(lane, own->rate_per_minute, now_ns);
	if (lane->tokens >= 1)
		return 0;
	return now_ns + (int64_t)((1 - lane->tokens) * 60e9 / own->rate_per_minute) + 1;
}

static void unqueue(struct live_job *job)
{
	struct lane *lane = job->lane;
	struct live_job **link = &lane->first;

	if (!job->ready)
		return;
	while (*link != job)
		link = &(*link)->next_ready;
	*link = job->next_ready;
	if (job->next_ready == NULL)
		lane->last = link;
	job->ready = false;
}

/* A job that was told to cancel, or is overdue, does not wait for its turn. */
static bool leaves_unsent(struct live *live, struct live_job *job)
{
	bool overdue = clock_unix_ms() >= job->live.deadline_ms;

	if (!job->want_cancel && !overdue)
		return false;
	unqueue(job);
	if (job->want_cancel)
		outcome_end(live, job, TASK_CANCELED, "canceled", "canceled before it was sent", false);
	else
		outcome_end(live, job, TASK_ERROR, "timeout", "the job waited too long to be sent; nothing was sent", false);
	return true;
}

/* Why nothing may be sent to this provider now; NULL: it may. `own` is its configuration. */
static const char *held_back(struct live *live, const struct lane *lane, const struct gate_view *view, const char *kind,
	const struct config_live_provider **own)
{
	struct catalog_set *set;
	struct provider *provider;
	struct verdict verdict;
	const char *why = NULL;

	*own = config_live_provider(view->config, lane->provider);
	if (live_is_stopped(live))
		return "live execution is stopped: POST /api/live/start starts it again";
	if (*own == NULL)
		return "live execution is switched off for this provider";
	set = catalog_acquire(live->catalog);
	provider = catalog_find(set, kind, lane->provider);
	if (provider == NULL)
		why = "the provider's script is not there";
	else if (gate_judge(view, &provider->subject, NULL, &verdict) != ERROR_NONE)
		why = "out of memory";
	else {
		if (!verdict.live_allowed)
			why = "live execution is switched off for this provider: flag, switch, budget or credential";
		verdict_free(&verdict);
	}
	catalog_release(set);
	return why;
}

static void say_held_back(struct live *live, struct lane *lane, const char *why)
{
	for (struct live_job *job = lane->first; job != NULL; job = job->next_ready)
		if (job->live.reason == NULL || strcmp(job->live.reason, why) != 0)
			job_set_text((char **)(uintptr_t)&job->live.reason, why);
	timer_set(live, &live->gate_timer, clock_monotonic_ns() + LIMIT_LIVE_GATE_SECONDS * SECOND_NS);
}

void schedule_lane(struct live *live, struct lane *lane)
{
	const struct gate_view *view;
	const struct config_live_provider *own = NULL;
	const char *why = NULL;
	int64_t opens = 0, now_ns = clock_monotonic_ns();
	struct live_job *job;

	/* what cannot be sent comes back here from within the loop below: it goes on by itself, the stack would not hold a long lane */
	if (lane->sending)
		return;
	lane->sending = true;
	view = gate_acquire(live->gate);
	while (lane->first != NULL && !engine_is_stopping(live->engine)) {
		if (leaves_unsent(live, lane->first))
			continue;
		if (own == NULL && (why = held_back(live, lane, view, lane->first->kind, &own)) != NULL)
			break;
		opens = lane_opens(lane, own, now_ns);
		if (opens != 0)
			break;
		job = dequeue(lane);
		timer_clear(live, &job->timer);
		lane->tokens -= 1;
		schedule_count(job, true);
		attempt_start(live, job, ACTION_SUBMIT);
	}
	lane->sending = false;
	if (lane->first != NULL && why != NULL)
		say_held_back(live, lane, why);
	else if (lane->first != NULL && opens != 0 && opens != INT64_MAX)
		timer_set(live, &lane->timer, opens);
	gate_release(live->gate, view);
}

void schedule_all(struct live *live)
{
	for (struct lane *lane = live->lanes; lane != NULL; lane = lane->next)
		schedule_lane(live, lane);
}

/* ---- one job ---- */

/* In the lane a job's timer is its deadline; out of it, when it may be tried again. */
static void schedule_queued(struct live *live, struct live_job *job)
{
	int64_t left_ms = job->live.deadline_ms - clock_unix_ms();

	if (leaves_unsent(live, job))
		return;
	if (!job->ready && job->timer.place != 0)
		return;
	if (!job->ready) {
		enqueue(job);
		timer_set(live, &job->timer, clock_monotonic_ns() + left_ms * 1000000);
	}
	schedule_lane(live, job->lane);
}

/* What it wants now. */
static enum action wanted(const struct live_job *job);

/* A call for a job at the vendor: now if there is room for one, else in turn. */
static void call_or_queue(struct live *live, struct live_job *job)
{
	struct lane *lane = job->lane;

	if (job->due)
		return;
	if (lane->first_due == NULL && lane_has_room(lane, 0)) {
		attempt_start(live, job, wanted(job));
		return;
	}
	job->due = true;
	job->next_ready = NULL;
	*lane->last_due = job;
	lane->last_due = &job->next_ready;
}

static void undue(struct live_job *job)
{
	struct lane *lane = job->lane;
	struct live_job **link = &lane->first_due;

	if (!job->due)
		return;
	while (*link != job)
		link = &(*link)->next_ready;
	*link = job->next_ready;
	if (job->next_ready == NULL)
		lane->last_due = link;
	job->due = false;
}

void lane_calls_changed(struct live *live, struct lane *lane)
{
	struct live_job *job;

	while ((job = lane->first_due) != NULL && lane_has_room(lane, 0) && !engine_is_stopping(live->engine)) {
		undue(job);
		attempt_start(live, job, wanted(job));
	}
	if (lane->first != NULL)
		schedule_lane(live, lane);
}

static bool is_due(const struct live_job *job)
{
	return job->timer.place == 0 || job->timer.due_ns <= clock_monotonic_ns();
}

static enum action wanted(const struct live_job *job)
{
	bool over = job->live.stop_ms != 0 && clock_unix_ms() >= job->live.stop_ms;

	if (job->live.phase == LIVE_LOST)
		return ACTION_RECONCILE;
	if (job->deliveries != NULL)
		return ACTION_WEBHOOK;
	return job->want_cancel || over ? ACTION_CANCEL : ACTION_POLL;
}

/* The job is about to be freed: it stands in no queue. */
void schedule_forget(struct live_job *job)
{
	if (job->lane == NULL)
		return;
	unqueue(job);
	undue(job);
	schedule_count(job, false);
}

static void schedule_sent(struct live *live, struct live_job *job)
{
	if (job->deliveries != NULL || job->want_cancel || job->want_poll || is_due(job))
		call_or_queue(live, job);
}

static void schedule_lost(struct live *live, struct live_job *job)
{
	if (job->want_poll || is_due(job))
		call_or_queue(live, job);
}

void schedule_job(struct live *live, struct live_job *job)
{
	if (job->action != ACTION_NONE || job->ending || engine_is_stopping(live->engine))
		return;
	if (job->resolution != NULL && job->live.phase != LIVE_QUEUED) {
		undue(job);
		outcome_resolve(live, job);
		return;
	}
	switch (job->live.phase) {
	case LIVE_QUEUED: schedule_queued(live, job); break;
	case LIVE_SENT: schedule_sent(live, job); break;
	case LIVE_LOST: schedule_lost(live, job); break;
	case LIVE_SENDING:
	case LIVE_ENDED: break;
	}
}
