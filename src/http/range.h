/* range.h - the Range header of a request for a file (RFC 9110, 14). For this folder only; pure. */
#pragma once

#include <stdint.h>

struct range {
	int64_t first, length;
};

enum range_kind { RANGE_WHOLE, RANGE_PART, RANGE_UNSATISFIABLE };

/* "bytes=0-99", "bytes=100-", "bytes=-50" of a file of so many bytes: RANGE_PART fills *range in, else it stays as it is. What is malformed, or of
 * several parts, does not count. */
enum range_kind range_read(const char *text, int64_t bytes, struct range *range);
