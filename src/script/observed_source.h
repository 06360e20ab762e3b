/* observed_source.h - what a call may ask of what this host's own jobs have cost, whoever knows it: ctx.observed reads it.
 *
 * Implemented by src/live/; script/ knows nothing of where it comes from. Called on any thread: it takes no disk and never waits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OBSERVED_DRIVERS_BYTES 256 /* of the text that tells jobs of one model apart; one with a longer text is not counted */

struct observed_price {
	int64_t median, maximum; /* micro-dollars a job */
	int count;		 /* jobs that they are of */
	int64_t newest_ms;	 /* when the last of them was settled */
};

struct observed_source {
	void *context;
	/* False: too few jobs of this provider, model and drivers ("": none) were settled by a figure of the vendor's. */
	bool (*find)(void *context, const char *provider, const char *model, const char *drivers, struct observed_price *price);
};
