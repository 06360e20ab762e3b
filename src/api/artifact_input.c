/* artifact_input.c - reads a kept file into a request. HTTP threads; blocks on the disk.
 *
 * So a client makes a video of an image without fetching it, and none of its bytes pass through an agent's context. After masking: what is put in is
 * base64 that the client did not write. A vendor gets what it takes of any client, a data URI, so scripts need to know nothing of it. */
#include "api/artifact_input.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/artifact_entry.h"
#include "base/json.h"
#include "base/text.h"

struct filling {
	struct incoming *incoming;
	size_t left;	/* bytes that may still be put in */
	char path[160]; /* of the value that is looked at */
	bool failed;	/* a problem was sent */
};

static json_t *fill_value(struct filling *filling, json_t *value);

static json_t *refuse_input(struct filling *filling, const struct error *error, const char *what)
{
	char detail[sizeof error->message + 160];

	filling->failed = true;
	if (error != NULL && error->code != ERROR_NOT_FOUND && error->code != ERROR_LIMIT) {
		incoming_retry(filling->incoming, 1, error->message);
		return NULL;
	}
	snprintf(detail, sizeof detail, "%s%s%s", what, error != NULL ? ": " : "", error != NULL ? error->message : "");
	incoming_problem(filling->incoming, 400, filling->path, detail);
	return NULL;
}

/* The text is made in a buffer and copied into its value: for as long as that takes it is there twice. */
static enum error_code read_uri(
	struct filling *filling, int descriptor, off_t bytes, const char *type, json_t **uri, struct error *error)
{
	size_t length = artifact_base64_bytes(bytes) + strlen(type) + sizeof "data:;base64,";
	struct http_request *http = filling->incoming->http;
	enum error_code code;
	struct buffer out;

	if (length > filling->left)
		return error_set(error, ERROR_LIMIT, NULL,
			"it has %lld bytes, and a request with what is put into it may have server.max_body_bytes, %zu",
			(long long)bytes, http->view->config->server.max_body_bytes);
	filling->left -= length;
	if (!http_count_json(http, 2 * length))
		return error_set(error, ERROR_BUSY, NULL,
			"too many large requests are being worked on, or the host is out of memory: send it again later");
	buffer_init(&out, length + 1);
	buffer_format(&out, "data:%s;base64,", type);
	code = artifact_entry_base64(descriptor, bytes, &out, error);
	if (code == ERROR_NONE)
		*uri = json_stringn_nocheck(out.data, out.length);
	buffer_free(&out);
	http_uncount_json(http, length);
	return code;
}

static json_t *fill_artifact(struct filling *filling, const json_t *entry)
{
	char space[ARTIFACT_TYPE_BYTES];
	struct error error;
	json_t *uri = NULL;
	int64_t modified_ms;
	int descriptor;
	off_t bytes;

	if (artifact_entry_open(filling->incoming->host, entry, &descriptor, &bytes, &modified_ms, &error) != ERROR_NONE)
		return refuse_input(filling, &error, "this output cannot be put in");
	(void)read_uri(filling, descriptor, bytes, artifact_entry_type(entry, space), &uri, &error);
	close(descriptor);
	return uri != NULL ? uri : refuse_input(filling, &error, "this output cannot be put in");
}

static json_t *fill_text(struct filling *filling, json_t *value)
{
	struct incoming *incoming = filling->incoming;
	const char *text = json_text_value(value);
	struct artifact_entry entry;
	struct error error;
	char detail[128];
	struct id job;
	int n;

	if (text == NULL)
		return json_incref(value);
	if (strncmp(text, ARTIFACT_SCHEME, sizeof ARTIFACT_SCHEME - 1) != 0) {
		if (!artifact_url_parse(text, http_header(incoming->http, "Host"), &job, &n))
			return json_incref(value);
	} else if (!artifact_uri_parse(text, &job, &n))
		return refuse_input(filling, NULL,
			"must be providerd://jobs/JOB_ID/artifacts/N, as a job's outputs are named: N counts from 0");
	if (artifact_entry_find(incoming->host, incoming->http, &job, n, &entry, &error) != ERROR_NONE)
		return refuse_input(filling, &error, "this output cannot be put in");
	if (entry.json == NULL) {
		artifact_entry_explain(&entry, detail, sizeof detail);
		return refuse_input(filling, NULL, detail);
	}
	value = fill_artifact(filling, entry.json);
	json_decref(entry.json);
	return value;
}

/* ---- the tree ---- */

/* Names the member of what is at the path's beginning of this length; as much as there is room for. */
static void enter_member(struct filling *filling, size_t length, const char *name)
{
	size_t room = sizeof filling->path - length - 1, size = strlen(name);

	if (length > 0 && room > 0) {
		filling->path[length++] = '.';
		room--;
	}
	size = size < room ? size : room;
	memcpy(filling->path + length, name, size);
	filling->path[length + size] = '\0';
}

/* Its members are filled under their path; a list's copy is made only once something in it is another value. */
static json_t *fill_object(struct filling *filling, json_t *object)
{
	size_t length = strlen(filling->path);
	json_t *copy = NULL, *member, *filled;
	const char *name;

	json_object_foreach(object, name, member) {
		enter_member(filling, length, name);
		if ((filled = fill_value(filling, member)) == NULL)
			break;
		if (filled != member && copy == NULL)
			copy = json_copy(object);
		if (filled != member)
			json_object_set_nocheck(copy, name, filled);
		json_decref(filled);
		filling->path[length] = '\0';
	}
	if (!filling->failed)
		return copy != NULL ? copy : json_incref(object);
	json_decref(copy);
	return NULL;
}

static json_t *fill_array(struct filling *filling, json_t *array)
{
	size_t length = strlen(filling->path), i;
	json_t *copy = NULL, *item, *filled;

	json_array_foreach(array, i, item) {
		snprintf(filling->path + length, sizeof filling->path - length, "[%zu]", i);
		if ((filled = fill_value(filling, item)) == NULL)
			break;
		if (filled != item && copy == NULL)
			copy = json_copy(array);
		if (filled != item)
			json_array_set(copy, i, filled);
		json_decref(filled);
		filling->path[length] = '\0';
	}
	if (!filling->failed)
		return copy != NULL ? copy : json_incref(array);
	json_decref(copy);
	return NULL;
}

/* As deep as a body may be nested. A new reference; NULL: a problem was sent. */
static json_t *fill_value(struct filling *filling, json_t *value)
{
	if (json_is_string(value))
		return fill_text(filling, value);
	if (json_is_object(value))
		return fill_object(filling, value);
	return json_is_array(value) ? fill_array(filling, value) : json_incref(value);
}

bool artifact_input_fill(struct incoming *incoming)
{
	size_t most = incoming->http->view->config->server.max_body_bytes, has = incoming->http->body_length;
	struct filling filling = { .incoming = incoming, .left = most > has ? most - has : 0 };
	json_t *filled;

	text_copy(incoming_request_path(incoming), filling.path, sizeof filling.path);
	filled = fill_value(&filling, incoming->script_request);

	if (filled == NULL)
		return false;
	json_decref(incoming->script_request);
	incoming->script_request = filled;
	return true;
}
