/* quoted.c - makes bodies of the REST API out of a tool's arguments. No state. */
#include "mcp/quoted.h"

#include <stdio.h>
#include <string.h>

#include "api/incoming.h"
#include "base/micro_usd.h"
#include "gate/mask.h"
#include "gate/mask_known.h"
#include "mcp/model_facts.h"

void mcp_provider_path(const char *kind, const char *provider, const char *verb, char path[MCP_PATH_BYTES])
{
	snprintf(path, MCP_PATH_BYTES, "%s%s/%s", mcp_kind_path(kind), provider, verb);
}

json_t *mcp_submit_body(const json_t *body, bool dry_run, int64_t max_cost, const char *sha256)
{
	json_t *made = json_copy((json_t *)(uintptr_t)body); /* shallow: it counts references, and is not changed */

	json_object_set_new(made, "dry_run", json_boolean(dry_run));
	if (max_cost >= 0)
		json_object_set_new(made, "max_cost_usd", json_real(micro_usd_dollars(max_cost)));
	if (sha256 != NULL)
		json_object_set_new(made, "expect_upstream_sha256", json_string(sha256));
	return made;
}

static json_t *write_submit_body(const struct mcp_call *call, bool is_job)
{
	static const char *const names[] = { "prompt", "model", "mode", "parameters" };
	json_t *body = json_object();

	if (is_job) {
		json_object_set(body, "job", (json_t *)(uintptr_t)mcp_argument_value(call, "job"));
		return body;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		json_t *value = json_object_get(call->arguments, names[i]);

		if (value != NULL && !json_is_null(value))
			json_object_set(body, names[i], value);
	}
	return body;
}

/* What is kept is what will be sent: a request that would have to be masked is no quote. */
static bool check_secrets(struct mcp_call *call, json_t *body)
{
	struct mask_index *own = mask_index_new();
	json_t *masked = NULL;
	bool changed = true;

	incoming_add_key(own, call->request);
	if (mask_index_ready(own))
		masked = mask_json_with(call->request->view, own, body, &changed);
	mask_index_free(own);
	if (masked == NULL)
		mcp_call_refuse(call, "busy", "there is no memory for it now: call again in some seconds");
	else if (changed)
		mcp_call_refuse(call, "invalid_arguments",
			"the request carries what looks like a credential, which is neither kept nor sent: take it out");
	json_decref(masked);
	return masked != NULL && !changed;
}

static bool choose_kind(struct mcp_call *call, const struct provider *provider, bool is_job, const char **kind)
{
	*kind = mcp_kind_of(call, provider, mcp_argument_text(call, "model"), is_job);
	if (*kind == NULL)
		mcp_call_refuse(
			call, "invalid_arguments", "%s takes no `job`: give model, prompt and parameters", provider->manifest.id);
	else if (strcmp(*kind, "gpu") == 0 && !is_job)
		mcp_call_refuse(call, "invalid_arguments",
			"%s runs GPU jobs: give `job`, in the vendor's words; describe_model shows what belongs in it",
			provider->manifest.id);
	else
		return true;
	return false;
}

bool mcp_wanted_read(struct mcp_call *call, struct mcp_wanted *wanted)
{
	bool is_job = mcp_argument_value(call, "job") != NULL;
	const struct provider *provider;

	*wanted = (struct mcp_wanted){ .set = provider_loader_acquire(call->host->loader) };
	provider = provider_set_find(wanted->set, NULL, mcp_argument_text(call, "provider"));
	if (provider == NULL) {
		mcp_refuse_provider(call, wanted->set);
		return false;
	}
	wanted->provider = provider->manifest.id;
	if (!choose_kind(call, provider, is_job, &wanted->kind))
		return false;
	wanted->body = write_submit_body(call, is_job);
	return check_secrets(call, wanted->body);
}

void mcp_wanted_close(struct mcp_wanted *wanted)
{
	json_decref(wanted->body);
	provider_set_release(wanted->set);
}
