/* model_source.h - what a call may ask of the models that vendors publish, whoever knows it: ctx.model and ctx.price read it.
 *
 * Implemented by src/directory/; script/ knows nothing of where it comes from. Called on any thread: it takes no disk, sends nothing and
 * never waits. What is missing or old it has asked for behind, where the directory is on. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#define MODEL_ID_BYTES 200 /* of a model's id; a longer one is nobody's */

struct model_source {
	void *context;
	/* A tree of its own (json_decref() it) of what is known of a provider's model: the shape of docs/provider-scripts.md, "The directory". NULL: it
	 * is not known. `live`: a job is about to be sent, so it must not be old. *unseen is set when nobody has looked for it yet, so that to ask the vendor
	 * may tell. */
	json_t *(*model)(void *context, const char *provider, const char *id, bool live, bool *unseen);
	/* The same of its price; NULL: there is none, or it is older than 7 days. */
	json_t *(*price)(void *context, const char *provider, const char *id);
	/* The vendor refused an input that was good by what is known (a 422): the model is read anew, soon. Any thread. */
	void (*doubt)(void *context, const char *provider, const char *id);
};
