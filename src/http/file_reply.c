/* file_reply.c - answers with a file: conditions, one range, slices (RFC 9110, 13 and 14). HTTP threads, in the thread's buffer.
 *
 * A client that is too slow is left (reply.c): it holds a thread, and can go on with a range. Several
 * ranges at once are answered with the whole file, as the standard allows. */
#include "http/internal.h"
#include "http/range.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"

#define DATE_BYTES 40
#define DATE_FORMAT "%a, %d %b %Y %H:%M:%S GMT"
#define HEADERS_BYTES 2048

/* ---- conditions ---- */

/* Is the tag in the list (weak comparison: W/ does not count)? */
static bool lists_tag(const char *list, const char *etag)
{
	size_t length = strlen(etag);

	while (*list != '\0') {
		list += strspn(list, " \t,");
		if (*list == '*')
			return true;
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		if (strncmp(list, etag, length) == 0 && (list[length] == '\0' || strchr(" \t,", list[length]) != NULL))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

bool http_client_has(const struct http_request *request, const char *etag)
{
	const char *tags = http_header(request, "If-None-Match");

	return tags != NULL && lists_tag(tags, etag);
}

static bool read_date(const char *text, time_t *when)
{
	struct tm parts = { 0 };
	const char *rest = strptime(text, DATE_FORMAT, &parts);

	*when = timegm(&parts);
	return rest != NULL && *rest == '\0';
}

/* Does the client have it already? A tag goes before a date. */
static bool is_file_unchanged(const struct http_request *request, const struct http_file *file)
{
	const char *tags = http_header(request, "If-None-Match"), *date = http_header(request, "If-Modified-Since");
	time_t when;

	if (tags != NULL)
		return lists_tag(tags, file->etag);
	return date != NULL && read_date(date, &when) && file->modified_ms / 1000 <= when;
}

/* A range counts only for the file that the client has begun with. A weak tag never matches here. */
static bool range_counts(const struct http_request *request, const struct http_file *file)
{
	const char *condition = http_header(request, "If-Range");
	time_t when;

	if (condition == NULL)
		return true;
	if (*condition == '"')
		return strcmp(condition, file->etag) == 0;
	return read_date(condition, &when) && file->modified_ms / 1000 == when;
}

/* ---- range ---- */

static enum range_kind choose_range(const struct http_exchange *x, const struct http_file *file, struct range *range)
{
	const char *text = http_header(&x->request, "Range");

	*range = (struct range){ .first = 0, .length = file->bytes };
	if (text == NULL || x->head_only || !range_counts(&x->request, file))
		return RANGE_WHOLE;
	return range_read(text, file->bytes, range);
}

/* ---- sending ---- */

bool http_is_head(const struct http_request *request)
{
	return ((const struct http_exchange *)request)->head_only;
}

static ssize_t read_slice(const struct http_file *file, char *to, size_t size, int64_t at)
{
	return file->descriptor != -1 ? pread(file->descriptor, to, size, at) : file->read(file->reading, to, size, at);
}

/* Sends what stands in the thread's buffer (the head), and behind it the range, slice by slice. */
static bool send_slices(struct http_exchange *x, const struct http_file *file, struct range range)
{
	struct buffer *out = &x->worker->out;
	ssize_t got;
	size_t slice;
	char *room;

	while (range.length > 0) {
		slice = range.length < LIMIT_BODY_SLICE_BYTES ? (size_t)range.length : LIMIT_BODY_SLICE_BYTES;
		room = buffer_reserve(out, slice);
		got = room != NULL ? read_slice(file, room, slice, range.first) : -1;
		if (got <= 0)
			return false;
		out->length += (size_t)got;
		range.first += got;
		range.length -= got;
		if (!reply_write(x, out->data, out->length))
			return false;
		buffer_clear(out);
	}
	return out->length == 0 || reply_write(x, out->data, out->length);
}

static void write_http_date(int64_t unix_ms, char text[DATE_BYTES])
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm parts;

	gmtime_r(&seconds, &parts);
	strftime(text, DATE_BYTES, DATE_FORMAT, &parts);
}

static void refuse_range(struct http_request *request, const struct http_file *file)
{
	char headers[96], detail[96];

	snprintf(headers, sizeof headers, "Content-Range: bytes */%lld\r\n", (long long)file->bytes);
	snprintf(detail, sizeof detail, "the file has %lld bytes, and the range lies beyond them", (long long)file->bytes);
	http_send_problem(request, &(struct http_problem){ .status = 416, .detail = detail, .headers = headers });
}

void http_send_file(struct http_request *request, const struct http_file *file)
{
	struct http_exchange *x = (struct http_exchange *)request;
	char headers[HEADERS_BYTES], date[DATE_BYTES], part[96] = "";
	bool unchanged = is_file_unchanged(request, file);
	struct range range;
	enum range_kind kind = unchanged ? RANGE_WHOLE : choose_range(x, file, &range);

	if (kind == RANGE_UNSATISFIABLE) {
		refuse_range(request, file);
		return;
	}
	if (kind == RANGE_PART)
		snprintf(part, sizeof part, "Content-Range: bytes %lld-%lld/%lld\r\n", (long long)range.first,
			(long long)(range.first + range.length - 1), (long long)file->bytes);
	write_http_date(file->modified_ms, date);
	snprintf(headers, sizeof headers, "ETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n%s%s", file->etag, date, part,
		file->headers != NULL ? file->headers : "");
	if (!reply_begin(x, &(struct http_reply){ .status = unchanged		 ? 304
							    : kind == RANGE_PART ? 206
										 : 200,
				    .content_type = file->content_type,
				    .headers = headers,
				    .body_length = unchanged ? 0 : (size_t)range.length,
				    .immutable = file->immutable,
				    .revalidate = !file->immutable }))
		return;
	if (unchanged || x->head_only)
		range.length = 0;
	if (!send_slices(x, file, range))
		x->close = true; /* the client sees that something is missing */
}
