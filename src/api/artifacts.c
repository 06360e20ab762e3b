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
#define REDIRECT_BYTES 7168 /* a URL, signed, with a name and a session token in it: REPLY_HEAD_BYTES holds it */

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
}

static void write_disposition(struct buffer *out, const json_t *entry, const char *type)
{
	const char *name = json_text(entry, "filename");

	buffer_text(out, is_shown_in_place(type) ? "inline" : "attachment");
	write_file_name(out, name != NULL ? name : "artifact");
}

static void write_headers(struct buffer *out, const struct http_request *request, const json_t *entry, const char *type)
{
	buffer_text(out, "Content-Security-Policy: sandbox\r\nCross-Origin-Resource-Policy: ");
	buffer_text(out, request->signed_url ? "cross-origin" : "same-origin"); /* a signed URL is made to be shown elsewhere */
	buffer_text(out, "\r\nContent-Disposition: ");
	write_disposition(out, entry, type);
	buffer_text(out, "\r\n");
}

/* ---- the answer ---- */

static void send_reading(struct http_request *request, const json_t *entry, struct artifact_reading *reading)
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
		http_send_file(request, &(struct http_file){ .descriptor = reading->descriptor,
						.read = reading->read,
						.reading = reading,
						.bytes = reading->bytes,
						.modified_ms = reading->modified_ms,
						.etag = etag,
						.content_type = type,
						.headers = headers.data,
						.immutable = true });
	buffer_free(&headers);
}

/* Shall it be fetched from where it is kept? As the configuration says, or the client: ?deliver=proxy for who cannot follow, such as a page whose pictures come
 * from its own origin only. A HEAD is answered here: the URL is signed for a GET. */
static bool is_redirected(const struct http_request *request)
{
	char wish[16];

	if (http_is_head(request) || request->inner != NULL)
		return false;
	if (http_query(request, "deliver", wish, sizeof wish))
		return strcmp(wish, "redirect") == 0;
	return request->view->config->artifacts.redirects;
}

/* 307 to a URL that is good for a while. False: there is none. Who has it has the file: it is in no log, and no cache keeps it. */
static bool send_redirect(struct host *host, struct http_request *request, const json_t *entry)
{
	const char *sha256 = json_text(entry, "sha256");
	char space[ARTIFACT_TYPE_BYTES];
	const char *type = served_type(entry, space);
	struct buffer headers, disposition;
	bool linked;

	if (sha256 == NULL || json_text(entry, "error") != NULL)
		return false;
	buffer_init(&disposition, HEADERS_BYTES);
	buffer_init(&headers, REDIRECT_BYTES);
	write_disposition(&disposition, entry, type);
	buffer_text(&headers, "Referrer-Policy: no-referrer\r\nLocation: ");
	linked = !disposition.failed && artifacts_link(host->artifacts, sha256, type, disposition.data, &headers);
	buffer_text(&headers, "\r\n");
	if (linked && !headers.failed)
		http_send(request, &(struct http_reply){ .status = 307,
					   .content_type = "text/plain",
					   .headers = headers.data,
					   .body = "",
					   .body_length = 0 });
	linked = linked && !headers.failed;
	buffer_free(&headers);
	buffer_free(&disposition);
	return linked;
}

enum error_code artifacts_send_kept(struct host *host, struct http_request *request, const json_t *entry, struct error *error)
{
	struct artifact_reading reading;
	enum error_code code = artifact_entry_read(host, entry, &reading, error);

	if (code == ERROR_NONE) {
		send_reading(request, entry, &reading);
		artifact_reading_close(&reading);
	}
	return code;
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
	struct error error;

	if (is_redirected(request) && send_redirect(host, request, entry))
		return;
	switch (artifacts_send_kept(host, request, entry, &error)) {
	case ERROR_NONE: break;
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
