/* inputs.c - lists the choices of a provider, and shows one. HTTP threads; reads what was kept of the script, and of a model that it does not describe
 * what the directory knows.
 *
 * It says nothing of flags, credentials or switches: it changes with the script or the vendor's schema alone, so a client keeps it and asks with its ETag. */
#include "api/inputs.h"

#include <string.h>

#include "api/answer.h"
#include "api/model_choice.h"
#include "api/models.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

#define MOST_ALLOWED 100 /* choices that a refusal names */

static const char *const choice_names[] = { "mode", "model", "operation" };

#define CHOICE_NAMES 3

/* What the query asks for; "" is not asked for. One byte more than any choice has: a longer value is none of them. */
struct asked_choice {
	char values[CHOICE_NAMES][LIMIT_INPUT_TEXT_BYTES + 2];
	bool any;
	bool no_model; /* "model=": rather one that names none */
};

static void read_asked(const struct http_request *request, struct asked_choice *asked)
{
	*asked = (struct asked_choice){ .any = false };
	for (size_t i = 0; i < CHOICE_NAMES; i++) {
		if (!http_query(request, choice_names[i], asked->values[i], sizeof asked->values[i]))
			asked->values[i][0] = '\0';
		else if (i == 1)
			asked->no_model = asked->values[i][0] == '\0';
		asked->any |= asked->values[i][0] != '\0';
	}
}

static void choice_values(const struct manifest_choice *choice, const char *values[CHOICE_NAMES])
{
	values[0] = choice->mode;
	values[1] = choice->model;
	values[2] = choice->operation;
}

static bool is_asked(const struct manifest_choice *choice, const struct asked_choice *asked)
{
	const char *values[CHOICE_NAMES];

	choice_values(choice, values);
	for (size_t i = 0; i < CHOICE_NAMES; i++)
		if (asked->values[i][0] != '\0' && (values[i] == NULL || strcmp(values[i], asked->values[i]) != 0))
			return false;
	return true;
}

/* ---- of a script that does not describe its inputs ---- */

/* The ids of `modes`, and the default one. */
static void write_mode(struct buffer *out, const char *modes)
{
	json_t *list = json_read_stored(modes), *mode;
	const char *usual = NULL, *id;
	size_t i, count = 0;

	buffer_text(out, "\"mode\":{\"type\":\"string\"");
	json_array_foreach(list, i, mode) {
		id = json_text(mode, "id");
		if (id == NULL)
			continue;
		buffer_text(out, count++ > 0 ? "," : ",\"enum\":[");
		json_write_text(out, id);
		if (json_is_true(json_object_get(mode, "default")))
			usual = id;
	}
	buffer_text(out, count > 0 ? "]" : "");
	if (usual != NULL) {
		buffer_text(out, ",\"default\":");
		json_write_text(out, usual);
	}
	buffer_char(out, '}');
	json_decref(list);
}

/* What every provider of the kind takes. */
static void write_usual_choice(struct buffer *out, const struct incoming *incoming, bool with_schema)
{
	const struct manifest *manifest = &incoming->provider->manifest;
	bool gpu = strcmp(incoming->kind, "gpu") == 0;

	buffer_char(out, '{');
	json_member_text(out, "kind", incoming->kind);
	buffer_text(out, "\"mode\":null,\"model\":null,\"operation\":null,");
	json_member_text(out, "label", manifest->name);
	json_member_text(out, "makes", gpu ? NULL : incoming->kind);
	buffer_text(out, "\"price\":null");
	if (with_schema && gpu)
		buffer_text(out, ",\"schema\":{\"properties\":{\"job\":{\"type\":\"object\"}},\"required\":[\"job\"],");
	if (with_schema && !gpu) {
		buffer_text(out, ",\"schema\":{\"properties\":{\"prompt\":{\"type\":\"string\",\"x_lines\":4,\"x_order\":1},");
		write_mode(out, incoming->as->modes);
		buffer_text(out, ",\"model\":{\"type\":\"string\"},\"parameters\":{\"type\":\"object\"}},");
	}
	if (with_schema)
		buffer_text(out, "\"type\":\"object\",\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"}");
	buffer_char(out, '}');
}

/* ---- of one that does ---- */

static void write_choice(struct buffer *out, const struct manifest_choice *choice, bool with_schema)
{
	buffer_char(out, '{');
	buffer_text(out, choice->facts);
	if (with_schema)
		json_member_json(out, "schema", choice->schema);
	out->length--; /* the last comma */
	buffer_char(out, '}');
}

static bool is_of_kind(const struct incoming *incoming, const struct manifest_choice *choice)
{
	return strcmp(choice->kind, incoming->kind) == 0;
}

static bool describes(const struct incoming *incoming)
{
	const struct manifest *manifest = &incoming->provider->manifest;
	size_t i = 0;

	while (i < manifest->choice_count && !is_of_kind(incoming, &manifest->choices[i]))
		i++;
	return i < manifest->choice_count;
}

static void write_choices(struct buffer *out, const struct incoming *incoming)
{
	const struct manifest *manifest = &incoming->provider->manifest;
	bool first = true;

	for (size_t i = 0; i < manifest->choice_count; i++) {
		if (!is_of_kind(incoming, &manifest->choices[i]))
			continue;
		if (!first)
			buffer_char(out, ',');
		write_choice(out, &manifest->choices[i], false);
		first = false;
	}
}

/* The first that fits, which a script lists before the others of its mode; NULL: there is none. */
static const struct manifest_choice *find_choice(const struct incoming *incoming, const struct asked_choice *asked)
{
	const struct manifest *manifest = &incoming->provider->manifest;
	const struct manifest_choice *choice, *first = NULL;

	for (size_t i = 0; i < manifest->choice_count; i++) {
		choice = &manifest->choices[i];
		if (!is_of_kind(incoming, choice) || !is_asked(choice, asked))
			continue;
		if (!asked->no_model || choice->model == NULL)
			return choice;
		if (first == NULL)
			first = choice;
	}
	return first;
}

/* ---- answers ---- */

/* 404, with the mode, model and operation of those that there are. */
static void refuse_choice(struct incoming *incoming)
{
	const struct manifest *manifest = &incoming->provider->manifest;
	const char *values[CHOICE_NAMES];
	struct buffer members;
	size_t count = 0;

	buffer_init(&members, LIMIT_INPUT_SCHEMA_BYTES);
	buffer_text(&members, "\"allowed\":[");
	for (size_t i = 0; i < manifest->choice_count && count < MOST_ALLOWED; i++) {
		if (!is_of_kind(incoming, &manifest->choices[i]))
			continue;
		choice_values(&manifest->choices[i], values);
		buffer_text(&members, count++ > 0 ? ",{" : "{");
		for (size_t k = 0; k < CHOICE_NAMES; k++)
			json_member_text(&members, choice_names[k], values[k]);
		members.length--;
		buffer_char(&members, '}');
	}
	buffer_text(&members, "],");
	incoming_problem_with(incoming, 404,
		"this provider describes no such choice of inputs; the same path without a query lists them, and `allowed` has "
		"the first",
		NULL, members.failed ? NULL : members.data);
	buffer_free(&members);
}

/* `length`: how much of it counts for the ETag. */
static void send_tagged(struct incoming *incoming, const struct buffer *out, size_t length)
{
	if (out->failed)
		incoming_no_memory(incoming);
	else
		answer_tagged(incoming->http, out, text_digest(out->data, length), length < out->length);
}

static void write_inputs_head(struct buffer *out, const struct incoming *incoming)
{
	const struct manifest *manifest = &incoming->provider->manifest;

	buffer_text(out, "{\"ok\":true,");
	json_member_text(out, "provider", manifest->id);
	json_member_text(out, "name", manifest->name);
	json_member_text(out, "kind", incoming->kind);
	buffer_text(out, describes(incoming) ? "\"described\":true," : "\"described\":false,");
}

/* ---- of a model that the directory knows ---- */

/* Where a model's inputs stand in a request of this kind. */
static const char *place_of_inputs(const struct manifest *manifest, const char *kind)
{
	return strcmp(kind, "gpu") == 0 ? manifest->directory.job_place : manifest->directory.place;
}

/* Appends a model's schema as a choice, when the script describes none that is asked for. False: there is no such model, or its schema was not read. */
static bool write_known_choice(struct incoming *incoming, const struct asked_choice *asked, struct buffer *out)
{
	const struct manifest *manifest = &incoming->provider->manifest;
	struct directory *directory = incoming->host->directory;
	struct directory_snapshot *snapshot;
	const struct directory_model *model;
	const char *id = asked->values[1];
	bool can;

	if (*id == '\0' || *asked->values[2] != '\0' || !directory_is_on(directory, manifest->id))
		return false;
	models_ask(incoming, id);
	snapshot = directory_acquire(directory, manifest->id);
	model = directory_find(snapshot, id);
	can = model_choice_can(model);
	if (can)
		model_choice_write(model, incoming->kind, place_of_inputs(manifest, incoming->kind), out);
	directory_release(snapshot);
	return can;
}

static bool answer_by_directory(struct incoming *incoming, const struct asked_choice *asked)
{
	struct buffer out;
	size_t length;
	bool can;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	write_inputs_head(&out, incoming);
	buffer_text(&out, "\"choice\":");
	can = write_known_choice(incoming, asked, &out);
	if (can) {
		length = out.length;
		buffer_text(&out, ",\"directory\":"); /* its age is no other answer */
		directory_write_state(incoming->host->directory, incoming->provider->manifest.id, &out);
		buffer_char(&out, '}');
		send_tagged(incoming, &out, length);
	}
	buffer_free(&out);
	return can;
}

bool inputs_write_schemas(struct incoming *incoming, struct buffer *out)
{
	const struct manifest *manifest = &incoming->provider->manifest;
	struct asked_choice asked;
	size_t begin;

	read_asked(incoming->http, &asked);
	buffer_char(out, '[');
	begin = out->length;
	for (size_t i = 0; i < manifest->choice_count; i++) {
		if (!is_of_kind(incoming, &manifest->choices[i]) || !is_asked(&manifest->choices[i], &asked))
			continue;
		if (out->length > begin)
			buffer_char(out, ',');
		write_choice(out, &manifest->choices[i], true);
	}
	if (out->length == begin && !write_known_choice(incoming, &asked, out)) {
		if (describes(incoming)) {
			refuse_choice(incoming);
			return false;
		}
		write_usual_choice(out, incoming, true);
	}
	buffer_char(out, ']');
	return true;
}

void inputs_handle(struct incoming *incoming)
{
	bool described = describes(incoming);
	const struct manifest_choice *choice = NULL;
	struct asked_choice asked;
	struct buffer out;

	read_asked(incoming->http, &asked);
	if (described && asked.any)
		choice = find_choice(incoming, &asked);
	if (choice == NULL && answer_by_directory(incoming, &asked))
		return;
	if (described && asked.any && choice == NULL) {
		refuse_choice(incoming);
		return;
	}
	buffer_init(&out, LIMIT_REPLY_BYTES);
	write_inputs_head(&out, incoming);
	buffer_text(&out, asked.any ? "\"choice\":" : "\"choices\":[");
	if (!described)
		write_usual_choice(&out, incoming, asked.any);
	else if (choice != NULL)
		write_choice(&out, choice, true);
	else
		write_choices(&out, incoming);
	buffer_text(&out, asked.any ? "}" : "]}");
	send_tagged(incoming, &out, out.length);
	buffer_free(&out);
}
