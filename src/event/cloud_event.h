/* cloud_event.h - an event as clients get it: CloudEvents 1.0 in its JSON format, alone or as a server-sent event. */
#pragma once

#include <stdint.h>

#include "base/buffer.h"

#define EVENT_SOURCE "/providerd" /* of every event; with the number as its id it names an event */

struct cloud_event {
	int64_t number;	     /* in the log; it only grows */
	const char *type;    /* "public.image.submit", "host.script.reloaded" */
	const char *subject; /* the job's id, or NULL */
	int64_t at_ms;
	const char *data; /* JSON text, or NULL */
};

/* Appends the JSON object, on one line. */
void cloud_event_write(struct buffer *out, const struct cloud_event *event);

/* Appends it as one event of an event stream: its number as id, its type as event, the object as data. */
void cloud_event_write_stream(struct buffer *out, const struct cloud_event *event);
