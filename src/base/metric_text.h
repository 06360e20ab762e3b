/* metric_text.h - writes metrics in Prometheus' text format, version 0.0.4. */
#pragma once

#include <stdint.h>

#include "base/buffer.h"

#define METRIC_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Begins a family: `type` is counter, gauge, histogram or summary. All of its samples follow. */
void metric_family(struct buffer *out, const char *name, const char *type, const char *help);

/* A label of a sample; a NULL name ends the list. */
struct metric_label {
	const char *name;
	const char *value; /* any text: it is escaped */
};

/* One sample; `suffix` is "", "_bucket", "_sum" or "_count". */
void metric_count(struct buffer *out, const char *name, const char *suffix, const struct metric_label *labels, uint64_t value);
void metric_value(struct buffer *out, const char *name, const char *suffix, const struct metric_label *labels, double value);
