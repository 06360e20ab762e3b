/* providers.c - reads a request for a provider and hands it to its verb. HTTP threads. */
#include "api/providers.h"

#include "api/submit.h"
#include "event/event_log.h"

void providers_log(const struct incoming *incoming, const char *verb, const char *job_id)
{
	event_log(&(struct event){
		.kind = incoming->kind,
		.verb = verb,
		.provider = incoming->provider->manifest.id,
		.dry_run = incoming->liveness != LIVENESS_LIVE,
		.execution_allowed = incoming->verdict_json->execution_allowed,
		.job_id = job_id,
		.request_id = incoming->http->request_id,
		.trace = incoming->http->trace,
		.caller = incoming->http->api_key != NULL ? incoming->http->api_key->name : NULL,
		.estimate_micro_usd = -1,
	});
}

void providers_send(struct incoming *incoming, const struct buffer *out)
{
	if (out->failed)
		incoming_no_memory(incoming);
	else
		http_send(incoming->http, &(struct http_reply){ .status = 200, .body = out->data, .body_length = out->length });
}

void providers_handle(struct host *host, struct http_request *request, const char *kind, enum verb verb, const char *name)
{
	struct incoming incoming;

	if (incoming_open(&incoming, host, request, kind, verb, name)) {
		switch (verb) {
		case VERB_HEALTH: health_handle(&incoming); break;
		case VERB_POLL: poll_handle(&incoming); break;
		case VERB_SUBMIT:
		case VERB_GENERATE: submit_handle(&incoming); break;
		}
	}
	incoming_close(&incoming);
}
