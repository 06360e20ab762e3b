/* event_json.h - a row of the log as clients see it: a CloudEvent whose data is the task, as it stood then. Any thread. */
#pragma once

#include "event/cloud_event.h"
#include "registry/store.h"

/* Appends the CloudEvent as one JSON object, or as one event of an event stream. What the row's data says stands in place of what the task
 * says now: the status, for example, is that of the event. */
void event_json_write(struct buffer *out, const struct event_row *row);
void event_json_write_stream(struct buffer *out, const struct event_row *row);
