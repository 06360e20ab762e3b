/* standstill.c - see standstill.h. The loader's thread reads; the watchdog's adds, and ends the process. */
#include "script/standstill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"

#define DIGEST_BYTES 17

static void write_digest(uint64_t digest, char text[DIGEST_BYTES])
{
	snprintf(text, DIGEST_BYTES, "%016" PRIx64, digest);
}

json_t *standstills_read(const char *path)
{
	struct error error = { 0 };
	json_t *list = NULL;
	size_t length;
	char *text;

	switch (file_read(path, LIMIT_CONFIG_FILE_BYTES, &text, &length, &error)) {
	case ERROR_NONE:
		list = json_read(text, length, &error);
		free(text);
		break;
	case ERROR_NOT_FOUND: return json_array();
	default: break;
	}
	if (json_is_array(list))
		return list;
	json_decref(list);
	log_message(LOG_WARN, "script.standstill", "%s cannot be read and is passed over: %s", path, error.message);
	return json_array();
}

static bool is_member(const json_t *entry, const char *name, const char *expected)
{
	const char *text = json_text(entry, name);

	return text != NULL && strcmp(text, expected) == 0;
}

const char *standstills_find(const json_t *list, const char *file, uint64_t digest, const char **at)
{
	char text[DIGEST_BYTES];
	const json_t *entry;
	const char *step;
	size_t i;

	write_digest(digest, text);
	json_array_foreach(list, i, entry) {
		step = json_text(entry, "step");
		if (step == NULL || !is_member(entry, "file", file) || !is_member(entry, "digest", text))
			continue;
		*at = json_text(entry, "at");
		return step;
	}
	return NULL;
}

/* The newest is last. */
static void replace_standstill(json_t *list, const struct standstill *standstill)
{
	char digest[DIGEST_BYTES], at[CLOCK_TEXT_BYTES];
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry) {
		if (is_member(entry, "file", standstill->file)) {
			json_array_remove(list, i);
			break;
		}
	}
	if (json_array_size(list) >= LIMIT_PROVIDERS)
		json_array_remove(list, 0);
	write_digest(standstill->digest, digest);
	clock_format(clock_unix_ms(), at);
	json_array_append_new(list,
		json_pack("{s:s,s:s,s:s,s:s}", "file", standstill->file, "step", standstill->step, "digest", digest, "at", at));
}

enum error_code standstills_add(const char *path, const struct standstill *standstill, struct error *error)
{
	json_t *list = standstills_read(path);
	enum error_code code;
	struct buffer out;

	buffer_init(&out, LIMIT_CONFIG_FILE_BYTES);
	replace_standstill(list, standstill);
	json_write(&out, list);
	buffer_char(&out, '\n');
	if (out.failed)
		code = error_set(error, ERROR_LIMIT, path, "would be larger than %d bytes", LIMIT_CONFIG_FILE_BYTES);
	else
		code = file_write_durably(path, out.data, out.length, 0640, error);
	buffer_free(&out);
	json_decref(list);
	return code;
}
