/* resources.c - lists and reads resources. HTTP threads; what the request's key does not see is not there. */
#include "mcp/resources.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/artifact_entry.h"
#include "base/json.h"
#include "base/limits.h"
#include "mcp/call_answer.h"
#include "mcp/errors.h"
#include "mcp/resource_uri.h"
#include "mcp/told_job.h"

#define ARTIFACT_TTL_MS 3600000 /* what was made never changes */
#define TEMPLATES_TTL_MS 300000
#define CURSOR_BYTES 48
#define MESSAGE_BYTES 640

struct output {
	const char *uri;
	struct id job;
	int n;
};

/* ---- lists ---- */

/* Without a name of its own it has that of its place. */
static json_t *new_listed(const json_t *row)
{
	const char *job = json_text(row, "job_id"), *name = json_text(row, "filename"), *type = json_text(row, "content_type");
	int n = (int)json_integer_value(json_object_get(row, "n"));
	char uri[ARTIFACT_URI_BYTES] = "";
	json_t *listed = json_object();
	struct id id;

	if (job != NULL && id_parse(job, &id))
		artifact_uri_format(&id, n, uri);
	json_object_set_new(listed, "uri", json_string(uri));
	json_object_set_new(listed, "name", name != NULL ? json_string(name) : json_sprintf("artifact %d", n));
	if (type != NULL)
		json_object_set_new(listed, "mimeType", json_string(type));
	if (json_is_integer(json_object_get(row, "bytes")))
		json_object_set(listed, "size", json_object_get(row, "bytes"));
	return listed;
}

/* The cursor is the page's own, digits and a point: anything else would be more than a cursor in a query. */
static bool read_cursor(struct mcp_call *call, char query[CURSOR_BYTES + 32])
{
	const json_t *cursor = json_object_get(call->params, "cursor");
	const char *text = json_text_value(cursor);

	snprintf(query, CURSOR_BYTES + 32, "limit=50");
	if (cursor == NULL || json_is_null(cursor))
		return true;
	if (text == NULL || strlen(text) > CURSOR_BYTES || text[strspn(text, "0123456789.")] != '\0') {
		mcp_call_error(call, MCP_INVALID_PARAMS, NULL, "`params.cursor` must be `nextCursor` of the page before");
		return false;
	}
	snprintf(query, CURSOR_BYTES + 32, "limit=50&cursor=%s", text);
	return true;
}

static void list_page(struct mcp_call *call, const json_t *page)
{
	json_t *result = json_object(), *list = json_array(), *row;
	const char *next = json_text(page, "next");
	size_t i;

	json_array_foreach(json_object_get(page, "artifacts"), i, row) {
		if (json_text(row, "url") != NULL) /* one that is gone cannot be read */
			json_array_append_new(list, new_listed(row));
	}
	json_object_set_new(result, "resources", list);
	if (next != NULL)
		json_object_set_new(result, "nextCursor", json_string(next));
	mcp_set_cache(call, result, 0);
	mcp_answer(call, result);
}

/* What the host says of an inner call that failed, as an error of the protocol. */
static void tell_inner(struct mcp_call *call, const struct inner_answer *answer)
{
	const char *detail = json_text(answer->body, "detail");
	bool asked_wrong = answer->status == 400;

	mcp_answer_error(call, asked_wrong ? 200 : answer->status, asked_wrong ? MCP_INVALID_PARAMS : MCP_INTERNAL_ERROR, NULL,
		detail != NULL ? detail : "the host gave no answer");
}

void mcp_resources_list(struct mcp_call *call)
{
	char query[CURSOR_BYTES + 32];
	struct inner_answer answer;

	if (!read_cursor(call, query))
		return;
	mcp_call_inner(call, &(struct inner_call){ .method = "GET", .path = "/api/artifacts", .query = query }, &answer);
	if (answer.status == 200 && answer.body != NULL)
		list_page(call, answer.body);
	else
		tell_inner(call, &answer);
	inner_answer_free(&answer);
}

static json_t *new_template(const char *uri, const char *name, const char *title, const char *type)
{
	json_t *template = json_object();

	json_object_set_new(template, "uriTemplate", json_string(uri));
	json_object_set_new(template, "name", json_string(name));
	json_object_set_new(template, "title", json_string(title));
	if (type != NULL)
		json_object_set_new(template, "mimeType", json_string(type));
	return template;
}

void mcp_resources_templates(struct mcp_call *call)
{
	json_t *result, *list;

	if (!mcp_no_cursor(call))
		return;
	result = json_object();
	list = json_array();
	json_array_append_new(list,
		new_template(ARTIFACT_SCHEME "jobs/{job_id}", "job", "A job: its status, cost and results", "application/json"));
	json_array_append_new(list, new_template(ARTIFACT_SCHEME "jobs/{job_id}/artifacts/{n}", "artifact",
					    "What a job made, numbered from 0", NULL));
	json_object_set_new(result, "resourceTemplates", list);
	mcp_set_cache(call, result, TEMPLATES_TTL_MS);
	mcp_answer(call, result);
}

/* ---- reading ---- */

static json_t *uri_data(const char *uri)
{
	json_t *data = json_object();

	json_object_set_new(data, "uri", json_string(uri));
	return data;
}

/* As the era has it: the modern one forbids the code of the older. */
static void tell_absence(struct mcp_call *call, const char *uri, const char *why)
{
	int code = call->era == MCP_MODERN ? MCP_INVALID_PARAMS : MCP_RESOURCE_NOT_FOUND;
	char message[MESSAGE_BYTES];

	snprintf(message, sizeof message, "Resource not found: %s", why);
	mcp_call_error(call, code, uri_data(uri), message);
}

static void tell_store(struct mcp_call *call, const char *uri, const struct error *error)
{
	if (error->code == ERROR_NOT_FOUND)
		tell_absence(call, uri, error->message);
	else
		mcp_answer_error(call, 503, MCP_INTERNAL_ERROR, NULL, error->message);
}

/* `content` is the text or the blob of what was read; taken. */
static void send_contents(
	struct mcp_call *call, const char *uri, const char *type, const char *member, json_t *content, int ttl_ms)
{
	json_t *result = json_object(), *contents = json_array(), *one = uri_data(uri);

	json_object_set_new(one, "mimeType", json_string(type));
	json_object_set_new(one, member, content);
	json_array_append_new(contents, one);
	json_object_set_new(result, "contents", contents);
	mcp_set_cache(call, result, ttl_ms);
	mcp_answer(call, result);
}

/* As get_job tells it. */
static void read_job_resource(struct mcp_call *call, const char *uri, const struct id *id)
{
	struct mcp_job_reader reader;
	struct mcp_job job;
	struct error error;
	struct buffer text;

	mcp_job_reader_open(call, &reader);
	if (mcp_job_read(&reader, id, &job, &error) != ERROR_NONE) {
		tell_store(call, uri, &error);
	} else {
		buffer_init(&text, LIMIT_MCP_RESOURCE_BYTES);
		json_write(&text, job.structured);
		send_contents(call, uri, "application/json", "text", json_stringn(buffer_begin(&text), text.length), 0);
		buffer_free(&text);
	}
	mcp_job_close(&job);
}

/* Where the host itself serves the file, for who can fetch it. */
static void tell_large(struct mcp_call *call, const struct output *output, off_t bytes)
{
	json_t *data = uri_data(output->uri);
	struct mcp_job_reader reader;
	char message[MESSAGE_BYTES];

	mcp_job_reader_open(call, &reader);
	json_object_set_new(data, "bytes", json_integer(bytes));
	json_object_set_new(data, "url", mcp_output_url(&reader, &output->job, output->n));
	snprintf(message, sizeof message, "the file has %lld bytes, more than the %d of a resource: fetch it by error.data.url",
		(long long)bytes, LIMIT_MCP_RESOURCE_BYTES);
	mcp_call_error(call, MCP_INVALID_PARAMS, data, message);
}

static void read_file_resource(struct mcp_call *call, const struct output *output, const json_t *entry)
{
	char space[ARTIFACT_TYPE_BYTES];
	struct buffer text;
	struct error error;
	int64_t modified_ms;
	int descriptor;
	off_t bytes;

	if (artifact_entry_open(call->host, entry, &descriptor, &bytes, &modified_ms, &error) != ERROR_NONE) {
		tell_store(call, output->uri, &error);
		return;
	}
	if (bytes > LIMIT_MCP_RESOURCE_BYTES) {
		tell_large(call, output, bytes);
	} else {
		buffer_init(&text, artifact_base64_bytes(bytes) + 1);
		if (artifact_entry_base64(descriptor, bytes, &text, &error) == ERROR_NONE)
			send_contents(call, output->uri, artifact_entry_type(entry, space), "blob",
				json_stringn(buffer_begin(&text), text.length), ARTIFACT_TTL_MS);
		else
			tell_store(call, output->uri, &error);
		buffer_free(&text);
	}
	close(descriptor);
}

static void read_artifact_resource(struct mcp_call *call, const struct output *output)
{
	struct artifact_entry entry;
	struct error error;
	char why[MESSAGE_BYTES / 2];

	if (artifact_entry_find(call->host, call->request, &output->job, output->n, &entry, &error) != ERROR_NONE) {
		tell_store(call, output->uri, &error);
		return;
	}
	if (entry.json != NULL) {
		read_file_resource(call, output, entry.json);
	} else {
		artifact_entry_explain(&entry, why, sizeof why);
		tell_absence(call, output->uri, why);
	}
	json_decref(entry.json);
}

void mcp_resources_read(struct mcp_call *call)
{
	const char *uri = json_text(call->params, "uri");
	struct output output = { .uri = uri };

	if (uri == NULL)
		mcp_call_error(call, MCP_INVALID_PARAMS, NULL, "`params.uri` must be a text");
	else if (strlen(uri) > LIMIT_MCP_URI_BYTES)
		mcp_call_error(call, MCP_INVALID_PARAMS, NULL, "`params.uri` is longer than any resource's of this host");
	else if (resource_job_parse(uri, &output.job))
		read_job_resource(call, uri, &output.job);
	else if (artifact_uri_parse(uri, &output.job, &output.n))
		read_artifact_resource(call, &output);
	else
		tell_absence(call, uri, "it is neither " ARTIFACT_SCHEME "jobs/ID nor " ARTIFACT_SCHEME "jobs/ID/artifacts/N");
}
