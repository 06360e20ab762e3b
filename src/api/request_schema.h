/* request_schema.h - a choice of inputs as the JSON Schema of a request's body. Pure functions. */
#pragma once

#include <jansson.h>

/* From a choice of GET .../inputs with its schema, whose properties are paths ("parameters.samples"), the schema of the object that has them; model and
 * mode are the choice's. To be json_decref()ed. */
json_t *request_schema_of_choice(const json_t *choice);
