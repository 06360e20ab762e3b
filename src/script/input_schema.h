/* input_schema.h - the words in which a script describes an input: those of JSON Schema 2020-12, and the host's own. Pure; any thread. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/error.h"

/* Is this a schema of an object whose words are all known, each with a value of its kind, within the bounds of limits.h (depth, properties, values of
 * an enum)? References must be inlined. An empty object where a list belongs (Lua's empty table) becomes one. ERROR_INVALID: `path` says where, from
 * the schema on ("properties.prompt.minimun"). */
enum error_code input_schema_check(json_t *schema, struct error *error);
