/* progress.c - remembers what the jobs under way have told, and draws a bar of the one that told last. Writes to standard output only. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define CELLS 24

/* ---- which jobs ---- */

static int job_place(const struct progress *progress, const char *id)
{
	int i = 0;

	while (i < progress->count && strcmp(progress->jobs[i].id, id) != 0)
		i++;
	return i;
}

static void take_out(struct progress *progress, int place)
{
	progress->count--;
	memmove(&progress->jobs[place], &progress->jobs[place + 1], (size_t)(progress->count - place) * sizeof progress->jobs[0]);
}

void progress_put(struct progress *progress, const struct progress_job *job)
{
	progress_remove(progress, job->id);
	if (progress->count == PROGRESS_JOBS)
		progress->count--;
	memmove(&progress->jobs[1], &progress->jobs[0], (size_t)progress->count * sizeof progress->jobs[0]);
	progress->jobs[0] = *job;
	progress->count++;
}

void progress_remove(struct progress *progress, const char *id)
{
	int place = job_place(progress, id);

	if (place < progress->count)
		take_out(progress, place);
}

/* ---- drawing ---- */

/* What is left, or how long it is overdue by the history of others. */
static void print_left(const struct progress_job *job)
{
	double left = (double)(job->eta_at_ns - clock_monotonic_ns()) / 1e9;

	if (job->eta_at_ns != 0)
		printf(left > 0.5 ? "  about %.0f s left" : "  any moment now", left);
}

void progress_draw(struct progress *progress)
{
	const struct progress_job *job = &progress->jobs[0];
	char cells[CELLS + 1];
	int full = job->share <= 0 ? 0 : job->share >= 1 ? CELLS : (int)(job->share * CELLS);

	if (progress->count == 0)
		return;
	memset(cells, '.', CELLS);
	memset(cells, '#', (size_t)full);
	cells[CELLS] = '\0';
	progress_clear(progress);
	printf("[%s] %3.0f %%  %s", cells, job->share * 100, job->doing);
	print_left(job);
	fflush(stdout);
	progress->drawn = true;
}

void progress_tick(struct progress *progress)
{
	int64_t now = clock_monotonic_ns();

	if (!progress->drawn || now < progress->redraw_ns)
		return;
	progress->redraw_ns = now + 1000000000LL;
	progress_draw(progress);
}

void progress_clear(struct progress *progress)
{
	if (progress->drawn)
		printf("\r\033[K");
	progress->drawn = false;
}
