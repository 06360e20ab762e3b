/* fields_map.h - OpenAI's fields as a provider's script reads them: n becomes samples, size becomes width and height or a shape and a resolution. HTTP threads.
 *
 * What a model takes is what its script declares (`inputs`): nothing is known of vendors here. What it cannot make is refused, with what it can; nothing is
 * rounded. `prepare` of the script has the last word. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "http/http.h"
#include "openai/named_model.h"
#include "openai/problem.h"
#include "openai/wish.h"

/* A request while it is translated. */
struct openai_fields {
	struct host *host;
	struct http_request *request;
	struct openai_wish *wish; /* its figures are filled in, and warnings */
	const struct openai_model *model;
	bool from_form;			      /* numbers and booleans are texts */
	json_t *given;			      /* what the client said, without nulls */
	json_t *schema;			      /* of the choice, or NULL: nothing is known of the model */
	json_t *properties;		      /* of it */
	const struct manifest_choice *choice; /* or NULL */
	json_t *submit, *parameters;	      /* what is made of it */
	bool has_picture;
};

/* Translates all of it. False: an error was sent. */
bool openai_fields_apply(struct openai_fields *fields);

/* Adds to `own` what a schema of a choice (or NULL) tells: "sizes" or "ratios", the possible values of size, and "seconds", where they are few. */
void openai_fields_describe(const json_t *schema, json_t *own);

/* ---- for the files of fields_*.c ---- */

/* The declared input of this path ("parameters.samples", "prompt"), or NULL. */
const json_t *fields_input(const json_t *properties, const char *path);

/* Its values, a list of `enum` or else of `examples`; or NULL. Those of an enum are all that there are. */
const json_t *fields_values(const json_t *input);

/* Sets a field of the submit; the value is taken over in every case. False: the client's own value contradicts it, and an error was sent; `param` is what the
 * value came from. */
bool fields_put(struct openai_fields *fields, const char *path, json_t *value, const char *param);

__attribute__((format(printf, 2, 3))) void fields_warn(struct openai_fields *fields, const char *format, ...);

/* A value of the client's: a whole number, or a text that is one. False: an error was sent. Absent: *number stays. */
bool fields_integer(struct openai_fields *fields, const char *name, json_int_t least, json_int_t most, json_int_t *number);
bool fields_flag(struct openai_fields *fields, const char *name, bool *flag);
/* Borrowed; NULL: absent. */
bool fields_text(struct openai_fields *fields, const char *name, const char **text);

/* What the model is called in messages. */
const char *fields_model_name(const struct openai_fields *fields);

/* Adds "seconds" to `own`. */
void fields_describe_seconds(const json_t *properties, json_t *own);

/* Sets choice, schema and properties, by the model and by whether there is a picture. */
void fields_choose(struct openai_fields *fields); /* fields_choice.c */

bool fields_take_size(struct openai_fields *fields);	/* fields_take_size.c */
bool fields_take_seconds(struct openai_fields *fields); /* fields_amount.c */
bool fields_take_count(struct openai_fields *fields);
bool fields_take_format(
	struct openai_fields *fields); /* fields_format.c: output_format, background, response_format, what is left out */
bool fields_take_pictures(struct openai_fields *fields); /* fields_picture.c: image, images, mask, input_reference */
