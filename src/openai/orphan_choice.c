/* orphan_choice.c - which job a request takes over. CPU only, but for a look at each connection that holds one of the jobs.
 *
 * Two mistakes are possible. A request that makes a job of its own, though an earlier one of the same call has paid, is the one that must not happen; a request
 * that gets the job of another call with the same fields is a pity, and costs nothing. Who does not say that it is a repeat may be a new call, and wants a job of
 * its own unless one is left over. Who says so has an earlier attempt behind it, which has ended in one way or another, so it gets a job as long as there is any:
 * the most likely first. And who says that it is a first attempt may come after its own repeat, since networks deliver out of order. */
#include "openai/orphan_hold.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "http/http.h"

/* The better the smaller. */
enum rank {
	RANK_ORPHAN = 0, /* its answer did not arrive */
	RANK_OVERTAKEN,	 /* a repeat has made it, and its first attempt, maybe this one, was still on its way */
	RANK_RECENT,	 /* just answered: a proxy may have lost that */
	RANK_OPEN,	 /* a connection waits for it, which may be dead without a sign */
	RANK_ANSWERED,
	RANK_NOT,
};

struct standing {
	const struct wish_row *row;
	bool answered, lost, forgotten;
	bool overtook, caught_up;
	bool leaving; /* it is being told to a client that ends its side: whether that has it will be known at once */
	int open, takers;
	int64_t touched_ms;
};

struct choosing {
	struct orphans *orphans;
	const struct orphan_hold *self;
	enum rank best;
	struct wish_row row; /* of the best, with what is known of it by now */
	int takers;
	bool waits;	    /* for what becomes of a request whose client has left */
	bool is_being_made; /* by a request whose client is still there */
};

static bool is_alike(const struct choosing *choosing, const struct orphan_hold *hold)
{
	const struct orphan_hold *self = choosing->self;

	return hold != self && hold->listed && memcmp(hold->fingerprint, self->fingerprint, sizeof self->fingerprint) == 0;
}

static void count_hold(const struct choosing *choosing, const struct orphan_hold *hold, struct standing *standing)
{
	bool left = hold->stage < HOLD_UNSURE && http_client_left(hold->socket);

	standing->caught_up |= hold->caught_up;
	standing->overtook |= hold->attempt == ATTEMPT_REPEAT && !hold->taken_over;
	if (hold->stage == HOLD_OVER) {
		standing->answered |= hold->answered;
		standing->lost |= hold->lost;
		standing->touched_ms = orphans_now_ms(choosing->orphans);
		standing->forgotten |= hold->forgotten;
	} else if (hold->stage != HOLD_UNSURE && !left) {
		standing->open++;
		standing->takers += hold->taken_over;
	} else if (hold->stage == HOLD_ANSWERING) {
		standing->leaving = true;
	}
}

static struct standing stand(const struct choosing *choosing, const struct wish_row *row)
{
	struct standing standing = {
		.row = row, .answered = row->answered, .touched_ms = row->touched_ms, .overtook = row->overtook
	};

	for (const struct orphan_hold *hold = choosing->orphans->first; hold != NULL; hold = hold->next)
		if (is_alike(choosing, hold) && hold->names_job && memcmp(&hold->job, &row->job, sizeof row->job) == 0)
			count_hold(choosing, hold, &standing);
	standing.answered &= !standing.lost;
	return standing;
}

static enum rank rank_of(const struct choosing *choosing, const struct standing *standing)
{
	enum attempt attempt = choosing->self->attempt;
	bool recent = standing->touched_ms > orphans_now_ms(choosing->orphans) - LIMIT_ORPHAN_RECENT_MS;

	if (standing->forgotten || standing->leaving)
		return RANK_NOT;
	if (standing->open == 0 && !standing->answered)
		return RANK_ORPHAN;
	if (attempt == ATTEMPT_FIRST)
		return recent && standing->overtook && !standing->caught_up ? RANK_OVERTAKEN : RANK_NOT;
	if (attempt != ATTEMPT_REPEAT)
		return RANK_NOT;
	if (standing->open > 0)
		return RANK_OPEN;
	return recent ? RANK_RECENT : RANK_ANSWERED;
}

static bool is_older(const struct wish_row *one, const struct wish_row *other)
{
	return id_sequence(&one->job) < id_sequence(&other->job);
}

/* Of two of the same rank: the oldest; of answered ones the newest, but one that nobody took over goes first. */
static bool is_better(const struct choosing *choosing, enum rank rank, const struct standing *standing)
{
	const struct wish_row *row = standing->row, *best = &choosing->row;

	if (rank != choosing->best)
		return rank < choosing->best;
	if (rank == RANK_OPEN && standing->takers != choosing->takers)
		return standing->takers < choosing->takers;
	if (rank <= RANK_OVERTAKEN || rank == RANK_OPEN)
		return is_older(row, best);
	return row->takes != best->takes ? row->takes < best->takes : standing->touched_ms > best->touched_ms;
}

static void consider(struct choosing *choosing, const struct wish_row *row)
{
	struct standing standing = stand(choosing, row);
	enum rank rank = rank_of(choosing, &standing);

	choosing->waits |= standing.leaving && !standing.forgotten;
	if (rank == RANK_NOT || !is_better(choosing, rank, &standing))
		return;
	choosing->best = rank;
	choosing->row = *row;
	choosing->row.touched_ms = standing.touched_ms;
	choosing->takers = standing.takers;
}

/* ---- those that have no job yet, and jobs that came since the registry was read ---- */

static int compare_jobs(const void *one, const void *other)
{
	return memcmp(&((const struct wish_row *)one)->job, &((const struct wish_row *)other)->job, sizeof(struct id));
}

/* A repeat is making what this first attempt, which comes after it, may be of. */
static bool is_overtaking(const struct choosing *choosing, const struct orphan_hold *hold)
{
	return choosing->self->attempt == ATTEMPT_FIRST && hold->attempt == ATTEMPT_REPEAT;
}

static void consider_hold(struct choosing *choosing, const struct choice_rows *known, const struct orphan_hold *hold)
{
	struct wish_row row = { .job = hold->job, .touched_ms = orphans_now_ms(choosing->orphans) };

	if (hold->has_job) {
		if (known->count == 0 || bsearch(&row, known->rows, known->count, sizeof row, compare_jobs) == NULL)
			consider(choosing, &row);
		return;
	}
	if (hold->stage == HOLD_UNSURE)
		choosing->waits = true;
	else if (hold->stage == HOLD_MAKING || (hold->stage == HOLD_LOOKING && hold->number < choosing->self->number))
		*(http_client_left(hold->socket) || is_overtaking(choosing, hold) ? &choosing->waits : &choosing->is_being_made) =
			true;
}

enum choice orphan_choose(
	struct orphans *orphans, const struct orphan_hold *hold, const struct choice_rows *known, struct chosen *chosen)
{
	struct choosing choosing = { .orphans = orphans, .self = hold, .best = RANK_NOT };

	for (size_t i = 0; i < known->count; i++)
		consider(&choosing, &known->rows[i]);
	for (const struct orphan_hold *other = orphans->first; other != NULL; other = other->next)
		if (is_alike(&choosing, other))
			consider_hold(&choosing, known, other);
	*chosen = (struct chosen){ .job = choosing.row.job, .caught_up = choosing.best == RANK_OVERTAKEN };
	if (choosing.best <= RANK_OVERTAKEN)
		return CHOICE_JOB;
	if (choosing.waits)
		return CHOICE_WAIT;
	if (choosing.best <= RANK_OPEN)
		return CHOICE_JOB;
	if (hold->attempt == ATTEMPT_REPEAT && choosing.is_being_made)
		return CHOICE_WAIT;
	return choosing.best == RANK_ANSWERED ? CHOICE_JOB : CHOICE_NONE;
}

void choice_rows_sort(struct choice_rows *known)
{
	if (known->count > 0)
		qsort(known->rows, known->count, sizeof *known->rows, compare_jobs);
}
