/* head.c - a connection's bytes mean the same however they arrive: at once, or in pieces. The first byte is the size of the pieces. */
#include "fuzz.h"

#include "http/framing.h"

static void take(struct framing *framing, const uint8_t *data, size_t size, size_t piece)
{
	char *bytes;
	size_t length;

	framing_begin(framing);
	for (; size > 0; data += length, size -= length) {
		length = piece < size ? piece : size;
		bytes = fuzz_copy(data, length);
		framing_take(framing, bytes, length);
		free(bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct framing whole = { 0 }, pieces = { 0 };

	framing_prepare();
	if (size < 2)
		return 0;
	take(&whole, data + 1, size - 1, size);
	take(&pieces, data + 1, size - 1, data[0] % 16 + 1);
	FUZZ_CHECK(whole.heads == pieces.heads && whole.bodies == pieces.bodies && whole.status == pieces.status);
	FUZZ_CHECK(whole.problem == pieces.problem && whole.state == pieces.state && whole.left == pieces.left);
	FUZZ_CHECK(whole.bodies <= whole.heads && whole.left >= 0);
	FUZZ_CHECK((whole.problem == NULL) == (whole.status == 0));
	return 0;
}
