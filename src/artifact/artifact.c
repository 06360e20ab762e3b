/* artifact.c - the thread that copies outputs: queue, loop, tries, end.
 *
 * Owns the folder, its loop, and every copy between put and done. What came inside an answer is written at once; downloads run side by side,
 * LIMIT_ARTIFACT_DOWNLOADS at a time. Between copies it sweeps the folder, a 256th at a turn. */
#include "artifact/artifact.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/test_setting.h"
#include "artifact/artifact_decode.h"
#include "artifact/internal.h"

#define STACK_BYTES (256 * 1024)
#define DAY_MS (24 * 3600 * INT64_C(1000))

struct artifacts {
	pthread_t thread;
	pthread_mutex_t lock;
	struct artifact_copy *first; /* under lock */
	struct artifact_copy **last; /* under lock */
	bool stopping;		     /* under lock */
	_Atomic size_t open;	     /* copies between put and done */
	_Atomic int keep_days;
	struct loop *loop;
	struct artifact_folder folder;

	/* The thread's own. */
	struct artifact_item *ready; /* downloads that may start */
	struct artifact_item **last_ready;
	int ready_count;
	struct artifact_item *running[LIMIT_ARTIFACT_DOWNLOADS]; /* for their shares; NULL: free */
	struct artifact_item *resting;				 /* between two tries */
	struct artifact_item *batch[LIMIT_ARTIFACT_BATCH];	 /* whole, to be kept together */
	size_t batched;
	bool giving_up; /* the host has no more time */
	int sweep_next; /* folder, or ARTIFACT_FOLDERS: done for today */
	int64_t sweep_due_ns;
	int swept;
};

/* ---- a copy's end ---- */

static int64_t job_seconds(void)
{
	return test_setting(TEST_OUTPUTS_SECONDS, LIMIT_ARTIFACT_JOB_SECONDS);
}

static void end_copy(struct artifacts *artifacts, struct artifact_work *work)
{
	struct artifact_copy *copy = work->copy;

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

static void end_item(struct artifacts *artifacts, struct artifact_item *item)
{
	struct artifact_work *work = item->work;

	artifact_file_discard(&item->file);
	if (--work->left == 0)
		end_copy(artifacts, work);
}

/* Waits for the disk once for all files that have become whole since. */
static void keep_batch(struct artifacts *artifacts)
{
	struct artifact_file *files[LIMIT_ARTIFACT_BATCH] = { 0 };
	size_t count = artifacts->batched;

	for (size_t i = 0; i < count; i++)
		files[i] = &artifacts->batch[i]->file;
	artifact_files_keep(files, count);
	artifacts->batched = 0;
	for (size_t i = 0; i < count; i++) {
		artifacts->batch[i]->failed = !files[i]->kept;
		artifacts->batch[i]->error = files[i]->error;
		end_item(artifacts, artifacts->batch[i]);
	}
}

/* The file is whole. */
static void finish_item(struct artifacts *artifacts, struct artifact_item *item)
{
	item->failed = !artifact_file_finish(&item->file);
	item->error = item->file.error;
	if (!item->failed)
		artifact_record_provenance(item);
	if (item->failed) {
		end_item(artifacts, item);
		return;
	}
	artifacts->batch[artifacts->batched++] = item;
	if (artifacts->batched == LIMIT_ARTIFACT_BATCH)
		keep_batch(artifacts);
}

/* There was no time to bring it. */
static void give_up(struct artifacts *artifacts, struct artifact_item *item)
{
	item->failed = true;
	item->work->copy->interrupted = true;
	error_set(&item->error, ERROR_BUSY, NULL, "the host stopped before it was copied");
	end_item(artifacts, item);
}

/* ---- downloads ---- */

static struct artifacts *artifacts_of(const struct artifact_item *item)
{
	return (struct artifacts *)(void *)((char *)item->work->folder - offsetof(struct artifacts, folder));
}

static void make_ready(struct artifacts *artifacts, struct artifact_item *item)
{
	item->next = NULL;
	*artifacts->last_ready = item;
	artifacts->last_ready = &item->next;
	artifacts->ready_count++;
}

static struct artifact_item *unlink_ready(struct artifacts *artifacts, struct artifact_item **at)
{
	struct artifact_item *item = *at;

	*at = item->next;
	if (*at == NULL)
		artifacts->last_ready = at;
	artifacts->ready_count--;
	return item;
}

static struct artifact_item *take_ready(struct artifacts *artifacts)
{
	return artifacts->ready != NULL ? unlink_ready(artifacts, &artifacts->ready) : NULL;
}

static const char *provider_of(const struct artifact_item *item)
{
	return item->work->copy->provider->manifest.id;
}

/* Is there a place for it in its provider's share and in its host's? Slots are many enough for two providers. */
static bool has_share(const struct artifacts *artifacts, const struct artifact_item *item)
{
	int of_provider = 0, of_host = 0;

	for (size_t i = 0; i < LIMIT_ARTIFACT_DOWNLOADS; i++) {
		const struct artifact_item *other = artifacts->running[i];

		if (other == NULL || strcmp(provider_of(other), provider_of(item)) != 0)
			continue; /* another provider's downloads from the same host take nothing of this one's share */
		of_provider++;
		of_host += strcmp(other->host, item->host) == 0;
	}
	return of_provider < LIMIT_ARTIFACT_PROVIDER_DOWNLOADS && of_host < LIMIT_ARTIFACT_HOST_DOWNLOADS;
}

/* The first that may start now. */
static struct artifact_item *take_startable(struct artifacts *artifacts)
{
	for (struct artifact_item **at = &artifacts->ready; *at != NULL; at = &(*at)->next)
		if (has_share(artifacts, *at))
			return unlink_ready(artifacts, at);
	return NULL;
}

static void note_running(struct artifacts *artifacts, struct artifact_item *item, bool running)
{
	const struct artifact_item *wanted = running ? NULL : item;

	for (size_t i = 0; i < LIMIT_ARTIFACT_DOWNLOADS; i++) {
		if (artifacts->running[i] == wanted) {
			artifacts->running[i] = running ? item : NULL;
			return;
		}
	}
}

/* Those whose job has had its time; they are tried no more. */
static void end_overdue(struct artifacts *artifacts)
{
	struct artifact_item **at = &artifacts->ready, *item;
	int64_t now = clock_monotonic_ns();

	while ((item = *at) != NULL) {
		if (item->work->until_ns > now) {
			at = &item->next;
			continue;
		}
		unlink_ready(artifacts, at);
		item->failed = true;
		if (item->error.code == ERROR_NONE)
			error_set(&item->error, ERROR_BUSY, "url", "copying all outputs of the job took longer than %d seconds",
				(int)job_seconds());
		end_item(artifacts, item);
	}
}

static void download_ended(struct artifact_item *item)
{
	struct artifacts *artifacts = artifacts_of(item);

	note_running(artifacts, item, false);
	if (artifacts->giving_up && item->failed && !item->hopeless) {
		give_up(artifacts, item);
	} else if (item->rest_ms > 0) {
		item->due_ns = clock_monotonic_ns() + item->rest_ms * 1000000;
		item->next = artifacts->resting;
		artifacts->resting = item;
	} else if (item->failed) {
		end_item(artifacts, item);
	} else {
		finish_item(artifacts, item);
	}
}

static void start_downloads(struct artifacts *artifacts)
{
	struct artifact_item *item;

	end_overdue(artifacts);
	while (transfers_running(artifacts->loop) < LIMIT_ARTIFACT_DOWNLOADS && (item = take_startable(artifacts)) != NULL) {
		note_running(artifacts, item, true);
		artifact_fetch_start(artifacts->loop, item);
	}
}

/* Rested items become ready. Returns the milliseconds until the next one is, or -1. */
static int wake_rested(struct artifacts *artifacts)
{
	struct artifact_item **at = &artifacts->resting, *item;
	int64_t now = clock_monotonic_ns(), next = -1;

	while ((item = *at) != NULL) {
		if (item->due_ns <= now) {
			*at = item->next;
			make_ready(artifacts, item);
			continue;
		}
		if (next == -1 || item->due_ns < next)
			next = item->due_ns;
		at = &item->next;
	}
	return next == -1 ? -1 : (int)((next - now) / 1000000) + 1;
}

/* ---- outputs that came inside the answer ---- */

static bool write_json(const json_t *value, struct artifact_file *file)
{
	struct buffer text;
	bool written;

	buffer_init(&text, LIMIT_REPLY_BYTES);
	json_write(&text, value);
	if (text.failed)
		error_memory(&file->error);
	written = !text.failed && artifact_file_write(file, text.data, text.length);
	buffer_free(&text);
	return written;
}

/* Writes the one that the output has. */
static bool write_output(struct artifact_item *item, char type[ARTIFACT_TYPE_BYTES])
{
	const json_t *base64 = json_object_get(item->output, "base64"), *uri = json_object_get(item->output, "data_uri");
	const json_t *text = json_object_get(item->output, "text"), *json = json_object_get(item->output, "json");

	if (json_text_value(base64) != NULL)
		return artifact_decode_base64(json_string_value(base64), json_string_length(base64), &item->file);
	if (json_text_value(uri) != NULL)
		return artifact_decode_data_uri(
			json_string_value(uri), json_string_length(uri), &item->file, type, ARTIFACT_TYPE_BYTES);
	if (json_text_value(text) != NULL) {
		memcpy(type, "text/plain", sizeof "text/plain");
		return artifact_file_write(&item->file, json_string_value(text), json_string_length(text));
	}
	if (json != NULL) {
		memcpy(type, "application/json", sizeof "application/json");
		return write_json(json, &item->file);
	}
	error_set(&item->file.error, ERROR_SCRIPT, NULL, "the script named no url, base64, data_uri, text or json");
	return false;
}

static void copy_inline(struct artifacts *artifacts, struct artifact_item *item)
{
	char type[ARTIFACT_TYPE_BYTES] = "";
	int64_t maximum = item->work->copy->view->config->artifacts_max_bytes;

	struct mask_known known = artifact_known(item);

	if (artifact_file_open(item->work->folder, maximum, &known, &item->file) == ERROR_NONE && write_output(item, type)) {
		artifact_type_choose(json_text(item->output, "content_type"), type[0] != '\0' ? type : NULL, item->file.head,
			item->file.head_length, item->type);
		finish_item(artifacts, item);
		return;
	}
	item->failed = true;
	item->error = item->file.error;
	end_item(artifacts, item);
}

/* ---- a copy's begin ---- */

static void begin_item(struct artifacts *artifacts, struct artifact_item *item)
{
	if (artifacts->giving_up) {
		give_up(artifacts, item);
	} else if (json_text(item->output, "url") == NULL) {
		copy_inline(artifacts, item);
	} else if (artifact_fetch_prepare(item)) {
		make_ready(artifacts, item);
	} else {
		end_item(artifacts, item);
	}
}

static struct artifact_work *make_work(struct artifacts *artifacts, struct artifact_copy *copy)
{
	size_t count = json_array_size(copy->outputs);
	struct artifact_work *work;

	if (count > LIMIT_ARTIFACTS)
		count = LIMIT_ARTIFACTS;
	work = calloc(1, sizeof *work + count * sizeof work->items[0]);
	if (work == NULL)
		return NULL;
	work->copy = copy;
	work->folder = &artifacts->folder;
	work->ended = download_ended;
	work->until_ns = clock_monotonic_ns() + job_seconds() * INT64_C(1000000000);
	work->count = (int)count;
	for (int i = 0; i < work->count; i++) {
		work->items[i].work = work;
		work->items[i].n = i;
		work->items[i].output = json_array_get(copy->outputs, (size_t)i);
	}
	return work;
}

static void begin_copy(struct artifacts *artifacts, struct artifact_copy *copy)
{
	struct artifact_work *work = make_work(artifacts, copy);
	int count = work != NULL ? work->count : 0;

	copy->artifacts = copy->warnings = NULL;
	copy->interrupted = false;
	if (work == NULL) {
		copy->lost = (int)json_array_size(copy->outputs);
		atomic_fetch_sub_explicit(&artifacts->open, 1, memory_order_relaxed);
		copy->done(copy);
		return;
	}
	work->left = count + 1; /* ours, so that it does not end before all have begun */
	for (int i = 0; i < count; i++)
		begin_item(artifacts, &work->items[i]);
	if (--work->left == 0)
		end_copy(artifacts, work);
}

static int ready_of(const struct artifacts *artifacts, const char *provider)
{
	int count = 0;

	for (const struct artifact_item *at = artifacts->ready; at != NULL; at = at->next)
		count += strcmp(provider_of(at), provider) == 0;
	return count;
}

/* Takes a copy only when there are few downloads of its provider before it, so that what waits costs no memory here, and others need not wait. */
static struct artifact_copy *take_copy(struct artifacts *artifacts, bool *stopping)
{
	const char *passed = ""; /* a provider that has enough: usually all that wait are of the same */
	struct artifact_copy **at, *copy = NULL;

	pthread_mutex_lock(&artifacts->lock);
	for (at = &artifacts->first; *at != NULL && copy == NULL;) {
		const char *provider = (*at)->provider->manifest.id;

		if (artifacts->giving_up ||
			(strcmp(provider, passed) != 0 && ready_of(artifacts, provider) < LIMIT_ARTIFACT_DOWNLOADS)) {
			copy = *at;
			*at = copy->next;
			if (*at == NULL)
				artifacts->last = at;
		} else {
			passed = provider;
			at = &(*at)->next;
		}
	}
	*stopping = artifacts->stopping;
	pthread_mutex_unlock(&artifacts->lock);
	return copy;
}

/* ---- sweep ---- */

/* One folder. True while there is more to do today. */
static bool sweep(struct artifacts *artifacts)
{
	int64_t before = clock_unix_ms() - atomic_load(&artifacts->keep_days) * DAY_MS;

	if (artifacts->sweep_next == ARTIFACT_FOLDERS) {
		if (clock_monotonic_ns() < artifacts->sweep_due_ns)
			return false;
		artifacts->sweep_next = artifacts->swept = 0;
	}
	artifacts->swept += artifact_folder_sweep(&artifacts->folder, artifacts->sweep_next++, before);
	if (artifacts->sweep_next < ARTIFACT_FOLDERS)
		return true;
	artifacts->sweep_due_ns = clock_monotonic_ns() + LIMIT_ARTIFACT_SWEEP_HOURS * 3600 * INT64_C(1000000000);
	if (artifacts->swept > 0)
		log_message(LOG_INFO, "artifact.swept", "%d files older than %d days went", artifacts->swept,
			atomic_load(&artifacts->keep_days));
	return false;
}

/* ---- the loop ---- */

static void turn(struct artifacts *artifacts, bool *stopping)
{
	struct artifact_copy *copy;
	int64_t until_sweep;
	bool more;
	int rest;

	for (int i = 0; i < LIMIT_ARTIFACT_BATCH && (copy = take_copy(artifacts, stopping)) != NULL; i++)
		begin_copy(artifacts, copy);
	rest = wake_rested(artifacts);
	start_downloads(artifacts);
	more = copy == NULL && !*stopping && sweep(artifacts);
	if (copy != NULL || more)
		rest = 0;
	until_sweep = (artifacts->sweep_due_ns - clock_monotonic_ns()) / 1000000 + 1;
	if (rest == -1)
		rest = *stopping ? 50 : until_sweep > 0 && until_sweep < INT32_MAX ? (int)until_sweep : 0;
	if (artifacts->batched > 0)
		rest = 0;
	loop_run_once(artifacts->loop, rest > 0 ? clock_monotonic_ns() + rest * INT64_C(1000000) : 0);
	keep_batch(artifacts);
}

/* What is left is told that it was interrupted. */
static void give_all_up(struct artifacts *artifacts)
{
	struct artifact_item *item;
	struct artifact_copy *copy;
	bool stopping;

	artifacts->giving_up = true;
	transfers_abort(artifacts->loop);
	while ((item = artifacts->resting) != NULL) {
		artifacts->resting = item->next;
		give_up(artifacts, item);
	}
	while ((item = take_ready(artifacts)) != NULL)
		give_up(artifacts, item);
	while ((copy = take_copy(artifacts, &stopping)) != NULL)
		begin_copy(artifacts, copy);
	keep_batch(artifacts);
}

static void *artifacts_main(void *argument)
{
	struct artifacts *artifacts = argument;
	bool stopping = false;
	int64_t deadline;

	pthread_setname_np(pthread_self(), "artifacts");
	artifact_folder_clean(&artifacts->folder);
	while (!stopping)
		turn(artifacts, &stopping);
	deadline = clock_monotonic_ns() + LIMIT_ARTIFACT_STOP_MS * INT64_C(1000000);
	while (artifacts_backlog(artifacts) > 0 && clock_monotonic_ns() < deadline)
		turn(artifacts, &stopping);
	give_all_up(artifacts);
	return NULL;
}

/* ---- doors ---- */

enum error_code artifacts_put(struct artifacts *artifacts, struct artifact_copy *copy)
{
	bool closed, was_empty = false;

	if (atomic_fetch_add_explicit(&artifacts->open, 1, memory_order_relaxed) >= LIMIT_ARTIFACT_QUEUE) {
		atomic_fetch_sub_explicit(&artifacts->open, 1, memory_order_relaxed);
		return ERROR_BUSY;
	}
	copy->next = NULL;
	pthread_mutex_lock(&artifacts->lock);
	closed = artifacts->stopping;
	if (!closed) {
		was_empty = artifacts->first == NULL;
		*artifacts->last = copy;
		artifacts->last = &copy->next;
	}
	pthread_mutex_unlock(&artifacts->lock);
	if (closed) {
		atomic_fetch_sub_explicit(&artifacts->open, 1, memory_order_relaxed);
		return ERROR_BUSY;
	}
	if (was_empty)
		loop_wake(artifacts->loop);
	return ERROR_NONE;
}

size_t artifacts_backlog(struct artifacts *artifacts)
{
	return atomic_load_explicit(&artifacts->open, memory_order_relaxed);
}

void artifacts_set_keep_days(struct artifacts *artifacts, int keep_days)
{
	atomic_store(&artifacts->keep_days, keep_days < 1 ? 1 : keep_days);
}

enum error_code artifacts_open(
	struct artifacts *artifacts, const char *sha256, int *descriptor, off_t *bytes, int64_t *modified_ms, struct error *error)
{
	return artifact_folder_read(&artifacts->folder, sha256, descriptor, bytes, modified_ms, error);
}

static int start_thread(struct artifacts *artifacts)
{
	pthread_attr_t attributes;
	int failed;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	failed = pthread_create(&artifacts->thread, &attributes, artifacts_main, artifacts);
	pthread_attr_destroy(&attributes);
	return failed;
}

static void artifacts_free(struct artifacts *artifacts)
{
	loop_free(artifacts->loop);
	pthread_mutex_destroy(&artifacts->lock);
	free(artifacts->folder.directory);
	free(artifacts);
}

enum error_code artifacts_start(const char *directory, int keep_days, struct artifacts **artifacts, struct error *error)
{
	struct artifacts *made = calloc(1, sizeof *made);
	enum error_code code;
	int failed;

	if (made == NULL)
		return error_memory(error);
	pthread_mutex_init(&made->lock, NULL);
	made->last = &made->first;
	made->last_ready = &made->ready;
	artifacts_set_keep_days(made, keep_days);
	made->folder.directory = strdup(directory);
	code = made->folder.directory != NULL ? loop_new(NULL, &made->loop, error) : error_memory(error);
	if (code == ERROR_NONE && (failed = start_thread(made)) != 0)
		code = error_set(error, ERROR_IO, NULL, "cannot start the copying of artifacts: %s", strerror(failed));
	if (code != ERROR_NONE) {
		artifacts_free(made);
		return code;
	}
	*artifacts = made;
	return ERROR_NONE;
}

void artifacts_stop(struct artifacts *artifacts)
{
	if (artifacts == NULL)
		return;
	pthread_mutex_lock(&artifacts->lock);
	artifacts->stopping = true;
	pthread_mutex_unlock(&artifacts->lock);
	loop_wake(artifacts->loop);
	pthread_join(artifacts->thread, NULL);
	artifacts_free(artifacts);
}
