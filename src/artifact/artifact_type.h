/* artifact_type.h - what a file is, and what it may be called (for this folder only). Pure functions. */
#pragma once

#include <stddef.h>

#include "base/limits.h"

#define ARTIFACT_TYPE_BYTES 96

/* The content type of a file: the media that its first bytes prove, else the first of `given` (by the script) and `header` (by the server)
 * that says something, else what the bytes look like. Lower case, without parameters, always TYPE/SUBTYPE. */
void artifact_type_choose(
	const char *given, const char *header, const unsigned char *head, size_t length, char type[ARTIFACT_TYPE_BYTES]);

/* A file name that is safe to hand on: the last part of `wanted`, without control characters and quotes; else the last part of the
 * URL's path if that has an extension; else "artifact-N.EXTENSION". `wanted` and `url` may be NULL. */
void artifact_type_name(const char *wanted, const char *url, int n, const char *type, char name[LIMIT_ARTIFACT_NAME_BYTES]);
