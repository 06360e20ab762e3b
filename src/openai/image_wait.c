/* image_wait.c - waits in slices: the registry is looked at after each, since a job whose outcome is unknown does not end by itself. */
#include "openai/image_wait.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"

#define MARGIN_MS 5000	   /* between our answer and the end of the client's patience */
#define LEAST_WAIT_MS 1000 /* whatever the client says */
#define SLICE_MS 3000

/* Seconds, as the SDKs write them. Negative: it is not said. */
static double told_seconds(const struct http_request *request, const char *name)
{
	const char *text = http_header(request, name);
	char *end;
	double seconds;

	if (text == NULL)
		return -1;
	seconds = strtod(text, &end);
	return end != text && *end == '\0' && seconds > 0 && seconds < 1e6 ? seconds : -1;
}

int64_t image_patience_ms(const struct http_request *request)
{
	static const char *const names[] = { "x-stainless-timeout", "x-stainless-read-timeout" };
	int64_t most = request->view->config->openai.wait_seconds * INT64_C(1000), told;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		double seconds = told_seconds(request, names[i]);

		if (seconds < 0)
			continue;
		told = (int64_t)(seconds * 1000) - MARGIN_MS;
		if (told < LEAST_WAIT_MS)
			told = LEAST_WAIT_MS;
		most = told < most ? told : most;
	}
	return most;
}

struct waiting {
	struct host *host;
	struct http_request *request;
	struct http_stream *stream;
};

static bool is_over(void *context)
{
	const struct waiting *waiting = context;

	return atomic_load_explicit(&waiting->host->draining, memory_order_relaxed) || http_is_short(waiting->request) ||
	       (waiting->stream != NULL ? http_stream_gone(waiting->stream) : http_client_left(http_socket(waiting->request)));
}

/* A proxy ends a connection on which nothing comes. */
static bool comment(struct http_stream *stream, int64_t *next_ns)
{
	static const char text[] = ": the job goes on\n\n";
	int64_t now = clock_monotonic_ns();

	if (stream == NULL || now < *next_ns)
		return true;
	*next_ns = now + LIMIT_STREAM_HEARTBEAT_MS * INT64_C(1000000);
	return http_stream_write(stream, text, sizeof text - 1, LIMIT_STREAM_WRITE_MS);
}

/* The registry cannot be read: it goes on, as far as anybody knows. */
static void fill_unread(const struct id *job, struct openai_outcome *outcome)
{
	*outcome = (struct openai_outcome){ .stage = OPENAI_OPEN,
		.status = 424,
		.type = "provider_error",
		.code = "still_running",
		.should_retry = 1,
		.retry_after_ms = 1000,
		.billed = -1,
		.message = "The job was begun, and the host cannot read how it stands just now. Do not send it again as a new "
			   "request." };
	id_format(job, outcome->job_id);
}

static void look(struct host *host, const struct id *job, struct openai_outcome *outcome)
{
	struct error error;

	if (openai_outcome_read(host, job, outcome, &error) != ERROR_NONE)
		fill_unread(job, outcome);
}

void image_wait(struct host *host, struct http_request *request, struct http_stream *stream, const struct id *job,
	int64_t patience_ms, struct openai_outcome *outcome)
{
	struct waiting waiting = { .host = host, .request = request, .stream = stream };
	struct live_patience patience = { .over = is_over, .context = &waiting };
	int64_t until = clock_monotonic_ns() + patience_ms * 1000000, next_ns = 0, left_ms;
	bool ended = false;

	look(host, job, outcome);
	while (outcome->stage == OPENAI_OPEN && !ended && comment(stream, &next_ns)) {
		left_ms = (until - clock_monotonic_ns()) / 1000000;
		if (left_ms <= 0 || is_over(&waiting))
			break;
		patience.timeout_ms = left_ms < SLICE_MS ? (int)left_ms : SLICE_MS;
		ended = live_wait(host->live, job, &patience);
		openai_outcome_close(outcome);
		look(host, job, outcome);
	}
}
