/* histogram.h - how times are counted, by fixed bounds: the same for requests and for vendors. */
#pragma once

#include <stdint.h>

#include "base/buffer.h"
#include "base/metric_text.h"

#define HISTOGRAM_BUCKETS 15			   /* the last one has no bound */
#define HISTOGRAM_COUNTERS (HISTOGRAM_BUCKETS + 1) /* and the sum, in microseconds */

/* Which bucket a time falls into. */
int histogram_bucket(int64_t microseconds);

/* Writes the buckets, the sum and the count of one histogram; `values` has HISTOGRAM_COUNTERS, not added up yet. `label` may be NULL. */
void histogram_write(struct buffer *out, const char *name, const struct metric_label *label, const uint64_t *values);
