/* cloud_event.c - writes CloudEvents. No state; any thread. */
#include "event/cloud_event.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"

/* A line end would end the data of a server-sent event. In JSON one can only stand between values, where a space is as good. */
static void write_on_one_line(struct buffer *out, const char *json)
{
	size_t start = out->length;

	buffer_text(out, json);
	if (out->failed)
		return;
	for (char *at = out->data + start; *at != '\0'; at++)
		if (*at == '\n' || *at == '\r')
			*at = ' ';
}

void cloud_event_write(struct buffer *out, const struct cloud_event *event)
{
	char time[CLOCK_TEXT_BYTES];

	clock_format(event->at_ms, time);
	buffer_format(out, "{\"specversion\":\"1.0\",\"id\":\"%lld\",\"source\":\"" EVENT_SOURCE "\",\"type\":\"%s\",",
		(long long)event->number, event->type);
	if (event->subject != NULL)
		buffer_format(out, "\"subject\":\"%s\",", event->subject);
	buffer_format(out, "\"time\":\"%s\"", time);
	if (event->data != NULL) {
		buffer_text(out, ",\"datacontenttype\":\"application/json\",\"data\":");
		write_on_one_line(out, event->data);
	}
	buffer_char(out, '}');
}

void cloud_event_write_stream(struct buffer *out, const struct cloud_event *event)
{
	buffer_format(out, "id: %lld\nevent: %s\ndata: ", (long long)event->number, event->type);
	cloud_event_write(out, event);
	buffer_text(out, "\n\n");
}
