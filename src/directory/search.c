/* search.c - finds models in a snapshot, and writes them. Pure functions on what never changes; any thread. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "directory/internal.h"

#define WORDS 8
#define WORD_BYTES 256

struct words {
	char text[WORD_BYTES];
	const char *list[WORDS];
	size_t lengths[WORDS];
	size_t count;
	const char *whole; /* folded, as it was written */
	char whole_text[WORD_BYTES];
};

static void split_words(const char *text, struct words *words)
{
	char *at;

	words->count = 0;
	words->whole = words->whole_text;
	if (text == NULL || !text_fold(text, words->text, sizeof words->text))
		words->text[0] = '\0';
	memcpy(words->whole_text, words->text, sizeof words->text);
	for (at = words->text; *at != '\0' && words->count < WORDS;) {
		at += strspn(at, " \t");
		if (*at == '\0')
			break;
		words->list[words->count] = at;
		at += strcspn(at, " \t");
		words->lengths[words->count] = (size_t)(at - words->list[words->count]);
		words->count++;
		if (*at != '\0')
			*at++ = '\0';
	}
}

/* 0: it does not fit; else the better the higher. `folded` is id, name, task and description, a line each. */
static int rank_of(const struct directory_model *model, const struct words *words)
{
	size_t id_length = strcspn(model->folded, "\n"), name_end;
	int rank = 4;

	if (words->count == 0)
		return 1;
	name_end = id_length + (model->folded[id_length] != '\0');
	name_end += strcspn(model->folded + name_end, "\n");
	for (size_t i = 0; i < words->count; i++) {
		const char *found = strstr(model->folded, words->list[i]);
		size_t at = found != NULL ? (size_t)(found - model->folded) : 0;
		int own = found == NULL ? 0 : at == 0 ? 4 : at < id_length ? 3 : at < name_end ? 2 : 1;

		if (own < rank)
			rank = own;
		if (rank == 0)
			return 0;
	}
	return strlen(words->whole) == id_length && memcmp(words->whole, model->folded, id_length) == 0 ? 5 : rank;
}

static bool fits(const struct directory_model *model, const struct directory_query *query)
{
	if (model->brief == NULL || (query->kind != NULL && strcmp(model->kind, query->kind) != 0))
		return false;
	return query->status != NULL ? strcmp(model->status, query->status) == 0 : strcmp(model->status, "gone") != 0;
}

size_t directory_search(const struct directory_snapshot *snapshot, const struct directory_query *query,
	const struct directory_model **found, size_t *next, size_t *total)
{
	size_t by_rank[6] = { 0 }, filled = 0, place = 0;
	struct words words;
	char *ranks;

	*next = *total = 0;
	if (snapshot == NULL)
		return 0;
	split_words(query->text, &words);
	ranks = memory_new(snapshot->count + 1);
	for (size_t i = 0; i < snapshot->count; i++) {
		ranks[i] = fits(snapshot->models[i], query) ? (char)rank_of(snapshot->models[i], &words) : 0;
		by_rank[(size_t)ranks[i]]++;
	}
	for (int rank = 5; rank > 0; rank--) {
		*total += by_rank[rank];
		if (by_rank[rank] == 0 || place + by_rank[rank] <= query->skip || filled == query->limit) {
			place += by_rank[rank];
			continue;
		}
		for (size_t i = 0; i < snapshot->count && filled < query->limit; i++)
			if (ranks[i] == rank && place++ >= query->skip)
				found[filled++] = snapshot->models[i];
	}
	free(ranks);
	if (query->skip + filled < *total && filled > 0)
		*next = query->skip + filled;
	return filled;
}

size_t directory_nearest(const struct directory_snapshot *snapshot, const char *id, const char **ids, size_t room)
{
	const char **names;
	size_t count = 0, filled = 0;
	const char *nearest;

	if (snapshot == NULL || strlen(id) > MODEL_ID_BYTES)
		return 0;
	names = memory_new_array(snapshot->count + 1, sizeof *names);
	for (size_t i = 0; i < snapshot->count; i++)
		if (snapshot->models[i]->brief != NULL && strcmp(snapshot->models[i]->id, id) != 0)
			names[count++] = snapshot->models[i]->id;
	while (filled < room && (nearest = text_nearest(id, names)) != NULL) {
		ids[filled++] = nearest;
		for (size_t i = 0; i < count; i++) {
			if (names[i] != nearest)
				continue;
			memmove(names + i, names + i + 1, (count - i) * sizeof *names); /* with the NULL at the end */
			count--;
			break;
		}
	}
	free(names);
	return filled;
}

/* The object's text without its closing brace, so that members can follow. */
static void open_object(const char *object, struct buffer *out)
{
	size_t length = strlen(object);

	buffer_append(out, object, length - 1);
	if (length > 2)
		buffer_char(out, ',');
}

static void write_price(const struct directory_model *model, const char *words, struct buffer *out)
{
	buffer_text(out, "\"price\":");
	if (model->price == NULL && words != NULL) {
		buffer_text(out, "{\"text\":");
		json_write_text(out, words);
		buffer_char(out, '}');
		return;
	}
	if (model->price == NULL) {
		buffer_text(out, "null");
		return;
	}
	buffer_char(out, '{');
	json_member_time(out, "as_of", model->price_ms);
	buffer_text(out, model->price + 1); /* it has members: usd at least */
}

void directory_write_model(const struct directory_model *model, bool whole, const char *words, struct buffer *out)
{
	int64_t now = clock_unix_ms();

	open_object(whole && model->text != NULL ? model->text : model->brief, out);
	if (whole && model->text == NULL)
		buffer_text(out, "\"inputs\":null,");
	json_member_time(out, "as_of", model->text_ms);
	buffer_text(out, "\"age_seconds\":");
	if (model->text_ms > 0)
		buffer_integer(out, (now > model->text_ms ? now - model->text_ms : 0) / 1000);
	else
		buffer_text(out, "null");
	buffer_char(out, ',');
	if (whole) {
		json_member_text(out, "failure", model->failure);
		json_member_text(out, "price_failure", model->price_failure);
	} else {
		buffer_format(out, "\"described\":%s,", model->text != NULL ? "true" : "false");
	}
	write_price(model, words, out);
	buffer_char(out, '}');
}
