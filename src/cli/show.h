/* show.h - what the commands that show jobs share: figures as people read them, and queries. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buffer.h"

#define SHOW_BYTES 40

/* "$0.04", "~$0.04" for what is only expected or reserved, "-" when it is not known. */
const char *show_cost(const json_t *job, char text[SHOW_BYTES]);
const char *show_usd(const json_t *value, const char *before, char text[SHOW_BYTES]);

/* "45 %", or "-". */
const char *show_progress(const json_t *job, char text[SHOW_BYTES]);

/* The text under `name`, or "-", as much of it as there is room for. What a terminal could take for a command, or turns what follows around, is not in it. */
const char *show_text(const json_t *object, const char *name, char *text, size_t size);

/* Appends "?name=value" or "&name=value", percent-encoded, unless the value is NULL. */
void show_query(struct buffer *path, const char *name, const char *value);

/* Prints it as one line of JSON. False: it is larger than LIMIT_CHECK_ANSWER_BYTES, or nobody takes it. */
bool show_json(const json_t *value);
