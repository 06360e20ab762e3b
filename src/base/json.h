/* json.h - JSON that loses nothing (RFC 8259), on top of Jansson.
 *
 * Jansson holds the tree. json_parse.c makes it in one pass, with what a host of untrusted bodies needs: it refuses what is malformed (bad UTF-8,
 * lone surrogates, duplicate keys, 1e999) and names the path of the field, counts depth, values and memory while it reads, and takes integers up to 2^64-1
 * (Jansson's end at 2^63-1; ComfyUI's seeds do not). The writer gives the shortest text that reads back as the same number. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

/* Parses a whole text. NULL with ERROR_INVALID (error->path is the field's path). json_decref() the result. */
json_t *json_read(const char *text, size_t length, struct error *error);

/* The same of a text that the host holds, so it is JSON: written by itself, or checked when it came. NULL gives NULL. */
json_t *json_read_stored(const char *text);

/* The same, counted against a budget: *bytes is about how much memory it took, to be given back with the tree. NULL with ERROR_MEMORY too: it is too
 * much. Without a tree nothing stays counted. */
json_t *json_read_counted(const char *text, size_t length, struct buffer_budget *budget, size_t *bytes, struct error *error);

/* An integer above 2^63-1. It is kept as a marked string, so it must be told from text with json_wide(). No text that is read passes for one. */
bool json_wide(const json_t *value, uint64_t *number);

/* As json_read(), of an answer of any number of values. If there are more than `all`, a list or an object of more than `most` is left whole, and told
 * by json_whole(), which says where it stands in the text. */
json_t *json_read_partly(const char *text, size_t length, size_t all, size_t most, struct error *error);
bool json_whole(const json_t *value, size_t *start, size_t *length);

/* The text of a string that is no wide integer, else NULL. What comes from outside is read with this, not with json_string_value(). */
const char *json_text_value(const json_t *value);

/* Append JSON text. It is always valid: a byte of a text that is not UTF-8 is written as U+FFFD. */
void json_write(struct buffer *out, const json_t *value);
void json_write_string(struct buffer *out, const char *text, size_t length);
void json_write_text(struct buffer *out, const char *text); /* NULL writes null */
void json_write_double(struct buffer *out, double value);   /* not finite: null */
void json_write_bool(struct buffer *out, bool value);

/* Micro-dollars as a decimal number of dollars, exact (0.04, not 0.040000). */
void json_write_usd(struct buffer *out, int64_t micro_usd);

/* A member and the comma behind it: "name":value, */
void json_member_text(struct buffer *out, const char *name, const char *text); /* NULL: null */
void json_member_json(struct buffer *out, const char *name, const char *json); /* JSON text; NULL: null */
void json_member_usd(struct buffer *out, const char *name, int64_t micro_usd); /* below 0, not known: null */
void json_member_time(struct buffer *out, const char *name, int64_t unix_ms);  /* 0, never: null */

/* Of any name: those above take plain ones only. */
void json_member_bool(struct buffer *out, const char *name, bool value);
void json_member_integer(struct buffer *out, const char *name, int64_t value);

/* "name":{ and }, with members of the kinds above, or none, between them. */
void json_open_object(struct buffer *out, const char *name);
void json_close_object(struct buffer *out);

/* The text under `key`, or NULL. */
const char *json_text(const json_t *object, const char *key);

/* The same of what a client may leave out: *text is NULL when it is absent or null. False: it is no text, or there is a NUL in it. */
bool json_optional_text(const json_t *object, const char *key, const char **text);

/* Appends JSON text with every string longer than `longest` bytes cut to its beginning and its length: rows must not hold megabytes of
 * base64. `text` must be valid JSON. */
void json_write_abbreviated(struct buffer *out, const char *text, size_t length, size_t longest);
