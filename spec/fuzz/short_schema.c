/* short_schema.c - a vendor's schema as an agent is told of it: in room, of names and texts that are seen, and a schema of objects that names what it needs. */
#include "fuzz.h"

#include "base/buffer.h"
#include "base/json.h"
#include "directory/model_text.h"
#include "mcp/short_schema.h"

#define ROOM 2048

static size_t bytes_of(const json_t *value)
{
	struct buffer out;
	size_t length;

	buffer_init(&out, 1 << 24);
	json_write(&out, value);
	FUZZ_CHECK(!out.failed);
	length = out.length;
	buffer_free(&out);
	return length;
}

static void check_texts(const json_t *value)
{
	const char *name;
	json_t *member;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)value, name, member) {
		FUZZ_CHECK(!model_text_is_odd(name));
		check_texts(member);
	}
	json_array_foreach(value, i, member) {
		check_texts(member);
	}
	if (json_text_value(value) != NULL)
		FUZZ_CHECK(json_string_length(value) <= 160);
}

/* What is required is there, wherever the nesting put it. */
static void check_required(const json_t *schema)
{
	json_t *list = json_object_get(schema, "required"), *name;
	size_t i;

	json_array_foreach(list, i, name) {
		FUZZ_CHECK(json_object_get(json_object_get(schema, "properties"), json_string_value(name)) != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	json_t *schema = json_read(text, size, NULL);
	struct mcp_schema made;

	if (schema != NULL) {
		mcp_schema_make(schema, ROOM, &made);
		FUZZ_CHECK(bytes_of(made.schema) <= ROOM);
		check_texts(made.schema);
		check_required(made.schema);
		mcp_schema_free(&made);
		json_decref(schema);
	}
	free(text);
	return 0;
}
