/* video.c - one video told. HTTP threads; read-only. */
#include "openai/video.h"

#include "base/limits.h"
#include "openai/problem.h"
#include "openai/video_answer.h"
#include "openai/video_object.h"
#include "openai/video_row.h"

void video_answer_send(struct http_request *request, struct buffer *out, const char *headers)
{
	if (out->failed)
		openai_send_error(request, &(struct openai_error){ .status = 503,
						   .code = "overloaded",
						   .message = "There is no memory for the answer.",
						   .should_retry = -1,
						   .retry_after_ms = 1000 });
	else
		http_send(request,
			&(struct http_reply){ .status = 200, .headers = headers, .body = out->data, .body_length = out->length });
}

struct telling {
	struct host *host;
	struct http_request *request;
	struct buffer out;
	char headers[VIDEO_HEADERS_BYTES];
};

static void tell_row(void *context, const struct task *task)
{
	struct telling *telling = context;

	video_object_write(&telling->out, telling->host, telling->request, task, NULL);
	video_object_headers(telling->host, task, telling->headers);
}

void openai_videos_retrieve(struct host *host, struct http_request *request, const char *text)
{
	struct telling telling = { .host = host, .request = request };
	struct id id;

	buffer_init(&telling.out, LIMIT_REPLY_BYTES);
	if (video_row_find(host, request, text, &id, tell_row, &telling))
		video_answer_send(request, &telling.out, telling.headers);
	buffer_free(&telling.out);
}
