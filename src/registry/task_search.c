/* task_search.c - compares words with jobs, without a pattern: no character of a client's means anything but itself. Pure; any thread. */
#include "registry/task_search.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "registry/task_brief.h"

/* Cuts the text into words where it stands. False: there are too many. */
static bool split_search(struct task_search *search)
{
	char *rest, *word;

	for (word = strtok_r(search->lower, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
		if (search->count == LIMIT_SEARCH_WORDS)
			return false;
		search->words[search->count] = word;
		search->lengths[search->count++] = strlen(word);
	}
	return true;
}

const char *task_search_read(struct task_search *search, const char *text)
{
	size_t length;

	text += strspn(text, " ");
	length = strlen(text);
	while (length > 0 && text[length - 1] == ' ')
		length--;
	if (length > LIMIT_SEARCH_BYTES)
		return "is too long: some words of a prompt, or an id, are enough";
	memcpy(search->text, text, length);
	search->text[length] = '\0';
	text_lower(search->text, length + 1, search->lower);
	search->count = 0;
	if (!split_search(search))
		return "has too many words: some are enough";
	search->is_id = id_parse(search->text, &search->id);
	return NULL;
}

/* ---- prompts ---- */

struct folded_prompt {
	char text[LIMIT_SEARCH_PROMPT_BYTES];
	size_t length;
};

static void fold_text(struct folded_prompt *folded, const char *text, size_t length)
{
	folded->length = length < sizeof folded->text ? length : sizeof folded->text;
	text_lower(text, folded->length, folded->text);
}

static void fold_prompt(const struct task *task, struct folded_prompt *folded)
{
	struct json_span prompt = task_brief_prompt(task);
	json_t *read;

	folded->length = 0;
	if (!json_span_is_text(prompt))
		return;
	if (memchr(prompt.text, '\\', prompt.length) == NULL) {
		fold_text(folded, prompt.text + 1, prompt.length - 2);
		return;
	}
	read = json_read(prompt.text, prompt.length, NULL);
	if (json_text_value(read) != NULL)
		fold_text(folded, json_text_value(read), json_string_length(read));
	json_decref(read);
}

/* ---- ids ---- */

#define ID_BYTES 256 /* that are compared */

static bool id_has(const char *id, const char *word, size_t length)
{
	char lower[ID_BYTES];
	size_t id_length = id != NULL ? strnlen(id, sizeof lower) : 0;

	if (id_length < length)
		return false;
	text_lower(id, id_length, lower);
	return memcmp(lower, word, length) == 0 ||
	       (length >= LIMIT_SEARCH_ID_BYTES && memmem(lower, id_length, word, length) != NULL);
}

static bool ids_have(const struct task *task, const char *word, size_t length)
{
	char id[ID_TEXT_BYTES];

	id_format(&task->id, id);
	return id_has(id, word, length) || id_has(task->vendor_id, word, length) || id_has(task->request_id, word, length);
}

bool task_search_names(const struct task_search *search, const struct task *task)
{
	if (search->is_id && memcmp(&search->id, &task->id, sizeof task->id) == 0)
		return true;
	return (task->vendor_id != NULL && strcmp(task->vendor_id, search->text) == 0) ||
	       (task->request_id != NULL && strcmp(task->request_id, search->text) == 0);
}

bool task_search_finds(const struct task_search *search, const struct task *task)
{
	struct folded_prompt prompt;

	if (search->count == 0)
		return true;
	fold_prompt(task, &prompt);
	for (size_t i = 0; i < search->count; i++)
		if (memmem(prompt.text, prompt.length, search->words[i], search->lengths[i]) == NULL &&
			!ids_have(task, search->words[i], search->lengths[i]))
			return false;
	return true;
}
