/* submit_rate.h - how many jobs may be sent to a provider: never more than its rate within a minute, at the vendor's own clock too.
 *
 * A bucket fills steadily and holds some seconds' worth, so that jobs do not all leave at the beginning of a minute; and those that left are counted by the
 * second, so that what the bucket held is not on top of the rate. Pure: the clock is given. */
#pragma once

#include <stdint.h>

#define RATE_FULL 1000000.0 /* tokens of a bucket that nothing was taken from yet */
#define RATE_RECENT_BYTES 2048

struct rate_state {
	double tokens;
	int64_t filled_ms;		/* when there were so many */
	char recent[RATE_RECENT_BYTES]; /* "SECOND:COUNT SECOND:COUNT ...", oldest first */
};

/* How many may leave now; *more_ms: in how long there is one more than that. */
int rate_allows(const struct rate_state *state, int per_minute, int64_t now_ms, int64_t *more_ms);

/* One leaves. After rate_allows() said that it may. */
void rate_take(struct rate_state *state, int per_minute, int64_t now_ms);
