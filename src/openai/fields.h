/* fields.h - what a model's declared inputs say of OpenAI's fields: sizes, lengths. Pure; any thread. */
#pragma once

#include <jansson.h>

/* Adds to `own` what a schema of a choice (or NULL) tells: "sizes", the possible values of size, and "seconds", those of seconds, where they are few. */
void openai_fields_describe(const json_t *schema, json_t *own);
