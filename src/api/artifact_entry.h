/* artifact_entry.h - one output of a job, as its row has it: found by its number, or by the address that programs name it by. HTTP threads; read-only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "api/host.h"
#include "base/buffer.h"
#include "base/id.h"

#define ARTIFACT_SCHEME "providerd://"
#define ARTIFACT_URI_BYTES 80
#define ARTIFACT_TYPE_BYTES 128

/* "0", "17": no sign, no zero before it. False: it is none. */
bool artifact_number_parse(const char *text, int *n);

/* providerd://jobs/ID/artifacts/N, to the last byte. False: it is none. */
bool artifact_uri_parse(const char *text, struct id *job, int *n);
/* The same of the URL where this host, reached as `host` (the header), serves it, whatever its query. */
bool artifact_url_parse(const char *text, const char *host, struct id *job, int *n);
void artifact_uri_format(const struct id *job, int n, char uri[ARTIFACT_URI_BYTES]);

struct artifact_entry {
	json_t *json; /* as the row has it: json_decref() it; NULL: the job has none of this number */
	size_t count; /* of the job's outputs */
	bool dry_run, ended;
};

/* ERROR_NOT_FOUND: there is no such job, or the request's key does not see it; ERROR_IO, ERROR_BUSY: the registry cannot be read. */
enum error_code artifact_entry_find(struct host *host, const struct http_request *request, const struct id *job, int n,
	struct artifact_entry *entry, struct error *error);

/* Why there is none of this number, as a sentence. */
void artifact_entry_explain(const struct artifact_entry *entry, char *text, size_t size);

/* Its media type: what was said of it, as long as that could neither end a header nor hide something in it, else application/octet-stream. */
const char *artifact_entry_type(const json_t *entry, char space[ARTIFACT_TYPE_BYTES]);

/* Opens the kept file. ERROR_NOT_FOUND: it was not kept, or is gone, and the message says why; ERROR_IO. */
enum error_code artifact_entry_open(
	struct host *host, const json_t *entry, int *descriptor, off_t *bytes, int64_t *modified_ms, struct error *error);

/* The same, to be read piece by piece: artifact_reading_close() it. */
enum error_code artifact_entry_read(
	struct host *host, const json_t *entry, struct artifact_reading *reading, struct error *error);

/* Appends `bytes` of the file in base64. Blocks on the disk. ERROR_IO: it is shorter; ERROR_MEMORY. */
enum error_code artifact_entry_base64(int descriptor, off_t bytes, struct buffer *out, struct error *error);

/* So long is that text. */
size_t artifact_base64_bytes(off_t bytes);
