/* health.c - asks a provider's script how its vendor does: a preview, or a live call that may cost nothing. HTTP threads; what is asked before a
 * request leaves runs on the engine's thread. */
#include "api/envelope.h"
#include "api/last_probe.h"
#include "api/pending_call.h"
#include "api/providers.h"
#include "base/json.h"
#include "base/limits.h"

/* ---- a live call ---- */

/* Why nothing may be sent to the provider now, or NULL. */
static const char *probe_held_back(const struct engine_call *call)
{
	const struct pending_call *pending =
		(const struct pending_call *)(const void *)((const char *)call - offsetof(struct pending_call, call));

	return live_held_back(pending->host->live, call->call.kind->name, call->call.provider->manifest.id);
}

static bool probe_may_leave(const struct engine_call *call)
{
	return probe_held_back(call) == NULL;
}

/* The switches are looked at before each request, and nothing is paid. */
static void before_probing(struct engine_call *call)
{
	const char *why = probe_held_back(call);

	if (why == NULL && outgoing_may_cost(&call->call.outgoing))
		why = "only a job may send what may cost something";
	if (why != NULL)
		engine_deny(call, "held", why);
	else
		engine_send(call);
}

static void probe_live(struct pending_call *pending)
{
	pending->call.call.dry_run = false;
	pending->call.before_sending = before_probing;
	pending->call.may_leave = probe_may_leave;
	pending_call_open_way(pending);
}

/* For the catalogue. One that a switch held back was not sent; a vendor that could not be reached was asked. */
static void note_probe(const struct incoming *incoming, const struct engine_call *call)
{
	if (incoming->liveness == LIVENESS_LIVE && call->call.requests > 0 && !call->denied && call->call.result.length > 0)
		last_probes_note(
			incoming->host->last_probes, incoming->provider->manifest.id, call->call.kind, call->call.result.data);
}

/* ---- the answer ---- */

static void answer_health(struct incoming *incoming, const struct script_call *call)
{
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
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

void health_handle(struct incoming *incoming)
{
	struct pending_call *pending = pending_call_new(incoming, FUNCTION_HEALTH, NULL);

	if (incoming->liveness == LIVENESS_LIVE)
		probe_live(pending);
	if (pending_call_run(pending, incoming)) {
		if (incoming->liveness == LIVENESS_ASKED && live_is_stopped(incoming->host->live))
			envelope_add_stopped(&pending->call.call);
		note_probe(incoming, &pending->call);
		answer_health(incoming, &pending->call.call);
		providers_log(incoming, "health", NULL);
	}
	pending_call_release(pending);
}
