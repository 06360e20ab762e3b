/* engine_call.c - one call's life: it runs, its request leaves or does not, it goes on with the answer, it is done. Engine thread.
 *
 * How its paid requests ended is said here, by what the connection did, and not by the script. */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "engine/internal.h"

static struct engine_call *call_of(struct transfer *transfer)
{
	return (struct engine_call *)(void *)((char *)transfer - offsetof(struct engine_call, transfer));
}

static bool is_unwanted(const struct engine_call *call)
{
	return call->unwanted != NULL && call->unwanted(call);
}

void call_begin(struct engine_call *call, struct engine *engine, bool here)
{
	call->engine = engine;
	call->posted_ns = clock_monotonic_ns();
	call->ran_ns = call->sent_ns = 0;
	call->here = here;
	call->sending = SENDING_NOTHING;
	call->taken = 0;
	call->denied = false;
	call->failure[0] = '\0';
}

/* ---- its requests ---- */

void engine_way_open(struct engine_way *way, const struct gate_view *view, const struct provider *provider)
{
	*way = (struct engine_way){ .view = view, .detour = provider_detour(provider, view) };
}

void transfer_aim(struct transfer *transfer, const struct engine_way *way, const struct provider *provider)
{
	transfer->detour = way->detour;
	transfer->view = way->view;
	transfer->subject = &provider->subject;
	transfer->sink = NULL;
	transfer->references = false;
	transfer->token = NULL;
	transfer->dispensable = false;
	transfer->may_leave = NULL;
}

/* The last part of a webhook's URL opens it: who knows it can speak for the vendor. */
static const char *token_of(const char *webhook_url)
{
	const char *slash = webhook_url != NULL ? strrchr(webhook_url, '/') : NULL;

	return slash != NULL && slash[1] != '\0' ? slash + 1 : NULL;
}

static bool call_may_leave(struct transfer *transfer)
{
	struct engine_call *call = call_of(transfer);
	bool may = call->may_leave == NULL || call->may_leave(call);

	call->denied |= !may;
	return may;
}

static void call_answered(struct transfer *transfer)
{
	struct engine_call *call = call_of(transfer);

	mailbox_put(&call->engine->mailbox, call, RUN_ANSWERED);
}

void engine_send(struct engine_call *call)
{
	struct transfer *transfer = &call->transfer;

	call->sent_ns = clock_monotonic_ns();
	transfer->outgoing = &call->call.outgoing;
	transfer_aim(transfer, &call->way, call->call.provider);
	transfer->references = call->call.function != FUNCTION_SUBMIT; /* what a job is polled by came from the vendor */
	transfer->token = token_of(call->call.webhook_url);
	transfer->dispensable = manifest_function_is_of_directory(call->call.function);
	transfer->may_leave = call_may_leave;
	transfer->done = call_answered;
	transfer_start(call->engine->loop, transfer);
}

void engine_deny(struct engine_call *call, const char *kind, const char *message)
{
	call->denied = true;
	response_fail(&call->transfer.response, kind, message);
	call_answered(&call->transfer);
}

static void send_request(struct engine_call *call)
{
	call->sent_ns = 0;
	response_init(&call->transfer.response);
	if (call->call.function == FUNCTION_HEALTH)
		call->transfer.response.body.maximum = LIMIT_HEALTH_RESPONSE_BYTES;
	if (is_unwanted(call))
		engine_deny(call, "held", "nobody waits for it any more");
	else if (call->before_sending != NULL)
		call->before_sending(call);
	else if (outgoing_may_cost(&call->call.outgoing))
		engine_deny(call, "held", "only a job may send what may cost something");
	else
		engine_send(call);
}

void call_settle(struct engine_call *call)
{
	if (call->call.outcome == CALL_WAITING)
		send_request(call);
	else
		call->done(call);
}

/* ---- their answers ---- */

/* One whose answer is unknown stays so, whatever comes after it; and after one that was answered there is no "nothing was sent": the whole call
 * would be made again, and the first request with it. What became of such a call the script says. */
static void note_sending(struct engine_call *call)
{
	const struct response *response = &call->transfer.response;

	if (!outgoing_may_cost(&call->call.outgoing))
		return;
	if (!response_was_never_sent(response) && !response_puts_off(response))
		call->taken++;
	if (call->sending == SENDING_UNKNOWN)
		return;
	if (call->sending == SENDING_ANSWERED && response_was_never_sent(response))
		return;
	call->failure[0] = '\0';
	call->sending = SENDING_ANSWERED;
	if (!response->failed)
		return;
	memcpy(call->failure, response->kind, sizeof call->failure);
	call->sending = response_was_never_sent(response) ? SENDING_NOTHING : SENDING_UNKNOWN;
}

/* One that was denied never left. */
static void note_answer(struct engine_call *call)
{
	if (call->sent_ns != 0)
		figures_note_answer(&call->engine->figures, call->call.provider->manifest.id, &call->transfer.response,
			(clock_monotonic_ns() - call->sent_ns) / 1000);
	call->sent_ns = 0;
}

/* Never from inside curl, which may not be called from there: a script may ask for its next request. */
static void run_answered(struct engine_call *call)
{
	note_sending(call);
	note_answer(call);
	response_restore(&call->transfer.response, &call->way.detour);
	if (call->answered != NULL)
		call->answered(call);
	if (is_unwanted(call))
		script_call_abandon(&call->call);
	else
		script_call_resume(&call->call, &call->transfer.response);
	response_clear(&call->transfer.response);
}

static void run_fresh(struct engine_call *call)
{
	struct script_call *script = &call->call;
	struct script_instance *instance = NULL;

	if (provider_rests(script->provider))
		script->outcome = CALL_RESTING;
	else if ((instance = provider_live_instance(script->provider, &script->error)) != NULL)
		script_call_run(script, instance);
	else
		script->outcome = CALL_FAILED;
}

void call_run(struct engine_call *call, enum run_kind kind)
{
	if (kind == RUN_ANSWERED)
		run_answered(call);
	else if (is_unwanted(call))
		script_call_abandon(&call->call);
	else if (kind == RUN_PAUSED)
		script_call_continue(&call->call);
	else
		run_fresh(call);
}
