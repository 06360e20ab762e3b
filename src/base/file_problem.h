/* file_problem.h - what is wrong with a file that people write, and where: for who has to put it right.
 *
 * Made by who read the file, and immutable once others see it; counted by holders. Any thread. */
#pragma once

#include <stddef.h>

#define FILE_PROBLEM_LINES 5	    /* of an excerpt: the line in the middle, where there are so many on both sides */
#define FILE_PROBLEM_LINE_BYTES 200 /* of one of them; the rest is cut off */

struct file_problem {
	_Atomic int holders;
	char *text;    /* all of it: "providers/x.lua:3: id: expected text, got nil" */
	char *file;    /* "providers/x.lua" */
	int line;      /* from 1; 0: it is not about one */
	char *message; /* the text without both */
	char *excerpt[FILE_PROBLEM_LINES];
	size_t excerpt_count; /* 0: nothing of the file is shown */
	int excerpt_line;     /* the number of the first */
};

/* One holder, no excerpt. `message` is what is left of the text without the place, which it need not be a part of. */
struct file_problem *file_problem_new(const char *text, const char *file, int line, const char *message);

/* What follows "FILE: " at the beginning of the text, or all of it. */
const char *file_problem_message(const char *text, const char *file);

/* Keeps the lines around the problem's own of what the file has, each as `show` returns it: a text to be free()d, or NULL, for "***". Before others see
 * the problem; nothing when it has no line, or the file has not so many. */
void file_problem_quote(struct file_problem *problem, const char *source, size_t length, char *(*show)(const char *line));

struct file_problem *file_problem_hold(struct file_problem *problem); /* NULL: NULL */
void file_problem_release(struct file_problem *problem);	      /* NULL: does nothing */
