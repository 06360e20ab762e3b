/* job_list.c - pages of tasks, newest first, whole or in brief. HTTP threads, read-only connections. */
#include "api/jobs.h"

#include "api/answer.h"
#include "api/job_query.h"
#include "api/live_job.h"
#include "api/query.h"
#include "base/limits.h"
#include "registry/task_brief.h"
#include "registry/task_json.h"

struct listing {
	struct job_query query;
	struct task_walk walk;
	struct live *live;
	bool brief;
	struct buffer rows;
	int count;
	int limit;
};

static bool read_listing(struct host *host, struct http_request *request, struct listing *listing)
{
	int64_t limit = LIMIT_PAGE_DEFAULT, cursor = 0;

	if (!job_query_read(host, request, &listing->query) || !job_query_statuses(request, &listing->query.filter) ||
		!job_query_dryness(request, &listing->query.filter) || !job_query_search(request, &listing->query) ||
		!job_query_fields(request, &listing->brief) || !query_number(request, "limit", 1, LIMIT_PAGE_MAX, &limit) ||
		!query_number(request, "cursor", 1, INT64_MAX, &cursor))
		return false;
	listing->limit = (int)limit;
	listing->walk = (struct task_walk){
		.filter = listing->query.filter,
		.before = cursor,
		.limit = listing->limit + 1, /* one more tells whether there is a next page */
	};
	return true;
}

static bool add_row(void *context, const struct task *task)
{
	struct listing *listing = context;
	struct buffer *rows = &listing->rows;

	if (listing->count == listing->limit || rows->length > LIMIT_PAGE_BYTES)
		return false;
	if (listing->count++ > 0)
		buffer_char(rows, ',');
	buffer_char(rows, '{');
	if (listing->brief) {
		live_job_write_eta(rows, listing->live, task);
		task_brief_write_members(rows, task);
	} else {
		task_json_write_members(rows, task);
	}
	buffer_char(rows, '}');
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
	if (listing->walk.ended)
		buffer_text(out, "null");
	else
		buffer_format(out, "\"%lld\"", (long long)listing->walk.before); /* text: it is beyond what a double holds */
	buffer_char(out, '}');
}

static void list_jobs(struct host *host, struct http_request *request, bool as_all)
{
	struct listing listing = { .live = host->live };
	struct buffer out;
	struct error error;

	if (!read_listing(host, request, &listing))
		return;
	buffer_init(&listing.rows, LIMIT_REPLY_BYTES);
	buffer_init(&out, LIMIT_REPLY_BYTES);
	if (task_store_list(host->store, &listing.walk, add_row, &listing, &error) != ERROR_NONE) {
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
