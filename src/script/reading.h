/* reading.h - a provider's table while it is read: values out of it, complaints with file and line. For this folder only.
 *
 * The first complaint counts; whoever reads goes on and asks `failed` at the end. What is returned is the caller's to free(). Functions may raise:
 * call them protected. They leave the stack as it was, but for what they say. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "base/error.h"

struct manifest;

/* What the readers share: where they are and where a complaint goes. */
struct reading {
	lua_State *L;
	int table; /* the provider's, on the stack */
	const char *file;
	const char *source;
	struct manifest *manifest;
	struct error *error;
	bool failed;
};

/* `key` is the field's path: its first part is looked for in the source, for the line. */
__attribute__((format(printf, 3, 4))) void reading_complain(struct reading *reading, const char *key, const char *format, ...);

/* Names each key of the table at `table` that is not one of `known`, with the nearest that is. */
void reading_check_keys(struct reading *reading, int table, const char *path, const char *const *known);

/* The caller's copy of the text at `index`. One with a NUL in it would be a shorter one to us, and is refused. */
char *reading_copy(struct reading *reading, const char *key, int index);

/* A field of the provider's table: a text, or a table as JSON; NULL when it is absent. */
char *reading_text(struct reading *reading, const char *key, bool required);
char *reading_json(struct reading *reading, const char *key, bool required);

/* A text of the table on top of the stack; NULL, and a complaint, when it is none. */
char *reading_member(struct reading *reading, const char *path, const char *key);

/* The list of texts on top of the stack (popped) as a NULL-terminated array with so many empty places before; nil gives an empty one; NULL, and a
 * complaint, when it is none. Freed by reading_free_list(). */
char **reading_take_list(struct reading *reading, const char *path, size_t room_before);
void reading_free_list(char **list);
