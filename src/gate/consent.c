/* consent.c - the table of names of the providers that come with the host, and the operator's word for all others. Pure.
 *
 * The names are those of the scripts' `credentials` and `aliases` (spec/api/consent_spec.lua compares them). They stand here once more since a
 * script cannot be its own witness. */
#include "gate/consent.h"

#include <string.h>
#include <strings.h>

#define NAMES 8

struct owned {
	const char *provider;
	const char *variables[NAMES];
	const char *sections[NAMES]; /* beside the id's own */
};

static const struct owned shipped[] = {
	{ "runpod", { "RUNPOD_API_KEY", "RUNPOD_TOKEN" }, { "runpod.io" } },
	{ "hf_inference_endpoints",
		{ "HF_API_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "HF_INFERENCE_ENDPOINTS_TOKEN", "HF_TOKEN",
			"HUGGING_FACE_HUB_TOKEN" },
		{ "hf", "huggingface", "huggingface_inference", "hf_endpoints", "hf-inference" } },
	{ "replicate", { "REPLICATE_API_TOKEN", "REPLICATE_API_KEY" }, { "replicate.com" } },
	{ "modal", { "MODAL_TOKEN_ID", "MODAL_PROXY_TOKEN_ID", "MODAL_TOKEN_SECRET", "MODAL_PROXY_TOKEN_SECRET" },
		{ "modal.com" } },
	{ "stability", { "STABILITY_API_KEY" }, { "stability_ai", "stabilityai", "stable", "stability-image" } },
	{ "fal", { "FAL_API_KEY", "FAL_KEY" }, { "fal.ai", "flux", "sdxl-fal" } },
	{ "runway", { "RUNWAY_API_KEY", "RUNWAY_TOKEN", "RUNWAYML_API_SECRET" }, { "runwayml" } },
	{ "pika", { "PIKA_API_KEY", "FAL_API_KEY", "FAL_KEY", "PIKA_DIRECT_API_KEY" }, { "pika-labs" } },
	{ "luma", { "LUMA_API_KEY", "LUMAAI_API_KEY", "LUMA_AGENTS_API_KEY" }, { "luma-ai", "dream-machine" } },
};

static bool is_named(const char *const *names, const char *name)
{
	for (size_t i = 0; i < NAMES && names[i] != NULL; i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

static bool is_listed(char *const *list, const char *name)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcasecmp(*list, name) == 0)
			return true;
	return false;
}

static const struct owned *find_shipped(const char *provider)
{
	for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++)
		if (strcmp(shipped[i].provider, provider) == 0)
			return &shipped[i];
	return NULL;
}

/* Sections that belong to another of the shipped providers, by its id or an alias, are nobody else's, whatever the configuration says. */
static bool is_of_another(const char *provider, const char *section)
{
	for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++)
		if (strcmp(shipped[i].provider, provider) != 0 &&
			(strcasecmp(shipped[i].provider, section) == 0 || is_named(shipped[i].sections, section)))
			return true;
	return false;
}

bool consent_to_variable(const struct gate_view *view, const char *provider, const char *name)
{
	const struct owned *owned = find_shipped(provider);
	const struct config_live_provider *own = config_live_provider(view->config, provider);

	return (owned != NULL && is_named(owned->variables, name)) || (own != NULL && is_listed(own->credentials.env, name));
}

bool consent_to_section(const struct gate_view *view, const char *provider, const char *section)
{
	const struct owned *owned = find_shipped(provider);
	const struct config_live_provider *own = config_live_provider(view->config, provider);

	if (is_of_another(provider, section))
		return false;
	return strcasecmp(provider, section) == 0 || (owned != NULL && is_named(owned->sections, section)) ||
	       (own != NULL && is_listed(own->credentials.secrets, section));
}
