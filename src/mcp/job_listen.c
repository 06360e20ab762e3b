/* job_listen.c - follows the event log for the jobs that a client named. HTTP threads; counts as an event stream (server.max_streams).
 *
 * What is told is only that a job changed: several changes that come together are one notification, and who fell behind the log is told of all of
 * its jobs. First it subscribes, then it says so, so nothing that happens after the acknowledgement is missing. */
#include "mcp/job_listen.h"

#include <stdio.h>
#include <string.h>

#include "api/access.h"
#include "api/event_query.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "event/hub.h"
#include "mcp/call_answer.h"
#include "mcp/errors.h"
#include "mcp/resource_uri.h"

#define MILLISECOND_NS INT64_C(1000000)
#define MESSAGE_BYTES 16384
#define DETAIL_BYTES 160

struct followed {
	struct id job;
	bool changed;
	char uri[RESOURCE_JOB_BYTES];
};

struct listening {
	struct mcp_call *call;
	struct followed jobs[LIMIT_MCP_SUBSCRIPTIONS];
	int count;
	struct event_subscription *subscription;
};

/* ---- what is asked for ---- */

struct look {
	const struct http_request *request;
	bool sees;
};

static void look_at_followed(void *context, const struct task *task)
{
	struct look *look = context;

	look->sees = access_sees(look->request, task);
}

/* What is no job that the key sees is left out of the acknowledgement. */
static void follow_job(struct listening *listening, const char *uri)
{
	struct look look = { .request = listening->call->request };
	struct followed *followed = &listening->jobs[listening->count];
	struct error error;
	struct id job;

	if (!resource_job_parse(uri, &job) ||
		task_store_get(listening->call->host->store, &job, look_at_followed, &look, &error) != ERROR_NONE || !look.sees)
		return;
	for (int i = 0; i < listening->count; i++)
		if (id_sequence(&listening->jobs[i].job) == id_sequence(&job))
			return;
	followed->job = job;
	snprintf(followed->uri, sizeof followed->uri, "%s", uri);
	listening->count++;
}

static bool refuse_filter(struct mcp_call *call, const char *message)
{
	mcp_call_error(call, MCP_INVALID_PARAMS, NULL, message);
	return false;
}

static bool read_filter(struct listening *listening)
{
	const json_t *wanted = json_object_get(listening->call->params, "notifications"), *uris;
	json_t *uri;
	size_t i;

	if (!json_is_object(wanted))
		return refuse_filter(listening->call, "`params.notifications` must be an object that says what to tell");
	uris = json_object_get(wanted, "resourceSubscriptions");
	if (uris != NULL && !json_is_array(uris))
		return refuse_filter(listening->call, "`params.notifications.resourceSubscriptions` must be a list of URIs");
	if (json_array_size(uris) > LIMIT_MCP_SUBSCRIPTIONS)
		return refuse_filter(
			listening->call, "`params.notifications.resourceSubscriptions` has too many URIs for one stream");
	json_array_foreach(uris, i, uri) {
		if (json_text_value(uri) == NULL)
			return refuse_filter(
				listening->call, "`params.notifications.resourceSubscriptions` must be a list of texts");
		follow_job(listening, json_text_value(uri));
	}
	return true;
}

/* ---- subscribing ---- */

static bool subscribe_to_jobs(struct listening *listening)
{
	struct mcp_call *call = listening->call;
	int most = call->request->view->config->server.max_streams;
	struct event_filter filter = { .type_count = 0 };
	char detail[DETAIL_BYTES];
	struct error error;
	int64_t from = 0;

	if (most > call->host->most_streams)
		most = call->host->most_streams;
	event_query_own(call->request, &filter);
	filter.of_job = listening->count == 1;
	filter.job = listening->jobs[0].job;
	if (event_subscribe(call->host->events, &filter, EVENT_BRIEF, most, &listening->subscription, &from, &error) ==
		ERROR_NONE)
		return true;
	snprintf(detail, sizeof detail,
		"%d streams are open: server.max_streams allows so many, and at most 3 of 4 server.threads", most);
	mcp_answer_error(call, 503, MCP_INTERNAL_ERROR, NULL, detail);
	return false;
}

/* ---- messages ---- */

static void write_subscription(struct buffer *out, const json_t *id)
{
	buffer_text(out, "\"_meta\":{\"" MCP_META_SUBSCRIPTION "\":");
	json_write(out, id);
	buffer_char(out, '}');
}

/* Kinds of notifications that this host never sends are left out too. */
static bool acknowledge(const struct listening *listening)
{
	struct buffer out;
	bool sent;

	buffer_init(&out, MESSAGE_BYTES);
	buffer_text(&out,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{\"notifications\":{");
	if (listening->count > 0)
		buffer_text(&out, "\"resourceSubscriptions\":[");
	for (int i = 0; i < listening->count; i++) {
		buffer_text(&out, i > 0 ? "," : "");
		json_write_text(&out, listening->jobs[i].uri);
	}
	buffer_text(&out, listening->count > 0 ? "]}," : "},");
	write_subscription(&out, listening->call->id);
	buffer_text(&out, "}}");
	sent = mcp_stream_send(listening->call, &out);
	buffer_free(&out);
	return sent;
}

static bool tell_change(const struct listening *listening, const struct followed *followed)
{
	struct buffer out;
	bool sent;

	buffer_init(&out, MESSAGE_BYTES);
	buffer_text(&out, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":");
	json_write_text(&out, followed->uri);
	buffer_char(&out, ',');
	write_subscription(&out, listening->call->id);
	buffer_text(&out, "}}");
	sent = mcp_stream_send(listening->call, &out);
	buffer_free(&out);
	return sent;
}

static bool tell_changes(struct listening *listening)
{
	for (int i = 0; i < listening->count; i++) {
		if (listening->jobs[i].changed && !tell_change(listening, &listening->jobs[i]))
			return false;
		listening->jobs[i].changed = false;
	}
	return true;
}

/* The response that says that nothing broke. */
static void end_gracefully(struct mcp_call *call)
{
	json_t *result = json_object(), *meta = json_object();

	json_object_set(meta, MCP_META_SUBSCRIPTION, (json_t *)(uintptr_t)call->id);
	json_object_set_new(result, "_meta", meta);
	mcp_answer(call, result);
}

/* ---- following ---- */

static void note_item(struct listening *listening, struct event_item *item)
{
	for (int i = 0; i < listening->count; i++)
		listening->jobs[i].changed |= id_sequence(&listening->jobs[i].job) == item->sequence;
	event_item_release(item);
}

/* Takes what is there, as much as a queue holds. False: the host stops. */
static bool take_job_news(struct listening *listening)
{
	struct event_wait wait = { .timeout_ms = LIMIT_STREAM_LOOK_MS };
	enum event_news news = EVENT_NEWS;

	for (int i = 0; i < LIMIT_STREAM_QUEUE && news == EVENT_NEWS; i++) {
		news = event_await(listening->subscription, &wait);
		if (news == EVENT_NEWS)
			note_item(listening, wait.item);
		wait.timeout_ms = 0;
	}
	for (int i = 0; i < listening->count && news == EVENT_MISSED; i++)
		listening->jobs[i].changed = true;
	return news != EVENT_END;
}

static void follow_jobs(struct listening *listening)
{
	int64_t end = clock_monotonic_ns() + LIMIT_STREAM_SECONDS * 1000 * MILLISECOND_NS;
	bool goes_on = true;

	while (goes_on && clock_monotonic_ns() < end) {
		goes_on = take_job_news(listening);
		if (!tell_changes(listening) || !mcp_call_alive(listening->call))
			return;
	}
	end_gracefully(listening->call);
}

void mcp_listen(struct mcp_call *call)
{
	struct listening listening = { .call = call };
	const char *accepted = http_header(call->request, "Accept");

	if (accepted == NULL || strstr(accepted, "text/event-stream") == NULL) {
		mcp_answer_error(call, 406, MCP_INVALID_REQUEST, NULL,
			"subscriptions/listen is answered by a stream: accept text/event-stream");
		return;
	}
	if (!read_filter(&listening) || !subscribe_to_jobs(&listening))
		return;
	if (mcp_stream_begin(call) && acknowledge(&listening))
		follow_jobs(&listening);
	event_unsubscribe(listening.subscription);
}
