/* asked.c - what other hosts ask of this one's jobs. The thread of takeover.c takes it from the registry, the engine's does it as if it were asked here; the answer is
 * written for the asking host to fetch. What was taken by a host that died is taken again by the job's next owner. */
#include "live/internal.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "cluster/cluster.h"

struct asked {
	struct engine_note note; /* first */
	struct live *live;
	struct job_ask ask;
};

static void asked_free(struct asked *asked)
{
	free(asked->ask.body);
	free(asked);
}

/* Engine thread. */
static void on_asked(struct engine_note *note)
{
	struct asked *asked = (struct asked *)(void *)note;

	switch (asked->ask.wish) {
	case ASK_REFRESH:
	case ASK_CANCEL:
	case ASK_RESOLVE: job_request_asked(asked->live, &asked->ask); break;
	case ASK_WEBHOOK:
	case ASK_NUDGE: vendor_webhook_asked(asked->live, &asked->ask); break;
	case ASK_LATE: late_asked(asked->live, &asked->ask); break;
	}
	asked_free(asked);
}

void asked_take(struct live *live)
{
	struct host_change change = { .kind = HOST_TAKES };
	enum store_outcome outcome;
	struct error error;

	if (host_change_run(live->store, &change, &outcome, &error) != ERROR_NONE)
		log_message(LOG_WARN, "live.asked", "what other hosts ask for cannot be taken yet: %s", error.message);
	for (size_t i = 0; i < change.ask_count; i++) {
		struct asked *asked = memory_new(sizeof *asked);

		asked->note.run = on_asked;
		asked->live = live;
		asked->ask = change.asks[i];
		change.asks[i].body = NULL;
		if (engine_run(live->engine, &asked->note) != ERROR_NONE) /* it stops: the next owner takes it */
			asked_free(asked);
	}
	host_change_clear(&change);
}

/* ---- answers ---- */

struct answering {
	struct store_write write; /* first */
	struct host_change change;
};

/* One that cannot be written is not waited for for ever. Store thread. */
static void on_answered(struct store_write *write)
{
	struct answering *answering = (struct answering *)(void *)write;

	free(answering->change.ask.answer);
	free(answering);
}

void asked_answer(struct live *live, int64_t ask, int64_t asker, enum error_code code, const struct error *error)
{
	struct answering *answering = memory_new(sizeof *answering);

	answering->change = (struct host_change){ .kind = HOST_ANSWERS,
		.ask = { .number = ask,
			.asker = asker,
			.code = code,
			.answer = code != ERROR_NONE && error != NULL ? memory_copy_text(error->message) : NULL } };
	answering->write = (struct store_write){
		.kind = STORE_HOST, .durable = false, .done = on_answered, .host_change = &answering->change
	};
	if (task_store_put(live->store, &answering->write) != ERROR_NONE)
		on_answered(&answering->write);
}
