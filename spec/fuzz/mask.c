/* mask.c - no planted secret is left, and masking twice is masking once.
 *
 * The input: a byte that says which secret is planted how, two that say where, then the text. */
#include "fuzz.h"

#include <ctype.h>

#include "base/json.h"
#include "gate/mask.h"
#include "gate/mask_index.h"
#include "gate/mask_known.h"

static const char *const secrets[] = { "rpa_PLANTEDPLANTED1", "11111111-2222:planted7", "pa/ss\"w\\rd+16&<more>",
	"aaaaaaaaaaaaaaaaaaaaaaab", "aaaaaaaaaaab1", "correcthorsebattery", "tok1" };
#define SECRETS (sizeof secrets / sizeof *secrets)

static struct gate_view view;

static void prepare(void)
{
	struct mask_index *index;

	if (view.known != NULL)
		return;
	index = mask_index_new();
	FUZZ_CHECK(index != NULL);
	index->coded = true;
	for (size_t i = 0; i < SECRETS; i++)
		mask_index_add(index, secrets[i]);
	FUZZ_CHECK(mask_index_close(index, true));
	view.known = index;
}

static void append_form(struct buffer *out, const char *secret, int form)
{
	for (const char *at = secret; *at != '\0'; at++) {
		unsigned byte = (unsigned char)*at;

		switch (form) {
		case 1: buffer_char(out, (char)toupper((int)byte)); break;
		case 2: buffer_format(out, "%%%02x", byte); break;
		case 3: buffer_format(out, "\\u%04x", byte); break;
		case 4: buffer_format(out, "&#%u;", byte); break;
		case 5: buffer_format(out, "%02x", byte); break;
		case 6: buffer_format(out, "%%2525%02X", byte); break;
		case 7: buffer_format(out, "&amp;#x%x;", byte); break;
		case 8: buffer_format(out, "%c\r\n\t", (int)byte); break;
		default: buffer_char(out, (char)byte); break;
		}
	}
}

/* Does the secret stand there, as it is or in capitals? */
static bool holds(const char *text, size_t length, const char *secret)
{
	size_t size = strlen(secret);

	for (size_t at = 0; at + size <= length; at++)
		if (strncasecmp(text + at, secret, size) == 0)
			return true;
	return false;
}

static void check_clean(const char *text, size_t length)
{
	for (size_t i = 0; i + 1 < SECRETS; i++) /* the last is only a word of its own */
		FUZZ_CHECK(!holds(text, length, secrets[i]));
}

static void check_text(const char *text)
{
	char *once = mask_text(&view, text), *twice;

	FUZZ_CHECK(once != NULL);
	check_clean(once, strlen(once));
	twice = mask_text(&view, once);
	FUZZ_CHECK(twice != NULL && strcmp(once, twice) == 0);
	free(once);
	free(twice);
}

static void check_texts(json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value))
		check_clean(json_string_value(value), json_string_length(value));
	json_object_foreach(value, key, item) {
		check_clean(key, strlen(key));
		check_texts(item);
	}
	json_array_foreach(value, i, item)
		check_texts(item);
}

static void check_json(json_t *value)
{
	bool changed, again;
	json_t *once = mask_json(&view, value, &changed), *twice;

	FUZZ_CHECK(once != NULL);
	check_texts(once);
	twice = mask_json(&view, once, &again);
	FUZZ_CHECK(twice != NULL && json_equal(once, twice));
	json_decref(twice);
	json_decref(once);
}

/* What leaves the host or comes into it: JSON stays JSON. */
static void check_stream(bool json, const char *text, size_t length)
{
	struct mask_known known = { .index = view.known, .all = true };
	struct buffer once, twice;
	json_t *value = json ? json_read(text, length, NULL) : NULL, *masked;

	buffer_init(&once, 8 * length + 64);
	buffer_init(&twice, 8 * length + 64);
	if (mask_known_text(&known, json, text, length, &once) == MASK_CLEAN)
		buffer_append(&once, text, length);
	FUZZ_CHECK(!once.failed);
	if (value != NULL) {
		masked = json_read(once.data, once.length, NULL);
		FUZZ_CHECK(masked != NULL);
		check_texts(masked);
		json_decref(masked);
	} else if (!json) {
		check_clean(once.data, once.length);
		FUZZ_CHECK(!mask_known_in(&known, once.data, once.length));
		FUZZ_CHECK(mask_known_text(&known, json, once.data, once.length, &twice) == MASK_CLEAN);
	}
	json_decref(value);
	buffer_free(&once);
	buffer_free(&twice);
}

static void check_file(const char *text, size_t length)
{
	struct mask_known known = { .index = view.known, .all = true };
	char *bytes = fuzz_copy((const uint8_t *)text, length);

	FUZZ_CHECK(mask_known_bytes(&known, bytes, length));
	check_clean(bytes, length);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer text;
	size_t at;
	json_t *value;

	prepare();
	if (size < 3)
		return 0;
	at = (size_t)data[1] << 8 | data[2];
	at = at < size - 3 ? at : size - 3;
	buffer_init(&text, 1024 * 1024);
	buffer_append(&text, data + 3, at);
	append_form(&text, secrets[data[0] % SECRETS], data[0] / SECRETS % 9);
	buffer_append(&text, data + 3 + at, size - 3 - at);
	FUZZ_CHECK(!text.failed);
	check_stream(false, text.data, text.length);
	check_stream(true, text.data, text.length);
	check_file(text.data, text.length);
	if (strlen(text.data) == text.length)
		check_text(text.data);
	value = json_read(text.data, text.length, NULL);
	if (value == NULL)
		value = json_pack("{s:o?}", "a", json_stringn(text.data, text.length));
	if (value != NULL && (json_is_object(value) || json_is_array(value)))
		check_json(value);
	json_decref(value);
	buffer_free(&text);
	return 0;
}
