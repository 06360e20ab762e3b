/* artifact_work.c - one job's outputs on their way: begun, kept or lost, and told when the last has ended. The artifacts thread.
 *
 * What came inside an answer is written at once; downloads wait for their turn (artifact_downloads.c). Files that are whole are kept together. */
#include <stddef.h>
#include <stdlib.h>

#include "artifact/internal.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/test_setting.h"

int64_t artifact_job_seconds(void)
{
	return test_setting(TEST_OUTPUTS_SECONDS, LIMIT_ARTIFACT_JOB_SECONDS);
}

struct mask_known artifact_known(const struct artifact_item *item)
{
	const struct artifact_copy *copy = item->work->copy;

	return (struct mask_known){
		.index = copy->view->known, .all = true, .view = copy->view, .subject = &copy->provider->subject
	};
}

/* ---- its end ---- */

static void end_work(struct artifact_work *work)
{
	struct artifact_copy *copy = work->copy;
	struct artifacts *artifacts = work->artifacts;

	artifact_record_results(work);
	for (int i = 0; i < work->count; i++)
		artifact_fetch_free(&work->items[i]);
	free(work);
	if (copy->lost > 0)
		log_message(LOG_WARN, "artifact.lost", "job=%s kept=%d lost=%d: %s", json_text(copy->provenance, "job_id"),
			copy->kept, copy->lost, json_string_value(json_array_get(copy->warnings, 0)));
	atomic_fetch_sub_explicit(&artifacts->open, 1, memory_order_relaxed);
	copy->done(copy);
}

void artifact_item_end(struct artifact_item *item)
{
	struct artifact_work *work = item->work;

	artifact_file_discard(&item->file);
	if (--work->left == 0)
		end_work(work);
}

void artifact_item_give_up(struct artifact_item *item)
{
	item->failed = true;
	item->work->copy->interrupted = true;
	error_set(&item->error, ERROR_BUSY, NULL, "the host stopped before it was copied");
	artifact_item_end(item);
}

static void item_on_told(struct artifact_file *file)
{
	struct artifact_item *item = (struct artifact_item *)(void *)((char *)file - offsetof(struct artifact_item, file));

	item->failed = !file->kept;
	item->error = file->error;
	artifact_item_end(item);
}

void artifact_work_keep(struct artifacts *artifacts)
{
	struct artifact_file *files[LIMIT_ARTIFACT_BATCH] = { 0 };
	size_t count = artifacts->whole_count;

	for (size_t i = 0; i < count; i++)
		files[i] = &artifacts->whole[i]->file;
	artifacts->whole_count = 0;
	if (count > 0)
		artifacts->store->doors->keep(artifacts->store, files, count);
}

void artifact_item_finish(struct artifact_item *item)
{
	struct artifacts *artifacts = item->work->artifacts;

	item->failed = !artifact_file_finish(&item->file);
	item->error = item->file.error;
	item->file.type = item->type;
	item->file.told = item_on_told;
	if (!item->failed)
		artifact_record_provenance(item);
	if (item->failed) {
		artifact_item_end(item);
		return;
	}
	artifacts->whole[artifacts->whole_count++] = item;
	if (artifacts->whole_count == LIMIT_ARTIFACT_BATCH)
		artifact_work_keep(artifacts);
}

/* ---- its beginning ---- */

static void begin_item(struct artifacts *artifacts, struct artifact_item *item)
{
	bool download = json_text(item->output, "url") != NULL;

	if (artifacts->giving_up)
		artifact_item_give_up(item);
	else if (!(download ? artifact_fetch_prepare(item) : artifact_inline_write(item)))
		artifact_item_end(item);
	else if (download)
		artifact_downloads_add(&artifacts->downloads, item);
	else
		artifact_item_finish(item);
}

static struct artifact_work *new_work(struct artifacts *artifacts, struct artifact_copy *copy)
{
	size_t all = json_array_size(copy->outputs), count = all < LIMIT_ARTIFACTS ? all : LIMIT_ARTIFACTS;
	struct artifact_work *work = memory_new(sizeof *work + count * sizeof work->items[0]);

	work->copy = copy;
	work->artifacts = artifacts;
	work->until_ns = clock_monotonic_ns() + artifact_job_seconds() * INT64_C(1000000000);
	work->count = (int)count;
	for (int i = 0; i < work->count; i++) {
		work->items[i].work = work;
		work->items[i].n = i;
		work->items[i].output = json_array_get(copy->outputs, (size_t)i);
	}
	return work;
}

void artifact_work_begin(struct artifacts *artifacts, struct artifact_copy *copy)
{
	struct artifact_work *work = new_work(artifacts, copy);

	copy->interrupted = false;
	work->left = work->count + 1; /* ours, so that it does not end before all have begun */
	for (int i = 0; i < work->count; i++)
		begin_item(artifacts, &work->items[i]);
	if (--work->left == 0)
		end_work(work);
}
