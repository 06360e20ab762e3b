/* model_rows.c - makes rows of what a script says of models, at each request: there are a hundred at most. HTTP threads; no state. */
#include "api/model_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

#define ROW_TEXT_BYTES 1024

const struct model_row *model_rows_find(const struct model_rows *rows, const char *id)
{
	for (size_t i = 0; i < rows->count; i++)
		if (strcmp(rows->list[i].id, id) == 0)
			return &rows->list[i];
	return NULL;
}

/* The members of a choice, each of which ends in a comma, as an object. */
static json_t *read_facts(const char *members)
{
	struct buffer text;
	json_t *facts;

	buffer_init(&text, LIMIT_INPUT_SCHEMA_BYTES);
	buffer_char(&text, '{');
	buffer_append(&text, members, strlen(members) - 1);
	buffer_char(&text, '}');
	facts = text.failed ? NULL : json_read(text.data, text.length, NULL);
	buffer_free(&text);
	return facts != NULL ? facts : json_object();
}

void model_rows_open(struct model_rows *rows, const struct manifest *manifest)
{
	rows->count = 0;
	rows->list = memory_new_array(manifest->choice_count + 1, sizeof *rows->list);
	for (size_t i = 0; i < manifest->choice_count; i++) {
		const struct manifest_choice *choice = &manifest->choices[i];

		if (choice->model == NULL || *choice->model == '\0' || model_rows_find(rows, choice->model) != NULL)
			continue;
		rows->list[rows->count++] = (struct model_row){ .id = choice->model, .facts = read_facts(choice->facts) };
	}
}

void model_rows_close(struct model_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		json_decref(rows->list[i].facts);
	free(rows->list);
}

const char *model_row_kind(const struct model_row *row)
{
	return json_text(row->facts, "makes");
}

const char *model_row_price(const struct model_row *row)
{
	return json_text(row->facts, "price");
}

/* The id, label and mode, a line each, in lower case. Cut where it does not fit: searches then see its beginning. */
static void fold_row(const struct model_row *row, char folded[ROW_TEXT_BYTES])
{
	const char *texts[] = { row->id, json_text(row->facts, "label"), json_text(row->facts, "mode") };
	size_t used = 0, length;

	folded[0] = '\0';
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (texts[i] == NULL || !text_fold(texts[i], folded + used, ROW_TEXT_BYTES - 1 - used))
			continue;
		length = strlen(folded + used);
		used += length;
		folded[used++] = '\n';
		folded[used] = '\0';
	}
}

bool model_row_fits(const struct model_row *row, const char *folded, const char *kind)
{
	const char *makes = model_row_kind(row);
	char text[ROW_TEXT_BYTES], word[LIMIT_MODEL_SEARCH_BYTES + 1];

	if (kind != NULL && (makes == NULL || strcmp(makes, kind) != 0))
		return false;
	fold_row(row, text);
	for (const char *at = folded + strspn(folded, " \t"); *at != '\0'; at += strspn(at, " \t")) {
		size_t length = strcspn(at, " \t");

		memcpy(word, at, length);
		word[length] = '\0';
		if (strstr(text, word) == NULL)
			return false;
		at += length;
	}
	return true;
}

void model_row_write(const struct model_row *row, bool whole, struct buffer *out)
{
	const char *price = model_row_price(row);

	buffer_char(out, '{');
	json_member_text(out, "id", row->id);
	json_member_text(out, "name", json_text(row->facts, "label"));
	json_member_text(out, "kind", model_row_kind(row));
	json_member_text(out, "status", "active");
	json_member_text(out, "source", "script");
	buffer_text(out, "\"as_of\":null,\"age_seconds\":null,");
	buffer_text(out, whole ? "\"inputs\":null," : "\"described\":true,");
	buffer_text(out, "\"price\":");
	if (price != NULL) {
		buffer_text(out, "{\"text\":");
		json_write_text(out, price);
		buffer_char(out, '}');
	} else {
		buffer_text(out, "null");
	}
	buffer_text(out, ",\"script\":true}");
}
