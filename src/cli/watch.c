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
#include "cli/progress.h"
#include "cli/show.h"
#include "cli/stream_reader.h"

#define PATH_BYTES 1024

static const char usage[] =
	"usage: providerd watch [JOB] [--base URL] [--key KEY] [--type PATTERN] [--provider ID] [--since N] [--json]\n\n"
	"  JOB          a job's id: its events from the first on, until it is over\n"
	"  --base URL   the running host; default " BASE_DEFAULT "\n"
	"  --type PATTERN, --provider ID   only such events: 'public.image.*'\n"
	"  --since N    begin after the event with this number; 0: with the oldest\n"
	"  --json       each event as one line of JSON (a CloudEvent)\n" KEY_HELP
	"\nExit code: 0, or with JOB: 0 it is done, 1 it ended otherwise or cannot be followed; 64 bad arguments.\n";

/* What keeps it from following: each is said once. */
enum trouble { TROUBLE_NONE, TROUBLE_SILENT, TROUBLE_BUSY };

struct watching {
	const char *job, *base, *key, *type, *provider, *since;
	bool json, terminal;
	char path[PATH_BYTES];
	struct client *client, *asking; /* a second connection: the first is busy with the stream */
	struct stream_reader reader;
	bool connected; /* the stream has begun */
	enum trouble trouble;
	char status[16]; /* of the watched job, as the last event had it */
	struct progress progress;
};

/* ---- asking ---- */

/* Fills `answer`; false when there is none of use. */
static bool request_job(struct watching *watching, const char *job_id, struct client_answer *answer)
{
	char path[128];

	snprintf(path, sizeof path, "/api/jobs/status/%.40s", job_id);
	return client_send(watching->asking, "GET", path, NULL, answer, NULL) == ERROR_NONE && answer->status == 200;
}

/* Seconds until the job may be done, as the host's history has it; -1: not known. */
static double request_eta(struct watching *watching, const char *job_id)
{
	struct client_answer answer = { 0 };
	const json_t *seconds;
	double eta = -1;

	if (request_job(watching, job_id, &answer)) {
		seconds = json_object_get(json_object_get(answer.json, "eta"), "p50_seconds");
		eta = json_is_number(seconds) ? json_number_value(seconds) : -1;
	}
	client_answer_free(&answer);
	return eta;
}

/* How the watched job has ended: the events that were shown need not be all that it had. */
static int request_result(struct watching *watching)
{
	struct client_answer answer = { 0 };

	if (request_job(watching, watching->job, &answer))
		show_text(answer.json, "status", watching->status, sizeof watching->status);
	client_answer_free(&answer);
	return strcmp(watching->status, "done") == 0 ? EXIT_OK : EXIT_PROBLEM;
}

/* ---- showing ---- */

static bool status_is_over(const char *status)
{
	return strcmp(status, "queued") != 0 && strcmp(status, "running") != 0;
}

static void tick_watching(void *context)
{
	progress_tick(&((struct watching *)context)->progress);
}

static void note_progress(struct watching *watching, const json_t *event, const json_t *data)
{
	struct progress_job job = { .share = json_number_value(json_object_get(data, "progress")) };
	char cost[SHOW_BYTES], provider[SHOW_BYTES];
	double eta = request_eta(watching, show_text(event, "subject", job.id, sizeof job.id));

	job.eta_at_ns = eta >= 0 ? clock_monotonic_ns() + (int64_t)(eta * 1e9) : 0;
	snprintf(job.doing, sizeof job.doing, "%s  %s  %s", watching->status,
		show_text(data, "provider", provider, sizeof provider), show_cost(data, cost));
	progress_put(&watching->progress, &job);
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

	buffer_init(&text, LIMIT_HOST_EVENT_BYTES * 2);
	if (data != NULL)
		json_write(&text, data);
	printf("%s  %-22s  %s\n", show_text(event, "time", time, sizeof time), show_text(event, "type", type, sizeof type),
		text.length > 0 ? text.data : "");
	buffer_free(&text);
}

static void show_event(struct watching *watching, const json_t *event)
{
	const json_t *data = json_object_get(event, "data");
	const char *job_id = json_text(event, "subject");

	if (job_id != NULL)
		show_text(data, "status", watching->status, sizeof watching->status);
	if (job_id != NULL && watching->terminal && !status_is_over(watching->status)) {
		note_progress(watching, event, data);
	} else {
		progress_clear(&watching->progress);
		if (job_id != NULL)
			print_job_line(event, data);
		else
			print_host_line(event, data);
	}
	if (job_id != NULL && status_is_over(watching->status))
		progress_remove(&watching->progress, job_id);
	progress_draw(&watching->progress);
}

static void take_watched(void *context, const char *id, const char *text)
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
	struct watching *watching = context;

	if (!watching->connected) {
		watching->connected = true;
		if (watching->trouble != TROUBLE_NONE)
			fprintf(stderr, "providerd watch: it goes on\n");
		watching->trouble = TROUBLE_NONE;
		progress_draw(&watching->progress);
	}
	stream_reader_take(&watching->reader, bytes, length);
}

static void pause_watching(long milliseconds)
{
	nanosleep(&(struct timespec){ .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000 }, NULL);
}

static int refused(const struct client_answer *answer)
{
	char detail[480];

	fprintf(stderr, "providerd watch: %d: %s\n", answer->status, show_text(answer->json, "detail", detail, sizeof detail));
	return EXIT_PROBLEM;
}

static void say_trouble(struct watching *watching, enum trouble trouble, const char *text)
{
	if (watching->trouble != trouble)
		fprintf(stderr, "providerd watch: %s; trying again\n", text);
	watching->trouble = trouble;
}

/* The host is there, but takes nobody now: all its streams are in use, or it stops. */
static void say_busy(struct watching *watching, const struct client_answer *answer)
{
	char detail[480], text[500];

	snprintf(text, sizeof text, "%d: %s", answer->status, show_text(answer->json, "detail", detail, sizeof detail));
	say_trouble(watching, TROUBLE_BUSY, text);
}

/* One connection. -1: go on with another. */
static int follow_once(struct watching *watching)
{
	const struct client_follower follower = { .take = take_bytes, .tick = tick_watching, .context = watching };
	struct client_answer answer = { 0 };
	struct error error = { .code = ERROR_NONE };
	enum error_code code;
	int result = -1;

	watching->connected = false;
	stream_reader_begin(&watching->reader);
	code = client_follow(watching->client, watching->path, watching->reader.id, &follower, &answer, &error);
	progress_clear(&watching->progress);
	fflush(stdout);
	if (code != ERROR_NONE)
		say_trouble(watching, TROUBLE_SILENT, error.message);
	else if (answer.status == 204)
		result = request_result(watching);
	else if (answer.status == 503)
		say_busy(watching, &answer);
	else if (answer.status != 200)
		result = refused(&answer);
	client_answer_free(&answer);
	return result;
}

/* A job that is over is told to its end by one connection; the next one learns that nothing is left, at once. */
static int follow_events(struct watching *watching)
{
	int result;

	for (;;) {
		result = follow_once(watching);
		if (result != -1)
			return result;
		if (watching->job == NULL || watching->status[0] == '\0' || !status_is_over(watching->status))
			pause_watching(LIMIT_STREAM_RETRY_MS);
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
		stream_reader_open(&watching->reader, take_watched, watching);
		result = follow_events(watching);
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
	int exit_code;

	if (!arguments_read(&command, argc, argv, &exit_code))
		return exit_code;
	if (watching.job != NULL && watching.job[strspn(watching.job, "0123456789abcdefABCDEF-")] != '\0')
		return arguments_refuse(&command, "a job's id is a UUID, not", watching.job);
	if (!make_path(&watching))
		return arguments_refuse(&command, "the arguments are too long", NULL);
	return open_and_follow(&command, &watching);
}
