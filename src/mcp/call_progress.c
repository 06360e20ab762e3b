/* call_progress.c - a call that takes a while: its stream, its progress, and whether anybody still waits for it. HTTP threads.
 *
 * An answer becomes a stream when there is something to tell before its end, and not sooner: most clients read a plain answer with less
 * trouble. A stream gives the request's view back (http/stream.h); what the host is asked later in it counts by the view and key of then. */
#include "mcp/call_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

#define MILLISECOND_NS INT64_C(1000000)
#define PROGRESS_BYTES 2048

bool mcp_stream_begin(struct mcp_call *call)
{
	int64_t now = clock_monotonic_ns();

	call->streaming = true;
	call->beat_ns = now + LIMIT_STREAM_HEARTBEAT_MS * MILLISECOND_NS;
	call->look_ns = now + LIMIT_STREAM_LOOK_MS * MILLISECOND_NS;
	call->told = -1;
	return http_stream_begin(call->request, &call->stream, "text/event-stream", NULL);
}

bool mcp_stream_send(struct mcp_call *call, const struct buffer *message)
{
	call->beat_ns = clock_monotonic_ns() + LIMIT_STREAM_HEARTBEAT_MS * MILLISECOND_NS;
	return !message->failed &&
	       http_stream_event(&call->stream, "message", message->data, message->length, LIMIT_STREAM_WRITE_MS);
}

static bool send_progress(struct mcp_call *call, double progress, double total, const char *text)
{
	struct buffer out;
	bool sent;

	buffer_init(&out, PROGRESS_BYTES + 6 * LIMIT_MCP_ID_BYTES);
	buffer_text(&out, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":");
	json_write(&out, call->progress_token);
	buffer_text(&out, ",\"progress\":");
	json_write_double(&out, progress);
	buffer_text(&out, ",\"total\":");
	json_write_double(&out, total);
	if (text != NULL) {
		buffer_text(&out, ",\"message\":");
		json_write_text(&out, text);
	}
	buffer_text(&out, "}}");
	sent = mcp_stream_send(call, &out);
	buffer_free(&out);
	return sent;
}

bool mcp_call_progress(struct mcp_call *call, double progress, double total, const char *message)
{
	if (call->progress_token == NULL || call->answered)
		return mcp_call_alive(call);
	if (!call->streaming && !mcp_stream_begin(call))
		return false;
	if (progress <= call->told) /* it must grow */
		return mcp_call_alive(call);
	call->told = progress;
	return send_progress(call, progress, total, message);
}

/* The files may have changed since the client was let in. */
static bool look_at_call_key(struct mcp_call *call, int64_t now)
{
	if (now < call->look_ns)
		return true;
	call->look_ns = now + LIMIT_STREAM_LOOK_MS * MILLISECOND_NS;
	call->refusal = http_stream_refusal(&call->stream);
	return call->refusal == NULL;
}

bool mcp_call_alive(struct mcp_call *call)
{
	static const char heartbeat[] = ": still here\n\n";
	int64_t now = clock_monotonic_ns();

	if (!call->streaming)
		return !http_client_left(http_socket(call->request));
	if (http_stream_gone(&call->stream) || !look_at_call_key(call, now))
		return false;
	if (now < call->beat_ns)
		return true;
	call->beat_ns = now + LIMIT_STREAM_HEARTBEAT_MS * MILLISECOND_NS;
	return http_stream_write(&call->stream, heartbeat, sizeof heartbeat - 1, LIMIT_STREAM_WRITE_MS);
}

void mcp_call_inner(struct mcp_call *call, const struct inner_call *inner, struct inner_answer *answer)
{
	const char *refusal = call->streaming ? http_stream_enter(&call->stream) : NULL;

	if (refusal == NULL) {
		inner_call_run(call->host, call->request, inner, answer);
	} else {
		*answer = (struct inner_answer){ .status = 401, .body = json_object(), .retry_after = -1 };
		json_object_set_new(answer->body, "detail", json_string(refusal));
		return;
	}
	if (call->streaming)
		http_stream_leave(&call->stream);
}
