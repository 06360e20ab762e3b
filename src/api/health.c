/* health.c - asks a provider's script how its vendor does: a preview, or a live call that may cost nothing (live_probe.h). HTTP threads. */
#include "api/envelope.h"
#include "api/last_probe.h"
#include "api/live_probe.h"
#include "api/provider_call.h"
#include "api/providers.h"
#include "base/json.h"
#include "base/limits.h"

/* For the catalogue. One that a switch held back was not sent; a vendor that could not be reached was asked. */
static void note_probe(const struct incoming *incoming, const struct engine_call *call)
{
	if (call->call.requests > 0 && !call->denied && call->call.result.length > 0)
		last_probes_note(
			incoming->host->last_probes, incoming->provider->manifest.id, call->call.kind, call->call.result.data);
}

/* ---- the answer ---- */

static void answer_health(struct incoming *incoming, const struct script_call *call)
{
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_reserve(&out, ENVELOPE_USUAL_BYTES + strlen(incoming->as->common) + call->upstream.length + call->result.length);
	buffer_char(&out, '{');
	envelope_write_members(&out, incoming->as, incoming->verdict_json, incoming->liveness);
	buffer_text(&out, "\"id\":");
	json_write_text(&out, incoming->provider->manifest.id);
	buffer_char(&out, ',');
	envelope_write_json(&out, "upstream", &call->upstream);
	envelope_write_json(&out, "probe", &call->result);
	envelope_write_causes(&out, incoming->verdict_json, call, incoming->liveness);
	buffer_char(&out, '}');
	providers_send(incoming, &out);
	buffer_free(&out);
}

static void tell_health(struct incoming *incoming, struct script_call *call)
{
	answer_health(incoming, call);
	providers_log(incoming, "health", NULL);
}

static void probe_live(struct incoming *incoming)
{
	struct live_probe *probe = live_probe_run(incoming);

	if (probe == NULL)
		return;
	note_probe(incoming, live_probe_call(probe));
	tell_health(incoming, &live_probe_call(probe)->call);
	live_probe_release(probe);
}

static void show_probe(struct incoming *incoming)
{
	struct provider_call *call = provider_call_new(incoming, FUNCTION_HEALTH, NULL);

	if (provider_call_run(call, incoming)) {
		if (incoming->liveness == LIVENESS_ASKED && live_is_stopped(incoming->host->live))
			envelope_add_stopped(&call->script);
		tell_health(incoming, &call->script);
	}
	provider_call_free(call);
}

void health_handle(struct incoming *incoming)
{
	if (incoming->liveness == LIVENESS_LIVE)
		probe_live(incoming);
	else
		show_probe(incoming);
}
