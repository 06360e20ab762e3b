/* watch.c - follows the events of a running host in a terminal, or line by line into a pipe.
 *
 * The command's only thread. In a terminal the progress of a job is a bar that is drawn again in its place; elsewhere every event is a line.
 * When the connection ends or breaks it goes on after the last event that it got. With a job it ends when the job is over: 204 tells. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/stream_reader.h"

#define BAR_CELLS 24
#define PATH_BYTES 1024

static const char usage[] =
	"usage: providerd watch [JOB] [--base URL] [--key KEY] [--type PATTERN] [--provider ID] [--since N] [--json]\n\n"
	"  JOB          a job's id: its events from the first on, until it is over\n"
	"  --base URL   the running host; default " BASE_DEFAULT "\n"
	"  --type PATTERN, --provider ID   only such events: 'public.image.*'\n"
	"  --since N    begin after the event with this number; 0: with the oldest\n"
	"  --json       each event as one line of JSON (a CloudEvent)\n" KEY_HELP
	"\nExit code: 0, or with JOB: 0 it is done, 1 it ended otherwise or cannot be followed; 64 bad arguments.\n";

struct watching {
	const char *job, *base, *key, *type, *provider, *since;
	bool json, terminal, bar_is_drawn;
	char path[PATH_BYTES];
	struct client *client, *asking; /* a second connection: the first is busy with the stream */
	struct stream_reader reader;
	char status[16]; /* of the watched job, as the last event had it */
	double progress;
	char doing[3 * SHOW_BYTES]; /* what the bar says */
	int64_t eta_at_ns;	    /* when the job may be done; 0: not known */
	int64_t redraw_ns;
};

/* ---- showing ---- */

static void clear_bar(struct watching *watching)
{
	if (watching->bar_is_drawn)
		printf("\r\033[K");
	watching->bar_is_drawn = false;
}

/* Seconds until the job may be done, as the host's history has it; -1: not known. */
static double ask_eta(struct watching *watching, const char *job_id)
{
	struct client_answer answer = { 0 };
	const json_t *seconds;
	char path[128];
	double eta = -1;

	snprintf(path, sizeof path, "/api/jobs/status/%.40s", job_id);
	if (client_send(watching->asking, "GET", path, NULL, &answer, NULL) == ERROR_NONE && answer.status == 200) {
		seconds = json_object_get(json_object_get(answer.json, "eta"), "p50_seconds");
		eta = json_is_number(seconds) ? json_number_value(seconds) : -1;
	}
	client_answer_free(&answer);
	return eta;
}

static bool is_over(const char *status)
{
	return strcmp(status, "queued") != 0 && strcmp(status, "running") != 0;
}

/* What is left, or how long it is overdue by the history of others. */
static void print_left(const struct watching *watching)
{
	double left = watching->eta_at_ns == 0 ? -1 : (double)(watching->eta_at_ns - clock_monotonic_ns()) / 1e9;

	if (watching->eta_at_ns != 0)
		printf(left > 0.5 ? "  about %.0f s left" : "  any moment now", left);
}

static void draw_bar(struct watching *watching)
{
	char cells[BAR_CELLS + 1];
	int full = watching->progress <= 0 ? 0 : watching->progress >= 1 ? BAR_CELLS : (int)(watching->progress * BAR_CELLS);

	memset(cells, '.', BAR_CELLS);
	memset(cells, '#', (size_t)full);
	cells[BAR_CELLS] = '\0';
	clear_bar(watching);
	printf("[%s] %3.0f %%  %s", cells, watching->progress * 100, watching->doing);
	print_left(watching);
	fflush(stdout);
	watching->bar_is_drawn = true;
}

/* About once a second: the time goes on without an event. */
static void tick(void *context)
{
	struct watching *watching = context;
	int64_t now = clock_monotonic_ns();

	if (!watching->bar_is_drawn || now < watching->redraw_ns)
		return;
	watching->redraw_ns = now + 1000000000LL;
	draw_bar(watching);
}

static void show_progressing(struct watching *watching, const json_t *job)
{
	char cost[SHOW_BYTES], id[SHOW_BYTES], provider[SHOW_BYTES];
	double eta = ask_eta(watching, show_text(job, "job_id", id, sizeof id));

	watching->progress = json_number_value(json_object_get(job, "progress"));
	watching->eta_at_ns = eta >= 0 ? clock_monotonic_ns() + (int64_t)(eta * 1e9) : 0;
	snprintf(watching->doing, sizeof watching->doing, "%s  %s  %s", watching->status,
		show_text(job, "provider", provider, sizeof provider), show_cost(job, cost));
	draw_bar(watching);
}

static void print_job_line(const json_t *event, const json_t *job)
{
	char time[SHOW_BYTES], type[LIMIT_EVENT_TYPE_BYTES + 1], provider[SHOW_BYTES], id[SHOW_BYTES], status[SHOW_BYTES];
	char share[SHOW_BYTES], cost[SHOW_BYTES], reason[256];

	printf("%s  %-22s  %-10s  %s  %s  %s  %s", show_text(event, "time", time, sizeof time),
		show_text(event, "type", type, sizeof type), show_text(job, "provider", provider, sizeof provider),
		show_text(event, "subject", id, sizeof id), show_text(job, "status", status, sizeof status),
		show_progress(job, share), show_cost(job, cost));
	if (json_text(job, "reason") != NULL)
		printf("  %s", show_text(job, "reason", reason, sizeof reason));
	putchar('\n');
}

/* Events of the host carry different things: a line has them as they are. */
static void print_host_line(const json_t *event, const json_t *data)
{
	char time[SHOW_BYTES], type[LIMIT_EVENT_TYPE_BYTES + 1];
	struct buffer text;

	buffer_init(&text, LIMIT_EVENT_TELL_BYTES * 2);
	if (data != NULL)
		json_write(&text, data);
	printf("%s  %-22s  %s\n", show_text(event, "time", time, sizeof time), show_text(event, "type", type, sizeof type),
		text.length > 0 ? text.data : "");
	buffer_free(&text);
}

static void show_event(struct watching *watching, const json_t *event)
{
	const json_t *data = json_object_get(event, "data");

	if (json_text(event, "subject") == NULL) {
		clear_bar(watching);
		print_host_line(event, data);
		return;
	}
	show_text(data, "status", watching->status, sizeof watching->status);
	if (watching->terminal && !is_over(watching->status)) {
		show_progressing(watching, data);
		return;
	}
	clear_bar(watching);
	print_job_line(event, data);
}

static void take_event(void *context, const char *id, const char *text)
{
	struct watching *watching = context;
	json_t *event = json_read(text, strlen(text), NULL);

	(void)id;
	if (event == NULL)
		return;
	if (watching->json)
		printf("%s\n", text);
	else
		show_event(watching, event);
	if (watching->json && watching->job != NULL)
		show_text(json_object_get(event, "data"), "status", watching->status, sizeof watching->status);
	fflush(stdout);
	json_decref(event);
}

/* ---- following ---- */

static void take_bytes(void *context, const char *bytes, size_t length)
{
	stream_reader_take(&((struct watching *)context)->reader, bytes, length);
}

static void pause_ms(long milliseconds)
{
	nanosleep(&(struct timespec){ .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000 }, NULL);
}

static int refused(const struct client_answer *answer)
{
	char detail[480];

	fprintf(stderr, "providerd watch: %d: %s\n", answer->status, show_text(answer->json, "detail", detail, sizeof detail));
	return EXIT_PROBLEM;
}

/* One connection. -1: go on with another. */
static int follow_once(struct watching *watching, bool *quiet)
{
	const struct client_follower follower = { .take = take_bytes, .tick = tick, .context = watching };
	struct client_answer answer = { 0 };
	struct error error = { .code = ERROR_NONE };
	enum error_code code;
	int result = -1;

	stream_reader_begin(&watching->reader);
	code = client_follow(watching->client, watching->path, watching->reader.id, &follower, &answer, &error);
	clear_bar(watching);
	if (code != ERROR_NONE && !*quiet)
		fprintf(stderr, "providerd watch: %s; trying again\n", error.message);
	else if (code == ERROR_NONE && answer.status == 204)
		result = strcmp(watching->status, "done") == 0 || watching->status[0] == '\0' ? EXIT_OK : EXIT_PROBLEM;
	else if (code == ERROR_NONE && answer.status != 200 && answer.status != 503)
		result = refused(&answer);
	*quiet = code != ERROR_NONE;
	client_answer_free(&answer);
	return result;
}

/* A job that is over is told to its end by one connection; the next one learns that nothing is left, at once. */
static int follow(struct watching *watching)
{
	bool quiet = false;
	int result;

	for (;;) {
		result = follow_once(watching, &quiet);
		if (result != -1)
			return result;
		if (watching->job == NULL || watching->status[0] == '\0' || !is_over(watching->status))
			pause_ms(LIMIT_STREAM_RETRY_MS);
	}
}

static bool make_path(struct watching *watching)
{
	struct buffer path;
	bool made;

	buffer_init(&path, sizeof watching->path - 1);
	if (watching->job != NULL)
		buffer_format(&path, "/api/jobs/%.40s/events", watching->job);
	else
		buffer_text(&path, "/api/events");
	show_query(&path, "type", watching->type);
	show_query(&path, "provider", watching->provider);
	show_query(&path, "since", watching->since);
	made = !path.failed;
	if (made)
		memcpy(watching->path, path.data, path.length + 1);
	buffer_free(&path);
	return made;
}

static int open_and_follow(const struct command *command, struct watching *watching)
{
	int result = arguments_open(command, watching->base, watching->key, &watching->client);

	if (result == EXIT_OK)
		result = arguments_open(command, watching->base, watching->key, &watching->asking);
	if (result == EXIT_OK) {
		stream_reader_open(&watching->reader, take_event, watching);
		result = follow(watching);
		stream_reader_close(&watching->reader);
	}
	client_close(watching->client);
	client_close(watching->asking);
	return result;
}

int cli_watch(int argc, char **argv)
{
	struct watching watching = { .base = BASE_DEFAULT, .terminal = isatty(STDOUT_FILENO) == 1 };
	const struct argument list[] = { { .name = "--base", .value = &watching.base },
		{ .name = "--key", .value = &watching.key }, { .name = "--type", .value = &watching.type },
		{ .name = "--provider", .value = &watching.provider }, { .name = "--since", .value = &watching.since },
		{ .name = "--json", .flag = &watching.json }, { .name = NULL } };
	const struct command command = { .name = "watch", .usage = usage, .arguments = list, .operand = &watching.job };
	int result = arguments_read(&command, argc, argv);

	if (result == ARGUMENTS_HELPED)
		return EXIT_OK;
	if (result != EXIT_OK)
		return result;
	if (watching.job != NULL && watching.job[strspn(watching.job, "0123456789abcdefABCDEF-")] != '\0')
		return arguments_refuse(&command, "a job's id is a UUID, not", watching.job);
	if (!make_path(&watching))
		return arguments_refuse(&command, "the arguments are too long", NULL);
	return open_and_follow(&command, &watching);
}
