/* metric_text.c - the lines of Prometheus' text format. No state; any thread. */
#include "base/metric_text.h"

#include <math.h>
#include <stdio.h>

void metric_family(struct buffer *out, const char *name, const char *type, const char *help)
{
	buffer_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_label_value(struct buffer *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			buffer_char(out, '\\');
		if (*value == '\n')
			buffer_text(out, "\\n");
		else
			buffer_char(out, *value);
	}
}

static void write_name(struct buffer *out, const char *name, const char *suffix, const struct metric_label *labels)
{
	buffer_text(out, name);
	buffer_text(out, suffix);
	for (const struct metric_label *label = labels; label != NULL && label->name != NULL; label++) {
		buffer_char(out, label == labels ? '{' : ',');
		buffer_text(out, label->name);
		buffer_text(out, "=\"");
		write_label_value(out, label->value);
		buffer_char(out, '"');
	}
	buffer_text(out, labels != NULL && labels->name != NULL ? "} " : " ");
}

void metric_count(struct buffer *out, const char *name, const char *suffix, const struct metric_label *labels, uint64_t value)
{
	write_name(out, name, suffix, labels);
	buffer_unsigned(out, value);
	buffer_char(out, '\n');
}

void metric_value(struct buffer *out, const char *name, const char *suffix, const struct metric_label *labels, double value)
{
	write_name(out, name, suffix, labels);
	if (isfinite(value))
		buffer_format(out, "%.12g\n", value);
	else
		buffer_text(out, isnan(value) ? "NaN\n" : value > 0 ? "+Inf\n" : "-Inf\n");
}
