/* range.c - a byte range lies within its file. Eight bytes say how large the file is; the rest is the header's value. */
#include "fuzz.h"

#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct range range = { .first = -1, .length = -1 };
	int64_t bytes;
	char *text;

	if (size < sizeof bytes)
		return 0;
	memcpy(&bytes, data, sizeof bytes);
	bytes = bytes < 0 ? ~bytes : bytes;
	text = fuzz_text(data + sizeof bytes, size - sizeof bytes);
	if (range_read(text, bytes, &range) == RANGE_PART)
		FUZZ_CHECK(range.first >= 0 && range.length > 0 && range.first < bytes && range.length <= bytes - range.first);
	else
		FUZZ_CHECK(range.first == -1 && range.length == -1);
	free(text);
	return 0;
}
