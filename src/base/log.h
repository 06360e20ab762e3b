/* log.h - the log file: one line per event, logfmt or JSON.
 *
 * A line is built on the caller's stack and handed to a writer thread; nobody waits for the disk. A secret must not be
 * given to it: who may know one cleans the line first (log_set_cleaner()); texts are cut at LOG_LINE_BYTES and stripped of control characters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleaner.h"
#include "base/error.h"

#define LOG_LINE_BYTES 2048

enum log_level { LOG_DEBUG = 0, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_line {
	enum log_level level;
	size_t length;
	char text[LOG_LINE_BYTES];
};

/* Opens (or creates) the file and starts the writer. `format` is "logfmt" or "json"; `path` NULL logs to stderr only. */
enum error_code log_open(const char *path, enum log_level level, const char *format, struct error *error);
void log_set_level(enum log_level level);
bool log_level_parse(const char *text, enum log_level *level);
const char *log_level_name(enum log_level level); /* "debug", ... */

/* Every line passes here from now on; one without a function ends it. While nobody else writes lines. */
void log_set_cleaner(struct cleaner cleaner);

/* The file is opened anew at its path before the next line (SIGHUP, logrotate). Only sets a flag: safe in a signal handler. */
void log_reopen(void);

/* Lines that could not be written since the start. */
uint64_t log_dropped(void);

/* Writes what is waiting and stops the writer. */
void log_close(void);

/* One line, field by field: begin, any number of fields, end. `event` is a dotted name (public.image.submit), a word. */
void log_begin(struct log_line *line, enum log_level level, const char *event);
void log_text(struct log_line *line, const char *name, const char *text);
/* The same of the host's own words and ids, in which nothing can stand that would need quotes. */
void log_word(struct log_line *line, const char *name, const char *word);
void log_integer(struct log_line *line, const char *name, int64_t value);
/* Dollars, not below zero, with six decimals; in JSON as text. */
void log_usd(struct log_line *line, const char *name, int64_t micro_usd);
void log_bool(struct log_line *line, const char *name, bool value);
void log_end(struct log_line *line);

/* One line with a message only. */
__attribute__((format(printf, 3, 4))) void log_message(enum log_level level, const char *event, const char *format, ...);

/* One line at once, past the writer, to the file and to stderr: for a process that is about to end. Allocates nothing and takes no lock; the message
 * is the program's own, and is not masked. */
void log_last_words(const char *event, const char *message);
