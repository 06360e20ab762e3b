/* json.c - what is read and written is read and written the same again. */
#include "fuzz.h"

#include "base/json.h"

static char *written(const json_t *value)
{
	struct buffer out;

	buffer_init(&out, 64 * 1024 * 1024);
	json_write(&out, value);
	FUZZ_CHECK(!out.failed);
	return buffer_take(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size), *once, *twice;
	struct error error;
	json_t *value = json_read(text, size, &error), *again;
	struct buffer cut;

	if (value != NULL) {
		once = written(value);
		again = json_read(once, strlen(once), &error);
		FUZZ_CHECK(again != NULL);
		twice = written(again);
		FUZZ_CHECK(strcmp(once, twice) == 0);
		buffer_init(&cut, 64 * 1024 * 1024);
		json_write_abbreviated(&cut, once, strlen(once), 64);
		FUZZ_CHECK(!cut.failed);
		json_decref(again);
		again = json_read(cut.data, cut.length, &error);
		FUZZ_CHECK(again != NULL);
		json_decref(again);
		buffer_free(&cut);
		free(once);
		free(twice);
	} else {
		FUZZ_CHECK(error.code == ERROR_INVALID && error.message[0] != '\0');
	}
	json_decref(value);
	free(text);
	return 0;
}
