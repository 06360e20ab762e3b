/* mask.h - keeps what looks like a credential out of answers, rows, logs and events (design 2.4). */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "gate/gate.h"

#define MASK_TEXT "***"

/* A deep copy of `value` in which every text that looks like a credential is MASK_TEXT: text under a key that names one (api_key,
 * token, secret, password, authorization, also as ..._token and so on, in any letter case, with - or _), text that begins like a
 * known vendor's key (r8_, rpa_, hf_, sk-, key_, wk-, ws-, ak-, as-, luma-, whsec_; "Bearer x", "Key x", "Basic x"), and any text
 * that contains a value of the secrets file or of a credential environment variable. In other text, only the words that begin like
 * a vendor's key or follow "Bearer", and the userinfo of URLs, become MASK_TEXT. *changed tells whether anything was masked; when nothing was,
 * the result is a new reference to `value` itself. NULL: out of memory. */
json_t *mask_json(const struct gate_view *view, json_t *value, bool *changed);

/* Masks header-like or free text in place into a new string; NULL when out of memory. */
char *mask_text(const struct gate_view *view, const char *text);
