/* jobs.c - lists and shows tasks, newest first, page by page; cancels. HTTP threads, read-only connections. */
#include "api/jobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/access.h"
#include "api/live_job.h"
#include "api/query.h"
#include "api/answer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "registry/task_json.h"

/* ---- list ---- */

struct listing {
	struct task_filter filter;
	char kind[32];
	char provider[64];
	struct buffer rows;
	int count;
	int limit;
	int64_t last; /* sequence of the last row shown */
	bool more;
};

static bool read_status(struct http_request *request, struct listing *listing)
{
	enum task_status status;
	char text[40];

	listing->filter.status = -1;
	if (!http_query(request, "status", text, sizeof text) || *text == '\0')
		return true;
	if (!task_status_parse(text, &status)) {
		answer_problem(request, 400, "status", "must be queued, running, done, error, canceled or unknown");
		return false;
	}
	listing->filter.status = (int)status;
	return true;
}

/* "image" or "public.image.submit". */
static bool read_kind(struct http_request *request, struct listing *listing)
{
	char text[40];

	if (!http_query(request, "kind", text, sizeof text) || *text == '\0')
		return true;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		snprintf(listing->kind, sizeof listing->kind, "public.%s.submit", kind_list[i].name);
		if (strcmp(text, kind_list[i].name) != 0 && strcmp(text, listing->kind) != 0)
			continue;
		listing->filter.kind = kind_list[i].name;
		return true;
	}
	answer_problem(request, 400, "kind", "must be gpu, image or video (or public.<kind>.submit)");
	return false;
}

/* ".608" is 608 milliseconds; further digits do not count. Returns what follows. */
static const char *read_fraction(const char *text, int64_t *milliseconds)
{
	int64_t unit = 100;

	for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
		*milliseconds += (*text - '0') * unit;
	return text;
}

/* A time: milliseconds since 1970, or 2026-11-23T12:00:00Z (also a date alone). */
static bool read_since(struct http_request *request, struct listing *listing)
{
	struct tm parts = { 0 };
	char text[40], *end;
	const char *rest;
	int64_t fraction = 0;

	if (!http_query(request, "since", text, sizeof text) || *text == '\0')
		return true;
	errno = 0;
	listing->filter.since_ms = strtoll(text, &end, 10);
	if (errno == 0 && *end == '\0' && listing->filter.since_ms >= 0)
		return true;
	rest = strptime(text, "%Y-%m-%d", &parts);
	if (rest != NULL && *rest == 'T')
		rest = strptime(rest, "T%H:%M:%S", &parts);
	if (rest != NULL && *rest == '.')
		rest = read_fraction(rest, &fraction);
	if (rest != NULL && *rest == 'Z')
		rest++;
	if (rest == NULL || *rest != '\0') {
		answer_problem(request, 400, "since", "must be a time: 2026-11-23T12:00:00Z, or milliseconds since 1970");
		return false;
	}
	listing->filter.since_ms = (int64_t)timegm(&parts) * 1000 + fraction;
	return true;
}

static bool read_filter(struct host *host, struct http_request *request, struct listing *listing)
{
	int64_t limit = LIMIT_PAGE_DEFAULT, cursor = 0;

	if (!read_status(request, listing) || !read_kind(request, listing) || !read_since(request, listing) ||
		!query_number(request, "limit", 1, LIMIT_PAGE_MAX, &limit) ||
		!query_number(request, "cursor", 1, INT64_MAX, &cursor))
		return false;
	query_provider(host, request, listing->provider, sizeof listing->provider);
	if (listing->provider[0] != '\0')
		listing->filter.provider = listing->provider;
	listing->filter.caller = access_owner(request);
	listing->limit = (int)limit;
	listing->filter.limit = listing->limit + 1; /* one more tells whether there is a next page */
	listing->filter.before = cursor;
	return true;
}

static bool add_row(void *context, const struct task *task)
{
	struct listing *listing = context;

	if (listing->count == listing->limit || listing->rows.length > LIMIT_PAGE_BYTES) {
		listing->more = true;
		return false;
	}
	if (listing->count++ > 0)
		buffer_char(&listing->rows, ',');
	task_json_write(&listing->rows, task);
	listing->last = id_sequence(&task->id);
	return true;
}

static void write_page(struct buffer *out, const struct listing *listing, bool as_all)
{
	buffer_text(out, "{\"ok\":true,\"tasks\":[");
	buffer_append(out, listing->rows.data, listing->rows.length);
	buffer_char(out, ']');
	if (as_all) {
		buffer_text(out, ",\"jobs\":[");
		buffer_append(out, listing->rows.data, listing->rows.length);
		buffer_char(out, ']');
	}
	buffer_text(out, ",\"next\":");
	if (listing->more)
		buffer_format(out, "\"%lld\"", (long long)listing->last); /* text: it is beyond what a double holds */
	else
		buffer_text(out, "null");
	buffer_char(out, '}');
}

static void list_jobs(struct host *host, struct http_request *request, bool as_all)
{
	struct listing listing = { .filter = { .status = -1 } };
	struct buffer out;
	struct error error;

	if (!read_filter(host, request, &listing))
		return;
	buffer_init(&listing.rows, LIMIT_REPLY_BYTES);
	buffer_init(&out, LIMIT_REPLY_BYTES);
	if (task_store_list(host->store, &listing.filter, add_row, &listing, &error) != ERROR_NONE) {
		answer_problem(request, 503, NULL, error.message);
	} else {
		write_page(&out, &listing, as_all);
		out.failed |= listing.rows.failed;
		answer_json(request, 200, NULL, &out);
	}
	buffer_free(&listing.rows);
	buffer_free(&out);
}

void jobs_list(struct host *host, struct http_request *request)
{
	list_jobs(host, request, false);
}

void jobs_list_all(struct host *host, struct http_request *request)
{
	list_jobs(host, request, true);
}

/* ---- one job ---- */

/* What a row is shown with. */
struct showing {
	struct buffer out;
	struct live *live;
};

/* Shows one row with `write`, or sends why not. */
static void show_task(
	struct host *host, struct http_request *request, const char *text, void (*write)(void *showing, const struct task *task))
{
	struct showing showing = { .live = host->live };
	struct error error;
	struct id id;

	if (!query_job_id(request, text, &id))
		return;
	buffer_init(&showing.out, LIMIT_REPLY_BYTES);
	if (task_store_get(host->store, &id, write, &showing, &error) == ERROR_NONE)
		answer_json(request, 200, NULL, &showing.out);
	else
		answer_no_job(request, &error);
	buffer_free(&showing.out);
}

static void write_status(void *context, const struct task *task)
{
	struct showing *showing = context;

	buffer_text(&showing->out, "{\"ok\":true,");
	if (task->live != NULL)
		live_job_write_eta(&showing->out, showing->live, task);
	task_json_write_members(&showing->out, task);
	buffer_char(&showing->out, '}');
}

void jobs_status(struct host *host, struct http_request *request, const char *id)
{
	show_task(host, request, id, write_status);
}

static void note_job_status(void *context, const struct task *task)
{
	*(enum task_status *)context = task->status;
}

bool jobs_find(struct host *host, struct http_request *request, const char *text, struct id *id, enum task_status *status)
{
	struct error error;

	if (!query_job_id(request, text, id))
		return false;
	if (task_store_get(host->store, id, note_job_status, status, &error) == ERROR_NONE)
		return true;
	answer_no_job(request, &error);
	return false;
}

void jobs_cancel(struct host *host, struct http_request *request, const char *text)
{
	enum task_status status;
	char detail[96];
	struct id id;

	if (!jobs_find(host, request, text, &id, &status))
		return;
	if (status == TASK_QUEUED || status == TASK_RUNNING || status == TASK_UNKNOWN) {
		live_job_cancel(host, request, text);
		return;
	}
	snprintf(detail, sizeof detail, "this job has ended already: %s", task_status_name(status));
	answer_problem(request, 409, NULL, detail);
}
