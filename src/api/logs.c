/* logs.c - filters the newest lines of the log and sends them. HTTP threads; a line is copied before it is looked at, so that nobody who logs waits.
 * The lines were cleaned of secrets when they were logged. */
#include "api/logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/log_parts.h"
#include "api/query.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log_tail.h"
#include "base/memory.h"
#include "registry/event_filter.h"

#define LINES_DEFAULT 200
#define LINES_AT_ONCE 16
#define WORDS_BYTES 200
#define PATTERNS_BYTES 512

/* What is asked for. */
struct log_wish {
	int64_t after; /* a number; 0: the newest lines */
	int64_t limit;
	enum log_level level; /* at least */
	struct event_filter filter;
	char words[WORDS_BYTES + 2]; /* folded; "": any */
	bool all;		     /* no line is left out */
};

/* What goes into the answer. */
struct log_page {
	struct buffer lines; /* JSON objects, one after the other */
	size_t starts
		[LIMIT_LOG_TAIL_LINES]; /* of the objects of the newest lines, where they stand; by count % LIMIT_LOG_TAIL_LINES */
	size_t count;			/* of all */
	uint64_t reached;		/* the last line that was looked at */
	uint64_t oldest;		/* that is there: what went while the others were looked at is not */
	struct log_tail_line copies[LINES_AT_ONCE]; /* being looked at */
};

/* ---- the query ---- */

static void fold_words(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text + 32);
}

/* False: a 400 was sent. */
static bool read_wish(struct http_request *request, struct log_wish *wish)
{
	struct error error = { .code = ERROR_NONE };
	char text[PATTERNS_BYTES];

	*wish = (struct log_wish){ .limit = LINES_DEFAULT, .level = LOG_DEBUG };
	if (!query_number(request, "after", 0, INT64_MAX, &wish->after) ||
		!query_number(request, "limit", 1, LIMIT_LOG_TAIL_LINES, &wish->limit))
		return false;
	if (http_query(request, "level", text, sizeof text) && *text != '\0' && !log_level_parse(text, &wish->level)) {
		answer_problem(request, 400, "level", "must be debug, info, warn or error: lines of this level and above");
		return false;
	}
	if (http_query(request, "event", text, sizeof text) && *text != '\0' &&
		event_filter_types(&wish->filter, text, &error) != ERROR_NONE) {
		answer_problem(request, 400, "event", error.message);
		return false;
	}
	if (!http_query(request, "q", wish->words, sizeof wish->words))
		wish->words[0] = '\0';
	if (strlen(wish->words) > WORDS_BYTES) {
		answer_problem(request, 400, "q", "must be at most 200 bytes of text to look for");
		return false;
	}
	fold_words(wish->words);
	wish->all = *wish->words == '\0' && wish->filter.type_count == 0 && wish->level == LOG_DEBUG;
	return true;
}

/* ---- lines ---- */

static bool has_words(const struct log_wish *wish, const struct log_parts *parts)
{
	char text[LOG_LINE_BYTES + LOG_EVENT_BYTES + 2];

	if (*wish->words == '\0')
		return true;
	snprintf(text, sizeof text, "%s %s", parts->event, buffer_begin(&parts->text));
	fold_words(text);
	return strstr(text, wish->words) != NULL;
}

static bool is_wished(const struct log_wish *wish, const struct log_parts *parts)
{
	return event_filter_passes(&wish->filter, &(struct event_subject){ .type = parts->event }) && has_words(wish, parts);
}

static void add_line(struct log_page *page, const struct log_tail_line *line, const struct log_parts *parts)
{
	struct buffer *out = &page->lines;

	page->starts[page->count++ % LIMIT_LOG_TAIL_LINES] = out->length;
	buffer_format(out, "{\"n\":%llu,", (unsigned long long)line->n);
	json_member_text(out, "ts", *parts->ts != '\0' ? parts->ts : NULL);
	json_member_text(out, "level", log_level_name(line->level));
	json_member_text(out, "event", parts->event);
	buffer_text(out, "\"text\":");
	json_write_text(out, buffer_begin(&parts->text));
	buffer_text(out, "},");
}

/* Looks at the lines from one number to another; with `after` no further than to the last that has room. */
static void collect(const struct log_wish *wish, uint64_t from, uint64_t to, struct log_page *page)
{
	struct log_parts parts;
	uint64_t next = from;
	bool full = false;
	size_t count;

	log_parts_init(&parts);
	while (!full && from <= to && (count = log_tail_read(from, page->copies, LINES_AT_ONCE)) > 0) {
		for (size_t i = 0; i < count && !full && page->copies[i].n <= to; i++) {
			const struct log_tail_line *line = &page->copies[i];

			if (line->n != next)
				page->oldest = line->n;
			next = line->n + 1;
			page->reached = line->n;
			if (line->level < wish->level)
				continue;
			log_parts_read(&parts, line->text);
			if (is_wished(wish, &parts))
				add_line(page, line, &parts);
			full = page->lines.failed || (wish->after > 0 && (int64_t)page->count == wish->limit);
		}
		from = page->copies[count - 1].n + 1;
	}
	log_parts_free(&parts);
}

/* ---- the answer ---- */

static void send_page(struct http_request *request, const struct log_wish *wish, const struct log_page *page)
{
	size_t shown = page->count < (size_t)wish->limit ? page->count : (size_t)wish->limit;
	size_t start = shown > 0 ? page->starts[(page->count - shown) % LIMIT_LOG_TAIL_LINES] : 0;
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_text(&out, "{\"ok\":true,\"lines\":[");
	if (shown > 0)
		buffer_append(&out, page->lines.data + start, page->lines.length - start - 1);
	buffer_format(
		&out, "],\"oldest\":%llu,\"next\":%llu}", (unsigned long long)page->oldest, (unsigned long long)page->reached);
	out.failed |= page->lines.failed;
	answer_json(request, 200, NULL, &out);
	buffer_free(&out);
}

void logs_handle(struct host *host, struct http_request *request)
{
	uint64_t newest, from;
	struct log_wish wish;
	struct log_page *page;

	(void)host;
	if (!read_wish(request, &wish))
		return;
	page = memory_new(sizeof *page);
	log_tail_range(&page->oldest, &newest);
	if ((uint64_t)wish.after > newest)
		wish.after = 0; /* the host was started anew since */
	from = (uint64_t)wish.after + 1;
	if (wish.after == 0 && wish.all && newest > (uint64_t)wish.limit)
		from = newest - (uint64_t)wish.limit + 1;
	page->reached = (uint64_t)wish.after;
	buffer_init(&page->lines, LIMIT_REPLY_BYTES);
	collect(&wish, from, newest, page);
	send_page(request, &wish, page);
	buffer_free(&page->lines);
	free(page);
}
