/* request_config.h - the credentials that a request brings along (for this folder only; gate.h is the door). */
#pragma once

#include "gate/gate.h"

/* The value of a credential in the request's config (which may be NULL). NULL: it is not there, or blank. */
const char *request_config_find(const json_t *config, const struct credential_spec *spec);

/* Calls `tell` with names that sound like credentials and are none of the subject's, the first few. One that looks like a credential itself
 * is told of as NULL. */
void request_config_each_unknown(const struct gate_view *view, const struct gate_subject *subject, const json_t *config,
	void (*visit)(void *context, const char *name), void *context);
