/* linger.h - should a thread that has run out of work look for more for a moment, before it sleeps? To be woken costs more than to look while work
 * comes often; looking for what comes seldom burns a processor. Pure arithmetic; the thread's own. */
#pragma once

#include <stdint.h>

struct linger {
	int64_t pays_ns;  /* set by the owner: work that usually comes within this time is worth looking for */
	int64_t usual_ns; /* how long it was without work, lately */
};

/* Until when to look (monotonic); `now_ns` itself: not at all. */
int64_t linger_until(const struct linger *linger, int64_t now_ns);

/* Work came after so long, however long the thread took to notice. */
void linger_note(struct linger *linger, int64_t idle_ns);
