/* submit_rate.c - the bucket, and the minute that has passed. No state of its own. */
#include "registry/submit_rate.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BURST_SECONDS 10   /* of what the bucket lets out at once */
#define COUNTED_SECONDS 62 /* a minute of whole seconds, and one for requests that take longer to the vendor than others */

/* ---- the bucket ---- */

static double tokens_at(const struct rate_state *state, int per_minute, int64_t now_ms)
{
	double most = fmax(1, per_minute / 60.0 * BURST_SECONDS);
	double passed_ms =
		now_ms > state->filled_ms ? (double)(now_ms - state->filled_ms) : 0; /* a clock that was set back gives nothing */

	return fmin(most, state->tokens + passed_ms * per_minute / 60000.0);
}

/* ---- the last minute ---- */

/* Reads one "SECOND:COUNT"; where the next begins, or NULL: there is none. */
static const char *read_second(const char *text, int64_t *second, int *count)
{
	char *end;

	*second = strtoll(text, &end, 10);
	if (end == text || *end != ':')
		return NULL;
	*count = (int)strtol(end + 1, &end, 10);
	return end;
}

/* One of the future was counted before the clock was set back. */
static bool still_counts(int64_t second, int64_t now_second)
{
	return second > now_second - COUNTED_SECONDS && second <= now_second + 1;
}

/* How many left; *opens_ms: when the oldest of them do not count any more. */
static int count_recent(const struct rate_state *state, int64_t now_ms, int64_t *opens_ms)
{
	const char *at = state->recent;
	int64_t second;
	int sum = 0, count;

	while ((at = read_second(at, &second, &count)) != NULL) {
		if (!still_counts(second, now_ms / 1000))
			continue;
		if (sum == 0)
			*opens_ms = (second + COUNTED_SECONDS) * 1000;
		sum += count;
	}
	return sum;
}

static void note_recent(struct rate_state *state, int64_t now_ms)
{
	char text[RATE_RECENT_BYTES] = "";
	const char *at = state->recent;
	int64_t second, now = now_ms / 1000;
	size_t length = 0;
	int count, mine = 1;

	while ((at = read_second(at, &second, &count)) != NULL && length < sizeof text - 64) {
		if (second == now)
			mine += count;
		else if (still_counts(second, now))
			length += (size_t)snprintf(text + length, sizeof text - length, "%" PRId64 ":%d ", second, count);
	}
	snprintf(text + length, sizeof text - length, "%" PRId64 ":%d", now, mine);
	memcpy(state->recent, text, sizeof text);
}

/* ---- both ---- */

int rate_allows(const struct rate_state *state, int per_minute, int64_t now_ms, int64_t *more_ms)
{
	int64_t opens_ms = now_ms;
	double tokens = tokens_at(state, per_minute, now_ms);
	int bucket = (int)tokens, minute = per_minute - count_recent(state, now_ms, &opens_ms);

	if (minute > bucket) {
		*more_ms = (int64_t)ceil((bucket + 1 - tokens) * 60000 / per_minute);
		return bucket;
	}
	*more_ms = opens_ms > now_ms ? opens_ms - now_ms : 1;
	return minute > 0 ? minute : 0;
}

void rate_take(struct rate_state *state, int per_minute, int64_t now_ms)
{
	state->tokens = tokens_at(state, per_minute, now_ms) - 1;
	state->filled_ms = now_ms;
	note_recent(state, now_ms);
}
