/* s3_place.c - the bucket of artifacts.dir: its names in URLs, and its credentials. */
#include "s3/s3_place.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "gate/environment.h"

#define SECTION "s3"
#define REGION_DEFAULT "us-east-1"

/* ---- the place ---- */

static const char *region_of(const struct config_artifacts *artifacts, const struct environment *environment)
{
	const char *region = artifacts->region;

	if (region == NULL)
		region = environment_find(environment, "AWS_REGION");
	if (region == NULL)
		region = environment_find(environment, "AWS_DEFAULT_REGION");
	return region != NULL ? region : REGION_DEFAULT;
}

/* A bucket whose name has dots is no name that a certificate of *.s3.... holds for. */
static bool is_in_path(const struct config_artifacts *artifacts, const char *bucket)
{
	if (artifacts->style != BUCKET_STYLE_UNSAID)
		return artifacts->style == BUCKET_STYLE_PATH;
	return artifacts->endpoint != NULL || strchr(bucket, '.') != NULL;
}

/* "host", "host:9000": without the port that the scheme has anyway, as curl sends it. */
static char *host_of(const char *origin)
{
	bool secure = strncmp(origin, "https://", 8) == 0;
	const char *host = strstr(origin, "://") + 3, *usual = secure ? ":443" : ":80";
	size_t length = strlen(host), ending = strlen(usual);

	if (length > ending && strcmp(host + length - ending, usual) == 0)
		length -= ending;
	return memory_copy_bytes(host, length);
}

/* The endpoint's own path, if it has one, comes before the bucket. */
static void set_addresses(struct s3_place *place, const struct config_artifacts *artifacts)
{
	char *usual = memory_format("https://s3.%s.amazonaws.com", place->region);
	const char *endpoint = artifacts->endpoint != NULL ? artifacts->endpoint : usual;
	const char *host = strstr(endpoint, "://") + 3, *path = host + strcspn(host, "/");
	int scheme = (int)(host - endpoint), name = (int)(path - host), rest = (int)strlen(path);

	while (rest > 0 && path[rest - 1] == '/')
		rest--;
	if (is_in_path(artifacts, place->bucket)) {
		place->origin = memory_format("%.*s%.*s", scheme, endpoint, name, host);
		place->base = memory_format("%.*s/%s", rest, path, place->bucket);
	} else {
		place->origin = memory_format("%.*s%s.%.*s", scheme, endpoint, place->bucket, name, host);
		place->base = memory_format("%.*s", rest, path);
	}
	place->host = host_of(place->origin);
	free(usual);
}

struct s3_place *s3_place_new(const struct config_artifacts *artifacts, const struct environment *environment)
{
	const char *bucket = artifacts->dir + sizeof CONFIG_BUCKET_SCHEME - 1, *prefix = bucket + strcspn(bucket, "/");
	struct s3_place *place = memory_new(sizeof *place);
	size_t length;

	place->bucket = memory_copy_bytes(bucket, (size_t)(prefix - bucket));
	prefix += *prefix == '/';
	length = strlen(prefix);
	place->prefix = memory_format("%s%s", prefix, length > 0 && prefix[length - 1] != '/' ? "/" : "");
	place->region = memory_copy_text(region_of(artifacts, environment));
	set_addresses(place, artifacts);
	return place;
}

void s3_place_free(struct s3_place *place)
{
	if (place == NULL)
		return;
	free(place->bucket);
	free(place->prefix);
	free(place->region);
	free(place->origin);
	free(place->host);
	free(place->base);
	free(place);
}

void s3_place_write_path(const struct s3_place *place, const char *name, struct buffer *path)
{
	s3_encode(place->base, true, path);
	buffer_char(path, '/');
	if (name == NULL)
		return;
	s3_encode(place->prefix, true, path);
	s3_encode(name, true, path);
}

/* ---- credentials ---- */

static const char *find_secret(const struct gate_view *view, const char *const *names)
{
	return secrets_find(view->secrets, SECTION, (char *const *)(uintptr_t)names);
}

bool s3_key_find(const struct gate_view *view, struct s3_key *key)
{
	static const char *const ids[] = { "access_key_id", "aws_access_key_id", NULL };
	static const char *const secrets[] = { "secret_access_key", "aws_secret_access_key", NULL };
	static const char *const tokens[] = { "session_token", "aws_session_token", NULL };

	*key = (struct s3_key){ .access_key_id = find_secret(view, ids),
		.secret_access_key = find_secret(view, secrets),
		.session_token = find_secret(view, tokens) };
	if (key->access_key_id == NULL && key->secret_access_key == NULL)
		*key = (struct s3_key){ .access_key_id = environment_find(view->environment, "AWS_ACCESS_KEY_ID"),
			.secret_access_key = environment_find(view->environment, "AWS_SECRET_ACCESS_KEY"),
			.session_token = environment_find(view->environment, "AWS_SESSION_TOKEN") };
	return key->access_key_id != NULL && key->secret_access_key != NULL;
}
