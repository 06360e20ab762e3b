/* engine_fetch.c - requests that the host makes for itself, on the engine's loop. */
#include <stddef.h>

#include "engine/internal.h"

static void fetch_answered(struct transfer *transfer)
{
	struct engine_fetch *fetch = (struct engine_fetch *)(void *)((char *)transfer - offsetof(struct engine_fetch, transfer));

	fetch->done(fetch);
}

static void start_fetch(struct engine_note *note)
{
	struct engine_fetch *fetch = (struct engine_fetch *)(void *)((char *)note - offsetof(struct engine_fetch, note));
	struct transfer *transfer = &fetch->transfer;

	response_init(&transfer->response);
	if (fetch->engine->finishing) {
		response_fail(&transfer->response, "connect", "the host is stopping");
		fetch->done(fetch);
		return;
	}
	transfer->outgoing = &fetch->outgoing;
	transfer_aim(transfer, &fetch->way, fetch->provider);
	transfer->done = fetch_answered;
	transfer_start(fetch->engine->loop, transfer);
}

enum error_code engine_fetch(struct engine *engine, struct engine_fetch *fetch)
{
	fetch->engine = engine;
	fetch->note.run = start_fetch;
	return engine_run(engine, &fetch->note);
}
