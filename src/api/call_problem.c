/* call_problem.c - says what became of a call that has no outcome. HTTP threads; no state. */
#include "api/call_problem.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"

#define DETAIL_BYTES 320

const char call_left_early[] = "the client closed its side of the connection before the answer was there";

void call_problem_resting(struct incoming *incoming)
{
	int64_t seconds = provider_resting_ms(incoming->provider) / 1000 + 1;
	char detail[DETAIL_BYTES];

	if (incoming->provider->stood_still) { /* waiting does not help */
		provider_rest_reason(incoming->provider, detail, sizeof detail);
		incoming_problem(incoming, 503, NULL, detail);
		return;
	}
	snprintf(detail, sizeof detail,
		"%s rests for another %lld s: it was stopped %d times within %d s for going over its limits; a saved change "
		"wakes it",
		incoming->provider->file, (long long)seconds, LIMIT_SCRIPT_KILLS, LIMIT_SCRIPT_KILL_WINDOW_MS / 1000);
	incoming_retry(incoming, seconds, detail);
}

void call_problem_crowded(struct incoming *incoming, int seconds)
{
	char detail[DETAIL_BYTES];

	snprintf(detail, sizeof detail, "%s is busy: %d calls are waiting for it, the maximum", incoming->provider->file,
		LIMIT_SCRIPT_QUEUE);
	incoming_retry(incoming, seconds, detail);
}

void call_problem_busy(struct incoming *incoming, int seconds)
{
	incoming_retry(incoming, seconds, "the host is busy: too many calls are waiting");
}

void call_problem_late(struct incoming *incoming, const char *why, int seconds)
{
	char detail[DETAIL_BYTES];

	snprintf(detail, sizeof detail, "%s: nothing was done, and no job was registered", why);
	incoming_retry(incoming, seconds, detail);
}

void call_problem_unsure(struct incoming *incoming, const struct id *id)
{
	char job_id[ID_TEXT_BYTES], headers[160], members[80];

	id_format(id, job_id);
	snprintf(headers, sizeof headers, "Location: /api/jobs/status/%s\r\n", job_id);
	snprintf(members, sizeof members, "\"job_id\":\"%s\",", job_id);
	incoming_problem_with(incoming, 504,
		"the registry has not answered yet: the job may be registered. Look at its status before you send it again (404: "
		"it was not)",
		headers, members);
}

void call_problem_failed(struct incoming *incoming, const struct script_call *call)
{
	const char *prefix = script_call_prefix(call);
	char path[sizeof call->error.path + 8];

	if (call->outcome == CALL_INVALID) {
		snprintf(path, sizeof path, "%s%s%s", prefix, *prefix != '\0' && call->error.path[0] != '\0' ? "." : "",
			call->error.path);
		incoming_problem(incoming, 400, path, call->error.message);
	} else if (call->outcome == CALL_RESTING) {
		call_problem_resting(incoming);
	} else if (call->error.code == ERROR_MEMORY) {
		incoming_no_memory(incoming);
	} else {
		log_message(LOG_ERROR, "script.failed", "%s", call->error.message);
		incoming_problem(incoming, 500, NULL, call->error.message);
	}
}
