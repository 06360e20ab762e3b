/* picture_size.c - what a vendor calls a picture is read within its bytes, and has sides or is none. */
#include "fuzz.h"

#include "openai/picture_size.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_copy(data, size);
	int width = -1, height = -1;

	if (picture_size((const unsigned char *)bytes, size, &width, &height))
		FUZZ_CHECK(width > 0 && height > 0);
	free(bytes);
	return 0;
}
