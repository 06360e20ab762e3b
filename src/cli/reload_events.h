/* reload_events.h - what a reload has changed, told as events of the host. Loader thread. */
#pragma once

#include "api/host.h"

/* What is in force, held: taken before a reload and after it. */
struct in_force {
	const struct gate_view *view;
	struct provider_set *set;
};

struct in_force in_force_take(struct gate *gate, struct provider_loader *loader);
void in_force_release(struct gate *gate, struct in_force *in_force);

/* Writes an event for each file that was read anew, was rejected, or is gone, and counts it. */
void reload_events_emit(struct host *host, const struct in_force *before, const struct in_force *after);
