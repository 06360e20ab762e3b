/* bucket_removal.c - takes the files of a job from a bucket: what says that the job made them, and each file that no other job made too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "artifact/bucket.h"
#include "base/memory.h"

struct removing {
	struct bucket *bucket;
	struct artifact_removal *removal;
	size_t at; /* digest */
	struct s3_call call;
	struct bucket_names names;
};

static void remove_next(struct removing *removing);

static void removing_end(struct removing *removing, const struct error *error)
{
	struct artifact_removal *removal = removing->removal;

	removal->ask.code = error->code;
	removal->ask.error = *error;
	s3_call_clear(&removing->call);
	bucket_names_free(&removing->names);
	free(removing);
	artifact_ask_end(&removal->ask);
}

static const char *digest_of(const struct removing *removing)
{
	return removing->removal->digests[removing->at];
}

static void on_names_gone(struct bucket_names *names)
{
	struct removing *removing = names->context;
	struct error error = names->error;

	if (error.code == ERROR_NONE && removing->bucket->closing)
		error_set(&error, ERROR_BUSY, NULL, "the host stops");
	if (error.code != ERROR_NONE) {
		removing_end(removing, &error);
		return;
	}
	removing->at++;
	remove_next(removing);
}

/* "ab/<sha256>.<job>-<n>.json" of this job? */
static bool is_own(const struct removing *removing, const char *name)
{
	const char *job = removing->removal->job, *rest = name + 3 + ARTIFACT_SHA256_TEXT;

	return strncmp(rest, job, strlen(job)) == 0 && rest[strlen(job)] == '-';
}

static void on_listed(struct s3_call *call)
{
	struct removing *removing = call->context;
	const char *prefix = s3_client_place(removing->bucket->client)->prefix;
	struct s3_span page = s3_body(&call->transfer.response), entry;
	char key[LIMIT_S3_KEY_BYTES + 1], name[BUCKET_NAME_BYTES];
	bool others = false;

	if (call->error.code != ERROR_NONE) {
		removing_end(removing, &call->error);
		return;
	}
	while (s3_xml_next(&page, "Contents", &entry)) {
		if (!s3_xml_text(entry, "Key", key, sizeof key) || strlen(key) <= strlen(prefix) + 3 + ARTIFACT_SHA256_TEXT)
			continue; /* the content itself */
		if (is_own(removing, key + strlen(prefix)))
			bucket_names_add(&removing->names, key + strlen(prefix));
		else
			others = true;
	}
	bucket_name(name, digest_of(removing), NULL);
	if (!others) {
		bucket_names_add(&removing->names, name);
		bucket_cache_drop(removing->bucket->cache, digest_of(removing));
		bucket_note_absent(removing->bucket, digest_of(removing), true);
	}
	removing->names.done = on_names_gone;
	removing->names.context = removing;
	bucket_names_delete(removing->bucket, &removing->names);
}

/* What waits on this machine goes at once. */
static void remove_waiting(struct removing *removing)
{
	bucket_waiting_forget(removing->bucket, digest_of(removing), removing->removal->job);
}

static void remove_next(struct removing *removing)
{
	struct s3_call *call = &removing->call;
	char name[BUCKET_NAME_BYTES];
	struct buffer prefix;

	if (removing->at == removing->removal->count) {
		removing_end(removing, &(struct error){ 0 });
		return;
	}
	remove_waiting(removing);
	bucket_names_free(&removing->names);
	s3_call_clear(call);
	*call = (struct s3_call){ .method = "GET", .deed = S3_LIST, .done = on_listed, .context = removing };
	bucket_name(name, digest_of(removing), NULL);
	buffer_init(&prefix, LIMIT_S3_KEY_BYTES * 3);
	s3_encode(s3_client_place(removing->bucket->client)->prefix, false, &prefix);
	s3_encode(name, false, &prefix);
	snprintf(call->query, sizeof call->query, "list-type=2&prefix=%s", buffer_begin(&prefix));
	buffer_free(&prefix);
	s3_call_start(removing->bucket->client, call);
}

void bucket_remove(struct artifact_store *store, struct artifact_removal *removal)
{
	struct removing *removing = memory_new(sizeof *removing);

	removing->bucket = (struct bucket *)store;
	removing->removal = removal;
	remove_next(removing);
}
