/* provider_kind.h - a provider as one of the kinds that it serves: its flag, and the parts of answers that never change. Immutable. */
#pragma once

#include "base/error.h"
#include "gate/kind.h"
#include "script/manifest.h"

struct provider_kind {
	const struct kind *kind;
	const char *flag; /* the manifest's, or static */
	char *common;	  /* JSON members that every answer carries: "provider":..., up to "pricing":..., without braces */
	char *modes;	  /* a JSON list of those of this kind, or NULL */
};

/* Makes it of the manifest, which it borrows from. ERROR_SCRIPT when the script says too much about itself; what was made is in it too. Any thread. */
enum error_code provider_kind_make(
	const struct manifest *manifest, const struct kind *kind, struct provider_kind *made, struct error *error);

/* Whatever was made of it. */
void provider_kind_free(struct provider_kind *provider_kind);
