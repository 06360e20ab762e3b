/* fields.h - reads a JSON object into a struct by a table of its keys.
 *
 * One table says everything about an object: which keys there are, their types, ranges and places. So an unknown key can be
 * named with the nearest known one, and every message names file and field ("config/comfyvn.json: server.threads: ..."). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"

#define FIELDS_MAX 16 /* keys of one object */

struct field_reader {
	const char *file;
	struct error *error;
	char path[160];
};

struct field {
	const char *key; /* NULL ends the table */
	enum error_code (*read)(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
	size_t offset;
	int64_t minimum;
	int64_t maximum;
	bool nullable;				 /* texts: null is allowed, and is NULL */
	const char *(*refuse)(const char *text); /* texts: why this one is not good, or NULL; never quotes it */
	const struct field *fields;		 /* objects: the table of the struct at `offset` */
};

/* Reads every key of `object` into the struct at `to`; keys that are absent leave their place alone. */
enum error_code fields_read(struct field_reader *reader, const struct field *fields, const json_t *object, void *to);

/* Readers for the tables. */
enum error_code field_bool(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
enum error_code field_int(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
enum error_code field_int64(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
enum error_code field_size(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
enum error_code field_usd(
	struct field_reader *reader, const struct field *field, const json_t *value, void *to); /* int64 micro-dollars */
enum error_code field_text(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
enum error_code field_text_list(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
enum error_code field_object(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
enum error_code field_ignored(struct field_reader *reader, const struct field *field, const json_t *value, void *to);

/* For readers of their own. field_enter() appends to the path and returns what field_leave() needs. */
size_t field_enter(struct field_reader *reader, const char *key);
size_t field_enter_item(struct field_reader *reader, size_t index);
void field_leave(struct field_reader *reader, size_t mark);
__attribute__((format(printf, 2, 3))) enum error_code field_fail(struct field_reader *reader, const char *format, ...);
enum error_code field_fail_type(struct field_reader *reader, const char *expected, const json_t *value);

/* A NULL-terminated list of texts and its texts. */
void field_list_free(char **list);
