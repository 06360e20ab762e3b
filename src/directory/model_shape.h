/* model_shape.h - what a script says of a model, checked and cut: the shape that everybody reads (docs/provider-scripts.md, "The directory"). Pure
 * functions; any thread. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/error.h"

/* The texts of one model; free them with model_shape_free(). */
struct model_shape {
	char *id;
	const char *kind, *status; /* static */
	bool says_kind, says_status;
	char *brief;	 /* an object: what lists show of it */
	char *folded;	 /* for searches: id, name, task and description in lower case */
	char *text;	 /* an object: all of it; NULL: it had no `inputs` and was not asked for as a whole */
	bool has_inputs; /* the text has a schema that can be used; else ... */
	char *problem;	 /* ... why not, as the script says or we */
	char *price;	 /* an object, or NULL */
	char *etag;	 /* or NULL */
};

/* Reads one. `whole`: it is the answer of `describe` for `id`, whatever id it says itself; else a row of a list (id NULL), whose text is made only when
 * it has inputs. ERROR_INVALID: it is no model. */
enum error_code model_shape_read(const json_t *value, const char *id, bool whole, struct model_shape *shape, struct error *error);
/* What the shape does not say, `before` (the brief of an earlier reading, or NULL) does; but not that the model is gone. */
void model_shape_fill(struct model_shape *shape, const char *before);

/* Writes another word of an object's text, in place of *text (or NULL: nothing). */
void model_shape_set(char **text, const char *name, const char *word);

void model_shape_free(struct model_shape *shape);

/* A price as it is kept: an object with usd above 0, in US dollars; NULL: that is none. */
char *model_shape_price(const json_t *value);

/* Could a model have this id? Printable, without blanks at its ends, of at most MODEL_ID_BYTES. */
bool model_shape_is_id(const char *id);
