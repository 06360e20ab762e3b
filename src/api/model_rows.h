/* model_rows.h - the models that a script itself describes (its choices of inputs), as rows beside the directory's. HTTP threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buffer.h"
#include "script/manifest.h"

struct model_row {
	const char *id; /* the manifest's */
	json_t *facts;	/* an object: kind, mode, model, operation, label, makes, price */
};

/* One row for each model, in the script's order. The manifest outlives it. */
struct model_rows {
	struct model_row *list;
	size_t count;
};

void model_rows_open(struct model_rows *rows, const struct manifest *manifest);
void model_rows_close(struct model_rows *rows);

/* The row of this very id, or NULL. */
const struct model_row *model_rows_find(const struct model_rows *rows, const char *id);

/* What the model makes ("image", ...), or NULL. */
const char *model_row_kind(const struct model_row *row);

/* What the script says of its price, in words, or NULL. */
const char *model_row_price(const struct model_row *row);

/* Does it make this kind (NULL: any), and are all words of `folded` (in lower case; "": any) in its id, label and mode? */
bool model_row_fits(const struct model_row *row, const char *folded, const char *kind);

/* Appends it in the directory's shape, with what the script says of its price as a text. */
void model_row_write(const struct model_row *row, bool whole, struct buffer *out);
