/* mailbox.h - what other threads hand to the engine: calls, in a queue for each script (run_queue.h), and notes. For this folder only.
 *
 * One mutex, held for some instructions. Nothing here allocates or wakes anybody. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "engine/run_queue.h"

struct mailbox {
	pthread_mutex_t lock; /* guards all but the atomics */
	struct run_queue queue;
	struct engine_note *first_note, **last_note;
	bool stopping;		/* no call is taken in any more */
	bool closed;		/* no note either */
	_Atomic size_t waiting; /* calls of other threads that are not begun */
};

void mailbox_init(struct mailbox *mailbox);
void mailbox_destroy(struct mailbox *mailbox);

/* As engine_post(), engine_withdraw() and engine_run() have it. Any thread. */
enum error_code mailbox_post(struct mailbox *mailbox, struct engine_call *call);
bool mailbox_withdraw(struct mailbox *mailbox, struct engine_call *call);
enum error_code mailbox_note(struct mailbox *mailbox, struct engine_note *note);

/* From now on no call is taken in. Any thread. */
void mailbox_stop(struct mailbox *mailbox);

/* How long a call of this script would wait, in nanoseconds. Any thread. */
int64_t mailbox_wait_ns(struct mailbox *mailbox, const struct provider *provider);

/* ---- engine thread ---- */

/* What the engine finds when it looks. */
struct mail {
	struct engine_note *notes;
	int64_t calls_due_ns; /* when there is a call to run; INT64_MAX: none waits */
	bool stopping;
};

/* Takes the notes that are there. */
struct mail mailbox_look(struct mailbox *mailbox);

/* Nothing to do with it now? */
bool mail_is_empty(const struct mail *mail);

/* Are there calls, whenever they are due? */
bool mailbox_has_calls(struct mailbox *mailbox);

/* Takes the next call whose turn it is at `now_ns`, or NULL. One that is taken fresh counts as waiting until mailbox_begun(). */
struct engine_call *mailbox_take(struct mailbox *mailbox, int64_t now_ns, enum run_kind *kind);
void mailbox_begun(struct mailbox *mailbox);

/* Puts a call into its script's queue, without a limit. */
void mailbox_put(struct mailbox *mailbox, struct engine_call *call, enum run_kind kind);

/* The script has no turn before this time (monotonic). */
void mailbox_pause(struct mailbox *mailbox, struct provider *provider, int64_t until_ns);

/* Takes the notes that are left; when there are none, it is closed for good. What was taken in is run, or what it carries would belong to nobody. */
struct engine_note *mailbox_close(struct mailbox *mailbox);
