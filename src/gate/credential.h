/* credential.h - what a provider script says about its credentials (docs/provider-scripts.md, "credentials").
 *
 * Owned by the provider's manifest, read-only afterwards. Holds names and patterns, never a value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gate/credential_pattern.h"

struct credential_spec {
	char *name;    /* as in {api_key} */
	char **env;    /* environment variables, tried in order; NULL-terminated */
	char **secret; /* keys in the secrets file and in the request's config, tried in order; NULL-terminated */
	char *pattern; /* as it is written, or NULL */
	struct credential_pattern *compiled; /* NULL when pattern is */
	char *hint;			     /* or NULL */
	bool optional;			     /* needed by those requests only that name it */
};

/* The next {name} in the text of an auth header: where the name begins, and its length. Braces around anything but letters, digits and _
 * are text. NULL: none is left; to go on, ask from the name's end. */
const char *credential_placeholder(const char *text, size_t *length);
