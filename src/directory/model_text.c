/* model_text.c - cleans what vendors wrote. No state; any thread. Never takes a text for markup: what is to be seen stays as it is. */
#include "directory/model_text.h"

#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

/* Of a character that is valid UTF-8. */
static uint32_t code_of(const unsigned char *bytes, size_t length)
{
	static const unsigned char firsts[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = bytes[0] & firsts[length];

	for (size_t i = 1; i < length; i++)
		code = code << 6 | (bytes[i] & 0x3f);
	return code;
}

/* Controls (C0, DEL, C1), marks that turn the direction of what follows, characters without a width, tags and private ones. */
static bool is_unseen(uint32_t code)
{
	static const uint32_t ranges[][2] = { { 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x180e, 0x180e },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xe000, 0xf8ff }, { 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb }, { 0xe0000, 0x10ffff } };

	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (code >= ranges[i][0] && code <= ranges[i][1])
			return true;
	return false;
}

void model_text_append(const char *text, size_t length, size_t most, struct buffer *out)
{
	const unsigned char *at = (const unsigned char *)text, *end = at + length;
	size_t start = out->length, size;

	while (at < end && (size = text_character_length(at, (size_t)(end - at))) > 0) {
		if (out->length - start + size > most)
			return;
		if (*at == '\n' || *at == '\t' || *at == '\r')
			buffer_char(out, ' ');
		else if (!is_unseen(code_of(at, size)))
			buffer_append(out, at, size);
		at += size;
	}
}

json_t *model_text_clean(const json_t *value, size_t most)
{
	const char *text = json_text_value(value);
	json_t *cleaned = NULL;
	struct buffer out;

	if (text == NULL)
		return NULL;
	buffer_init(&out, most + 8);
	model_text_append(text, json_string_length(value), most, &out);
	if (out.length > 0 && !out.failed)
		cleaned = json_stringn(out.data, out.length);
	buffer_free(&out);
	return cleaned;
}

bool model_text_is_odd(const char *name)
{
	const unsigned char *at = (const unsigned char *)name;
	size_t left = strlen(name), size;

	while (left > 0) {
		size = text_character_length(at, left);
		if (size == 0 || is_unseen(code_of(at, size)))
			return true;
		at += size;
		left -= size;
	}
	return *name == '\0';
}

static json_t *clean_list(const json_t *value, size_t most, int depth)
{
	json_t *list = json_array();
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
		json_array_append_new(list, model_text_clean_tree(item, most, depth));
	return list;
}

static json_t *clean_object(const json_t *value, size_t most, int depth)
{
	json_t *object = json_object(), *item;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)value, name, item)
		if (!model_text_is_odd(name))
			json_object_set_new(object, name, model_text_clean_tree(item, most, depth));
	return object;
}

json_t *model_text_clean_tree(const json_t *value, size_t most, int depth)
{
	uint64_t wide;
	json_t *cleaned;

	if (json_is_array(value) || json_is_object(value)) {
		if (depth == 0)
			return json_null();
		return json_is_array(value) ? clean_list(value, most, depth - 1) : clean_object(value, most, depth - 1);
	}
	if (!json_is_string(value) || json_wide(value, &wide))
		return json_incref((json_t *)(uintptr_t)value);
	cleaned = model_text_clean(value, most);
	return cleaned != NULL ? cleaned : json_string("");
}
