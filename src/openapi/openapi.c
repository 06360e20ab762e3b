/* openapi.c - reads openapi/ and writes the document once.
 *
 * Each file is a part of the document: the members of `paths` and of the sections of `components` are put together, and each has one place. What all
 * operations have stands once, as `x-every-operation`, and is written into each. A file that is wrong means no document, and stops no host. */
#include "openapi/openapi.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define EVERY "x-every-operation"
#define SHARED_DEPTH 2 /* the root's members, and the sections of components: below that each name is one file's */

struct openapi {
	json_t *root;
	struct buffer text;
	size_t paths_end, schemas_end; /* where members more go */
	char problem[512];
};

__attribute__((format(printf, 2, 3))) static bool reject(struct openapi *openapi, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(openapi->problem, sizeof openapi->problem, format, arguments);
	va_end(arguments);
	return false;
}

/* ---- put together ---- */

static bool take_members(struct openapi *openapi, json_t *into, const json_t *part, const char *file, int depth)
{
	const char *name;
	json_t *value, *there;

	json_object_foreach((json_t *)(uintptr_t)part, name, value) {
		there = json_object_get(into, name);
		if (there == NULL)
			json_object_set(into, name, value);
		else if (depth == SHARED_DEPTH || !json_is_object(there) || !json_is_object(value))
			return reject(openapi, "openapi/%s: %.200s stands in another file, too", file, name);
		else if (!take_members(openapi, there, value, file, depth + 1))
			return false;
	}
	return true;
}

static bool read_part(struct openapi *openapi, const char *folder, const char *file)
{
	char *path = file_join(folder, file), *text = NULL;
	struct error error;
	size_t length;
	json_t *part = NULL;
	bool taken = false;

	if (file_read(path, LIMIT_OPENAPI_FILE_BYTES, &text, &length, &error) == ERROR_NONE)
		part = json_read(text, length, &error);
	if (part == NULL)
		reject(openapi, "openapi/%s: %.400s", file, error.message);
	else if (!json_is_object(part))
		reject(openapi, "openapi/%s: is no object", file);
	else
		taken = take_members(openapi, openapi->root, part, file, 0);
	json_decref(part);
	free(text);
	free(path);
	return taken;
}

static int is_json_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot != NULL && strcmp(dot, ".json") == 0;
}

/* By name, so that the document is the same each time. */
static bool read_parts(struct openapi *openapi, const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_json_file, alphasort);
	bool taken = count > 0;

	if (count <= 0)
		reject(openapi, "openapi/: cannot be found, or has no file");
	for (int i = 0; i < count; i++) {
		taken = taken && read_part(openapi, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return taken;
}

/* ---- what all operations have ---- */

static bool wants_key(const json_t *operation)
{
	const json_t *security = json_object_get(operation, "security");

	return security == NULL || json_array_size(security) > 0;
}

static void add_shared_headers(json_t *response, const json_t *headers)
{
	json_t *all = json_copy(json_object_get(response, "headers"));

	if (json_object_get(response, "$ref") != NULL)
		return; /* these have theirs where they stand */
	if (all == NULL)
		all = json_object();
	json_object_update_missing(all, (json_t *)(uintptr_t)headers);
	json_object_set_new(response, "headers", all);
}

static void complete_operation(json_t *operation, const json_t *every)
{
	json_t *responses = json_object_get(operation, "responses"), *parameters = json_object_get(operation, "parameters"),
	       *response;
	json_t *all = json_copy(json_object_get(every, "parameters"));
	const char *status;

	json_array_extend(all, parameters);
	json_object_set_new(operation, "parameters", all);
	json_object_foreach(responses, status, response) {
		add_shared_headers(response, json_object_get(every, "headers"));
	}
	json_object_foreach(json_object_get(every, "responses"), status, response) {
		if (json_object_get(responses, status) == NULL && (wants_key(operation) || strcmp(status, "401") != 0))
			json_object_set(responses, status, response);
	}
}

static void complete_operations(json_t *root)
{
	json_t *every = json_object_get(root, EVERY), *item, *operation;
	const char *path, *method;

	json_object_foreach(json_object_get(root, "paths"), path, item) {
		json_object_foreach(item, method, operation) {
			if (json_is_object(json_object_get(operation, "responses")))
				complete_operation(operation, every);
		}
	}
	json_object_del(root, EVERY);
}

/* ---- written ---- */

static void write_members(struct buffer *out, const json_t *object, const char *but)
{
	const char *name, *comma = buffer_begin(out)[out->length - 1] == '{' ? "" : ",";
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		if (but != NULL && strstr(but, name) != NULL)
			continue;
		buffer_text(out, comma);
		json_write_text(out, name);
		buffer_char(out, ':');
		json_write(out, value);
		comma = ",";
	}
}

/* With `paths` and `components.schemas` where members more can be put at their ends. */
static void write_document(struct openapi *openapi)
{
	const json_t *components = json_object_get(openapi->root, "components");
	struct buffer *out = &openapi->text;

	buffer_char(out, '{');
	write_members(out, openapi->root, "paths components");
	buffer_text(out, ",\"paths\":{");
	write_members(out, json_object_get(openapi->root, "paths"), NULL);
	openapi->paths_end = out->length;
	buffer_text(out, "},\"components\":{");
	write_members(out, components, "schemas");
	buffer_text(out, ",\"schemas\":{");
	write_members(out, json_object_get(components, "schemas"), NULL);
	openapi->schemas_end = out->length;
	buffer_text(out, "}}}");
}

struct openapi *openapi_read(const char *folder, const char *version)
{
	struct openapi *openapi = memory_new(sizeof *openapi);

	buffer_init(&openapi->text, LIMIT_REPLY_BYTES);
	openapi->root = json_object();
	if (read_parts(openapi, folder)) {
		complete_operations(openapi->root);
		json_object_set_new(json_object_get(openapi->root, "info"), "version", json_string(version));
		write_document(openapi);
		if (openapi->text.failed)
			reject(openapi, "openapi/: the document is too large");
	}
	if (openapi_problem(openapi) != NULL)
		log_message(LOG_ERROR, "openapi.rejected", "%s", openapi->problem);
	return openapi;
}

void openapi_free(struct openapi *openapi)
{
	if (openapi == NULL)
		return;
	json_decref(openapi->root);
	buffer_free(&openapi->text);
	free(openapi);
}

const char *openapi_problem(const struct openapi *openapi)
{
	return openapi->problem[0] != '\0' ? openapi->problem : NULL;
}

const struct buffer *openapi_text(const struct openapi *openapi)
{
	return &openapi->text;
}

uint64_t openapi_digest(const struct openapi *openapi)
{
	return text_digest(openapi->text.data, openapi->text.length);
}

const json_t *openapi_operation(const struct openapi *openapi, const char *path, const char *method)
{
	return json_object_get(json_object_get(json_object_get(openapi->root, "paths"), path), method);
}

void openapi_write_with(const struct openapi *openapi, const json_t *paths, const json_t *schemas, struct buffer *out)
{
	const struct buffer *text = &openapi->text;

	buffer_append(out, text->data, openapi->paths_end);
	write_members(out, paths, NULL);
	buffer_append(out, text->data + openapi->paths_end, openapi->schemas_end - openapi->paths_end);
	write_members(out, schemas, NULL);
	buffer_append(out, text->data + openapi->schemas_end, text->length - openapi->schemas_end);
}
