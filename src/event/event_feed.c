/* event_feed.c - from the log to the hub: each new event is rendered here, once in each form that somebody follows. The hub's thread. */
#include "event/event_feed.h"

#include "base/limits.h"
#include "event/event_json.h"

struct feeding {
	struct event_hub *hub;
	struct buffer texts[EVENT_FORMS];
	int64_t handed_on;
	bool failed;
};

static bool hand_on(void *context, const struct event_row *row)
{
	struct feeding *feeding = context;
	const struct task *task = row->task;
	char type[EVENT_TYPE_BYTES];
	struct event_subject subject = { .type = type };

	task_event_type(type, task != NULL ? task->kind : NULL, row->verb);
	subject.provider = task != NULL ? task->provider : NULL;
	subject.caller = task != NULL ? task->caller : NULL;
	subject.sequence = task != NULL ? id_sequence(&task->id) : 0;
	for (int form = 0; form < EVENT_FORMS; form++) {
		buffer_clear(&feeding->texts[form]);
		if (event_hub_wants(feeding->hub, (enum event_form)form))
			event_json_write_stream(&feeding->texts[form], row, (enum event_form)form);
		feeding->failed = feeding->failed || feeding->texts[form].failed;
	}
	feeding->failed = feeding->failed || !event_hub_add(feeding->hub, &subject, row->number, feeding->texts);
	if (!feeding->failed)
		feeding->handed_on = row->number;
	return !feeding->failed;
}

enum error_code event_feed_read(void *store, struct event_hub *hub, int64_t *reached, struct error *error)
{
	struct event_walk walk = { .after = *reached, .limit = LIMIT_EVENT_BATCH, .follows = true };
	struct feeding feeding = { .hub = hub, .handed_on = *reached };
	enum error_code code;

	for (int form = 0; form < EVENT_FORMS; form++)
		buffer_init(&feeding.texts[form], 2 * LIMIT_EVENT_BYTES);
	code = task_store_events(store, &walk, hand_on, &feeding, error);
	for (int form = 0; form < EVENT_FORMS; form++)
		buffer_free(&feeding.texts[form]);
	if (code == ERROR_NONE && feeding.failed)
		code = error_memory(error);
	*reached = code == ERROR_NONE ? walk.after : feeding.handed_on;
	return code;
}
