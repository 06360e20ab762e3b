/* histogram.c - buckets of times, from half a millisecond to two minutes. No state; any thread. */
#include "base/histogram.h"

static const struct {
	int64_t microseconds;
	const char *seconds;
} bounds[HISTOGRAM_BUCKETS - 1] = { { 500, "0.0005" }, { 1000, "0.001" }, { 2500, "0.0025" }, { 5000, "0.005" },
	{ 10000, "0.01" }, { 25000, "0.025" }, { 50000, "0.05" }, { 100000, "0.1" }, { 250000, "0.25" }, { 1000000, "1" },
	{ 2500000, "2.5" }, { 10000000, "10" }, { 30000000, "30" }, { 120000000, "120" } };

int histogram_bucket(int64_t microseconds)
{
	int bucket = 0;

	while (bucket < HISTOGRAM_BUCKETS - 1 && microseconds > bounds[bucket].microseconds)
		bucket++;
	return bucket;
}

void histogram_write(struct buffer *out, const char *name, const struct metric_label *label, const uint64_t *values)
{
	struct metric_label labels[3] = { { "le", "+Inf" }, { NULL, NULL }, { NULL, NULL } };
	struct metric_label *bound = labels;
	uint64_t sum = 0;

	if (label != NULL) {
		labels[0] = *label;
		bound = &labels[1];
	}
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		sum += values[i];
		*bound = (struct metric_label){ "le", i < HISTOGRAM_BUCKETS - 1 ? bounds[i].seconds : "+Inf" };
		metric_count(out, name, "_bucket", labels, sum);
	}
	*bound = (struct metric_label){ NULL, NULL };
	metric_value(out, name, "_sum", labels, (double)values[HISTOGRAM_BUCKETS] / 1e6);
	metric_count(out, name, "_count", labels, sum);
}
