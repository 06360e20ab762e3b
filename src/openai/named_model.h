/* named_model.h - the names under which OpenAI's clients choose a provider's mode or model, and what is told of them. HTTP threads.
 *
 * "<provider or alias>/<mode or model>", split at the first slash, a mode before a model of the same name; the provider alone is its default mode. A name
 * of openai.models in the configuration stands for one of these. What models there are is what the scripts say (`inputs`, `modes`, `capabilities`); a
 * script that takes any model, or describes none, gets what the client wrote. */
#pragma once

#include <stdbool.h>

#include "api/host.h"

#define OPENAI_MODEL_BYTES 256 /* of a name */

struct openai_model {
	struct provider_set *set;	/* held */
	struct provider *provider;	/* borrowed from set */
	json_t *capabilities;		/* the script's, parsed */
	const struct kind *kind;	/* what it makes: image or video */
	char mode[OPENAI_MODEL_BYTES];	/* or "": the script's default */
	char model[OPENAI_MODEL_BYTES]; /* as the script takes it, or "": the mode's own */
};

enum openai_model_found {
	OPENAI_MODEL_FOUND = 0,
	OPENAI_MODEL_UNKNOWN,
	OPENAI_MODEL_OTHER_KIND, /* it makes videos where images are asked for, or the other way round */
};

/* The model of a name, as one that makes `kind` ("image", "video"). FOUND: openai_model_close() it. */
enum openai_model_found openai_model_find(
	struct host *host, const struct gate_view *view, const char *kind, const char *name, struct openai_model *model);
void openai_model_close(struct openai_model *model);

/* The schema of the model's inputs that its vendor publishes, if the directory has read it, with the paths of a request; NULL: it has not. To be
 * json_decref()ed. Asks nobody. */
json_t *openai_model_schema(struct host *host, const struct openai_model *model);

/* Is this choice of the script's `inputs` what the model may mean? */
bool openai_model_has(const struct openai_model *model, const struct manifest_choice *choice);
