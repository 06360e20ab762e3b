/* bucket_upload.c - brings one file to the bucket: where it came from, then the file, whole or in parts. Each step begins when the one before has ended.
 *
 * The provenance goes first: who looks whether a file is still wanted then sees it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact/bucket.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"

#define PIECE_BYTES 65536
#define DAY_MS (24 * 3600 * INT64_C(1000))
#define PART_LIST_BYTES (LIMIT_S3_PARTS * 160)

static struct bucket_upload *upload_of(struct s3_call *call)
{
	return call->context;
}

static void upload_begin_next(struct bucket *bucket);

static void upload_end(struct bucket_upload *upload)
{
	struct bucket *bucket = upload->bucket;

	s3_call_clear(&upload->call);
	buffer_free(&upload->list);
	bucket->uploading--;
	atomic_fetch_add(upload->error.code == ERROR_NONE ? &bucket->uploads : &bucket->upload_failures, 1);
	upload_begin_next(bucket);
	upload->done(upload);
}

/* A new request of this upload. */
static struct s3_call *upload_call(struct bucket_upload *upload, const char *method, void (*done)(struct s3_call *call))
{
	struct s3_call *call = &upload->call;

	if (call->client != NULL)
		s3_call_clear(call);
	*call = (struct s3_call){ .method = method, .deed = S3_WRITE, .done = done, .context = upload };
	bucket_name(call->name, upload->sha256, NULL);
	return call;
}

/* False: the call failed, and the upload has ended with it. */
static bool has_gone_well(struct bucket_upload *upload)
{
	if (upload->call.error.code == ERROR_NONE)
		return true;
	upload->error = upload->call.error;
	upload_end(upload);
	return false;
}

/* False: the disk. */
static bool lend_piece(struct s3_call *call, int descriptor, int64_t at, int64_t length)
{
	unsigned char digest[32], *piece = memory_new(PIECE_BYTES);
	EVP_MD_CTX *state = EVP_MD_CTX_new();
	int64_t done = 0;
	ssize_t got = 1;

	if (state == NULL || EVP_DigestInit_ex(state, EVP_sha256(), NULL) != 1)
		memory_exhausted();
	while (done < length && got > 0) {
		got = pread(descriptor, piece, length - done < PIECE_BYTES ? (size_t)(length - done) : PIECE_BYTES, at + done);
		if (got > 0)
			EVP_DigestUpdate(state, piece, (size_t)got);
		done += got > 0 ? got : 0;
	}
	EVP_DigestFinal_ex(state, digest, NULL);
	EVP_MD_CTX_free(state);
	free(piece);
	text_write_hex(call->payload, digest, sizeof digest);
	call->file = (struct outgoing_file){ descriptor, at, length };
	call->has_file = true;
	return done == length;
}

static void upload_fail_disk(struct bucket_upload *upload)
{
	error_set(&upload->error, ERROR_IO, NULL, "the file cannot be read on this machine's disk");
	upload_end(upload);
}

/* ---- in parts ---- */

static void on_aborted(struct s3_call *call)
{
	upload_end(upload_of(call)); /* the error is the one that it was given up for */
}

/* What has arrived would stay there, and be paid for. */
static void upload_abort(struct bucket_upload *upload)
{
	struct s3_call *call;

	upload->error = upload->call.error;
	if (upload->bucket->closing) {
		upload_end(upload);
		return;
	}
	call = upload_call(upload, "DELETE", on_aborted);
	snprintf(call->query, sizeof call->query, "uploadId=%s", upload->upload_id);
	s3_call_start(upload->bucket->client, call);
}

/* A server that takes long begins its answer with 200, and may end it with an error. */
static void on_completed(struct s3_call *call)
{
	struct bucket_upload *upload = upload_of(call);
	struct s3_span body = s3_body(&call->transfer.response), error;

	if (call->error.code == ERROR_NONE && s3_xml_next(&body, "Error", &error))
		error_set(&call->error, ERROR_BUSY, NULL, "the bucket could not put the parts of the file together");
	if (call->error.code != ERROR_NONE)
		upload_abort(upload);
	else
		upload_end(upload);
}

static void upload_complete(struct bucket_upload *upload)
{
	struct s3_call *call = upload_call(upload, "POST", on_completed);

	buffer_text(&upload->list, "</CompleteMultipartUpload>");
	snprintf(call->query, sizeof call->query, "uploadId=%s", upload->upload_id);
	call->content_type = "application/xml";
	call->text = buffer_begin(&upload->list);
	if (upload->list.failed) {
		error_set(&call->error, ERROR_IO, NULL, "the file has too many parts");
		upload_abort(upload);
		return;
	}
	s3_call_start(upload->bucket->client, call);
}

static void upload_part(struct bucket_upload *upload);

static void on_part(struct s3_call *call)
{
	struct bucket_upload *upload = upload_of(call);
	const char *etag = response_header(&call->transfer.response, "etag");

	if (call->error.code == ERROR_NONE && etag == NULL)
		error_set(&call->error, ERROR_IO, NULL, "the bucket does not tell the ETag of a part");
	if (call->error.code != ERROR_NONE) {
		upload_abort(upload);
		return;
	}
	buffer_format(
		&upload->list, "<Part><PartNumber>%lld</PartNumber><ETag>%.100s</ETag></Part>", (long long)upload->part, etag);
	if (upload->part * upload->part_bytes >= upload->bytes)
		upload_complete(upload);
	else
		upload_part(upload);
}

static void upload_part(struct bucket_upload *upload)
{
	int64_t at = upload->part++ * upload->part_bytes, left = upload->bytes - at;
	struct s3_call *call = upload_call(upload, "PUT", on_part);

	snprintf(call->query, sizeof call->query, "partNumber=%lld&uploadId=%s", (long long)upload->part, upload->upload_id);
	if (!lend_piece(call, upload->content, at, left < upload->part_bytes ? left : upload->part_bytes)) {
		error_set(&call->error, ERROR_IO, NULL, "the file cannot be read on this machine's disk");
		upload_abort(upload);
		return;
	}
	s3_call_start(upload->bucket->client, call);
}

static void on_parts_begun(struct s3_call *call)
{
	struct bucket_upload *upload = upload_of(call);
	char id[sizeof upload->upload_id / 3];
	struct buffer encoded;

	if (!has_gone_well(upload))
		return;
	buffer_init(&encoded, sizeof upload->upload_id - 1);
	if (s3_xml_text(s3_body(&call->transfer.response), "UploadId", id, sizeof id))
		s3_encode(id, false, &encoded);
	snprintf(upload->upload_id, sizeof upload->upload_id, "%s", buffer_begin(&encoded));
	buffer_free(&encoded);
	if (upload->upload_id[0] == '\0') {
		error_set(&upload->error, ERROR_IO, NULL, "the bucket does not take files in parts: is it an S3 API?");
		upload_end(upload);
		return;
	}
	buffer_init(&upload->list, PART_LIST_BYTES);
	buffer_text(&upload->list, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	upload->part = 0;
	upload_part(upload);
}

/* Parts of 16 MiB, or of as many MiB more as there may be no more than 10,000 of them. */
static void upload_in_parts(struct bucket_upload *upload)
{
	int64_t least = (upload->bytes + LIMIT_S3_PARTS - 1) / LIMIT_S3_PARTS;
	struct s3_call *call = upload_call(upload, "POST", on_parts_begun);

	upload->part_bytes = LIMIT_S3_PART_BYTES;
	while (upload->part_bytes < least)
		upload->part_bytes += 1 << 20;
	snprintf(call->query, sizeof call->query, "uploads=");
	call->content_type = upload->type;
	s3_call_start(upload->bucket->client, call);
}

/* ---- whole ---- */

static void on_content_put(struct s3_call *call)
{
	struct bucket_upload *upload = upload_of(call);

	if (has_gone_well(upload))
		upload_end(upload);
}

static void upload_content(struct bucket_upload *upload)
{
	struct s3_call *call;

	if (upload->bytes > LIMIT_S3_WHOLE_BYTES) {
		upload_in_parts(upload);
		return;
	}
	call = upload_call(upload, "PUT", on_content_put);
	call->content_type = upload->type;
	memcpy(call->payload, upload->sha256, sizeof call->payload);
	call->file = (struct outgoing_file){ upload->content, 0, upload->bytes };
	call->has_file = true;
	s3_call_start(upload->bucket->client, call);
}

/* ---- is it there already? ---- */

static void on_looked(struct s3_call *call)
{
	struct bucket_upload *upload = upload_of(call);
	const char *length = response_header(&call->transfer.response, "content-length");
	int64_t written_ms = s3_read_time(response_header(&call->transfer.response, "last-modified")) * 1000;
	int64_t half_ms = atomic_load(&upload->bucket->keep_days) * DAY_MS / 2;
	bool there = call->error.code == ERROR_NONE && length != NULL && strtoll(length, NULL, 10) == upload->bytes;

	if (call->error.code != ERROR_NONE && call->status == 0 && !has_gone_well(upload))
		return;
	upload->renewed = there && written_ms < clock_unix_ms() - half_ms;
	if (there && !upload->renewed)
		upload_end(upload);
	else
		upload_content(upload);
}

static void on_provenance_put(struct s3_call *call)
{
	struct bucket_upload *upload = upload_of(call);

	if (!has_gone_well(upload))
		return;
	call = upload_call(upload, "HEAD", on_looked);
	call->deed = S3_READ;
	s3_call_start(upload->bucket->client, call);
}

/* ---- turns ---- */

static void upload_begin(struct bucket_upload *upload)
{
	struct s3_call *call = upload_call(upload, "PUT", on_provenance_put);
	char rest[BUCKET_NAME_BYTES / 2];
	struct stat status;

	upload->bucket->uploading++;
	if (!crypto_load()) {
		error_set(&upload->error, ERROR_IO, NULL, "libcrypto (libssl3) cannot be loaded: is it installed?");
		upload_end(upload);
		return;
	}
	snprintf(rest, sizeof rest, "%s.json", upload->name);
	bucket_name(call->name, upload->sha256, rest);
	call->content_type = "application/json";
	if (fstat(upload->provenance, &status) != 0 || !lend_piece(call, upload->provenance, 0, status.st_size))
		upload_fail_disk(upload);
	else
		s3_call_start(upload->bucket->client, call);
}

static void upload_begin_next(struct bucket *bucket)
{
	struct bucket_upload *upload = bucket->queued;

	if (upload == NULL || bucket->uploading >= LIMIT_BUCKET_UPLOADS)
		return;
	bucket->queued = upload->next;
	if (bucket->queued == NULL)
		bucket->last_queued = &bucket->queued;
	upload_begin(upload);
}

void bucket_upload_start(struct bucket *bucket, struct bucket_upload *upload)
{
	upload->bucket = bucket;
	upload->error = (struct error){ 0 };
	upload->renewed = false;
	upload->call = (struct s3_call){ .method = NULL };
	buffer_init(&upload->list, 0);
	upload->next = NULL;
	*bucket->last_queued = upload;
	bucket->last_queued = &upload->next;
	upload_begin_next(bucket);
}
