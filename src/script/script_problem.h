/* script_problem.h - why a script does not load, or rests, as a place in a file. */
#pragma once

#include "base/file_problem.h"
#include "script/library.h"

/* Of a message of a script ("providers/x.lua:10: lua/y.lua:3: ..."): the place that is named last is where the fault is. `file` is the script's own, for
 * a message that names none. One holder, no excerpt. Any thread. */
struct file_problem *script_problem_new(const char *message, const char *file);

/* The same with the lines around it, of the script's text or of the helper's; what looks like a credential in them is masked. `text` may be NULL. */
struct file_problem *script_problem_quoted(
	const char *message, const char *file, const char *text, size_t length, const struct script_library *library);
