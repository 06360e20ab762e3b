/* artifact_decode.h - outputs that came inside the vendor's answer (for this folder only). */
#pragma once

#include <stddef.h>

#include "artifact/artifact_file.h"

/* Appends what a base64 text stands for (also without padding, in the URL-safe alphabet, with line breaks), slice by slice. False when it is
 * malformed (ERROR_INVALID) or could not be written; see file->error. */
bool artifact_decode_base64(const char *text, size_t length, struct artifact_file *file);

/* Appends what a data URI carries; its media type, if it has one, goes to `type` (cut to `size`). */
bool artifact_decode_data_uri(const char *uri, size_t length, struct artifact_file *file, char *type, size_t size);
