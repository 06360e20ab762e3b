/* trace.c - checks traceparent as the standard asks. No state; any thread. */
#include "base/trace.h"

#include <string.h>

static bool all_hex(const char *text, size_t length)
{
	return strspn(text, "0123456789abcdef") >= length;
}

static bool all_zero(const char *text, size_t length)
{
	return strspn(text, "0") >= length;
}

/* What a later version adds comes after another dash, and is left out. */
bool trace_parse(const char *value, char trace[TRACE_BYTES])
{
	const char *id = value + 3, *parent = value + 36, *flags = value + 53;

	trace[0] = '\0';
	if (strlen(value) < TRACE_BYTES - 1 || !all_hex(value, 2) || strncmp(value, "ff", 2) == 0)
		return false;
	if (value[2] != '-' || value[35] != '-' || value[52] != '-' || !all_hex(id, 32) || !all_hex(parent, 16) ||
		!all_hex(flags, 2))
		return false;
	if (all_zero(id, 32) || all_zero(parent, 16))
		return false;
	if (value[55] != '\0' && (value[55] != '-' || strncmp(value, "00", 2) == 0))
		return false;
	memcpy(trace, value, TRACE_BYTES - 1);
	trace[0] = trace[1] = '0';
	trace[TRACE_BYTES - 1] = '\0';
	return true;
}
