/* model_inputs.h - the input schema of a model as vendors and scripts give it: cleaned, and bounded. Pure functions; any thread. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/buffer.h"

/* A cleaned copy of a schema, or NULL when it is none or beyond a limit: 256 KiB, 500 properties, 16 deep. A $ref that is left, and a list of more
 * than 1,000 values to choose from, are taken out: then anything is allowed there. What was done is added to `warnings` as texts; *why (static) says
 * why there is none, or is NULL. */
json_t *model_inputs_read(const json_t *value, json_t *warnings, const char **why);

/* The names of the properties for which `after` allows less than `before`: taken away, required now, fewer values, closer bounds, another type; a new
 * list of texts. */
json_t *model_inputs_narrowed(const json_t *before, const json_t *after);
