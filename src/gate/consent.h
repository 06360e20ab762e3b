/* consent.h - what a provider's script may have read for it: which environment variables, which sections of the secrets file (for this folder
 * only). A script is a file that somebody else may have written; the names that it asks for are only a wish. */
#pragma once

#include <stdbool.h>

#include "gate/gate.h"

/* The providers that come with the host have their vendors' usual names; others what live.providers.ID.credentials.env lists. */
bool consent_to_variable(const struct gate_view *view, const char *provider, const char *name);

/* Every provider has the section of its id; those that come with the host their usual aliases too, others what
 * live.providers.ID.credentials.secrets lists. */
bool consent_to_section(const struct gate_view *view, const char *provider, const char *section);
