/* kind.h - the kinds of providers, and the feature flag that usually opens each. */
#pragma once

#include <stddef.h>

#define KIND_COUNT 3

/* Their names and flags are static. */
struct kind {
	const char *name; /* "gpu", "image", "video" */
	const char *flag; /* "enable_public_gpu" */
};

extern const struct kind kind_list[KIND_COUNT];

/* The kind of this name; NULL: there is none. Any thread. */
const struct kind *kind_named(const char *name);

/* Its place in kind_list. */
size_t kind_place(const struct kind *kind);
