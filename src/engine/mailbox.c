/* mailbox.c - see mailbox.h. */
#include "engine/mailbox.h"

#include "base/clock.h"
#include "base/limits.h"
#include "engine/internal.h"

void mailbox_init(struct mailbox *mailbox)
{
	pthread_mutex_init(&mailbox->lock, NULL);
	run_queue_init(&mailbox->queue);
	mailbox->last_note = &mailbox->first_note;
}

void mailbox_destroy(struct mailbox *mailbox)
{
	pthread_mutex_destroy(&mailbox->lock);
}

/* ---- any thread ---- */

enum error_code mailbox_post(struct mailbox *mailbox, struct engine_call *call)
{
	enum error_code code = ERROR_BUSY;

	if (atomic_fetch_add_explicit(&mailbox->waiting, 1, memory_order_relaxed) < LIMIT_ENGINE_QUEUE) {
		pthread_mutex_lock(&mailbox->lock);
		if (!mailbox->stopping)
			code = call->call.provider->line.fresh_count < LIMIT_SCRIPT_QUEUE ? ERROR_NONE : ERROR_LIMIT;
		if (code == ERROR_NONE)
			run_queue_add(&mailbox->queue, call, RUN_FRESH);
		pthread_mutex_unlock(&mailbox->lock);
	}
	if (code != ERROR_NONE)
		mailbox_begun(mailbox);
	return code;
}

bool mailbox_withdraw(struct mailbox *mailbox, struct engine_call *call)
{
	bool taken;

	pthread_mutex_lock(&mailbox->lock);
	taken = run_queue_withdraw(&mailbox->queue, call);
	pthread_mutex_unlock(&mailbox->lock);
	if (taken)
		mailbox_begun(mailbox);
	return taken;
}

enum error_code mailbox_note(struct mailbox *mailbox, struct engine_note *note)
{
	bool closed;

	note->next = NULL;
	pthread_mutex_lock(&mailbox->lock);
	closed = mailbox->closed;
	if (!closed) {
		*mailbox->last_note = note;
		mailbox->last_note = &note->next;
	}
	pthread_mutex_unlock(&mailbox->lock);
	return closed ? ERROR_BUSY : ERROR_NONE;
}

void mailbox_stop(struct mailbox *mailbox)
{
	pthread_mutex_lock(&mailbox->lock);
	mailbox->stopping = true;
	pthread_mutex_unlock(&mailbox->lock);
}

int64_t mailbox_wait_ns(struct mailbox *mailbox, const struct provider *provider)
{
	const struct script_line *line = &provider->line;
	int64_t wait, pause;

	pthread_mutex_lock(&mailbox->lock);
	wait = line->fresh_count * turns_usual_ns(provider);
	pause = line->not_before_ns - clock_monotonic_ns();
	pthread_mutex_unlock(&mailbox->lock);
	return wait + (pause > 0 ? pause : 0);
}

/* ---- engine thread ---- */

/* Under the lock. */
static struct engine_note *take_notes(struct mailbox *mailbox)
{
	struct engine_note *notes = mailbox->first_note;

	mailbox->first_note = NULL;
	mailbox->last_note = &mailbox->first_note;
	return notes;
}

struct mail mailbox_look(struct mailbox *mailbox)
{
	struct mail mail;

	pthread_mutex_lock(&mailbox->lock);
	mail.notes = take_notes(mailbox);
	mail.calls_due_ns = run_queue_due(&mailbox->queue);
	mail.stopping = mailbox->stopping;
	pthread_mutex_unlock(&mailbox->lock);
	return mail;
}

bool mail_is_empty(const struct mail *mail)
{
	return mail->notes == NULL && !mail->stopping && mail->calls_due_ns > clock_monotonic_ns();
}

bool mailbox_has_calls(struct mailbox *mailbox)
{
	bool some;

	pthread_mutex_lock(&mailbox->lock);
	some = run_queue_due(&mailbox->queue) != INT64_MAX;
	pthread_mutex_unlock(&mailbox->lock);
	return some;
}

struct engine_call *mailbox_take(struct mailbox *mailbox, int64_t now_ns, enum run_kind *kind)
{
	struct engine_call *call;

	pthread_mutex_lock(&mailbox->lock);
	call = run_queue_take(&mailbox->queue, now_ns, kind);
	pthread_mutex_unlock(&mailbox->lock);
	return call;
}

void mailbox_begun(struct mailbox *mailbox)
{
	atomic_fetch_sub_explicit(&mailbox->waiting, 1, memory_order_relaxed);
}

void mailbox_put(struct mailbox *mailbox, struct engine_call *call, enum run_kind kind)
{
	pthread_mutex_lock(&mailbox->lock);
	run_queue_add(&mailbox->queue, call, kind);
	pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_pause(struct mailbox *mailbox, struct provider *provider, int64_t until_ns)
{
	pthread_mutex_lock(&mailbox->lock);
	provider->line.not_before_ns = until_ns;
	pthread_mutex_unlock(&mailbox->lock);
}

struct engine_note *mailbox_close(struct mailbox *mailbox)
{
	struct engine_note *notes;

	pthread_mutex_lock(&mailbox->lock);
	notes = take_notes(mailbox);
	mailbox->closed = notes == NULL;
	pthread_mutex_unlock(&mailbox->lock);
	return notes;
}
