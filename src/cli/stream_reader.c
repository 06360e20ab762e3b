/* stream_reader.c - lines and fields of an event stream, as the HTML standard reads them; of its fields only id and data matter here. The
 * command's only thread. An event that does not fit in memory is left out. */
#include "cli/stream_reader.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

void stream_reader_open(
	struct stream_reader *reader, void (*event)(void *context, const char *id, const char *data), void *context)
{
	*reader = (struct stream_reader){ .event = event, .context = context };
	buffer_init(&reader->line, 4 * LIMIT_EVENT_BYTES);
	buffer_init(&reader->data, 4 * LIMIT_EVENT_BYTES);
}

void stream_reader_close(struct stream_reader *reader)
{
	buffer_free(&reader->line);
	buffer_free(&reader->data);
}

void stream_reader_begin(struct stream_reader *reader)
{
	buffer_clear(&reader->line);
	buffer_clear(&reader->data);
	snprintf(reader->next_id, sizeof reader->next_id, "%s", reader->id);
}

static void end_event(struct stream_reader *reader)
{
	memcpy(reader->id, reader->next_id, sizeof reader->id);
	if (reader->data.length > 0 && !reader->data.failed)
		reader->event(reader->context, reader->id, reader->data.data);
	buffer_clear(&reader->data);
}

static void end_line(struct stream_reader *reader)
{
	const char *line = reader->line.data;
	size_t length = reader->line.length;

	if (reader->line.failed)
		reader->data.failed = true;
	else if (length == 0)
		end_event(reader);
	else if (strncmp(line, "data: ", 6) == 0)
		buffer_append(&reader->data, line + 6, length - 6);
	else if (strncmp(line, "id: ", 4) == 0)
		snprintf(reader->next_id, sizeof reader->next_id, "%s", line + 4);
	buffer_clear(&reader->line);
}

void stream_reader_take(struct stream_reader *reader, const char *bytes, size_t length)
{
	const char *end;

	while (length > 0) {
		end = memchr(bytes, '\n', length);
		buffer_append(&reader->line, bytes, end != NULL ? (size_t)(end - bytes) : length);
		if (end == NULL)
			return;
		end_line(reader);
		length -= (size_t)(end + 1 - bytes);
		bytes = end + 1;
	}
}
