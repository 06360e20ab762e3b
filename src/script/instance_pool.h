/* instance_pool.h - a provider's instances, and which call gets one.
 *
 * Another one is made when all are taken, up to LIMIT_SCRIPT_INSTANCES_PER_CORE for each core: more would not be faster. Calls that take longer than
 * LIMIT_SCRIPT_SLICE_MS do not count among those, until there are LIMIT_SCRIPT_INSTANCES; and of these calls of a script only one computes at a time. So a
 * script that burns its time burns one core, is soon found to do so, and its other callers are answered meanwhile.
 *
 * Who comes while one is free takes it: to hand it to the first of those that wait would cost each call a sleep and a wake-up. But nobody is passed by for
 * longer than LIMIT_SCRIPT_PASSED_MS: then the next one is for the first that waits. */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/limits.h"
#include "script/instance.h"

struct instance_waiter;

struct instance_pool {
	pthread_mutex_t lock;				      /* guards what follows */
	struct instance_waiter *first, **last;		      /* the calls that wait, as they came */
	struct instance_waiter *spare;			      /* where the next ones will */
	struct script_instance *free;			      /* the last used first */
	struct script_instance *made[LIMIT_SCRIPT_INSTANCES]; /* all of them */
	int count;					      /* of those, and of those that are being made */
	int usual;					      /* how many there should be */
	int waiting;
	int slow; /* calls that take long: they have had their turn, or wait for it */
	pthread_cond_t turn_over;
	bool turn_taken;  /* a call that takes long computes */
	int64_t usual_ns; /* what calls took lately, while others waited */
};

/* Until when a call waits for an instance, or its turn (monotonic), and what is asked meanwhile, every LIMIT_CALL_LOOK_MS: why it should not wait any longer, or
 * NULL; and once more when its turn has come: why it should not go on. */
struct instance_patience {
	int64_t deadline_ns;
	const char *(*over)(void *context, bool its_turn);
	void *context;
};

void instance_pool_open(struct instance_pool *pool);
void instance_pool_close(struct provider *provider); /* when no call is under way */

enum instance_end {
	INSTANCE_RAN = 0, /* the call's outcome says what became of it */
	INSTANCE_CROWDED, /* LIMIT_SCRIPT_QUEUE calls wait for this script */
	INSTANCE_LATE,	  /* patience was over; the error says why */
	INSTANCE_FAILED,  /* none could be made; the error says why, as instance_load() does */
};

/* Runs the dry call on the calling thread, with an instance of its provider; but for INSTANCE_RAN it was not begun, or (INSTANCE_LATE) given up. Any thread. */
enum instance_end instance_pool_run(struct script_call *call, const struct instance_patience *patience, struct error *error);

/* About how long a new call would wait, in seconds, from 1 to LIMIT_RETRY_AFTER_SECONDS. Any thread. */
int instance_pool_wait_seconds(struct instance_pool *pool);
