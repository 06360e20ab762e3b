/* mask.h - keeps what looks like a credential out of answers, rows, logs and events. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "gate/gate.h"

struct mask_index;

#define MASK_TEXT "***"

/* A deep copy of `value` in which every text that looks like a credential is MASK_TEXT:
 * - text under a name that says so (api_key, token, secret, password, authorization, also as ..._token and so on, in any letter case, with
 *   - or _), every text below `secrets` and `credentials`, and members of `env` whose name ends in key, token, secret or pass;
 * - text that begins like a known key (r8_, rpa_, hf_, sk-, key_, wk-, luma-, whsec_, ghp_, AKIA ...; "Bearer x", "Key x", "Basic x");
 * - text that contains a value of the secrets file or of a credential environment variable.
 * In other text only the pieces become MASK_TEXT: words that begin like a key or follow "Bearer", fal keys, private keys, the userinfo of
 * URLs, and their parameters that are named like a credential (not the signatures of presigned URLs). Names of members are masked as
 * other text is. *changed tells whether anything was masked; when nothing was, the result is a new reference to `value` itself. NULL: out
 * of memory. */
json_t *mask_json(const struct gate_view *view, json_t *value, bool *changed);

/* The same; the values of `also` (mask_known.h) count as the host's own do. NULL: none. */
json_t *mask_json_with(const struct gate_view *view, const struct mask_index *also, json_t *value, bool *changed);

/* Does the text look like a credential, or hold one, by the rules for a JSON text? Nothing is allocated. Without
 * a view it is judged by its form alone. */
bool mask_finds(const struct gate_view *view, const char *text);

/* Does it hold a value of the host's own secrets? */
bool mask_holds_known(const struct gate_view *view, const char *text);

/* Is the text under this name a credential, by the name? Not when it is only the place of one ("Key {api_key}"). */
bool mask_hides(const char *name, size_t name_length, const char *text, size_t text_length);

/* Masks header-like or free text in place into a new string; NULL when out of memory. Without a view it is judged by its form alone. */
char *mask_text(const struct gate_view *view, const char *text);
