/* progress.h - the jobs under way in a terminal: the one that told last is a bar, drawn again in its place. The command's only thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "cli/show.h"

#define PROGRESS_JOBS 16 /* are remembered; then the one that has told nothing for longest is forgotten */

struct progress_job {
	char id[ID_TEXT_BYTES];
	double share;		    /* from 0 to 1 */
	char doing[3 * SHOW_BYTES]; /* what stands beside the bar */
	int64_t eta_at_ns;	    /* when it may be done; 0: not known */
};

struct progress {
	struct progress_job jobs[PROGRESS_JOBS]; /* the one that told last is first */
	int count;
	bool drawn;
	int64_t redraw_ns;
};

/* Takes what a job has told, in place of what it told before. */
void progress_put(struct progress *progress, const struct progress_job *job);

/* A job is over; an unknown id is none of those that are shown. */
void progress_remove(struct progress *progress, const char *id);

/* Draws the bar, if a job is under way; to be called after each line that is printed. */
void progress_draw(struct progress *progress);

/* About once a second: the time goes on without an event. */
void progress_tick(struct progress *progress);

/* Makes room for a line. */
void progress_clear(struct progress *progress);
