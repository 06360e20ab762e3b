/* short_schema.h - the inputs of a model as one JSON Schema that an agent reads: nested as quote takes them, without what a form needs, and short. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct mcp_schema {
	json_t *schema;	  /* type, properties, required: of prompt, parameters or job */
	json_t *costs;	  /* names of inputs that the price depends on */
	json_t *left_out; /* names of inputs that had no room; they are taken all the same */
};

/* Makes it of a choice's schema as REST has it, whose properties are named by their paths; `most` bytes at the most. Its texts are cut, and without what is not
 * to be seen: they may be a vendor's. mcp_schema_free() it. */
void mcp_schema_make(const json_t *choice_schema, size_t most, struct mcp_schema *made);
void mcp_schema_free(struct mcp_schema *made);
