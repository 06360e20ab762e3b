/* take.c - what came back from a script: one model, prices, or a failure. The directory's thread only. What cannot be read changes nothing but the cause
 * that is shown beside the old. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "directory/internal.h"
#include "directory/model_inputs.h"
#include "directory/model_text.h"

/* ---- why not ---- */

#define WHY_BYTES 400

/* The first of the texts of a list of JSON texts. */
static void first_text(const struct buffer *list, char *why)
{
	struct error error;
	json_t *texts;
	struct buffer out;

	buffer_init(&out, LIMIT_SCRIPT_WARNINGS * 8192);
	buffer_char(&out, '[');
	buffer_append(&out, list->data, list->length > 0 ? list->length - 1 : 0);
	buffer_char(&out, ']');
	texts = out.failed ? NULL : json_read(out.data, out.length, &error);
	if (json_text_value(json_array_get(texts, 0)) != NULL)
		snprintf(why, WHY_BYTES, "%s", json_string_value(json_array_get(texts, 0)));
	json_decref(texts);
	buffer_free(&out);
}

static void explain(const struct directory_call *call, char *why)
{
	const struct script_call *script = &call->call.call;

	snprintf(why, WHY_BYTES, "the script gave no answer");
	if (script->outcome == CALL_REFUSED)
		first_text(&script->refusals, why);
	else if (script->outcome == CALL_RESTING)
		snprintf(why, WHY_BYTES, "the provider's script rests: it went over its limits again and again");
	else if (script->error.message[0] != '\0')
		snprintf(why, WHY_BYTES, "%.*s", WHY_BYTES - 1, script->error.message);
}

/* Cleaned, to be kept and shown. */
static char *cause_of(const char *why)
{
	struct buffer out;
	char *text;

	buffer_init(&out, WHY_BYTES + 8);
	model_text_append(why, strlen(why), WHY_BYTES - 100, &out);
	text = buffer_take(&out);
	buffer_free(&out);
	return text != NULL ? text : memory_copy_text("it failed");
}

void take_failed_list(struct shelf *shelf, const char *why, int64_t retry_ms)
{
	int64_t now = clock_unix_ms();

	crawl_free(shelf->crawl);
	shelf->crawl = NULL;
	shelf->changed = true;
	shelf->failures++;
	shelf->checked_ms = now;
	shelf->next_try_ms = now + schedule_backoff_ms(shelf->failures, retry_ms);
	if (shelf->failing_since_ms == 0)
		shelf->failing_since_ms = now;
	text_replace(&shelf->failure, cause_of(why));
	atomic_fetch_add(&shelf->failures_total, 1);
	shelf_keep_list(shelf);
	tell_failed(shelf, PART_LIST, NULL, shelf->failure);
}

/* What was known of it stays, with its age, and the cause beside it. */
static void fail_text(struct shelf *shelf, struct directory_model *model, const char *why, int64_t retry_ms)
{
	model->text_checked_ms = clock_unix_ms();
	model->next_try_ms = model->text_checked_ms + schedule_backoff_ms(++model->failures, retry_ms);
	text_replace(&model->failure, cause_of(why));
	shelf_keep_model(shelf, model);
}

static void fail_price(struct shelf *shelf, struct directory_model *model, const char *why, int64_t retry_ms)
{
	model->price_checked_ms = clock_unix_ms();
	model->price_next_try_ms = model->price_checked_ms + schedule_backoff_ms(++model->price_failures, retry_ms);
	text_replace(&model->price_failure, cause_of(why));
	shelf_keep_price(shelf, model);
}

static void fail_model(struct directory_call *call, const char *why)
{
	struct directory_model *model = shelf_edit(call->shelf, call->keys[0]);

	if (model != NULL)
		fail_text(call->shelf, model, why, call->retry_ms);
}

static void fail_prices(struct directory_call *call, const char *why)
{
	for (char **key = call->keys; *key != NULL; key++)
		if (shelf_find(call->shelf, *key) != NULL)
			fail_price(call->shelf, shelf_edit(call->shelf, *key), why, call->retry_ms);
}

static void take_failure(struct directory_call *call, const char *why)
{
	struct shelf *shelf = call->shelf;

	if (call->part == PART_LIST) {
		if (!take_try_page_again(shelf, call->retry_ms))
			take_failed_list(shelf, why, call->retry_ms);
		return;
	}
	if (call->part == PART_MODEL)
		fail_model(call, why);
	else if (call->part == PART_PRICE)
		fail_prices(call, why);
	atomic_fetch_add(&shelf->failures_total, 1);
	tell_failed(shelf, call->part, call->keys[0], why);
}

/* ---- one model ---- */

static json_t *inputs_of(const char *text)
{
	json_t *model = json_read_stored(text);
	json_t *inputs = json_incref(json_object_get(model, "inputs"));

	json_decref(model);
	return inputs;
}

bool take_compare_inputs(struct shelf *shelf, const char *id, const char *before, const char *after)
{
	json_t *old, *new, *narrowed;
	bool changed;

	if (before == NULL || after == NULL || strcmp(before, after) == 0)
		return false;
	old = inputs_of(before);
	new = inputs_of(after);
	changed = !json_equal(old, new);
	if (changed) {
		narrowed = json_is_object(new) ? model_inputs_narrowed(old, new) : NULL;
		tell_changed(shelf, id, "inputs", narrowed);
		json_decref(narrowed);
	}
	json_decref(old);
	json_decref(new);
	return changed;
}

bool take_compare_prices(struct shelf *shelf, const char *id, const char *before, const char *after)
{
	bool changed = before != NULL && (after == NULL || strcmp(before, after) != 0);

	if (changed)
		tell_changed(shelf, id, "price", NULL);
	return changed;
}

/* The vendor has no such model, for now. What was known of it stays, with this beside it. */
static void take_missing(struct directory_call *call, struct directory_model *model)
{
	int64_t now = clock_unix_ms();

	model->text_checked_ms = now;
	model->missing_until_ms = now + LIMIT_DIRECTORY_MISSING_MS / test_setting(TEST_HURRY, 1);
	model->next_try_ms = model->missing_until_ms;
	model->failures = 0;
	text_replace(&model->failure, memory_copy_text("the vendor has no such model"));
	shelf_keep_model(call->shelf, model);
}

static void take_unchanged(struct directory_call *call, struct directory_model *model)
{
	model->text_ms = model->text_checked_ms = clock_unix_ms();
	model->next_try_ms = model->missing_until_ms = 0;
	model->failures = 0;
	text_replace(&model->failure, NULL);
	shelf_keep_model(call->shelf, model);
}

void take_keep_inputs(struct shelf *shelf, struct directory_model *model, struct model_shape *shape, int64_t retry_ms)
{
	if (shape->text == NULL || shape->has_inputs || !model->has_inputs)
		return;
	free(shape->text);
	shape->text = NULL;
	fail_text(shelf, model, shape->problem, retry_ms);
}

static void take_described(struct directory_call *call, struct directory_model *model, struct model_shape *shape)
{
	char *before = memory_copy_text(model->text), *price = memory_copy_text(model->price);
	bool priced = shape->price != NULL;

	model_shape_fill(shape, model->brief);
	take_keep_inputs(call->shelf, model, shape, call->retry_ms);
	model->gone_ms = 0;
	model->misses = 0;
	model_take_shape(model, shape, clock_unix_ms());
	(void)take_compare_inputs(call->shelf, model->id, before, model->text);
	shelf_keep_model(call->shelf, model);
	if (priced) {
		(void)take_compare_prices(call->shelf, model->id, price, model->price);
		shelf_keep_price(call->shelf, model);
	}
	free(before);
	free(price);
}

static void take_model(struct directory_call *call, const json_t *result)
{
	bool missing = json_is_true(json_object_get(result, "missing")),
	     unchanged = json_is_true(json_object_get(result, "unchanged"));
	struct directory_model *model;
	struct model_shape shape;
	struct error error;

	if (!missing && !unchanged && model_shape_read(result, call->keys[0], true, &shape, &error) != ERROR_NONE) {
		take_failure(call, error.message);
		return;
	}
	model = shelf_edit(call->shelf, call->keys[0]);
	if (model == NULL) { /* the shelf is full */
		if (!missing && !unchanged)
			model_shape_free(&shape);
		return;
	}
	if (missing)
		take_missing(call, model);
	else if (unchanged)
		take_unchanged(call, model);
	else
		take_described(call, model, &shape);
	tell_refreshed(call->shelf, PART_MODEL, call->keys[0], !missing);
}

/* ---- prices ---- */

static void take_price(struct directory_call *call, const char *id, const json_t *value)
{
	struct directory_model *model = shelf_find(call->shelf, id) != NULL ? shelf_edit(call->shelf, id) : NULL;
	char *price;

	if (model == NULL)
		return;
	price = json_is_object(value) ? model_shape_price(value) : NULL;
	if (price == NULL && json_is_object(value)) {
		fail_price(call->shelf, model, "the vendor's price is no amount of US dollars above zero", call->retry_ms);
		return;
	}
	(void)take_compare_prices(call->shelf, id, model->price, price);
	text_replace(&model->price, price);
	model->price_ms = model->price_checked_ms = clock_unix_ms();
	model->price_next_try_ms = 0;
	model->price_failures = 0;
	text_replace(&model->price_failure, NULL);
	shelf_keep_price(call->shelf, model);
}

static void take_prices(struct directory_call *call, const json_t *result)
{
	for (char **key = call->keys; *key != NULL; key++)
		take_price(call, *key, json_object_get(result, *key));
	tell_refreshed(call->shelf, PART_PRICE, call->keys[0], json_object_size(result));
}

/* ---- any ---- */

static void take_result(struct directory_call *call)
{
	const struct buffer *text = &call->call.call.result;
	struct error error = { 0 };
	json_t *result;

	if (text->length > LIMIT_DIRECTORY_RESULT_BYTES) {
		take_failure(call, "what the script made of the answer is over 16 MiB");
		return;
	}
	result = json_read(text->data, text->length, &error);
	if (result == NULL)
		take_failure(call, error.message);
	else if (call->part == PART_MODEL)
		take_model(call, result);
	else if (call->part == PART_PRICE)
		take_prices(call, result);
	else
		take_page(call, result);
	json_decref(result);
}

void take_call(struct directory_call *call)
{
	struct shelf *shelf = call->shelf;
	char why[WHY_BYTES];

	shelf->directory->calls--;
	shelf->running[call->part == PART_MODEL || call->part == PART_PRICE] = NULL;
	if (call->requests > 1)
		shelf->free_ns += (call->requests - 1) * atomic_load(&shelf->pace_ms) * 1000000;
	if (!atomic_load(&shelf->on) || call->held ||
		!shelf->loaded) { /* switched off: nothing is known of it, and nothing failed */
		crawl_free(shelf->crawl);
		shelf->crawl = NULL;
	} else if (call->call.call.outcome == CALL_DONE) {
		take_result(call);
	} else {
		explain(call, why);
		take_failure(call, why);
	}
	if (call->part == PART_MODEL)
		shelf_trim(shelf);
	shelf->changed = true;
	directory_call_free(call);
}
