/* file_problem_json.h - a problem of a file as clients see it. Any thread. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/file_problem.h"

/* Append an object, or null for NULL: {file, line, message}, line null when there is none; */
void file_problem_write_place(struct buffer *out, const struct file_problem *problem);

/* and with `excerpt`, [{line, text}], which is empty unless it is to be shown. */
void file_problem_write(struct buffer *out, const struct file_problem *problem, bool show_excerpt);
