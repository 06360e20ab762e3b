/* artifacts.c - finds a copy by the job's row and sends it. HTTP threads, read-only.
 *
 * What vendors and scripts said of a file is not believed here: only images, videos and sound are shown in place, nothing is ever served as
 * a page, and no name gets into a header unescaped. */
#include "api/artifacts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/artifact_entry.h"
#include "api/query.h"
#include "api/answer.h"
#include "base/json.h"
#include "base/limits.h"

#define ETAG_BYTES 80
#define HEADERS_BYTES 1024

/* ---- the entry in the row ---- */

/* The job's entry, to be json_decref()ed. NULL: answered. */
static json_t *get_entry(struct host *host, struct http_request *request, const char *text, const char *number)
{
	struct artifact_entry entry = { .json = NULL };
	struct error error;
	char detail[128];
	struct id id;
	int n;

	if (!query_job_id(request, text, &id))
		return NULL;
	if (!artifact_number_parse(number, &n)) {
		answer_problem(request, 404, NULL, "an artifact is named by its number, from 0 on");
	} else if (artifact_entry_find(host, request, &id, n, &entry, &error) != ERROR_NONE) {
		answer_no_job(request, &error);
	} else if (entry.json == NULL) {
		artifact_entry_explain(&entry, detail, sizeof detail);
		answer_problem(request, 404, NULL, detail);
	}
	return entry.json;
}

/* ---- headers ---- */

static const char *served_type(const json_t *entry, char space[ARTIFACT_TYPE_BYTES])
{
	const char *type = artifact_entry_type(entry, space);

	return strncmp(type, "text/", 5) == 0 ? "text/plain; charset=utf-8" : type; /* never a page */
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

static void write_headers(struct buffer *out, const struct http_request *request, const json_t *entry, const char *type)
{
	const char *name = json_text(entry, "filename");

	buffer_text(out, "Content-Security-Policy: sandbox\r\nCross-Origin-Resource-Policy: ");
	buffer_text(out, request->signed_url ? "cross-origin" : "same-origin"); /* a signed URL is made to be shown elsewhere */
	buffer_text(out, "\r\nContent-Disposition: ");
	buffer_text(out, is_shown_in_place(type) ? "inline" : "attachment");
	write_file_name(out, name != NULL ? name : "artifact");
}

/* ---- the answer ---- */

void artifacts_send_file(struct http_request *request, const json_t *entry, int descriptor, off_t bytes, int64_t modified_ms)
{
	char etag[ETAG_BYTES], space[ARTIFACT_TYPE_BYTES];
	const char *type = served_type(entry, space);
	struct buffer headers;

	buffer_init(&headers, HEADERS_BYTES);
	write_headers(&headers, request, entry, type);
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

	buffer_init(&members, LIMIT_REPLY_ONE_WRITE_BYTES);
	if (json_text(entry, "source_url") != NULL) {
		buffer_text(&members, "\"source_url\":");
		json_write_text(&members, json_text(entry, "source_url"));
	}
	http_send_problem(
		request, &(struct http_problem){ .status = 410, .detail = why, .members = members.failed ? NULL : members.data });
	buffer_free(&members);
}

static void send_artifact(struct host *host, struct http_request *request, const json_t *entry)
{
	int descriptor;
	off_t bytes;
	int64_t modified_ms;
	struct error error;

	switch (artifact_entry_open(host, entry, &descriptor, &bytes, &modified_ms, &error)) {
	case ERROR_NONE:
		artifacts_send_file(request, entry, descriptor, bytes, modified_ms);
		close(descriptor);
		break;
	case ERROR_NOT_FOUND: send_lost(request, entry, error.message); break;
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
