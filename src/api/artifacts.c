/* artifacts.c - finds a copy by the job's row and sends it. HTTP threads, read-only.
 *
 * What vendors and scripts said of a file is not believed here: only images, videos and sound are shown in place, nothing is ever served as
 * a page, and no name gets into a header unescaped. */
#include "api/artifacts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/query.h"
#include "api/answer.h"
#include "base/json.h"
#include "base/limits.h"

#define N_DIGITS 6
#define ETAG_BYTES 80
#define TYPE_BYTES 128
#define HEADERS_BYTES 1024

/* ---- the entry in the row ---- */

struct finding {
	json_int_t n;
	json_t *entry; /* held */
	size_t count;
	bool dry_run, ended;
};

static void find_artifact(void *context, const struct task *task)
{
	struct finding *finding = context;
	json_t *result = task->result != NULL ? json_read(task->result, strlen(task->result), NULL) : NULL;
	json_t *entry;
	size_t i;

	finding->dry_run = task->dry_run;
	finding->ended = task->status != TASK_QUEUED && task->status != TASK_RUNNING;
	finding->count = json_array_size(json_object_get(result, "artifacts"));
	json_array_foreach(json_object_get(result, "artifacts"), i, entry) {
		if (json_integer_value(json_object_get(entry, "n")) == finding->n && finding->entry == NULL)
			finding->entry = json_incref(entry);
	}
	json_decref(result);
}

static bool read_n(const char *text, json_int_t *n)
{
	size_t digits = strspn(text, "0123456789");

	*n = 0;
	if (digits == 0 || digits > N_DIGITS || text[digits] != '\0' || (text[0] == '0' && digits > 1))
		return false;
	for (; *text != '\0'; text++)
		*n = *n * 10 + (*text - '0');
	return true;
}

static void explain_absence(struct http_request *request, const struct finding *finding)
{
	char detail[128];

	if (finding->dry_run)
		snprintf(detail, sizeof detail, "this job is a dry run: nothing was made");
	else if (!finding->ended)
		snprintf(detail, sizeof detail, "this job has not ended yet: its artifacts come when it is done");
	else
		snprintf(detail, sizeof detail, "this job has %zu artifact%s, numbered from 0", finding->count,
			finding->count == 1 ? "" : "s");
	answer_problem(request, 404, NULL, detail);
}

/* The job's entry, to be json_decref()ed. NULL: answered. */
static json_t *get_entry(struct host *host, struct http_request *request, const char *text, const char *number)
{
	struct finding finding = { 0 };
	struct error error;
	struct id id;

	if (!query_job_id(request, text, &id))
		return NULL;
	if (!read_n(number, &finding.n)) {
		answer_problem(request, 404, NULL, "an artifact is named by its number, from 0 on");
	} else if (task_store_get(host->store, &id, find_artifact, &finding, &error) != ERROR_NONE) {
		answer_no_job(request, &error);
	} else if (finding.entry == NULL) {
		explain_absence(request, &finding);
	}
	return finding.entry;
}

/* ---- headers ---- */

/* Left as it is only when it could not end the header or hide something in it. */
static const char *served_type(const char *type, char space[TYPE_BYTES])
{
	size_t length = type != NULL ? strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789.+-_/") : 0;

	if (type == NULL || type[length] != '\0' || length == 0 || length >= TYPE_BYTES || strchr(type, '/') == NULL)
		return "application/octet-stream";
	if (strncmp(type, "text/", 5) == 0)
		return "text/plain; charset=utf-8"; /* never a page */
	snprintf(space, TYPE_BYTES, "%s", type);
	return space;
}

/* SVG is an image that may carry scripts. */
static bool is_shown_in_place(const char *type)
{
	return (strncmp(type, "image/", 6) == 0 && strcmp(type, "image/svg+xml") != 0) || strncmp(type, "video/", 6) == 0 ||
	       strncmp(type, "audio/", 6) == 0;
}

/* filename="plain.png"; filename*=UTF-8''the%20real%20one.png (RFC 6266) */
static void write_file_name(struct buffer *out, const char *name)
{
	buffer_text(out, "; filename=\"");
	for (const char *at = name; *at != '\0'; at++)
		buffer_char(out, *at >= ' ' && *at < 0x7f && *at != '"' && *at != '\\' && *at != '%' ? *at : '_');
	buffer_text(out, "\"; filename*=UTF-8''");
	for (const char *at = name; *at != '\0'; at++) {
		if (isalnum((unsigned char)*at) || strchr("-._~", *at) != NULL)
			buffer_char(out, *at);
		else
			buffer_format(out, "%%%02X", (unsigned char)*at);
	}
	buffer_text(out, "\r\n");
}

static void write_headers(struct buffer *out, const json_t *entry, const char *type)
{
	const char *name = json_text(entry, "filename");

	buffer_text(
		out, "Content-Security-Policy: sandbox\r\nCross-Origin-Resource-Policy: same-origin\r\nContent-Disposition: ");
	buffer_text(out, is_shown_in_place(type) ? "inline" : "attachment");
	write_file_name(out, name != NULL ? name : "artifact");
}

/* ---- the answer ---- */

static void send_file(struct http_request *request, const json_t *entry, int descriptor, off_t bytes, int64_t modified_ms)
{
	char etag[ETAG_BYTES], space[TYPE_BYTES];
	const char *type = served_type(json_text(entry, "content_type"), space);
	struct buffer headers;

	buffer_init(&headers, HEADERS_BYTES);
	write_headers(&headers, entry, type);
	snprintf(etag, sizeof etag, "\"%s\"", json_text(entry, "sha256"));
	if (headers.failed)
		answer_problem(request, 503, NULL, "out of memory");
	else
		http_send_file(request, &(struct http_file){ .descriptor = descriptor,
						.bytes = bytes,
						.modified_ms = modified_ms,
						.etag = etag,
						.content_type = type,
						.headers = headers.data,
						.immutable = true });
	buffer_free(&headers);
}

/* It was there, or should have been: 410 says why it is not. */
static void send_lost(struct http_request *request, const json_t *entry, const char *why)
{
	struct buffer members;
	char detail[640];

	buffer_init(&members, LIMIT_REPLY_ONE_WRITE_BYTES);
	if (json_text(entry, "source_url") != NULL) {
		buffer_text(&members, "\"source_url\":");
		json_write_text(&members, json_text(entry, "source_url"));
	}
	snprintf(detail, sizeof detail, "this artifact was not kept: %s", why);
	http_send_problem(request,
		&(struct http_problem){ .status = 410, .detail = detail, .members = members.failed ? NULL : members.data });
	buffer_free(&members);
}

static void send_artifact(struct host *host, struct http_request *request, const json_t *entry)
{
	const char *sha256 = json_text(entry, "sha256"), *lost = json_text(entry, "error");
	int descriptor;
	off_t bytes;
	int64_t modified_ms;
	struct error error;

	if (sha256 == NULL || lost != NULL) {
		send_lost(request, entry, lost != NULL ? lost : "its row does not say where it is");
		return;
	}
	switch (artifacts_open(host->artifacts, sha256, &descriptor, &bytes, &modified_ms, &error)) {
	case ERROR_NONE:
		send_file(request, entry, descriptor, bytes, modified_ms);
		close(descriptor);
		break;
	case ERROR_INVALID:
	case ERROR_NOT_FOUND:
		answer_problem(request, 410, NULL, "the file of this artifact is no longer in the artifacts folder");
		break;
	default: answer_problem(request, 503, NULL, error.message);
	}
}

void artifacts_handle(struct host *host, struct http_request *request, const char *id, const char *n)
{
	json_t *entry = get_entry(host, request, id, n);

	if (entry == NULL)
		return;
	send_artifact(host, request, entry);
	json_decref(entry);
}
