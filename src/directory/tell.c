/* tell.c - what becomes known of the directory: events of the host, lines of the log. The directory's thread only. */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "directory/internal.h"
#include "event/host_event.h"

static const char *const part_words[PARTS] = { "list", "search", "model", "price" };

void tell_changed(struct shelf *shelf, const char *model, const char *what, const json_t *narrowed)
{
	struct buffer out;

	buffer_init(&out, LIMIT_HOST_EVENT_BYTES - 1);
	buffer_char(&out, '{');
	json_member_text(&out, "provider", shelf->id);
	json_member_text(&out, "model", model);
	json_member_text(&out, "what", what);
	buffer_text(&out, "\"narrowed\":");
	if (narrowed != NULL)
		json_write(&out, narrowed);
	else
		buffer_text(&out, "[]");
	buffer_char(&out, '}');
	if (!out.failed)
		host_event_emit(shelf->directory->store, "host.directory.changed", out.data);
	buffer_free(&out);
}

static void begin_line(struct log_line *line, enum log_level level, const char *event, const struct shelf *shelf, enum part part,
	const char *key)
{
	log_begin(line, level, event);
	log_text(line, "provider", shelf->id);
	log_text(line, "part", part_words[part]);
	if (key != NULL)
		log_text(line, "key", key);
}

void tell_refreshed(const struct shelf *shelf, enum part part, const char *key, size_t models)
{
	struct log_line line;

	begin_line(&line, part == PART_LIST ? LOG_INFO : LOG_DEBUG, "directory.refreshed", shelf, part, key);
	log_integer(&line, "models", (int64_t)models);
	log_end(&line);
}

void tell_failed(const struct shelf *shelf, enum part part, const char *key, const char *why)
{
	struct log_line line;

	begin_line(&line, LOG_WARN, "directory.failed", shelf, part, key);
	log_text(&line, "reason", why);
	log_end(&line);
}
