/* late.c - late facts: what a host learned of a job that is another's by now. Engine thread.
 *
 * A host that was declared dead while its paid request was out may still get the vendor's answer, or know that nothing left. It may not write it into the job's
 * row; the job's owner, to whom the outcome is unknown, is told, and takes it for what it is: the vendor's own word. */
#include "live/internal.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "event/host_event.h"

/* ---- told ---- */

void late_keep(struct live_job *job, const json_t *result)
{
	json_decref(job->answer);
	job->answer = json_deep_copy(result);
}

void late_forget(struct live_job *job)
{
	json_decref(job->answer);
	job->answer = NULL;
}

static void late_send(const struct live_job *job, json_t *fact)
{
	struct buffer out;
	char *text;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	json_write(&out, fact);
	text = buffer_take(&out);
	if (text != NULL)
		asking_tell(job->owner, &job->id, ASK_LATE, text);
	json_decref(fact);
}

void late_tell(struct live_job *job)
{
	if (job->answer != NULL)
		late_send(job, json_pack("{s:b,s:O}", "sent", true, "result", job->answer));
	late_forget(job);
}

void late_tell_call(struct live_job *job, const struct engine_call *call)
{
	json_t *result = NULL;

	if (call->sending == SENDING_NOTHING && call->taken == 0) {
		if (job->live.phase == LIVE_SENDING)
			late_send(job, json_pack("{s:b}", "sent", false));
		return;
	}
	if (call->call.outcome == CALL_DONE)
		result = json_read(call->call.result.data, call->call.result.length, NULL);
	if (result != NULL)
		late_send(job, json_pack("{s:b,s:o}", "sent", true, "result", result));
}

/* ---- heard ---- */

/* It says of a job that it has ended what nobody knew then: somebody should look at it. */
static void late_after_end(struct live *live, const struct job_ask *ask, const json_t *fact)
{
	const char *vendor_id = json_text(json_object_get(fact, "result"), "id");
	char id[ID_TEXT_BYTES];
	struct buffer out;

	id_format(&ask->job, id);
	log_message(LOG_ERROR, "live.late", "the vendor had taken job %s, which has ended here without it; its id there is %s",
		id, vendor_id != NULL ? vendor_id : "not known");
	buffer_init(&out, LIMIT_HOST_EVENT_BYTES - 1);
	buffer_text(&out, "{\"job_id\":");
	json_write_text(&out, id);
	buffer_text(&out, ",\"vendor_id\":");
	json_write_text(&out, vendor_id);
	buffer_char(&out, '}');
	if (!out.failed)
		host_event_emit(live->store, "host.live.late", out.data);
	buffer_free(&out);
}

void late_asked(struct live *live, const struct job_ask *ask)
{
	json_t *fact = json_read_stored(ask->body);
	struct live_job *job = job_find(live, &ask->job);
	struct waiter *waiter;

	if (fact == NULL || job == NULL || job->live.phase != LIVE_UNKNOWN || job->completion != NULL) {
		if (job == NULL && json_is_true(json_object_get(fact, "sent")))
			late_after_end(live, ask, fact);
		asked_answer(live, ask->number, 0, ERROR_NONE, NULL);
		json_decref(fact);
		return;
	}
	waiter = waiter_make_of_ask(live, ask->number, 0, WAIT_STEP); /* the ask goes when what it says is written */
	waiter->next = job->waiters;
	job->waiters = waiter;
	json_decref(job->late);
	job->late = fact;
	schedule_job(job);
}

void late_step(struct live_job *job)
{
	json_t *fact = job->late;

	job->late = NULL;
	if (json_is_true(json_object_get(fact, "sent")) && !result_is_put_off(json_object_get(fact, "result")))
		outcome_of_reconcile(job, json_object_get(fact, "result"));
	else
		outcome_end(job, TASK_ERROR, "unavailable",
			"the vendor has taken nothing: the host that was about to send the job was held up, and its jobs were "
			"taken over",
			false);
	json_decref(fact);
}
