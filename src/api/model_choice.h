/* model_choice.h - a model of the directory as a choice of inputs: the vendor's schema with the paths of a request to us. Pure functions. */
#pragma once

#include <jansson.h>

#include "base/buffer.h"
#include "directory/directory.h"

/* Has the vendor's schema been read? */
bool model_choice_can(const struct directory_model *model);

/* Appends the choice, with its schema: kind (of the route), mode (null), model, operation, label, makes, price, schema. An input stands at `place` and
 * its name; that of the name `prompt` of an image or video provider where all their prompts stand. */
void model_choice_write(const struct directory_model *model, const char *kind, const char *place, struct buffer *out);
