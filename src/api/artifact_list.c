/* artifact_list.c - pages of outputs, newest first, each with what its job says of it. HTTP threads, read-only connections; asks the disk whether the
 * file of each is still there. */
#include "api/artifact_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/job_query.h"
#include "api/query.h"
#include "base/json.h"
#include "base/limits.h"
#include "cluster/cluster.h"
#include "registry/artifact_media.h"
#include "registry/task_brief.h"

#define SHA256_TEXT 64
#define GONE "\"the file is no longer in the artifacts folder\""
#define GONE_HERE "\"the file is no longer in the artifacts folder, or another host fetched it into one of its own\""

struct outputs {
	struct job_query query;
	struct artifact_walk walk;
	const struct artifacts *files;
	bool shared; /* other hosts use the registry */
	struct buffer rows;
	int count;
	int limit;
};

/* ---- what is asked for ---- */

/* "image,video" */
static bool read_media(struct http_request *request, unsigned *media)
{
	char text[64], *rest = text, *word;
	enum artifact_media one;

	if (!http_query(request, "type", text, sizeof text) || *text == '\0')
		return true;
	while ((word = strsep(&rest, ",")) != NULL) {
		if (!artifact_media_parse(word, &one)) {
			answer_problem(request, 400, "type",
				"must be image, video, audio, text or other, or some of them, separated by commas");
			return false;
		}
		*media |= 1U << one;
	}
	return true;
}

/* "7354134883323904.0": the job's number, and the output's. */
static bool read_output_position(struct http_request *request, struct artifact_walk *walk)
{
	char text[40], *end;
	long n;

	if (!http_query(request, "cursor", text, sizeof text) || *text == '\0')
		return true;
	errno = 0;
	walk->before = strtoll(text, &end, 10);
	if (strspn(text, "0123456789.") == strlen(text) && errno == 0 && walk->before > 0 && *end == '.' && end[1] != '\0') {
		n = strtol(end + 1, &end, 10);
		walk->before_n = (int)n;
		if (*end == '\0' && n < LIMIT_ARTIFACTS)
			return true;
	}
	answer_problem(request, 400, "cursor", "must be `next` of the page before");
	return false;
}

static bool read_outputs(struct host *host, struct http_request *request, struct outputs *outputs)
{
	int64_t limit = LIMIT_PAGE_DEFAULT;

	if (!job_query_read(host, request, &outputs->query) || !job_query_search(request, &outputs->query) ||
		!read_media(request, &outputs->walk.media) || !query_number(request, "limit", 1, LIMIT_PAGE_MAX, &limit) ||
		!read_output_position(request, &outputs->walk))
		return false;
	outputs->walk.filter = outputs->query.filter;
	outputs->limit = (int)limit;
	outputs->walk.limit = outputs->limit + 1; /* one more tells whether there is a next page */
	return true;
}

/* ---- rows ---- */

/* Was it kept, and is it there still? */
static bool is_there(const struct outputs *outputs, struct json_span sha256)
{
	char text[SHA256_TEXT + 1];

	if (!json_span_is_text(sha256) || sha256.length != SHA256_TEXT + 2)
		return false;
	memcpy(text, sha256.text + 1, SHA256_TEXT);
	text[SHA256_TEXT] = '\0';
	return artifacts_have(outputs->files, text);
}

enum entry_member { ENTRY_URL = 0, ENTRY_ERROR, ENTRY_SHA256, ENTRY_MEMBERS = 10 };

/* What the job's own entry says. One that is not there has an error, and no url. */
static void write_entry(struct outputs *outputs, struct json_span entry)
{
	static const char *const names[ENTRY_MEMBERS] = { "url", "error", "sha256", "content_type", "bytes", "filename", "width",
		"height", "seed", "source_host" };
	struct json_span values[ENTRY_MEMBERS];
	struct buffer *rows = &outputs->rows;

	json_span_members(entry, names, ENTRY_MEMBERS, values);
	if (values[ENTRY_ERROR].length == 0 && !is_there(outputs, values[ENTRY_SHA256]))
		values[ENTRY_ERROR] = outputs->shared ? (struct json_span){ .text = GONE_HERE, .length = sizeof GONE_HERE - 1 }
						      : (struct json_span){ .text = GONE, .length = sizeof GONE - 1 };
	if (values[ENTRY_ERROR].length > 0)
		values[ENTRY_URL].length = 0;
	for (size_t i = 0; i < ENTRY_MEMBERS; i++) {
		buffer_format(rows, "\"%s\":", names[i]);
		json_span_write(rows, values[i]);
		buffer_char(rows, ',');
	}
}

static bool add_output(void *context, const struct artifact_row *row)
{
	struct outputs *outputs = context;
	const struct task *task = row->task;
	struct buffer *rows = &outputs->rows;
	char id[ID_TEXT_BYTES];

	if (outputs->count == outputs->limit || rows->length > LIMIT_PAGE_BYTES)
		return false;
	id_format(&task->id, id);
	buffer_format(rows, "%s{\"job_id\":\"%s\",\"n\":%d,", outputs->count++ > 0 ? "," : "", id, row->n);
	write_entry(outputs, row->entry);
	json_member_text(rows, "kind", task->kind);
	json_member_text(rows, "provider", task->provider);
	task_brief_write_request(rows, task);
	json_member_time(rows, "created_at", task->created_ms);
	json_member_usd(rows, "cost_usd", task->money != NULL ? task->money->spent : -1);
	if (!rows->failed)
		rows->data[rows->length - 1] = '}'; /* in place of the last comma */
	return true;
}

/* ---- the answer ---- */

static void send_outputs(struct http_request *request, const struct outputs *outputs)
{
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_text(&out, "{\"ok\":true,\"artifacts\":[");
	buffer_append(&out, outputs->rows.data, outputs->rows.length);
	buffer_text(&out, "],\"next\":");
	if (outputs->walk.ended)
		buffer_text(&out, "null");
	else
		buffer_format(&out, "\"%lld.%d\"", (long long)outputs->walk.before, outputs->walk.before_n);
	buffer_char(&out, '}');
	out.failed |= outputs->rows.failed;
	answer_json(request, 200, NULL, &out);
	buffer_free(&out);
}

void artifact_list_handle(struct host *host, struct http_request *request)
{
	struct outputs outputs = { .files = host->artifacts, .shared = cluster_is_shared(host->cluster) };
	struct error error;

	if (!read_outputs(host, request, &outputs))
		return;
	buffer_init(&outputs.rows, LIMIT_REPLY_BYTES);
	if (task_store_artifacts(host->store, &outputs.walk, add_output, &outputs, &error) == ERROR_NONE)
		send_outputs(request, &outputs);
	else
		answer_problem(request, 503, NULL, error.message);
	buffer_free(&outputs.rows);
}
