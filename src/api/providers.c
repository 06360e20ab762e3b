/* providers.c - reads a request for a provider and hands it to its verb. HTTP threads. */
#include "api/providers.h"

#include "api/inputs.h"
#include "api/models.h"
#include "api/preview.h"
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

/* What every verb begins and ends with. */
static void answer_verb(struct incoming *incoming, void (*answer)(struct incoming *incoming))
{
	if (incoming_open(incoming))
		answer(incoming);
	incoming_close(incoming);
}

void providers_health(struct host *host, struct http_request *request, const char *kind, const char *name)
{
	answer_verb(&(struct incoming){ .host = host, .http = request, .kind = kind, .verb = VERB_HEALTH, .name = name },
		health_handle);
}

void providers_submit(struct host *host, struct http_request *request, const char *kind, const char *name)
{
	answer_verb(&(struct incoming){ .host = host, .http = request, .kind = kind, .verb = VERB_SUBMIT, .name = name },
		submit_handle);
}

void providers_poll(struct host *host, struct http_request *request, const char *kind, const char *name)
{
	answer_verb(
		&(struct incoming){ .host = host, .http = request, .kind = kind, .verb = VERB_POLL, .name = name }, poll_handle);
}

void providers_inputs(struct host *host, struct http_request *request, const char *kind, const char *name)
{
	answer_verb(&(struct incoming){ .host = host, .http = request, .kind = kind, .verb = VERB_INPUTS, .name = name },
		inputs_handle);
}

void providers_models(struct host *host, struct http_request *request, const char *kind, const char *name)
{
	answer_verb(&(struct incoming){ .host = host, .http = request, .kind = kind, .verb = VERB_MODELS, .name = name },
		models_handle);
}

void providers_generate(struct host *host, struct http_request *request, const char *kind, const char *name)
{
	(void)name;
	answer_verb(&(struct incoming){ .host = host, .http = request, .kind = kind, .verb = VERB_GENERATE }, submit_handle);
}

/* Of submit, or of generate, whose body names the provider. */
void providers_preview(struct host *host, struct http_request *request, const char *kind, const char *name)
{
	bool named = *name != '\0';

	answer_verb(&(struct incoming){ .host = host,
			    .http = request,
			    .kind = kind,
			    .verb = named ? VERB_SUBMIT : VERB_GENERATE,
			    .preview = true,
			    .name = named ? name : NULL },
		preview_handle);
}
