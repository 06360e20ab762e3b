/* s3_place.h - which bucket, and how it is reached. Immutable once made; any thread. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "gate/gate.h"
#include "s3/s3_signature.h"

struct s3_place {
	char *bucket;
	char *prefix; /* "" or "prefix/" */
	char *region;
	char *origin; /* "https://host[:port]", to be followed by a path */
	char *host;   /* the same as the header Host has it */
	char *base;   /* path of the bucket: "" or "/bucket" */
};

/* From a configuration whose artifacts.dir is a bucket. `environment` may say the region. */
struct s3_place *s3_place_new(const struct config_artifacts *artifacts, const struct environment *environment);
void s3_place_free(struct s3_place *place);

/* Appends the path of what has this name below the prefix; of the bucket itself with NULL. Encoded. */
void s3_place_write_path(const struct s3_place *place, const char *name, struct buffer *path);

/* The credentials in force: the section "s3" of the secrets file, else the usual variables of AWS. The texts are the view's. False: there are none. */
bool s3_key_find(const struct gate_view *view, struct s3_key *key);
