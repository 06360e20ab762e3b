/* video_list.c - pages of videos: dry and live ones, made by whichever door, newest or oldest first. HTTP threads, read-only.
 *
 * `after` is a place in time, by the id: the pages go on there also when the video of that id was deleted meanwhile. */
#include "openai/video.h"

#include <stdio.h>
#include <string.h>

#include "api/access.h"
#include "api/query.h"
#include "base/clock.h"
#include "base/limits.h"
#include "openai/problem.h"
#include "openai/video_answer.h"
#include "openai/video_object.h"
#include "openai/video_row.h"

#define PAGE_DEFAULT 20
#define PAGE_MOST 100
#define WALK_MS 5000 /* through rows that are none of them */

struct video_list {
	struct host *host;
	struct http_request *request;
	struct task_walk walk;
	struct buffer rows;
	int limit, count;
	bool more;
	char first[VIDEO_ID_BYTES], last[VIDEO_ID_BYTES];
};

/* ---- the query ---- */

static bool read_limit(struct http_request *request, struct video_list *list)
{
	char detail[QUERY_DETAIL_BYTES];
	int64_t limit = PAGE_DEFAULT;

	if (!query_read_number(request, "limit", 0, PAGE_MOST, &limit, detail)) {
		openai_refuse(request, "invalid_value", "limit", "limit: %s", detail);
		return false;
	}
	list->limit = (int)limit;
	return true;
}

static bool read_order(struct http_request *request, struct video_list *list)
{
	char order[8];

	if (!http_query(request, "order", order, sizeof order) || *order == '\0' || strcmp(order, "desc") == 0)
		return true;
	list->walk.oldest_first = strcmp(order, "asc") == 0;
	if (!list->walk.oldest_first)
		openai_refuse(request, "invalid_value", "order", "order: must be asc (oldest first) or desc (newest first)");
	return list->walk.oldest_first;
}

/* Ids sort by time, so a beginning of one is a place among them too: "video_0" is before all. */
static bool read_beginning(const char *text, struct id *id)
{
	char whole[] = "00000000-0000-0000-0000-000000000000";
	size_t length;

	if (video_id_parse(text, id))
		return true;
	text += strncmp(text, VIDEO_ID_PREFIX, strlen(VIDEO_ID_PREFIX)) == 0 ? strlen(VIDEO_ID_PREFIX) : 0;
	length = strlen(text);
	if (length == 0 || length >= sizeof whole)
		return false;
	memcpy(whole, text, length);
	return id_parse(whole, id);
}

static bool read_after(struct http_request *request, struct video_list *list)
{
	char after[VIDEO_ID_BYTES + 8];
	struct id id;

	if (!http_query(request, "after", after, sizeof after) || *after == '\0')
		return true;
	if (!read_beginning(after, &id)) {
		openai_refuse(
			request, "invalid_value", "after", "after: must be the id of a video, as last_id of the page before");
		return false;
	}
	list->walk.before = id_sequence(&id);
	return true;
}

/* ---- the rows ---- */

/* The row that is one too many tells that there are more. */
static bool add_video(void *context, const struct task *task)
{
	struct video_list *list = context;
	struct buffer *rows = &list->rows;

	if (!video_row_shows(list->request, task))
		return true;
	list->more = list->count == list->limit || rows->length > LIMIT_PAGE_BYTES;
	if (list->more)
		return false;
	video_id_format(&task->id, list->last);
	if (list->count++ == 0)
		memcpy(list->first, list->last, sizeof list->first);
	else
		buffer_char(rows, ',');
	video_object_write(rows, list->host, list->request, task, NULL);
	return true;
}

/* A walk ends after so many rows, whether they are videos or not. */
static enum error_code collect_videos(struct video_list *list, struct error *error)
{
	int64_t until_ns = clock_monotonic_ns() + WALK_MS * INT64_C(1000000);
	enum error_code code;

	do
		code = task_store_list(list->host->store, &list->walk, add_video, list, error);
	while (code == ERROR_NONE && !list->more && !list->walk.ended && clock_monotonic_ns() < until_ns);
	if (code != ERROR_NONE || list->more || list->walk.ended)
		return code;
	list->more = true;
	return list->count > 0 ? ERROR_NONE : error_set(error, ERROR_BUSY, "", "the videos were not found in time");
}

/* ---- the answer ---- */

static void write_id(struct buffer *out, const char *name, const char *id)
{
	buffer_format(out, *id != '\0' ? "\"%s\":\"%s\"," : "\"%s\":null,", name, id);
}

static void write_list(struct buffer *out, const struct video_list *list)
{
	buffer_text(out, "{\"object\":\"list\",\"data\":[");
	buffer_append(out, list->rows.data, list->rows.length);
	buffer_text(out, "],");
	write_id(out, "first_id", list->first);
	write_id(out, "last_id", list->last);
	buffer_text(out, list->more ? "\"has_more\":true}" : "\"has_more\":false}");
	out->failed |= list->rows.failed;
}

void openai_videos_list(struct host *host, struct http_request *request)
{
	struct video_list list = { .host = host, .request = request };
	struct error error;
	struct buffer out;

	list.walk.filter = (struct task_filter){ .sources.kind = "video", .caller = access_owner(request) };
	list.walk.limit = LIMIT_LIST_SCAN;
	if (!read_limit(request, &list) || !read_order(request, &list) || !read_after(request, &list))
		return;
	buffer_init(&list.rows, LIMIT_REPLY_BYTES);
	buffer_init(&out, LIMIT_REPLY_BYTES);
	if (collect_videos(&list, &error) == ERROR_NONE) {
		write_list(&out, &list);
		video_answer_send(request, &out, NULL);
	} else {
		error.code = ERROR_BUSY;
		video_row_send_missing(request, "", &error);
	}
	buffer_free(&list.rows);
	buffer_free(&out);
}
