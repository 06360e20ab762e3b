/* openapi.h - the description of the REST API: the files of openapi/, put together into one OpenAPI 3.1 document. Knows no route.
 *
 * Immutable once it was read: any thread. */
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "base/buffer.h"

struct openapi;

/* Reads the folder's files and puts them together; `version` is the host's. What is wrong with them is told by openapi_problem(). Blocks on the disk. */
struct openapi *openapi_read(const char *folder, const char *version);
void openapi_free(struct openapi *openapi);

/* Why there is no document, or NULL. */
const char *openapi_problem(const struct openapi *openapi);

/* The whole document, and a digest of it. Both need one that is there. */
const struct buffer *openapi_text(const struct openapi *openapi);
uint64_t openapi_digest(const struct openapi *openapi);

/* The operation of a path as the document has it, borrowed; NULL: there is none. */
const json_t *openapi_operation(const struct openapi *openapi, const char *path, const char *method);

/* Appends the document with the members of `paths` and of `schemas` more. Their names must be none that it has. */
void openapi_write_with(const struct openapi *openapi, const json_t *paths, const json_t *schemas, struct buffer *out);
