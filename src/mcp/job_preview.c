/* job_preview.c - puts a kept picture into an answer, and links. HTTP threads; reads files of the artifacts folder.
 *
 * Pictures are the one place where base64 is: as an image block, which a client shows to its model as a picture. In a text it would be read by the word. */
#include "mcp/job_preview.h"

#include <string.h>
#include <unistd.h>

#include "api/artifact_entry.h"
#include "base/json.h"
#include "base/limits.h"

static bool is_shown(const json_t *entry)
{
	static const char *const types[] = { "image/png", "image/jpeg", "image/webp", "image/gif", NULL };
	const char *type = json_text(entry, "content_type");
	size_t i = 0;

	while (types[i] != NULL && (type == NULL || strcmp(types[i], type) != 0))
		i++;
	return types[i] != NULL && json_text(entry, "error") == NULL &&
	       json_integer_value(json_object_get(entry, "bytes")) <= LIMIT_MCP_PREVIEW_BYTES;
}

/* NULL: it is gone, or larger than its row says. */
static json_t *read_picture(struct host *host, const json_t *entry)
{
	struct buffer text;
	struct error error;
	json_t *data = NULL;
	int64_t modified_ms;
	int descriptor;
	off_t bytes;

	if (artifact_entry_open(host, entry, &descriptor, &bytes, &modified_ms, &error) != ERROR_NONE)
		return NULL;
	buffer_init(&text, artifact_base64_bytes(LIMIT_MCP_PREVIEW_BYTES) + 1);
	if (bytes <= LIMIT_MCP_PREVIEW_BYTES && artifact_entry_base64(descriptor, bytes, &text, &error) == ERROR_NONE)
		data = json_stringn_nocheck(text.data, text.length);
	buffer_free(&text);
	close(descriptor);
	return data;
}

static json_t *for_whom(void)
{
	return json_pack("{s:[s, s], s:f}", "audience", "user", "assistant", "priority", 0.5);
}

void mcp_add_preview(struct mcp_call *call, const struct mcp_job_reader *reader, const struct mcp_job *job)
{
	const json_t *entry;
	json_t *data = NULL;
	size_t i;

	json_array_foreach(job->artifacts, i, entry) {
		if (is_shown(entry) && (data = read_picture(reader->host, entry)) != NULL)
			break;
	}
	if (data != NULL)
		mcp_call_add(call, json_pack("{s:s, s:o, s:O, s:o}", "type", "image", "data", data, "mimeType",
					   json_object_get(entry, "content_type"), "annotations", for_whom()));
}

void mcp_add_links(struct mcp_call *call, const struct mcp_job *job)
{
	char uri[ARTIFACT_URI_BYTES], space[ARTIFACT_TYPE_BYTES];
	const json_t *entry;
	const char *name;
	size_t i;

	json_array_foreach(job->artifacts, i, entry) {
		if (i >= MCP_SHOWN_ARTIFACTS)
			break;
		if (json_text(entry, "error") != NULL)
			continue;
		artifact_uri_format(&job->id, (int)json_integer_value(json_object_get(entry, "n")), uri);
		name = json_text(entry, "filename");
		mcp_call_add(call, json_pack("{s:s, s:s, s:s, s:s, s:O*}", "type", "resource_link", "name",
					   name != NULL ? name : "artifact", "uri", uri, "mimeType",
					   artifact_entry_type(entry, space), "size", json_object_get(entry, "bytes")));
	}
}
