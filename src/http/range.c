/* range.c - reads one range. HTTP threads, no state. */
#include "http/range.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A number of bytes; one beyond 2^63-1 is as good as the end of any file. */
static bool read_range_number(const char **text, int64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	*number = strtoll(*text, &end, 10);
	*text = end;
	return true;
}

enum range_kind range_read(const char *text, int64_t bytes, struct range *range)
{
	int64_t first = -1, last = INT64_MAX;

	if (strncasecmp(text, "bytes=", 6) != 0)
		return RANGE_WHOLE;
	text += 6;
	text += strspn(text, " \t");
	if (*text != '-' && !read_range_number(&text, &first))
		return RANGE_WHOLE;
	if (*text++ != '-')
		return RANGE_WHOLE;
	if (!read_range_number(&text, &last) && first == -1)
		return RANGE_WHOLE;
	if (text[strspn(text, " \t")] != '\0' || (first != -1 && last < first))
		return RANGE_WHOLE;
	if (first == -1) { /* the last so many */
		first = last < bytes ? bytes - last : 0;
		if (last == 0)
			return RANGE_UNSATISFIABLE;
		last = INT64_MAX;
	}
	if (first >= bytes)
		return RANGE_UNSATISFIABLE;
	*range = (struct range){ .first = first, .length = (last < bytes - 1 ? last : bytes - 1) - first + 1 };
	return RANGE_PART;
}
