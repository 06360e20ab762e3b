/* due.c - what is asked of whom, and when. The directory's thread only.
 *
 * One request for a key at a time, one call for models and prices and one for the list of each provider at a time; before a model somebody waits for, a page of
 * a list stands back. The pace of a provider is kept between calls, which make one request each as a rule. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "base/text.h"
#include "directory/internal.h"

#define SOON_NS 1000000000LL /* when there was no room for a call */

int64_t schedule_backoff_ms(int failures, int64_t retry_ms)
{
	int64_t pause = LIMIT_DIRECTORY_BACKOFF_MS;

	if (retry_ms > 0)
		return retry_ms < LIMIT_DIRECTORY_RETRY_AFTER_MS ? retry_ms : LIMIT_DIRECTORY_RETRY_AFTER_MS;
	for (int i = 1; i < failures && pause < LIMIT_DIRECTORY_BACKOFF_MAX_MS; i++)
		pause *= 2;
	if (pause > LIMIT_DIRECTORY_BACKOFF_MAX_MS)
		pause = LIMIT_DIRECTORY_BACKOFF_MAX_MS;
	pause += pause * (clock_monotonic_ns() / 1000 % 251) /
		 1000; /* up to a quarter more, so that many hosts do not come at once */
	return pause / test_setting(TEST_HURRY, 1);
}

void crawl_free(struct crawl *crawl)
{
	if (crawl == NULL)
		return;
	for (size_t i = 0; i < crawl->count; i++)
		model_shape_free(&crawl->found[i]);
	free(crawl->found);
	free(crawl->cursor);
	free(crawl->etag);
	free(crawl);
}

static char **one_key(const char *key)
{
	char **keys = memory_new_array(2, sizeof *keys);

	keys[0] = memory_copy_text(key);
	return keys;
}

static bool is_beyond_age(int64_t at_ms, int64_t age_ms)
{
	int64_t now = clock_unix_ms();

	return at_ms == 0 || at_ms > now + 60000 || now - at_ms >= age_ms; /* the clock was set back: it counts as old */
}

/* ---- lists ---- */

static void begin_crawl(struct shelf *shelf)
{
	shelf->crawl = memory_new(sizeof *shelf->crawl);
	atomic_store(&shelf->asks_list, false);
}

static bool post_page(struct shelf *shelf)
{
	json_t *query = json_object();

	json_object_set_new(query, "limit", json_integer(100));
	if (shelf->crawl->cursor != NULL)
		json_object_set_new(query, "cursor", json_string(shelf->crawl->cursor));
	else if (shelf->etag != NULL && shelf->failures == 0)
		json_object_set_new(query, "etag", json_string(shelf->etag));
	return directory_call_post(shelf, PART_LIST, NULL, query);
}

/* Is the list wanted, and may it be asked for now? *due is when it may be. */
static bool is_list_due(const struct shelf *shelf, int64_t *due_ms)
{
	int64_t now = clock_unix_ms(), age = atomic_load(&shelf->age_ms[PART_LIST]);

	if (!atomic_load(&shelf->has[PART_LIST]))
		return false;
	if (atomic_load(&shelf->asks_list))
		return true;
	if (shelf->next_try_ms > now) {
		*due_ms = shelf->next_try_ms;
		return false;
	}
	if (is_beyond_age(shelf->as_of_ms, age))
		return true;
	*due_ms = shelf->as_of_ms + age;
	return false;
}

/* Notes that it is now. */
static bool was_searched(struct shelf *shelf, const char *words)
{
	const size_t room = sizeof shelf->searched / sizeof *shelf->searched;
	uint64_t digest = text_digest(words, strlen(words));
	int64_t now = clock_monotonic_ns();
	size_t oldest = 0;

	for (size_t i = 0; i < room; i++) {
		const struct search *search = &shelf->searched[i];

		if (search->digest == digest && search->at_ns != 0 && now - search->at_ns < LIMIT_DIRECTORY_SEARCH_MS * 1000000LL)
			return true;
		if (search->at_ns < shelf->searched[oldest].at_ns)
			oldest = i;
	}
	shelf->searched[oldest] = (struct search){ .digest = digest, .at_ns = now };
	return false;
}

static bool begin_list(struct shelf *shelf, int64_t *due_ms)
{
	struct ask *ask;
	json_t *query;
	bool posted;

	if (shelf->crawl == NULL && is_list_due(shelf, due_ms))
		begin_crawl(shelf);
	if (shelf->crawl != NULL)
		return post_page(shelf);
	ask = directory_take_ask(shelf, PART_SEARCH);
	if (ask == NULL)
		return true;
	if (was_searched(shelf, ask->key)) {
		ask_free(ask);
		return true;
	}
	query = json_pack("{s:s,s:i}", "text", ask->key, "limit", 50);
	posted = directory_call_post(shelf, PART_SEARCH, one_key(ask->key), query);
	ask_free(ask);
	return posted;
}

/* ---- models and prices ---- */

static bool wants_model(const struct shelf *shelf, const struct ask *ask)
{
	const struct directory_model *model = shelf_find(shelf, ask->key);
	int64_t now = clock_unix_ms();

	if (model == NULL || ask->age_ms == 0)
		return true;
	if (model->missing_until_ms > now || model->next_try_ms > now)
		return false;
	return model->text == NULL || is_beyond_age(model->text_ms, ask->age_ms);
}

/* { id, known }: what is known goes along, for its version and its etag. */
static json_t *describe_request(const struct shelf *shelf, const char *id)
{
	const struct directory_model *model = shelf_find(shelf, id);
	json_t *request = json_pack("{s:s}", "id", id), *known;

	if (model == NULL || model->text == NULL || (known = json_read(model->text, strlen(model->text), NULL)) == NULL)
		return request;
	if (json_is_null(json_object_get(known, "inputs")))
		json_object_del(known, "inputs");
	else if (model->etag != NULL)
		json_object_set_new(known, "etag", json_string(model->etag));
	json_object_set_new(request, "known", known);
	return request;
}

/* False: there was nothing to ask for. */
static bool begin_model(struct shelf *shelf, bool *posted)
{
	struct ask *ask;

	while ((ask = directory_take_ask(shelf, PART_MODEL)) != NULL) {
		bool wanted = wants_model(shelf, ask);

		if (wanted)
			*posted = directory_call_post(shelf, PART_MODEL, one_key(ask->key), describe_request(shelf, ask->key));
		ask_free(ask);
		if (wanted)
			return true;
	}
	return false;
}

static bool wants_price(const struct shelf *shelf, const struct ask *ask)
{
	const struct directory_model *model = shelf_find(shelf, ask->key);

	if (model == NULL || ask->age_ms == 0)
		return model != NULL;
	return model->price_next_try_ms <= clock_unix_ms() && is_beyond_age(model->price_ms, ask->age_ms);
}

/* All that wait, in one question. */
static bool begin_prices(struct shelf *shelf)
{
	char **keys = memory_new_array(LIMIT_DIRECTORY_PRICE_IDS + 1, sizeof *keys);
	json_t *ids = json_array();
	struct ask *ask;
	size_t count = 0;

	while (count < LIMIT_DIRECTORY_PRICE_IDS && (ask = directory_take_ask(shelf, PART_PRICE)) != NULL) {
		if (wants_price(shelf, ask)) {
			keys[count++] = memory_copy_text(ask->key);
			json_array_append_new(ids, json_string(ask->key));
		}
		ask_free(ask);
	}
	if (count > 0)
		return directory_call_post(shelf, PART_PRICE, keys, ids);
	json_decref(ids);
	free(keys);
	return true;
}

static bool begin_single(struct shelf *shelf)
{
	bool posted = true;

	return begin_model(shelf, &posted) ? posted : begin_prices(shelf);
}

/* ---- all ---- */

static bool has_single_asks(struct shelf *shelf)
{
	struct directory *directory = shelf->directory;
	bool has = false;

	pthread_mutex_lock(&directory->lock);
	for (const struct ask *ask = shelf->asks; ask != NULL; ask = ask->next)
		has |= ask->part == PART_MODEL || ask->part == PART_PRICE;
	pthread_mutex_unlock(&directory->lock);
	return has;
}

/* Returns when to look again. */
static int64_t run_shelf(struct shelf *shelf, int64_t now_ns)
{
	int64_t due_ms = INT64_MAX, due_ns = INT64_MAX;
	bool posted = true, single = shelf->running[1] == NULL && has_single_asks(shelf);

	if (shelf->free_ns > now_ns)
		return shelf->free_ns;
	if (shelf->directory->calls >= LIMIT_DIRECTORY_CALLS)
		return INT64_MAX; /* the end of one wakes the thread */
	if (single)
		posted = begin_single(shelf);
	if (shelf->free_ns > now_ns) /* something was posted */
		return shelf->free_ns;
	if (shelf->running[0] == NULL && posted)
		posted = begin_list(shelf, &due_ms);
	if (!posted)
		return now_ns + SOON_NS;
	if (shelf->free_ns > now_ns)
		return shelf->free_ns;
	if (due_ms != INT64_MAX)
		due_ns = now_ns + (due_ms - clock_unix_ms() + 1) * 1000000;
	return due_ns > now_ns ? due_ns : now_ns + SOON_NS;
}

int64_t schedule_run(struct directory *directory)
{
	int64_t now = clock_monotonic_ns(), due = INT64_MAX, next;
	size_t count = atomic_load(&directory->shelf_count);

	for (size_t i = 0; i < count; i++) {
		if (!atomic_load(&directory->shelves[i]->on) || !directory->shelves[i]->loaded)
			continue;
		next = run_shelf(directory->shelves[i], now);
		if (next < due)
			due = next;
	}
	return due;
}
