/* video_row.h - the row behind the id of a video. HTTP threads; read-only. */
#pragma once

#include <stdbool.h>

#include "api/host.h"
#include "base/id.h"
#include "registry/task.h"

#define VIDEO_ID_PREFIX "video_"
#define VIDEO_ID_BYTES (sizeof VIDEO_ID_PREFIX + ID_TEXT_BYTES - 1)

/* "video_" and a job's id, or that alone. False: it is none. */
bool video_id_parse(const char *text, struct id *id);
void video_id_format(const struct id *id, char text[VIDEO_ID_BYTES]);

/* Is it a video, not removed, that the request's key sees? */
bool video_row_shows(const struct http_request *request, const struct task *task);

/* Calls `visit` with the row; it must not call the store. False: there is none, or it cannot be read, and an error was sent. */
bool video_row_find(struct host *host, struct http_request *request, const char *text, struct id *id,
	void (*visit)(void *context, const struct task *task), void *context);

/* 404: there is no such video; 503: the registry cannot be read. */
void video_row_send_missing(struct http_request *request, const char *text, const struct error *error);
