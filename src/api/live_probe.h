/* live_probe.h - a health check that asks its vendor: a call of the engine that an HTTP thread waits for. It may cost nothing. */
#pragma once

#include "api/incoming.h"
#include "engine/engine.h"

struct live_probe;

/* Asks. NULL: an answer was sent instead (overload, deadline, a script that failed or rests). HTTP thread. */
struct live_probe *live_probe_run(struct incoming *incoming);
void live_probe_release(struct live_probe *probe);

/* What the script came to, and what became of its requests. */
struct engine_call *live_probe_call(struct live_probe *probe);
