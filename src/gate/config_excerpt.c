/* config_excerpt.c - hides the texts of a line of JSON, well-formed or not. Any thread; no state. */
#include "gate/config_excerpt.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file_problem.h"
#include "gate/mask.h"

#define NAME_BYTES 64

/* The length of a text from its quote to the one that ends it; of one that does not end here, all there is. */
static size_t quoted_length(const char *text)
{
	size_t length = 1;

	while (text[length] != '\0' && text[length] != '"')
		length += text[length] == '\\' && text[length + 1] != '\0' ? 2 : 1;
	return length + (text[length] == '"');
}

/* Is it a member's name, by what stands before and behind it, and of plain letters? */
static bool is_name(char before, const char *text, size_t length)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$-";
	const char *behind = text + length + strspn(text + length, " \t");
	char name[NAME_BYTES + 1];

	if ((before != '\0' && before != '{' && before != ',') || *behind != ':' || length < 2 || length - 2 > NAME_BYTES)
		return false;
	memcpy(name, text + 1, length - 2);
	name[length - 2] = '\0';
	return strspn(name, plain) == length - 2 && !mask_finds(NULL, name);
}

/* A number, true, false or null. */
static bool is_plain_value(const char *word, size_t length)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (length == strlen(words[i]) && memcmp(word, words[i], length) == 0)
			return true;
	return strspn(word, "0123456789+-.eE") >= length;
}

static void write_shown(struct buffer *out, const char *line)
{
	char before = '\0'; /* the last sign that means something */
	size_t length;

	for (; *line != '\0'; line += length) {
		length = 1;
		if (*line == '"') {
			length = quoted_length(line);
			if (is_name(before, line, length))
				buffer_append(out, line, length);
			else
				buffer_text(out, "\"" MASK_TEXT "\"");
			before = '"';
		} else if (strchr("{}[]:,", *line) != NULL) {
			buffer_char(out, before = *line);
		} else if (strchr(" \t\r", *line) != NULL) {
			buffer_char(out, *line);
		} else {
			length = strcspn(line, "{}[]:,\" \t\r");
			if (is_plain_value(line, length))
				buffer_append(out, line, length);
			else
				buffer_text(out, MASK_TEXT);
			before = 'a';
		}
	}
}

char *config_excerpt_line(const char *line)
{
	struct buffer out;
	char *shown;

	buffer_init(&out, 4 * FILE_PROBLEM_LINE_BYTES + sizeof MASK_TEXT);
	write_shown(&out, line);
	shown = out.failed ? NULL : mask_text(NULL, buffer_begin(&out)); /* a number that is a password */
	buffer_free(&out);
	return shown;
}
