/* data_uri.c - outputs within an answer: decoded into a file, or refused with a reason; a known secret is in none of them. */
#include "fuzz.h"

#include <unistd.h>

#include "gate/mask_index.h"
#include "artifact/artifact_decode.h"

static struct mask_index *known_index(void)
{
	static struct mask_index *index;

	if (index == NULL) {
		index = mask_index_new();
		FUZZ_CHECK(index != NULL);
		mask_index_add(index, "rpa_PLANTEDPLANTED1");
		FUZZ_CHECK(mask_index_ready(index));
	}
	return index;
}

static struct artifact_folder *folder(void)
{
	static struct artifact_folder made;
	static char path[] = "/tmp/fuzz-artifacts-XXXXXX";

	if (made.directory == NULL) {
		FUZZ_CHECK(mkdtemp(path) != NULL);
		made.directory = path;
	}
	return &made;
}

static void check(const char *text, size_t length, bool uri)
{
	struct mask_known known = { .index = known_index(), .all = true };
	struct artifact_file file;
	char type[32];

	FUZZ_CHECK(artifact_file_open(folder(), 1 << 20, &known, &file) == ERROR_NONE);
	if (uri ? artifact_decode_data_uri(text, length, &file, type, sizeof type)
		: artifact_decode_base64(text, length, &file)) {
		FUZZ_CHECK(artifact_file_finish(&file));
		FUZZ_CHECK(file.bytes >= 0 && (size_t)file.bytes <= length);
	} else {
		FUZZ_CHECK(file.error.message[0] != '\0');
	}
	artifact_file_discard(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);

	check(text, size, true);
	check(text, size, false);
	free(text);
	return 0;
}
