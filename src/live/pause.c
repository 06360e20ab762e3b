/* pause.c - how long a job waits for its next try. Engine thread. Pauses spread: those who were refused together do not come back together. */
#include "live/internal.h"

#include <math.h>

#include "base/clock.h"
#include "base/limits.h"

#define POLL_GROWTH 1.3
#define POLL_LEAST_SECONDS 0.05
#define RECONCILE_FIRST_SECONDS 2.0

/* xorshift: for spreading, not for secrets. */
double pause_jitter(struct live *live)
{
	live->random ^= live->random << 13;
	live->random ^= live->random >> 7;
	live->random ^= live->random << 17;
	return (double)(live->random >> 11) / 9007199254740992.0;
}

/* `first` seconds, `factor` times as long with each try, up to `most` (or `first`, where that is longer). */
static double pause_grown(double first, double factor, int tries, double most)
{
	double pause = first;

	for (int i = 0; i < tries && pause < most; i++)
		pause *= factor;
	return fmin(pause, fmax(most, first));
}

double pause_before_poll(const struct live_job *job, const json_t *result)
{
	double wanted = result_number(result, "retry_after", PAUSE_MOST_SECONDS, PAUSE_FIRST_POLL_SECONDS);
	double pause = pause_grown(wanted > 0 ? wanted : POLL_LEAST_SECONDS, POLL_GROWTH, job->polls, LIMIT_LIVE_POLL_SECONDS);
	double jitter;

	if (clock_unix_ms() > job->live.deadline_ms || job->requests > LIMIT_LIVE_JOB_REQUESTS)
		return LIMIT_LIVE_RARE_POLL_SECONDS;
	jitter = pause_jitter(job->owner);
	return pause * (json_is_number(json_object_get(result, "retry_after")) ? 1 + 0.05 * jitter : 0.9 + 0.1 * jitter);
}

double pause_after_refusal(struct live *live, double first, int tries, double most)
{
	return pause_grown(first, 2, tries, most) * (1 + 0.25 * pause_jitter(live));
}

double pause_before_retry(struct live *live, int tries, double most)
{
	return pause_grown(1, 2, tries, most) * (0.8 + 0.2 * pause_jitter(live));
}

double pause_before_reconcile(const struct live_job *job)
{
	return job->tries == 0 ? RECONCILE_FIRST_SECONDS
			       : pause_before_retry(job->owner, job->tries + 3, LIMIT_LIVE_RECONCILE_SECONDS);
}
