/* brief.c - a job in brief out of any stored text: spans say what the tree says, what is written is JSON, a prompt is cut between characters, and a
 * search finds a prompt by its own words. The first line is what is searched for. */
#include "fuzz.h"

#include "base/json.h"
#include "base/json_span.h"
#include "registry/task_brief.h"
#include "registry/task_search.h"

static struct task task_of(const char *text)
{
	return (struct task){
		.kind = "image", .provider = "fal", .dry_run = true, .payload = text, .estimates = text, .result = text
	};
}

/* Damaged texts may make damaged rows, but are read to their end at most. */
static json_t *written(const struct task *task)
{
	struct buffer out;
	json_t *read;

	buffer_init(&out, 1 << 22);
	buffer_char(&out, '{');
	task_brief_write_members(&out, task);
	buffer_char(&out, '}');
	FUZZ_CHECK(!out.failed);
	read = json_read(out.data, out.length, NULL);
	buffer_free(&out);
	return read;
}

static void check_row(const struct task *task)
{
	json_t *row = written(task), *prompt = json_object_get(row, "prompt");
	size_t characters = 0;

	FUZZ_CHECK(json_is_object(row));
	FUZZ_CHECK(json_is_null(prompt) || json_text_value(prompt) != NULL);
	for (const char *at = json_text_value(prompt); at != NULL && *at != '\0'; at++)
		characters += ((unsigned char)*at & 0xc0) != 0x80;
	FUZZ_CHECK(characters <= LIMIT_BRIEF_PROMPT_CHARACTERS);
	json_decref(row);
}

static void check_same(struct json_span span, const json_t *value)
{
	json_t *read = json_read(span.text, span.length, NULL);

	FUZZ_CHECK(read != NULL && json_equal(read, value));
	json_decref(read);
}

static void check_spans(const char *text, json_t *tree)
{
	struct json_span whole = json_span_of(text), item = { 0 };
	const char *name;
	json_t *value;
	size_t count = 0;

	if (strchr(text, '\\') == NULL) /* a name is compared as it stands there */
		json_object_foreach(tree, name, value)
			check_same(json_span_member(whole, name), value);
	while (json_span_next(whole, &item))
		check_same(item, json_array_get(tree, count++));
	FUZZ_CHECK(count == json_array_size(tree));
}

static void check_search(const struct task *task, const char *words, const json_t *tree)
{
	const char *prompt = json_text(tree, "prompt");
	struct task_search search;

	if (task_search_read(&search, words) == NULL)
		(void)task_search_finds(&search, task);
	if (prompt == NULL || strlen(prompt) > LIMIT_SEARCH_BYTES || task_search_read(&search, prompt) != NULL)
		return;
	FUZZ_CHECK(task_search_finds(&search, task));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *rest;
	size_t rest_size, line = fuzz_split(data, size, &rest, &rest_size);
	char *words = fuzz_text(data, line), *text = fuzz_text(rest, rest_size);
	json_t *tree = json_read(text, strlen(text), NULL);
	struct task task = task_of(text);

	if (tree != NULL) {
		check_row(&task);
		check_spans(text, tree);
	} else {
		json_decref(written(&task));
	}
	check_search(&task, words, tree);
	json_decref(tree);
	free(words);
	free(text);
	return 0;
}
