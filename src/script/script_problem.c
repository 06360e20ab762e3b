/* script_problem.c - finds the place that a message of Lua's names. Any thread; no state. */
#include "script/script_problem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "gate/mask.h"

#define PLACE_FILE_BYTES 200
#define PLACE_DIGITS 7
#define SUFFIX ".lua"

struct place {
	char file[PLACE_FILE_BYTES];
	int line;
};

/* "providers/x.lua:3: " at the beginning; returns what follows. NULL: there is none. Lua cuts long names at their beginning, and these are none. */
static const char *read_script_place(const char *text, struct place *place)
{
	size_t length = strcspn(text, ": \n"), digits;

	if (text[length] != ':' || length >= sizeof place->file || length <= strlen(SUFFIX) ||
		strncmp(text + length - strlen(SUFFIX), SUFFIX, strlen(SUFFIX)) != 0 || strncmp(text, "...", 3) == 0)
		return NULL;
	digits = strspn(text + length + 1, "0123456789");
	if (digits == 0 || digits > PLACE_DIGITS || strncmp(text + length + 1 + digits, ": ", 2) != 0)
		return NULL;
	snprintf(place->file, sizeof place->file, "%.*s", (int)length, text);
	place->line = (int)strtol(text + length + 1, NULL, 10);
	return text + length + digits + 3;
}

struct file_problem *script_problem_new(const char *message, const char *file)
{
	struct place place = { .line = 0 };
	const char *rest = message, *next;

	while ((next = read_script_place(rest, &place)) != NULL)
		rest = next;
	return file_problem_new(message, place.line > 0 ? place.file : file, place.line, rest);
}

/* A text of Lua begins here: with so many quotes, and what is between them, or all that is left of the line. False: none does. */
static bool read_literal(const char *text, size_t *quotes, size_t *length)
{
	const char *end;

	*quotes = 1;
	*length = 0;
	if (strncmp(text, "[[", 2) == 0) {
		*quotes = 2;
		end = strstr(text, "]]");
		*length = end != NULL ? (size_t)(end - text) - 2 : strlen(text + 2);
		return true;
	}
	if (*text != '"' && *text != '\'')
		return false;
	for (end = text + 1; *end != '\0' && *end != *text; end++)
		if (*end == '\\' && end[1] != '\0')
			end++;
	*length = (size_t)(end - text) - 1;
	return true;
}

/* After a name: what is assigned to it, if it is a text. NULL: it is not. */
static const char *assigned_text(const char *text)
{
	text += strspn(text, "\"'] \t");
	if (text[0] != '=' || text[1] == '=')
		return NULL;
	return text + 1 + strspn(text + 1, " \t");
}

/* The line with "***" for texts that are assigned to a name of a credential. */
static char *hide_assigned(const char *line)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	const char *at = line, *text;
	size_t name, length, quotes;
	struct buffer out;

	buffer_init(&out, 4 * FILE_PROBLEM_LINE_BYTES);
	while (*at != '\0') {
		name = strspn(at, letters);
		text = name > 0 ? assigned_text(at + name) : NULL;
		if (text != NULL && read_literal(text, &quotes, &length) && mask_hides(at, name, text + quotes, length)) {
			buffer_append(&out, at, (size_t)(text - at) + quotes);
			buffer_text(&out, MASK_TEXT);
			at = text + quotes + length;
			continue;
		}
		buffer_append(&out, at, name > 0 ? name : 1);
		at += name > 0 ? name : 1;
	}
	return buffer_take(&out);
}

static char *shown_line(const char *line)
{
	char *hidden = hide_assigned(line), *shown = hidden != NULL ? mask_text(NULL, hidden) : NULL;

	free(hidden);
	return shown;
}

struct file_problem *script_problem_quoted(
	const char *message, const char *file, const char *text, size_t length, const struct script_library *library)
{
	struct file_problem *problem = script_problem_new(message, file);

	if (strcmp(problem->file, file) != 0)
		text = script_library_text(library, problem->file, &length);
	if (text != NULL)
		file_problem_quote(problem, text, length, shown_line);
	return problem;
}
