/* json_line.h - in which line of a JSON text a field stands. Any thread. */
#pragma once

#include <stddef.h>

/* The line, from 1, of the field at `path` ("server.api_keys[0].name"): where its name stands, or for an item of a list its value. Of a path that is
 * not there all the way, that of the deepest part which is. The text was read without a complaint (base/json.h). */
int json_line_of(const char *text, size_t length, const char *path);
