/* model_shape.c - from a script's table to the texts that are kept. No state; any thread. Takes nothing on trust: every text has an end, every list
 * too, and a price is US dollars above zero or none. */
#include "directory/model_shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "directory/model_inputs.h"
#include "directory/model_text.h"
#include "script/model_source.h"

static const char *const kinds[] = { "image", "video", "audio", "text", "3d", "json", NULL };
static const char *const statuses[] = { "active", "deprecated", "staging", "offline", "gone", NULL };

/* One of the list, or what stands for all else. */
static const char *choose(const json_t *value, const char *const *list, const char *otherwise)
{
	const char *text = json_text_value(value);

	for (; text != NULL && *list != NULL; list++)
		if (strcmp(text, *list) == 0)
			return *list;
	return otherwise;
}

bool model_shape_is_id(const char *id)
{
	size_t length = strlen(id);

	if (length == 0 || length > MODEL_ID_BYTES || id[0] == ' ' || id[length - 1] == ' ')
		return false;
	return !model_text_is_odd(id);
}

static char *write_tree(const json_t *value, size_t most)
{
	struct buffer out;
	char *text;

	buffer_init(&out, most);
	json_write(&out, value);
	text = buffer_take(&out);
	buffer_free(&out);
	return text;
}

/* ---- its parts ---- */

static void put_text(json_t *to, const json_t *from, const char *name, size_t most)
{
	json_t *text = model_text_clean(json_object_get(from, name), most);

	if (text != NULL)
		json_object_set_new(to, name, text);
}

/* A list of texts, each cleaned and cut; absent when there is none. */
static void put_texts(json_t *to, const json_t *from, const char *name, size_t most)
{
	json_t *list = json_array(), *item, *text;
	size_t i;

	json_array_foreach(json_object_get(from, name), i, item) {
		text = json_array_size(list) < LIMIT_DIRECTORY_TEXTS ? model_text_clean(item, most) : NULL;
		if (text != NULL)
			json_array_append_new(list, text);
	}
	if (json_array_size(list) > 0)
		json_object_set_new(to, name, list);
	else
		json_decref(list);
}

/* What it makes: { path, kind, many }. */
static void put_outputs(json_t *to, const json_t *from)
{
	json_t *list = json_array(), *item, *output;
	size_t i;

	json_array_foreach(json_object_get(from, "outputs"), i, item) {
		if (!json_is_object(item) || i >= LIMIT_DIRECTORY_TEXTS)
			continue;
		output = json_object();
		put_text(output, item, "path", LIMIT_DIRECTORY_NAME_BYTES);
		json_object_set_new(output, "kind", json_string(choose(json_object_get(item, "kind"), kinds, "other")));
		json_object_set_new(output, "many", json_boolean(json_is_true(json_object_get(item, "many"))));
		json_array_append_new(list, output);
	}
	json_object_set_new(to, "outputs", list);
}

/* A value of the vendor's, or nothing when it is too large. */
static void put_value(json_t *to, const json_t *from, const char *name)
{
	const json_t *value = json_object_get(from, name);
	json_t *cleaned;
	char *text;

	if (value == NULL || json_is_null(value))
		return;
	cleaned = model_text_clean_tree(value, LIMIT_DIRECTORY_VALUE_BYTES, LIMIT_DIRECTORY_SCHEMA_DEPTH);
	text = write_tree(cleaned, LIMIT_DIRECTORY_EXAMPLE_BYTES);
	if (text != NULL)
		json_object_set(to, name, cleaned);
	json_decref(cleaned);
	free(text);
}

/* ---- prices ---- */

static bool is_in_dollars(const json_t *value)
{
	const json_t *currency = json_object_get(value, "currency");

	if (currency == NULL || json_is_null(currency))
		return true;
	return json_text_value(currency) != NULL && strcasecmp(json_string_value(currency), "USD") == 0;
}

char *model_shape_price(const json_t *value)
{
	const json_t *usd = json_object_get(value, "usd");
	json_t *price;
	char *text;

	if (!json_is_number(usd) || !(json_number_value(usd) > 0) || json_number_value(usd) > LIMIT_DIRECTORY_PRICE_USD ||
		!is_in_dollars(value))
		return NULL;
	price = json_object();
	put_text(price, value, "unit", LIMIT_DIRECTORY_NAME_BYTES);
	put_text(price, value, "unit_raw", LIMIT_DIRECTORY_NAME_BYTES);
	json_object_set(price, "usd", (json_t *)(uintptr_t)usd);
	json_object_set_new(price, "currency", json_string("USD"));
	put_value(price, value, "exact");
	put_value(price, value, "tiers");
	put_value(price, value, "minimum");
	put_value(price, value, "history");
	put_text(price, value, "text", LIMIT_DIRECTORY_DESCRIPTION_BYTES);
	put_text(price, value, "settled_by", LIMIT_DIRECTORY_NAME_BYTES);
	put_text(price, value, "source", LIMIT_DIRECTORY_VALUE_BYTES);
	json_object_set_new(price, "account", json_boolean(json_is_true(json_object_get(value, "account"))));
	text = write_tree(price, LIMIT_DIRECTORY_EXAMPLE_BYTES);
	json_decref(price);
	return text;
}

/* ---- the model ---- */

static json_t *read_brief(const json_t *value, struct model_shape *shape)
{
	json_t *brief = json_object();

	shape->kind = choose(json_object_get(value, "kind"), kinds, "other");
	shape->status = choose(json_object_get(value, "status"), statuses, "active");
	shape->says_kind = json_text(value, "kind") != NULL;
	shape->says_status = json_text(value, "status") != NULL;
	json_object_set_new(brief, "id", json_string(shape->id));
	put_text(brief, value, "name", LIMIT_DIRECTORY_NAME_BYTES);
	json_object_set_new(brief, "kind", json_string(shape->kind));
	put_text(brief, value, "task", LIMIT_DIRECTORY_NAME_BYTES);
	json_object_set_new(brief, "status", json_string(shape->status));
	put_text(brief, value, "version", LIMIT_DIRECTORY_NAME_BYTES);
	put_text(brief, value, "description", LIMIT_DIRECTORY_DESCRIPTION_BYTES);
	put_text(brief, value, "updated_at", LIMIT_DIRECTORY_NAME_BYTES);
	put_text(brief, value, "source", LIMIT_DIRECTORY_VALUE_BYTES);
	return brief;
}

static char *fold_brief(const json_t *brief)
{
	static const char *const names[] = { "id", "name", "task", "description" };
	struct buffer out;
	char *text;

	buffer_init(&out, 4 * LIMIT_DIRECTORY_DESCRIPTION_BYTES);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (i > 0)
			buffer_char(&out, '\n');
		if (json_text(brief, names[i]) != NULL)
			buffer_text(&out, json_text(brief, names[i]));
	}
	for (size_t i = 0; i < out.length; i++)
		if (out.data[i] >= 'A' && out.data[i] <= 'Z')
			out.data[i] += 'a' - 'A';
	text = buffer_take(&out);
	buffer_free(&out);
	return text;
}

static void put_sha256(json_t *to, const char *schema)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char text[2 * SHA256_DIGEST_LENGTH + 1];

	if (schema == NULL || !crypto_load())
		return;
	crypto_sha256(schema, strlen(schema), digest);
	text_write_hex(text, digest, sizeof digest);
	json_object_set_new(to, "schema_sha256", json_string(text));
}

/* Those of the script, to which ours are added. */
static json_t *said_warnings(const json_t *value)
{
	json_t *said = json_object(), *warnings;

	put_texts(said, value, "warnings", LIMIT_DIRECTORY_DESCRIPTION_BYTES);
	warnings = json_incref(json_object_get(said, "warnings"));
	json_decref(said);
	return warnings != NULL ? warnings : json_array();
}

/* Of a schema that the script found none of, the script says it in its first warning. */
static char *why_no_inputs(const json_t *value, const json_t *warnings, const char *why)
{
	const char *said = json_text_value(json_array_get(warnings, 0));
	bool given = json_is_object(json_object_get(value, "inputs"));

	return memory_copy_text(why != NULL && !given && said != NULL ? said : why);
}

static char *write_whole(const json_t *brief, const json_t *value, char **problem)
{
	json_t *whole = json_copy((json_t *)(uintptr_t)brief), *inputs, *warnings;
	const char *why;
	char *schema, *text;

	warnings = said_warnings(value);
	inputs = model_inputs_read(json_object_get(value, "inputs"), warnings, &why);
	*problem = why_no_inputs(value, warnings, why);
	schema = inputs != NULL ? write_tree(inputs, LIMIT_DIRECTORY_SCHEMA_BYTES) : NULL;
	put_outputs(whole, value);
	put_texts(whole, value, "drivers", LIMIT_DIRECTORY_NAME_BYTES);
	put_texts(whole, value, "limits_in_words", LIMIT_DIRECTORY_DESCRIPTION_BYTES);
	put_value(whole, value, "example");
	json_object_set_new(whole, "warnings", warnings);
	put_sha256(whole, schema);
	json_object_set_new(whole, "inputs", inputs != NULL ? inputs : json_null());
	text = write_tree(whole, LIMIT_DIRECTORY_MODEL_BYTES);
	json_decref(whole);
	free(schema);
	return text;
}

enum error_code model_shape_read(const json_t *value, const char *id, bool whole, struct model_shape *shape, struct error *error)
{
	const char *own = json_text(value, "id"), *etag = json_text(value, "etag");
	json_t *brief;

	*shape = (struct model_shape){ 0 };
	if (id == NULL)
		id = own;
	if (!json_is_object(value) || id == NULL || !model_shape_is_id(id))
		return error_set(error, ERROR_INVALID, "id", "a model without an id, or with one that no model can have");
	shape->id = memory_copy_text(id);
	brief = read_brief(value, shape);
	shape->brief = write_tree(brief, LIMIT_DIRECTORY_MODEL_BYTES);
	shape->folded = fold_brief(brief);
	if (whole || json_is_object(json_object_get(value, "inputs")))
		shape->text = write_whole(brief, value, &shape->problem);
	shape->has_inputs = shape->text != NULL && shape->problem == NULL;
	shape->price = model_shape_price(json_object_get(value, "price"));
	if (etag != NULL && strlen(etag) <= LIMIT_DIRECTORY_NAME_BYTES && !model_text_is_odd(etag))
		shape->etag = memory_copy_text(etag);
	json_decref(brief);
	if (shape->brief != NULL && shape->folded != NULL)
		return ERROR_NONE;
	model_shape_free(shape);
	return error_set(error, ERROR_INVALID, "id", "a model that is too large");
}

void model_shape_set(char **text, const char *name, const char *word)
{
	json_t *object = *text != NULL ? json_read(*text, strlen(*text), NULL) : NULL;
	char *written;

	if (object == NULL)
		return;
	json_object_set_new(object, name, json_string(word));
	written = write_tree(object, LIMIT_DIRECTORY_MODEL_BYTES + LIMIT_DIRECTORY_NAME_BYTES);
	json_decref(object);
	if (written == NULL)
		return;
	free(*text);
	*text = written;
}

/* A kind or status that stands there for want of another gives way to what was said before. */
static void keep_words(struct model_shape *shape, const json_t *old, json_t *new)
{
	if (!shape->says_kind)
		shape->kind = choose(json_object_get(old, "kind"), kinds, "other");
	if (!shape->says_status)
		shape->status = choose(json_object_get(old, "status"), statuses, "active");
	if (strcmp(shape->status, "gone") == 0)
		shape->status = "active";
	json_object_set_new(new, "kind", json_string(shape->kind));
	json_object_set_new(new, "status", json_string(shape->status));
	model_shape_set(&shape->text, "kind", shape->kind);
	model_shape_set(&shape->text, "status", shape->status);
}

void model_shape_fill(struct model_shape *shape, const char *before)
{
	json_t *old = json_read_stored(before);
	json_t *new = json_read(shape->brief, strlen(shape->brief), NULL);
	char *brief;

	if (old != NULL && new != NULL) {
		keep_words(shape, old, new);
		json_object_update(old, new);
		brief = write_tree(old, LIMIT_DIRECTORY_MODEL_BYTES);
		if (brief != NULL) {
			free(shape->brief);
			free(shape->folded);
			shape->brief = brief;
			shape->folded = fold_brief(old);
		}
	}
	json_decref(old);
	json_decref(new);
}

void model_shape_free(struct model_shape *shape)
{
	char *texts[] = { shape->id, shape->brief, shape->folded, shape->text, shape->price, shape->etag, shape->problem };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	*shape = (struct model_shape){ 0 };
}
