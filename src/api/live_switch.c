/* live_switch.c - stops and starts all live execution by request, and says how it stands. HTTP threads. */
#include "api/live_switch.h"

#include "api/access.h"
#include "api/answer.h"
#include "api/budget.h"
#include "base/json.h"
#include "base/limits.h"

static void send_state(struct host *host, struct http_request *request, bool stopped)
{
	struct live_counts counts = live_counts(host->live);
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_text(&out, "{\"ok\":true,\"stopped\":");
	json_write_bool(&out, stopped);
	buffer_text(&out, ",\"enabled\":");
	json_write_bool(&out, request->view->config->live.enabled);
	if (access_owner(request) == NULL)
		buffer_format(&out, ",\"jobs\":{\"queued\":%zu,\"sending\":%zu,\"sent\":%zu,\"unknown\":%zu},", counts.queued,
			counts.sending, counts.sent, counts.unknown);
	else
		buffer_text(&out, ",\"jobs\":null,"); /* they are everybody's */
	budget_write_today(&out, host, request);
	buffer_char(&out, '}');
	answer_json(request, 200, NULL, &out);
	buffer_free(&out);
}

void live_state_handle(struct host *host, struct http_request *request)
{
	send_state(host, request, live_look_at_switch(host->live));
}

/* Says what this request did, whoever turns the switch meanwhile. */
static void turn_switch(struct host *host, struct http_request *request, bool stop)
{
	struct error error;

	if (live_switch(host->live, stop, &error) != ERROR_NONE) {
		answer_problem(request, 503, NULL, error.message);
		return;
	}
	send_state(host, request, stop);
}

void live_stop_handle(struct host *host, struct http_request *request)
{
	turn_switch(host, request, true);
}

void live_start_handle(struct host *host, struct http_request *request)
{
	turn_switch(host, request, false);
}
