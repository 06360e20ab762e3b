/* file_problem.c - takes a message apart and keeps the lines around a fault. Any thread; no state. What may be shown of a line is its caller's to say. */
#include "base/file_problem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define HIDDEN "***"

const char *file_problem_message(const char *text, const char *file)
{
	size_t length = strlen(file);

	return strncmp(text, file, length) == 0 && strncmp(text + length, ": ", 2) == 0 ? text + length + 2 : text;
}

struct file_problem *file_problem_new(const char *text, const char *file, int line, const char *message)
{
	struct file_problem *problem = memory_new(sizeof *problem);

	atomic_store(&problem->holders, 1);
	problem->text = memory_copy_text(text);
	problem->file = memory_copy_text(file);
	problem->line = line;
	problem->message = memory_copy_text(message);
	return problem;
}

/* Cut between two characters. */
static size_t shown_length(const char *line, size_t length)
{
	if (length <= FILE_PROBLEM_LINE_BYTES)
		return length;
	length = FILE_PROBLEM_LINE_BYTES;
	while (length > 0 && ((unsigned char)line[length] & 0xc0) == 0x80)
		length--;
	return length;
}

static void keep_line(struct file_problem *problem, const char *line, size_t length, char *(*show)(const char *line))
{
	char *plain = memory_copy_bytes(line, shown_length(line, length)), *shown = show(plain);

	problem->excerpt[problem->excerpt_count++] = shown != NULL ? shown : memory_copy_text(HIDDEN);
	free(plain);
}

static int source_lines(const char *source, size_t length)
{
	int lines = 1;

	for (size_t i = 0; i + 1 < length; i++)
		lines += source[i] == '\n';
	return length > 0 ? lines : 0;
}

/* Of so many lines the first that is shown: as many before the fault as behind it, and as many as can be. */
static int first_shown(int line, int lines)
{
	int first = line - FILE_PROBLEM_LINES / 2;

	if (first > lines - FILE_PROBLEM_LINES + 1)
		first = lines - FILE_PROBLEM_LINES + 1;
	return first > 1 ? first : 1;
}

void file_problem_quote(struct file_problem *problem, const char *source, size_t length, char *(*show)(const char *line))
{
	int lines = source_lines(source, length), line = 1;
	const char *end = source + length, *next;

	if (problem->line < 1 || problem->line > lines)
		return;
	problem->excerpt_line = first_shown(problem->line, lines);
	for (const char *at = source; at < end && problem->excerpt_count < FILE_PROBLEM_LINES; at = next, line++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		stop = stop != NULL ? stop : end;
		next = stop + 1;
		if (line >= problem->excerpt_line)
			keep_line(problem, at, (size_t)(stop - at), show);
	}
}

struct file_problem *file_problem_hold(struct file_problem *problem)
{
	if (problem != NULL)
		atomic_fetch_add_explicit(&problem->holders, 1, memory_order_relaxed);
	return problem;
}

void file_problem_release(struct file_problem *problem)
{
	if (problem == NULL || atomic_fetch_sub_explicit(&problem->holders, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < problem->excerpt_count; i++)
		free(problem->excerpt[i]);
	free(problem->text);
	free(problem->file);
	free(problem->message);
	free(problem);
}
