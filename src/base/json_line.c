/* json_line.c - follows a path through the text of a JSON value, without reading it into a tree. Any thread; no state. The time is linear in the text. */
#include "base/json_line.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PATH_KEY_BYTES 64 /* of a key, in a path (gate/fields.c): longer ones are cut there */

struct cursor {
	const char *at, *end;
	int line;
};

static void pass_blanks(struct cursor *cursor)
{
	for (; cursor->at < cursor->end && strchr(" \t\r\n", *cursor->at) != NULL; cursor->at++)
		cursor->line += *cursor->at == '\n';
}

/* False: something else is next. */
static bool pass_byte(struct cursor *cursor, char byte)
{
	pass_blanks(cursor);
	if (cursor->at == cursor->end || *cursor->at != byte)
		return false;
	cursor->at++;
	return true;
}

/* From its quote to behind the one that ends it. */
static void pass_string(struct cursor *cursor)
{
	for (cursor->at++; cursor->at < cursor->end && *cursor->at != '"'; cursor->at++)
		if (*cursor->at == '\\' && cursor->at + 1 < cursor->end)
			cursor->at++;
	cursor->at += cursor->at < cursor->end;
}

/* To the comma behind the value, or the bracket that ends what it is in. */
static void pass_value(struct cursor *cursor)
{
	int depth = 0;

	for (pass_blanks(cursor); cursor->at < cursor->end; pass_blanks(cursor)) {
		char byte = *cursor->at;

		if (depth == 0 && (byte == ',' || byte == '}' || byte == ']'))
			return;
		if (byte == '"') {
			pass_string(cursor);
			continue;
		}
		depth += (byte == '{' || byte == '[') - (byte == '}' || byte == ']');
		cursor->at++;
	}
}

/* What follows the key in the path; NULL: the path does not begin with it. */
static const char *path_after(const char *path, const char *key, size_t length)
{
	length = length < PATH_KEY_BYTES ? length : PATH_KEY_BYTES;
	path += *path == '.';
	if (strncmp(path, key, length) != 0)
		return NULL;
	path += length;
	return *path == '\0' || *path == '.' || *path == '[' ? path : NULL;
}

/* Goes to the value of the member that the path names next. NULL: there is none. */
static const char *enter_member(struct cursor *cursor, const char *path, int *line)
{
	const char *key, *rest;
	size_t length;

	do {
		pass_blanks(cursor);
		if (cursor->at == cursor->end || *cursor->at != '"')
			return NULL;
		*line = cursor->line;
		key = cursor->at + 1;
		pass_string(cursor);
		length = (size_t)(cursor->at - key) - 1;
		if (!pass_byte(cursor, ':'))
			return NULL;
		rest = path_after(path, key, length);
		if (rest != NULL)
			return rest;
		pass_value(cursor);
	} while (pass_byte(cursor, ','));
	return NULL;
}

/* The same of an item of a list. */
static const char *enter_item(struct cursor *cursor, const char *path, int *line)
{
	char *rest;
	long index = *path == '[' ? strtol(path + 1, &rest, 10) : -1;

	if (index < 0 || *rest != ']')
		return NULL;
	for (; index > 0; index--) {
		pass_value(cursor);
		if (!pass_byte(cursor, ','))
			return NULL;
	}
	pass_blanks(cursor);
	*line = cursor->line;
	return rest + 1;
}

int json_line_of(const char *text, size_t length, const char *path)
{
	struct cursor cursor = { .at = text, .end = text + length, .line = 1 };
	int line, found;

	pass_blanks(&cursor);
	found = cursor.line;
	while (path != NULL && *path != '\0') {
		if (pass_byte(&cursor, '{'))
			path = enter_member(&cursor, path, &line);
		else if (pass_byte(&cursor, '['))
			path = enter_item(&cursor, path, &line);
		else
			break;
		if (path != NULL)
			found = line;
	}
	return found;
}
