/* artifact_entry.c - reads the row, and the file's bytes as text. HTTP threads; no state. */
#include "api/artifact_entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "api/access.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/memory.h"
#include "cluster/cluster.h"

#define N_DIGITS 6
#define JOBS ARTIFACT_SCHEME "jobs/"
#define PATH "/api/jobs/"
#define ARTIFACTS "/artifacts/"
#define PLACE_BYTES 64
#define PIECE_BYTES (48 * 1024) /* encoded at a time: a multiple of 3, so that no padding comes in between */

/* ---- names ---- */

bool artifact_number_parse(const char *text, int *n)
{
	size_t digits = strspn(text, "0123456789");

	*n = 0;
	if (digits == 0 || digits > N_DIGITS || text[digits] != '\0' || (text[0] == '0' && digits > 1))
		return false;
	for (; *text != '\0'; text++)
		*n = *n * 10 + (*text - '0');
	return true;
}

/* ID/artifacts/N */
static bool read_place(const char *text, struct id *job, int *n)
{
	char id[ID_TEXT_BYTES];

	if (strlen(text) < ID_TEXT_BYTES - 1 || strncmp(text + ID_TEXT_BYTES - 1, ARTIFACTS, sizeof ARTIFACTS - 1) != 0)
		return false;
	snprintf(id, sizeof id, "%s", text);
	return id_parse(id, job) && artifact_number_parse(text + ID_TEXT_BYTES - 1 + sizeof ARTIFACTS - 1, n);
}

bool artifact_uri_parse(const char *text, struct id *job, int *n)
{
	return strncmp(text, JOBS, sizeof JOBS - 1) == 0 && read_place(text + sizeof JOBS - 1, job, n);
}

bool artifact_url_parse(const char *text, const char *host, struct id *job, int *n)
{
	char place[PLACE_BYTES];
	size_t length;

	if (host == NULL || (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0))
		return false;
	text = strchr(text, ':') + 3;
	if (strncasecmp(text, host, strlen(host)) != 0 || strncmp(text + strlen(host), PATH, sizeof PATH - 1) != 0)
		return false;
	text += strlen(host) + sizeof PATH - 1;
	length = strcspn(text, "?#");
	if (length >= sizeof place)
		return false;
	snprintf(place, sizeof place, "%.*s", (int)length, text);
	return read_place(place, job, n);
}

void artifact_uri_format(const struct id *job, int n, char uri[ARTIFACT_URI_BYTES])
{
	char id[ID_TEXT_BYTES];

	id_format(job, id);
	snprintf(uri, ARTIFACT_URI_BYTES, JOBS "%s" ARTIFACTS "%d", id, n);
}

/* ---- the row ---- */

struct finding {
	const struct http_request *request;
	struct artifact_entry *entry;
	int n;
	bool sees;
};

static void note_entry(void *context, const struct task *task)
{
	struct finding *finding = context;
	struct artifact_entry *found = finding->entry;
	json_t *result = NULL, *output;
	size_t i;

	finding->sees = access_sees(finding->request, task);
	if (finding->sees && task->result != NULL)
		result = json_read(task->result, strlen(task->result), NULL);
	found->dry_run = task->dry_run;
	found->ended = task->status != TASK_QUEUED && task->status != TASK_RUNNING;
	found->count = json_array_size(json_object_get(result, "artifacts"));
	json_array_foreach(json_object_get(result, "artifacts"), i, output) {
		if (json_integer_value(json_object_get(output, "n")) == finding->n && found->json == NULL)
			found->json = json_incref(output);
	}
	json_decref(result);
}

enum error_code artifact_entry_find(struct host *host, const struct http_request *request, const struct id *job, int n,
	struct artifact_entry *entry, struct error *error)
{
	struct finding finding = { .request = request, .entry = entry, .n = n };
	enum error_code code;

	*entry = (struct artifact_entry){ .json = NULL };
	code = task_store_get(host->store, job, note_entry, &finding, error);
	if (code == ERROR_NONE && !finding.sees)
		return error_set(error, ERROR_NOT_FOUND, NULL, "there is no such job");
	return code;
}

void artifact_entry_explain(const struct artifact_entry *entry, char *text, size_t size)
{
	if (entry->dry_run)
		snprintf(text, size, "this job is a dry run: nothing was made");
	else if (!entry->ended)
		snprintf(text, size, "this job has not ended yet: its artifacts come when it is done");
	else
		snprintf(text, size, "this job has %zu artifact%s, numbered from 0", entry->count, entry->count == 1 ? "" : "s");
}

const char *artifact_entry_type(const json_t *entry, char space[ARTIFACT_TYPE_BYTES])
{
	const char *type = json_text(entry, "content_type");
	size_t length = type != NULL ? strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789.+-_/") : 0;

	if (type == NULL || type[length] != '\0' || length == 0 || length >= ARTIFACT_TYPE_BYTES || strchr(type, '/') == NULL)
		return "application/octet-stream";
	snprintf(space, ARTIFACT_TYPE_BYTES, "%s", type);
	return space;
}

/* ---- the file ---- */

/* Its digest, or NULL: it was not kept. */
static const char *kept_digest(const json_t *entry, struct error *error)
{
	const char *sha256 = json_text(entry, "sha256"), *lost = json_text(entry, "error");

	if (sha256 != NULL && lost == NULL)
		return sha256;
	error_set(error, ERROR_NOT_FOUND, NULL, "this artifact was not kept: %s",
		lost != NULL ? lost : "its row does not say where it is");
	return NULL;
}

static enum error_code explain_absence(struct host *host, enum error_code code, struct error *error)
{
	if (code == ERROR_INVALID || code == ERROR_NOT_FOUND)
		return error_set(error, ERROR_NOT_FOUND, NULL, "the file of this artifact is no longer in the artifacts folder%s",
			cluster_is_shared(host->cluster) ? ", or another host fetched it into one of its own" : "");
	return code;
}

enum error_code artifact_entry_open(
	struct host *host, const json_t *entry, int *descriptor, off_t *bytes, int64_t *modified_ms, struct error *error)
{
	const char *sha256 = kept_digest(entry, error);

	if (sha256 == NULL)
		return ERROR_NOT_FOUND;
	return explain_absence(host, artifacts_open(host->artifacts, sha256, descriptor, bytes, modified_ms, error), error);
}

enum error_code artifact_entry_read(struct host *host, const json_t *entry, struct artifact_reading *reading, struct error *error)
{
	const char *sha256 = kept_digest(entry, error);

	return sha256 == NULL ? ERROR_NOT_FOUND
			      : explain_absence(host, artifacts_read(host->artifacts, sha256, reading, error), error);
}

size_t artifact_base64_bytes(off_t bytes)
{
	return ((size_t)bytes + 2) / 3 * 4;
}

/* Fills it, but at the end of the file. */
static ssize_t read_piece(int descriptor, unsigned char *piece, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length < size) {
		got = read(descriptor, piece + length, size - length);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == -1 ? -1 : (ssize_t)length;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

enum error_code artifact_entry_base64(int descriptor, off_t bytes, struct buffer *out, struct error *error)
{
	unsigned char *piece;
	ssize_t length = 0;
	char *to;

	if (!crypto_load())
		return error_set(error, ERROR_IO, NULL, "libcrypto (libssl3) cannot be loaded: is it installed?");
	piece = memory_new(PIECE_BYTES);
	for (; bytes > 0; bytes -= length) {
		length = read_piece(descriptor, piece, bytes < PIECE_BYTES ? (size_t)bytes : PIECE_BYTES);
		if (length <= 0 || (to = buffer_reserve(out, artifact_base64_bytes(length) + 1)) == NULL)
			break;
		out->length += (size_t)EVP_EncodeBlock((unsigned char *)to, piece, (int)length);
	}
	free(piece);
	if (out->failed)
		return error_memory(error);
	if (bytes > 0)
		return error_set(error, ERROR_IO, NULL, "the file of this artifact cannot be read to its end");
	return ERROR_NONE;
}
