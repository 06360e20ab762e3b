/* wait.c - follows one job in the log of events, and looks at its row when there is news. HTTP threads; the subscription is the call's own.
 *
 * First it subscribes, then it reads the row: no end comes in between unseen. A subscription is a stream's place (server.max_streams), so that agents who
 * wait leave threads for all else. */
#include "mcp/wait.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "event/hub.h"
#include "registry/task.h"

#define MILLISECOND_NS 1000000LL
#define MESSAGE_BYTES 64
#define GROWTH 0.02 /* of what is left */

struct waiting {
	struct mcp_call *call;
	const struct mcp_job_reader *reader;
	struct event_subscription *subscription;
	struct mcp_job *job;
	int64_t until_ns;
	/* what was told last, and when something is to be told whether or not it has come further */
	double told;
	enum task_status told_status;
	int64_t tell_ns;
};

static int most_waiting(const struct mcp_call *call)
{
	int most = call->request->view->config->server.max_streams;

	return most < call->host->most_streams ? most : call->host->most_streams;
}

static bool subscribe_to(struct waiting *waiting, const struct id *id)
{
	struct event_filter filter = { .of_job = true, .job = *id };
	struct error error;
	int64_t from = 0;

	return event_subscribe(waiting->reader->host->events, &filter, EVENT_BRIEF, most_waiting(waiting->call),
		       &waiting->subscription, &from, &error) == ERROR_NONE;
}

static bool read_again(struct waiting *waiting)
{
	struct mcp_job now;
	struct error error;

	if (mcp_job_read(waiting->reader, &waiting->job->id, &now, &error) != ERROR_NONE) {
		mcp_job_close(&now);
		return false;
	}
	mcp_job_close(waiting->job);
	*waiting->job = now;
	return true;
}

/* It has come so far; where the vendor does not say, a little further than what was told last, for what is told must grow (and a client that hears nothing
 * gives up). Below 0: there is nothing to tell yet. */
static double next_progress(const struct waiting *waiting, int64_t now_ns)
{
	const struct mcp_job *job = waiting->job;

	if (job->progress > waiting->told)
		return job->progress;
	if (job->status == waiting->told_status && now_ns < waiting->tell_ns)
		return -1;
	return waiting->told + (1 - waiting->told) * GROWTH;
}

static bool tell_progress(struct waiting *waiting, int64_t now_ns)
{
	const struct mcp_job *job = waiting->job;
	double progress = next_progress(waiting, now_ns);
	char message[MESSAGE_BYTES];

	if (progress < 0)
		return mcp_call_alive(waiting->call);
	waiting->told = progress;
	waiting->told_status = job->status;
	waiting->tell_ns = now_ns + LIMIT_MCP_PROGRESS_MS * MILLISECOND_NS;
	if (job->eta_ms > 0)
		snprintf(message, sizeof message, "%s, about %lld s left", task_status_name(job->status),
			(long long)((job->eta_ms + 999) / 1000));
	else
		snprintf(message, sizeof message, "%s", task_status_name(job->status));
	return mcp_call_progress(waiting->call, progress, 1, message);
}

/* False: the host stops. What the event says does not matter: the row is newer. */
static bool await_change(const struct waiting *waiting, int64_t now_ns)
{
	int64_t left_ms = (waiting->until_ns - now_ns) / MILLISECOND_NS + 1;
	struct event_wait wait = { .timeout_ms = left_ms < LIMIT_STREAM_LOOK_MS ? (int)left_ms : LIMIT_STREAM_LOOK_MS };
	enum event_news news = event_await(waiting->subscription, &wait);

	if (news == EVENT_NEWS)
		event_item_release(wait.item);
	return news != EVENT_END;
}

static enum mcp_waited wait_on(struct waiting *waiting)
{
	int64_t now_ns = clock_monotonic_ns();

	while (read_again(waiting) && waiting->job->open) {
		if (!tell_progress(waiting, now_ns))
			return MCP_LEFT;
		if (now_ns >= waiting->until_ns)
			break;
		if (http_is_short(waiting->call->request) || !await_change(waiting, now_ns))
			return MCP_NOT_WAITED;
		now_ns = clock_monotonic_ns();
	}
	return mcp_call_alive(waiting->call) ? MCP_WAITED : MCP_LEFT;
}

enum mcp_waited mcp_wait(struct mcp_call *call, const struct mcp_job_reader *reader, int seconds, struct mcp_job *job)
{
	struct waiting waiting = { .call = call, .reader = reader, .job = job, .told = -1 };
	enum mcp_waited waited;

	if (http_is_short(call->request) || !subscribe_to(&waiting, &job->id))
		return MCP_NOT_WAITED;
	waiting.until_ns = clock_monotonic_ns() + seconds * 1000 * MILLISECOND_NS;
	waited = wait_on(&waiting);
	event_unsubscribe(waiting.subscription);
	return waited;
}
