/* lane.c - what memory knows of the places at a provider: enough not to ask the store in vain. The store decides (registry/lane_writes.h). Engine thread.
 *
 * Each mark that the store wrote or held back says how the lane stands; between two of them own jobs that end are counted. Where other hosts take places
 * from the same lane, what is known may be old: then the store is asked before a script runs for nothing. */
#include "live/internal.h"

#include "base/clock.h"
#include "base/limits.h"

#define MS_NS 1000000LL
#define FRESH_NS (1000 * MS_NS)	  /* so long other hosts are thought to have changed little */
#define STOPPED_NS (1000 * MS_NS) /* until the switch that the store has seen is known here */
#define BURST_NS (10000 * MS_NS)  /* as in registry/submit_rate.c */

/* ---- what was told ---- */

void lane_block(struct provider_queue *queue, int64_t until_ns)
{
	if (until_ns > queue->blocked_ns)
		queue->blocked_ns = until_ns;
	timer_set(queue->live, &queue->timer, queue->blocked_ns);
}

void lane_told(struct provider_queue *queue, const struct store_place *place)
{
	struct lane *lane = &queue->lane;
	int64_t now_ns = clock_monotonic_ns();

	lane->told_ns = now_ns;
	lane->open = place->open;
	lane->allowed = place->allowed;
	lane->more_ns = now_ns + place->more_ms * MS_NS;
	lane->per_minute = place->per_minute;
	lane->step_ns = 60000 * MS_NS / place->per_minute;
	if (place->refusal == PLACE_BLOCKED)
		lane_block(queue, lane->more_ns);
	if (place->refusal == PLACE_STOPPED)
		lane_block(queue, now_ns + STOPPED_NS);
}

/* How many may leave by now, those that are on their way included; the bucket holds some seconds' worth. */
static int lane_allowed(struct lane *lane, int64_t now_ns)
{
	int64_t holds_ns = lane->step_ns > BURST_NS ? lane->step_ns : BURST_NS;

	if (lane->more_ns < now_ns - holds_ns)
		lane->more_ns = now_ns - holds_ns;
	while (lane->more_ns <= now_ns && lane->allowed <= lane->starting) {
		lane->allowed++;
		lane->more_ns += lane->step_ns;
	}
	return lane->allowed;
}

/* ---- asking ---- */

/* Engine thread. */
static void on_lane_looked(struct engine_note *note)
{
	struct provider_queue *queue =
		(struct provider_queue *)(void *)((char *)note - offsetof(struct provider_queue, lane.note));
	struct lane *lane = &queue->lane;

	lane->looking = false;
	if (lane->look.outcome == STORE_WRITTEN)
		lane_told(queue, &lane->look.place);
	lane->look_ns = clock_monotonic_ns() + LIMIT_LIVE_LOOK_MS * MS_NS + (int64_t)(pause_jitter(queue->live) * 100 * MS_NS);
	provider_queue_send(queue);
}

/* Store thread. */
static void lane_looked(struct store_write *write)
{
	struct lane *lane = (struct lane *)(void *)((char *)write - offsetof(struct lane, look));

	lane->note.run = on_lane_looked;
	engine_run(lane->engine, &lane->note);
}

/* Asks how the lane stands, not too often; when it is worth to look again. */
static int64_t lane_look(
	struct provider_queue *queue, const struct live_job *job, const struct config_live_provider *own, int64_t now_ns)
{
	struct lane *lane = &queue->lane;

	if (lane->looking)
		return INT64_MAX;
	if (now_ns < lane->look_ns)
		return lane->look_ns;
	lane->engine = queue->live->engine;
	lane->look = (struct store_write){ .kind = STORE_LOOK,
		.done = lane_looked,
		.task = { .id = job->id, .provider = queue->provider },
		.place = { .most = own->max_concurrent, .per_minute = own->rate_per_minute } };
	lane->looking = task_store_put(queue->live->store, &lane->look) == ERROR_NONE;
	return lane->looking ? INT64_MAX : now_ns + LIMIT_LIVE_LOOK_MS * MS_NS;
}

/* Nothing was told yet, or it does not count any more. */
static bool lane_must_look(const struct provider_queue *queue, const struct config_live_provider *own, int64_t now_ns)
{
	const struct lane *lane = &queue->lane;

	return lane->per_minute != own->rate_per_minute ||
	       (task_store_is_shared(queue->live->store) && lane->starting == 0 && now_ns - lane->told_ns > FRESH_NS);
}

int64_t lane_opens(
	struct provider_queue *queue, const struct live_job *job, const struct config_live_provider *own, int64_t now_ns)
{
	struct lane *lane = &queue->lane;

	if (queue->blocked_ns > now_ns)
		return queue->blocked_ns;
	if (lane_must_look(queue, own, now_ns))
		return lane_look(queue, job, own, now_ns);
	if (lane->open + lane->starting >= own->max_concurrent)
		return lane->open > lane->own ? lane_look(queue, job, own, now_ns) : INT64_MAX;
	return lane->starting < lane_allowed(lane, now_ns) ? 0 : lane->more_ns;
}

/* ---- own jobs ---- */

void lane_start(struct live_job *job)
{
	job->starting = true;
	job->provider_queue->lane.starting++;
}

void lane_started(struct live_job *job)
{
	if (job->starting)
		job->provider_queue->lane.starting--;
	job->starting = false;
}

void lane_has(struct live_job *job)
{
	job->provider_queue->lane.own += !job->placed;
	job->placed = true;
}

void lane_take(struct live_job *job)
{
	job->provider_queue->lane.open += !job->placed;
	lane_has(job);
}

void lane_leave(struct live_job *job)
{
	struct lane *lane = &job->provider_queue->lane;

	lane->open -= job->placed;
	lane->own -= job->placed;
	job->placed = false;
}
