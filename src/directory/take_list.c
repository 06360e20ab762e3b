/* take_list.c - the pages of a vendor's list, and the list that they make. The directory's thread only.
 *
 * A crawl that is cut or fails leaves the old list whole. Only a complete one may say that a model is gone, and only the second in a row. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "base/text.h"
#include "directory/internal.h"

/* ---- pages ---- */

static void keep_found(struct crawl *crawl, const json_t *list)
{
	struct model_shape shape;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (crawl->count >= LIMIT_DIRECTORY_MODELS) {
			crawl->incomplete = true;
			return;
		}
		if (model_shape_read(item, NULL, false, &shape, NULL) != ERROR_NONE)
			continue;
		if (crawl->count == crawl->room) {
			crawl->room = crawl->room > 0 ? 2 * crawl->room : 128;
			crawl->found = memory_resize(crawl->found, crawl->room * sizeof *crawl->found);
		}
		crawl->found[crawl->count++] = shape;
	}
}

/* The next page's cursor as a text, to be freed; NULL: this was the last. */
static char *next_cursor(const json_t *result)
{
	const json_t *next = json_object_get(result, "next");
	const char *text = json_text_value(next);

	if (json_is_integer(next))
		return memory_format("%lld", (long long)json_integer_value(next));
	return text != NULL && text[0] != '\0' && strlen(text) <= LIMIT_PATH_BYTES ? memory_copy_text(text) : NULL;
}

/* A cursor that was there before would lead round and round. */
static bool is_new_cursor(const struct crawl *crawl, uint64_t digest)
{
	for (int i = 0; i < crawl->pages; i++)
		if (crawl->cursors[i] == digest)
			return false;
	return true;
}

/* True: there is a page more to be read. */
static bool go_on(struct crawl *crawl, const json_t *result)
{
	char *cursor = next_cursor(result);
	uint64_t digest = cursor != NULL ? text_digest(cursor, strlen(cursor)) : 0;

	free(crawl->cursor);
	crawl->cursor = NULL;
	if (cursor == NULL) {
		crawl->incomplete |= json_is_false(json_object_get(result, "complete"));
		return false;
	}
	if (crawl->pages + 1 >= LIMIT_DIRECTORY_PAGES || !is_new_cursor(crawl, digest)) {
		crawl->incomplete = true;
		free(cursor);
		return false;
	}
	crawl->cursors[crawl->pages++] = digest;
	crawl->cursor = cursor;
	return true;
}

/* ---- the list that they make ---- */

struct telling {
	int left; /* events that may still be told of */
	size_t added;
};

static void tell_some(struct shelf *shelf, struct telling *telling, const char *id, const char *what)
{
	if (telling->left > 0 && telling->left-- > 0)
		tell_changed(shelf, id, what, NULL);
}

static void set_status(struct directory_model *model, const char *status)
{
	model->status = status;
	model_shape_set(&model->brief, "status", status);
	model_shape_set(&model->text, "status", status);
}

/* Keeps and tells what a row of the list says of a model beyond its brief: its whole text, its price. */
static void take_more(struct shelf *shelf, struct directory_model *model, struct model_shape *shape, struct telling *telling)
{
	char *price = shape->price != NULL ? memory_copy_text(model->price) : NULL, *text;
	bool described, priced = shape->price != NULL;

	take_keep_inputs(shelf, model, shape, 0);
	described = shape->text != NULL;
	text = described ? memory_copy_text(model->text) : NULL;
	model_take_shape(model, shape, clock_unix_ms());
	if (described)
		shelf_keep_model(shelf, model);
	if (priced)
		shelf_keep_price(shelf, model);
	if (telling->left > 0)
		telling->left -= take_compare_inputs(shelf, model->id, text, model->text);
	if (telling->left > 0)
		telling->left -= take_compare_prices(shelf, model->id, price, model->price);
	free(text);
	free(price);
}

static void list_add_found(struct shelf *shelf, struct model_shape *shape, int64_t started_ms, struct telling *telling)
{
	struct directory_model *model = shelf_edit(shelf, shape->id);
	const char *status;
	bool known;

	if (model == NULL || model->seen_ms == started_ms) { /* full, or the list moved while it was read and shows it twice */
		model_shape_free(shape);
		return;
	}
	known = model->listed;
	status = model->status;
	telling->added += !known;
	take_more(shelf, model, shape, telling);
	model->listed = true;
	model->misses = 0;
	model->gone_ms = 0;
	model->seen_ms = started_ms;
	if (!known || strcmp(status, model->status) == 0)
		return;
	tell_some(shelf, telling, model->id, "status");
	model_shape_set(&model->text, "status", model->status);
	if (model->text != NULL)
		shelf_keep_model(shelf, model);
}

static void miss_others(struct shelf *shelf, int64_t started_ms, struct telling *telling)
{
	for (size_t i = 0; i < shelf->count; i++) {
		struct directory_model *model = shelf->models[i];

		if (!model->listed || model->seen_ms == started_ms || model->gone_ms != 0)
			continue;
		model = shelf_edit(shelf, model->id);
		if (++model->misses < 2)
			continue;
		model->gone_ms = clock_unix_ms();
		set_status(model, "gone");
		tell_some(shelf, telling, model->id, "gone");
	}
}

static void finish_crawl(struct shelf *shelf)
{
	struct crawl *crawl = shelf->crawl;
	struct telling telling = { .left = LIMIT_DIRECTORY_EVENTS };
	int64_t now = clock_unix_ms();
	bool first = shelf->as_of_ms == 0;

	if (first)
		telling.left = 0;
	for (size_t i = 0; i < crawl->count; i++)
		list_add_found(shelf, &crawl->found[i], now, &telling);
	if (!crawl->incomplete)
		miss_others(shelf, now, &telling);
	if (telling.added > 0 && !first)
		tell_changed(shelf, NULL, "added", NULL);
	shelf->complete = !crawl->incomplete;
	text_replace(&shelf->etag, crawl->etag);
	crawl->etag = NULL;
	crawl_free(crawl);
	shelf->crawl = NULL;
}

/* The list is good as of now. */
static void confirm_list(struct shelf *shelf)
{
	shelf->as_of_ms = shelf->checked_ms = clock_unix_ms();
	shelf->next_try_ms = shelf->failing_since_ms = 0;
	shelf->failures = 0;
	text_replace(&shelf->failure, NULL);
	shelf_trim(shelf);
	shelf_keep_list(shelf);
	tell_refreshed(shelf, PART_LIST, NULL, shelf->count);
}

static void take_etag(struct crawl *crawl, const json_t *result)
{
	const char *etag = json_text(result, "etag");

	if (crawl->pages == 0 && etag != NULL && strlen(etag) <= LIMIT_DIRECTORY_NAME_BYTES)
		text_replace(&crawl->etag, memory_copy_text(etag));
}

/* What a vendor found joins what is known; it says nothing of what it did not show. */
static void take_found(struct directory_call *call, const json_t *result)
{
	struct crawl crawl = { 0 };
	struct telling telling = { 0 };
	int64_t now = clock_unix_ms();

	keep_found(&crawl, json_object_get(result, "models"));
	for (size_t i = 0; i < crawl.count; i++)
		list_add_found(call->shelf, &crawl.found[i], now, &telling);
	free(crawl.found);
	shelf_trim(call->shelf);
	shelf_keep_list(call->shelf);
	tell_refreshed(call->shelf, PART_SEARCH, call->keys[0], telling.added);
}

static bool has_listed(const struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->count; i++)
		if (shelf->models[i]->listed)
			return true;
	return false;
}

/* A page that fails after others came is asked for again, some times: vendors limit the rate of who reads all. False: the crawl has failed. */
bool take_try_page_again(struct shelf *shelf, int64_t retry_ms)
{
	struct crawl *crawl = shelf->crawl;
	int64_t pause = retry_ms > 0 ? retry_ms : LIMIT_DIRECTORY_PAGE_PAUSE_MS << (crawl != NULL ? crawl->tries : 0);

	if (crawl == NULL || crawl->pages == 0 || crawl->tries >= LIMIT_DIRECTORY_PAGE_TRIES ||
		pause > LIMIT_DIRECTORY_BACKOFF_MS)
		return false;
	crawl->tries++;
	shelf->free_ns = clock_monotonic_ns() + pause * 1000000 / test_setting(TEST_HURRY, 1);
	return true;
}

void take_page(struct directory_call *call, const json_t *result)
{
	struct shelf *shelf = call->shelf;
	const json_t *models = json_object_get(result, "models");
	bool unchanged = json_is_true(json_object_get(result, "unchanged"));

	if (call->part == PART_SEARCH) {
		take_found(call, result);
		return;
	}
	if (shelf->crawl == NULL) /* given up meanwhile */
		return;
	if (unchanged && shelf->crawl->pages == 0 && shelf->as_of_ms != 0) {
		crawl_free(shelf->crawl);
		shelf->crawl = NULL;
		confirm_list(shelf);
		return;
	}
	if (models == NULL || (!json_is_array(models) && json_object_size(models) > 0)) {
		take_failed_list(shelf, "the script returned no list of models", 0);
		return;
	}
	take_etag(shelf->crawl, result);
	keep_found(shelf->crawl, models);
	shelf->crawl->tries = 0;
	if (go_on(shelf->crawl, result))
		return;
	if (shelf->crawl->count == 0 && shelf->as_of_ms != 0 && !shelf->crawl->incomplete && has_listed(shelf)) {
		take_failed_list(shelf, "the vendor's list is empty, and was not before", 0);
		return;
	}
	finish_crawl(shelf);
	confirm_list(shelf);
}
