/* log_parts.h - a line of the log, taken apart. Any thread. */
#pragma once

#include "base/buffer.h"
#include "base/clock.h"

#define LOG_EVENT_BYTES 128

struct log_parts {
	char ts[CLOCK_TEXT_BYTES];
	char event[LOG_EVENT_BYTES]; /* "" of a line that is none of the log's forms any more */
	struct buffer text;	     /* the other fields as logfmt, whatever form the line has; or all of the line */
};

/* Once, with log_parts_free() at the end; each reading forgets the one before. */
void log_parts_init(struct log_parts *parts);
void log_parts_free(struct log_parts *parts);
void log_parts_read(struct log_parts *parts, const char *line);
