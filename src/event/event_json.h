/* event_json.h - a row of the log as clients see it: a CloudEvent whose data is the task, as it stood then, whole or in brief. Any thread. */
#pragma once

#include "event/cloud_event.h"
#include "registry/store.h"

/* How the task is shown. */
enum event_form { EVENT_WHOLE = 0, EVENT_BRIEF };
#define EVENT_FORMS 2

/* Appends the CloudEvent as one JSON object, or as one event of an event stream. What the row's data says stands in place of what the task
 * says now: the status, for example, is that of the event. */
void event_json_write(struct buffer *out, const struct event_row *row, enum event_form form);
void event_json_write_stream(struct buffer *out, const struct event_row *row, enum event_form form);
