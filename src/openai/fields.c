/* fields.c - see fields.h. */
#include "openai/fields.h"

void openai_fields_describe(const json_t *schema, json_t *own)
{
	(void)schema;
	(void)own;
}
