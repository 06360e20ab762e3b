/* event_stream.c - follows the log for one client. HTTP threads.
 *
 * First it subscribes, then it reads the past from the log, then it goes on with what the hub brings, leaving out what the log had already: so
 * nothing is missing between the two, and nothing comes twice. Whoever falls behind the hub reads from the log again. A client that takes
 * nothing is dropped; by the number of the last event that it got it can go on later. */
#include <stdio.h>
#include <string.h>

#include "api/event_query.h"
#include "api/events.h"
#include "api/query.h"
#include "api/answer.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "event/hub.h"
#include "http/stream.h"
#include "event/event_json.h"

#define WRITE_BYTES 65536 /* of the past are gathered before they are written */
#define KEPT_BYTES 4096	  /* of the buffer, while nothing happens */
#define MILLISECOND_NS 1000000LL

struct following {
	struct host *host;
	struct http_stream stream;
	struct event_filter filter;
	enum event_form form;
	struct event_subscription *subscription;
	struct buffer out;
	int64_t last;	/* everything up to this number was sent, or does not pass */
	int64_t newest; /* of the log, when the client came */
	int64_t sent;
	int64_t beat_ns, end_ns; /* when something must be written, and when it ends */
	int64_t look_ns;	 /* when its key is looked at again */
	bool until_over;	 /* of one job, until that is over */
	const char *ending;	 /* why it ended, for the log; NULL: it goes on */
};

static bool write_out(struct following *following, const char *text, size_t length)
{
	if (!http_stream_write(&following->stream, text, length, LIMIT_STREAM_WRITE_MS)) {
		following->ending = "the client left, or took too long";
		return false;
	}
	following->beat_ns = clock_monotonic_ns() + LIMIT_STREAM_HEARTBEAT_MS * MILLISECOND_NS;
	return true;
}

/* ---- what is due whether something happens or not ---- */

static void say_farewell(struct following *following, const char *word, const char *why)
{
	char comment[160];
	int length = snprintf(comment, sizeof comment, ": %s\n\n", word);

	write_out(following, comment, (size_t)length);
	following->ending = why;
}

/* The files may have changed since the client was let in. */
static void look_at_key(struct following *following, int64_t now)
{
	const char *refusal = http_stream_refusal(&following->stream);

	following->look_ns = now + LIMIT_STREAM_LOOK_MS * MILLISECOND_NS;
	if (refusal != NULL)
		say_farewell(following, refusal, refusal);
}

static void keep_time(struct following *following)
{
	static const char heartbeat[] = ": still here\n\n";
	int64_t now = clock_monotonic_ns();

	if (now >= following->look_ns)
		look_at_key(following, now);
	if (following->ending != NULL)
		return;
	if (now >= following->end_ns)
		say_farewell(following, "ask again, with Last-Event-ID", "it lasted long enough");
	else if (now >= following->beat_ns)
		write_out(following, heartbeat, sizeof heartbeat - 1);
}

/* ---- the past ---- */

static bool stream_add_event(void *context, const struct event_row *row)
{
	struct following *following = context;

	event_json_write_stream(&following->out, row, following->form);
	following->sent++;
	return following->out.length < WRITE_BYTES;
}

/* Sends what the log holds after `last`, to its end. */
static bool catch_up(struct following *following)
{
	struct event_walk walk = { .filter = &following->filter, .after = following->last, .limit = LIMIT_EVENT_BATCH };
	struct error error;

	while (!walk.ended && following->ending == NULL) {
		buffer_clear(&following->out);
		if (task_store_events(following->host->store, &walk, stream_add_event, following, &error) != ERROR_NONE)
			following->ending = "the log cannot be read";
		else if (following->out.failed)
			following->ending = "out of memory";
		else if (following->out.length > 0)
			write_out(following, following->out.data, following->out.length);
		following->last = walk.after;
		if (following->ending == NULL)
			keep_time(following);
	}
	buffer_reset(&following->out, KEPT_BYTES);
	return following->ending == NULL;
}

/* ---- one job ---- */

static void note_over(void *context, const struct task *task)
{
	*(bool *)context = task->live == NULL || task->live->phase == LIVE_ENDED;
}

/* Ends the stream when the job is over and all its events were sent: what was committed before the job is looked at is read after. */
static void end_with_job(struct following *following)
{
	struct error error;
	bool over = false;

	if (task_store_get(following->host->store, &following->filter.job, note_over, &over, &error) != ERROR_NONE)
		following->ending = "the job cannot be read";
	else if (over && catch_up(following))
		following->ending = "the job is over";
}

/* ---- the present ---- */

/* Waits for news, and notes what the hub has sent meanwhile. */
static enum event_news await_news(struct following *following, struct event_wait *wait, int timeout_ms)
{
	enum event_news news;

	wait->timeout_ms = timeout_ms;
	wait->last = following->last;
	news = event_await(following->subscription, wait);
	if (wait->pushed > 0) {
		following->last = wait->last;
		following->sent += wait->pushed;
		following->beat_ns = clock_monotonic_ns() + LIMIT_STREAM_HEARTBEAT_MS * MILLISECOND_NS;
	}
	return news;
}

static void stream_add_item(struct following *following, struct event_item *item, size_t begun)
{
	if (item->number > following->last) {
		following->last = item->number;
		following->sent++;
		buffer_append(&following->out, item->texts[following->form] + begun, item->lengths[following->form] - begun);
	}
	event_item_release(item);
}

static void note_news(struct following *following, enum event_news news)
{
	if (news == EVENT_MISSED)
		catch_up(following);
	else if (news == EVENT_END)
		following->ending = "the host stops";
}

/* Sends the item and all that wait behind it in one write: the more there is to do, the less one event costs. */
static void send_items(struct following *following, struct event_wait *wait)
{
	enum event_news news = EVENT_NEWS;

	buffer_clear(&following->out);
	while (news == EVENT_NEWS) {
		stream_add_item(following, wait->item, wait->begun);
		news = following->out.length < WRITE_BYTES ? await_news(following, wait, 0) : EVENT_SILENCE;
	}
	if (following->out.failed)
		following->ending = "out of memory";
	else if (following->out.length > 0)
		write_out(following, following->out.data, following->out.length);
	buffer_reset(&following->out, KEPT_BYTES);
	if (following->ending == NULL)
		note_news(following, news);
	if (following->until_over && following->ending == NULL)
		end_with_job(following);
}

/* The job's last event may be one that the filter keeps back. */
static void use_silence(struct following *following)
{
	const struct event_filter *filter = &following->filter;

	if (http_stream_gone(&following->stream))
		following->ending = "the client left";
	else if (following->until_over && (filter->type_count > 0 || filter->provider[0] != '\0'))
		end_with_job(following);
}

static void follow_present(struct following *following)
{
	/* who ends with a job must look at each event */
	struct event_wait wait = { .push = following->until_over ? NULL : http_stream_push, .context = &following->stream };
	enum event_news news;

	while (following->ending == NULL) {
		news = await_news(following, &wait, LIMIT_STREAM_LOOK_MS);
		switch (news) {
		case EVENT_NEWS: send_items(following, &wait); break;
		case EVENT_SILENCE: use_silence(following); break;
		default: note_news(following, news); break;
		}
		if (following->ending == NULL)
			keep_time(following);
	}
}

/* ---- from beginning to end ---- */

static void log_closed(const struct following *following, int64_t began_ns)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "stream.closed");
	log_text(&line, "path", following->stream.request->path);
	log_integer(&line, "events", following->sent);
	log_integer(&line, "ms", (clock_monotonic_ns() - began_ns) / MILLISECOND_NS);
	log_integer(&line, "last", following->last);
	log_text(&line, "reason", following->ending);
	log_text(&line, "request_id", following->stream.request->request_id);
	log_end(&line);
}

/* Without a number to resume from, it begins with what is written from now on: the hub may not have been told yet of what was answered. */
static bool subscribe(struct following *following, struct http_request *request)
{
	int64_t from = 0;
	int most = request->view->config->server.max_streams;
	struct error error;
	char detail[160];

	if (most > following->host->most_streams)
		most = following->host->most_streams;
	if (event_subscribe(following->host->events, &following->filter, following->form, most, &following->subscription, &from,
		    &error) == ERROR_NONE) {
		if (following->last < 0)
			following->last = from > following->newest ? from : following->newest;
		return true;
	}
	snprintf(detail, sizeof detail,
		"%d event streams are open: server.max_streams allows so many, and at most 3 of 4 server.threads", most);
	http_send_problem(request, &(struct http_problem){ .status = 503, .detail = detail, .headers = "Retry-After: 5\r\n" });
	return false;
}

/* A client that has had no event yet must know where it began, or it could not resume there: an id alone sets its Last-Event-ID (HTML, 9.2.6). */
static bool write_opening(struct following *following)
{
	char text[64];
	int length = snprintf(text, sizeof text, "retry: %d\nid: %lld\n\n", LIMIT_STREAM_RETRY_MS, (long long)following->last);

	return write_out(following, text, (size_t)length);
}

/* With a subscription it goes on, without one it ends after the past. */
static void run_stream(struct following *following, struct http_request *request)
{
	int64_t began = clock_monotonic_ns();

	if (http_stream_begin(request, &following->stream, "text/event-stream", NULL)) {
		following->end_ns = began + LIMIT_STREAM_SECONDS * 1000 * MILLISECOND_NS;
		if (write_opening(following) && catch_up(following) && following->until_over)
			end_with_job(following);
		if (following->subscription != NULL)
			follow_present(following);
		log_closed(following, began);
	}
	buffer_free(&following->out);
	if (following->subscription != NULL)
		event_unsubscribe(following->subscription);
}

/* A number beyond the newest is of another life of this home: there is nothing to resume. The registry itself is asked which that is: the client may come
 * from another host, which is ahead of this one. False: a problem was sent. */
static bool begin_following(struct following *following, struct host *host, struct http_request *request)
{
	struct error error;

	following->host = host;
	buffer_init(&following->out, LIMIT_REPLY_BYTES);
	if (!event_query_since(request, &following->last) || !event_query_form(request, &following->form))
		return false;
	if (task_store_find_newest_event(host->store, &following->newest, &error) != ERROR_NONE) {
		http_send_problem(request,
			&(struct http_problem){ .status = 503, .detail = error.message, .headers = "Retry-After: 1\r\n" });
		return false;
	}
	if (following->last > following->newest)
		following->last = -1;
	return true;
}

void events_stream(struct host *host, struct http_request *request)
{
	struct following following = { .ending = NULL };

	if (!event_query_filter(host, request, &following.filter) || !begin_following(&following, host, request) ||
		!subscribe(&following, request))
		return;
	run_stream(&following, request);
}

static bool find_job(struct host *host, struct http_request *request, const char *text, struct id *id, bool *over)
{
	struct error error;

	if (!query_job_id(request, text, id))
		return false;
	if (task_store_get(host->store, id, note_over, over, &error) == ERROR_NONE)
		return true;
	answer_no_job(request, &error);
	return false;
}

static bool stop_at_first(void *context, const struct event_row *row)
{
	(void)row;
	*(bool *)context = true;
	return false;
}

/* Has the log nothing of the job after `last`? */
static bool was_sent(struct following *following)
{
	struct event_walk walk = { .filter = &following->filter, .after = following->last, .limit = 1 };
	struct error error;
	bool found = false;

	return task_store_events(following->host->store, &walk, stop_at_first, &found, &error) == ERROR_NONE && !found;
}

/* A job's stream begins with its first event: who asks for a job wants to know how it came to where it is. When all of a job that is over was
 * sent before, 204 tells an EventSource not to come again. */
void events_of_job(struct host *host, struct http_request *request, const char *text)
{
	struct following following = { .until_over = true };
	char follow_asked[8] = "";
	bool over = false;

	if (http_query(request, "follow", follow_asked, sizeof follow_asked))
		following.until_over = strcmp(follow_asked, "0") == 0 || strcmp(follow_asked, "false") == 0;
	if (!event_query_filter(host, request, &following.filter) ||
		!find_job(host, request, text, &following.filter.job, &over) || !begin_following(&following, host, request))
		return;
	following.filter.of_job = true;
	following.last = following.last < 0 ? 0 : following.last;
	if (following.until_over && over && was_sent(&following))
		http_send(request, &(struct http_reply){ .status = 204 });
	else if ((following.until_over && over) || subscribe(&following, request))
		run_stream(&following, request);
}
