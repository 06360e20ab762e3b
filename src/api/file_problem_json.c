/* file_problem_json.c - writes problems of files. Any thread; no state. */
#include "api/file_problem_json.h"

#include "base/json.h"

/* Without the bracket at the end. */
static void write_place(struct buffer *out, const struct file_problem *problem)
{
	buffer_text(out, "{\"file\":");
	json_write_text(out, problem->file);
	buffer_text(out, ",\"line\":");
	if (problem->line > 0)
		buffer_integer(out, problem->line);
	else
		buffer_text(out, "null");
	buffer_text(out, ",\"message\":");
	json_write_text(out, problem->message);
}

void file_problem_write_place(struct buffer *out, const struct file_problem *problem)
{
	if (problem == NULL) {
		buffer_text(out, "null");
		return;
	}
	write_place(out, problem);
	buffer_char(out, '}');
}

void file_problem_write(struct buffer *out, const struct file_problem *problem, bool show_excerpt)
{
	write_place(out, problem);
	buffer_text(out, ",\"excerpt\":[");
	for (size_t i = 0; show_excerpt && i < problem->excerpt_count; i++) {
		buffer_format(out, "%s{\"line\":%d,\"text\":", i > 0 ? "," : "", problem->excerpt_line + (int)i);
		json_write_text(out, problem->excerpt[i]);
		buffer_char(out, '}');
	}
	buffer_text(out, "]}");
}
