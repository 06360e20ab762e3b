/* artifact_inline.c - outputs that came inside the vendor's answer, written at once. The artifacts thread. */
#include <string.h>

#include "artifact/artifact_decode.h"
#include "artifact/internal.h"
#include "base/json.h"

static bool write_json_output(const json_t *value, struct artifact_file *file)
{
	struct buffer text;
	bool written;

	buffer_init(&text, LIMIT_REPLY_BYTES);
	json_write(&text, value);
	if (text.failed)
		error_memory(&file->error);
	written = !text.failed && artifact_file_write(file, text.data, text.length);
	buffer_free(&text);
	return written;
}

/* Writes the one that the output has. */
static bool write_output(struct artifact_item *item, char type[ARTIFACT_TYPE_BYTES])
{
	const json_t *base64 = json_object_get(item->output, "base64"), *uri = json_object_get(item->output, "data_uri");
	const json_t *text = json_object_get(item->output, "text"), *json = json_object_get(item->output, "json");

	if (json_text_value(base64) != NULL)
		return artifact_decode_base64(json_string_value(base64), json_string_length(base64), &item->file);
	if (json_text_value(uri) != NULL)
		return artifact_decode_data_uri(
			json_string_value(uri), json_string_length(uri), &item->file, type, ARTIFACT_TYPE_BYTES);
	if (json_text_value(text) != NULL) {
		memcpy(type, "text/plain", sizeof "text/plain");
		return artifact_file_write(&item->file, json_string_value(text), json_string_length(text));
	}
	if (json != NULL) {
		memcpy(type, "application/json", sizeof "application/json");
		return write_json_output(json, &item->file);
	}
	error_set(&item->file.error, ERROR_SCRIPT, NULL, "the script named no url, base64, data_uri, text or json");
	return false;
}

bool artifact_inline_write(struct artifact_item *item)
{
	int64_t maximum = item->work->copy->view->config->artifacts.max_bytes;
	struct mask_known known = artifact_known(item);
	char type[ARTIFACT_TYPE_BYTES] = "";

	item->failed = artifact_file_open(&item->work->artifacts->store->folder, maximum, &known, &item->file) != ERROR_NONE ||
		       !write_output(item, type);
	item->error = item->file.error;
	if (!item->failed)
		artifact_type_choose(json_text(item->output, "content_type"), type[0] != '\0' ? type : NULL, item->file.head,
			item->file.head_length, item->type);
	return !item->failed;
}
