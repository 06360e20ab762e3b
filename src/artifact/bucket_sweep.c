/* bucket_sweep.c - old files of a bucket go, once a day: a listing, page by page, and what is old of each page. By age alone, so several hosts may do it.
 *
 * As in a folder: provenance that was written more than keep_days ago goes, and a file that has none left and is as old. Content is looked at once more just
 * before it goes; who has found it a moment ago has written it anew, and looks for it again later (bucket_keep.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/bucket.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))
#define NS_PER_SECOND INT64_C(1000000000)

/* ---- deleting ---- */

void bucket_names_add(struct bucket_names *names, const char *name)
{
	if (names->count == names->capacity) {
		names->capacity = names->capacity > 0 ? 2 * names->capacity : 64;
		names->names = memory_resize(names->names, names->capacity * sizeof *names->names);
	}
	snprintf(names->names[names->count++], BUCKET_NAME_BYTES, "%s", name);
}

void bucket_names_free(struct bucket_names *names)
{
	s3_call_clear(&names->call);
	free(names->names);
	names->names = NULL;
	names->count = names->capacity = names->at = 0;
}

static void delete_next(struct bucket_names *names);

static struct s3_call *names_call(
	struct bucket_names *names, const char *method, enum s3_deed deed, void (*done)(struct s3_call *call))
{
	struct s3_call *call = &names->call;

	s3_call_clear(call);
	*call = (struct s3_call){ .method = method, .deed = deed, .done = done, .context = names };
	snprintf(call->name, sizeof call->name, "%s", names->names[names->at]);
	return call;
}

/* What is gone already is no error. */
static void on_deleted(struct s3_call *call)
{
	struct bucket_names *names = call->context;

	if (call->error.code != ERROR_NONE && call->error.code != ERROR_NOT_FOUND) {
		names->error = call->error;
		names->done(names);
		return;
	}
	names->gone++;
	names->at++;
	delete_next(names);
}

static void delete_this(struct bucket_names *names)
{
	s3_call_start(names->bucket->client, names_call(names, "DELETE", S3_DELETE, on_deleted));
}

static void on_looked_again(struct s3_call *call)
{
	struct bucket_names *names = call->context;
	int64_t written_ms = s3_read_time(response_header(&call->transfer.response, "last-modified")) * 1000;

	if (call->error.code == ERROR_NONE && written_ms > 0 && written_ms < names->before_ms) {
		delete_this(names);
		return;
	}
	names->at++;
	delete_next(names);
}

static void delete_next(struct bucket_names *names)
{
	if (names->at == names->count || names->bucket->closing)
		names->done(names);
	else if (names->before_ms > 0 && strchr(names->names[names->at], '.') == NULL)
		s3_call_start(names->bucket->client, names_call(names, "HEAD", S3_READ, on_looked_again));
	else
		delete_this(names);
}

void bucket_names_delete(struct bucket *bucket, struct bucket_names *names)
{
	names->bucket = bucket;
	names->at = names->gone = 0;
	names->error = (struct error){ 0 };
	delete_next(names);
}

/* ---- looking ---- */

/* All of one digest have been seen. */
static void end_digest(struct bucket_sweep *sweep)
{
	char name[BUCKET_NAME_BYTES];

	if (sweep->old_content && !sweep->described && sweep->digest[0] != '\0') {
		bucket_name(name, sweep->digest, NULL);
		bucket_names_add(&sweep->names, name);
	}
	sweep->digest[0] = '\0';
	sweep->old_content = sweep->described = false;
}

/* "ab/<sha256>", "ab/<sha256>.<job>-<n>.json": what is none of them is not ours. */
static void look_at(struct bucket_sweep *sweep, const char *name, int64_t written_ms)
{
	const char *digest = name + 3;
	bool old = written_ms > 0 && written_ms < sweep->before_ms;

	if (strlen(name) < 3 || name[2] != '/' || !artifact_folder_is_sha256(digest) || strncmp(name, digest, 2) != 0)
		return;
	if (strncmp(sweep->digest, digest, ARTIFACT_SHA256_TEXT - 1) != 0) {
		end_digest(sweep);
		memcpy(sweep->digest, digest, ARTIFACT_SHA256_TEXT - 1);
	}
	if (digest[ARTIFACT_SHA256_TEXT - 1] == '\0')
		sweep->old_content = old;
	else if (digest[ARTIFACT_SHA256_TEXT - 1] == '.' && old)
		bucket_names_add(&sweep->names, name);
	else
		sweep->described = true;
}

static void look_at_page(struct bucket *bucket, struct bucket_sweep *sweep)
{
	const char *prefix = s3_client_place(bucket->client)->prefix;
	struct s3_span page = s3_body(&sweep->call.transfer.response), entry;
	char key[LIMIT_S3_KEY_BYTES + 1], written[40], truncated[8], token[sizeof sweep->token / 3];
	struct buffer encoded;

	while (s3_xml_next(&page, "Contents", &entry))
		if (s3_xml_text(entry, "Key", key, sizeof key) && s3_xml_text(entry, "LastModified", written, sizeof written) &&
			strncmp(key, prefix, strlen(prefix)) == 0 && strlen(key) - strlen(prefix) < BUCKET_NAME_BYTES)
			look_at(sweep, key + strlen(prefix), s3_read_time(written) * 1000);
	page = s3_body(&sweep->call.transfer.response);
	sweep->token[0] = '\0';
	if (s3_xml_text(page, "IsTruncated", truncated, sizeof truncated) && strcmp(truncated, "true") == 0 &&
		s3_xml_text(page, "NextContinuationToken", token, sizeof token)) {
		buffer_init(&encoded, sizeof sweep->token - 1);
		s3_encode(token, false, &encoded);
		snprintf(sweep->token, sizeof sweep->token, "%s", encoded.failed ? "" : buffer_begin(&encoded));
		buffer_free(&encoded);
	}
	if (sweep->token[0] == '\0')
		end_digest(sweep);
}

/* ---- turns ---- */

static void end_sweep(struct bucket *bucket, bool whole)
{
	struct bucket_sweep *sweep = &bucket->sweep;
	int64_t hours = LIMIT_ARTIFACT_SWEEP_HOURS;

	if (whole && sweep->gone > 0)
		log_message(LOG_INFO, "artifact.swept", "%zu files older than %d days went from the bucket", sweep->gone,
			atomic_load(&bucket->keep_days));
	bucket_names_free(&sweep->names);
	sweep->under_way = false;
	sweep->due_ns = clock_monotonic_ns() + (whole ? hours * 3600 : LIMIT_BUCKET_SWEEP_AGAIN_SECONDS) * NS_PER_SECOND;
}

static void sweep_page(struct bucket *bucket);

static void on_page_deleted(struct bucket_names *names)
{
	struct bucket *bucket = names->bucket;
	struct bucket_sweep *sweep = &bucket->sweep;

	sweep->gone += names->gone;
	if (names->error.code != ERROR_NONE || bucket->closing)
		end_sweep(bucket, false);
	else if (sweep->token[0] == '\0')
		end_sweep(bucket, true);
	else
		sweep_page(bucket);
}

static void on_page(struct s3_call *call)
{
	struct bucket *bucket = call->context;
	struct bucket_sweep *sweep = &bucket->sweep;

	if (call->error.code != ERROR_NONE || bucket->closing) {
		end_sweep(bucket, false);
		return;
	}
	look_at_page(bucket, sweep);
	sweep->names.before_ms = sweep->before_ms;
	sweep->names.done = on_page_deleted;
	bucket_names_delete(bucket, &sweep->names);
}

static void sweep_page(struct bucket *bucket)
{
	struct bucket_sweep *sweep = &bucket->sweep;
	struct s3_call *call = &sweep->call;
	struct buffer prefix;

	bucket_names_free(&sweep->names);
	s3_call_clear(call);
	*call = (struct s3_call){ .method = "GET", .deed = S3_LIST, .done = on_page, .context = bucket };
	buffer_init(&prefix, LIMIT_S3_KEY_BYTES * 3);
	s3_encode(s3_client_place(bucket->client)->prefix, false, &prefix);
	snprintf(call->query, sizeof call->query, "list-type=2&prefix=%s%s%s", buffer_begin(&prefix),
		sweep->token[0] != '\0' ? "&continuation-token=" : "", sweep->token);
	buffer_free(&prefix);
	s3_call_start(bucket->client, call);
}

int64_t bucket_sweep_turn(struct bucket *bucket, int keep_days, bool idle)
{
	struct bucket_sweep *sweep = &bucket->sweep;

	if (sweep->under_way || bucket->closing)
		return INT64_MAX;
	if (!idle || clock_monotonic_ns() < sweep->due_ns)
		return sweep->due_ns > 0 ? sweep->due_ns : INT64_MAX;
	sweep->under_way = true;
	sweep->before_ms = clock_unix_ms() - keep_days * DAY_MS;
	sweep->token[0] = sweep->digest[0] = '\0';
	sweep->old_content = sweep->described = false;
	sweep->gone = 0;
	sweep_page(bucket);
	return INT64_MAX;
}
