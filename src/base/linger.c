/* linger.c - a moving average of how long a thread was without work. */
#include "base/linger.h"

#define SELDOM 4 /* times what pays: a longer pause counts as this, so that some quick ones make up for it */
#define TIMES 2	 /* times what pays: looked for at most so long */

int64_t linger_until(const struct linger *linger, int64_t now_ns)
{
	return linger->usual_ns <= linger->pays_ns ? now_ns + TIMES * linger->pays_ns : now_ns;
}

void linger_note(struct linger *linger, int64_t idle_ns)
{
	int64_t most = SELDOM * linger->pays_ns;

	if (idle_ns < 0)
		idle_ns = 0;
	linger->usual_ns += ((idle_ns < most ? idle_ns : most) - linger->usual_ns) / 8;
}
