/* model_names.h - what a script's models are called in short. Pure; any thread. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "script/manifest.h"

/* The name of a choice's model: the end of its id where the script's capabilities (parsed) list that as a model ("gen4.5" of "text_to_video/gen4.5"), else
 * its id. NULL: it names none. */
const char *model_name_of(const struct manifest_choice *choice, const json_t *capabilities);

/* Does a client's word mean the model of this choice: its name, or its id? */
bool model_name_means(const char *word, const struct manifest_choice *choice, const json_t *capabilities);

/* A choice's facts (label, makes, price, ...) as an object, to be json_decref()ed. */
json_t *model_facts(const struct manifest_choice *choice);
