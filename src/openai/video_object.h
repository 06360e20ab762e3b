/* video_object.h - a video as OpenAI's clients know it. */
#pragma once

#include "api/host.h"
#include "base/buffer.h"
#include "http/http.h"
#include "registry/task.h"

#define VIDEO_HEADERS_BYTES 256

/* Appends the object; `more` is JSON text of further members of its `providerd`, each with a comma behind it, or NULL. */
void video_object_write(
	struct buffer *out, struct host *host, const struct http_request *request, const struct task *task, const char *more);

/* Header lines of an answer that is one video: when to ask for it again, whose it is, and whether it is a dry run. */
void video_object_headers(struct host *host, const struct task *task, char headers[VIDEO_HEADERS_BYTES]);
