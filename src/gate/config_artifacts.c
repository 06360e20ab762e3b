/* config_artifacts.c - artifacts: where the copies of what jobs made are kept, and how clients get them. At start and on the loader thread. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "gate/address.h"
#include "gate/config_parts.h"

#define BUCKET_LENGTH_MOST 63
#define BUCKET_LENGTH_LEAST 3
#define CACHE_BYTES_LEAST (16 << 20) /* some blocks for those that read at the same time */

static const char *const styles[] = { [BUCKET_STYLE_UNSAID] = NULL, [BUCKET_STYLE_PATH] = "true", [BUCKET_STYLE_HOST] = "false" };

/* A folder, or s3://BUCKET[/PREFIX]. */
static const char *refuse_place(const char *text)
{
	const char *bucket = text + sizeof CONFIG_BUCKET_SCHEME - 1, *prefix;
	size_t length;

	if (strncmp(text, "s3:", 3) != 0)
		return strstr(text, "://") == NULL ? NULL : "expected a folder, or s3://BUCKET/PREFIX";
	if (strncmp(text, CONFIG_BUCKET_SCHEME, sizeof CONFIG_BUCKET_SCHEME - 1) != 0)
		return "expected s3://BUCKET/PREFIX";
	length = strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-");
	if ((bucket[length] != '\0' && bucket[length] != '/') || length < BUCKET_LENGTH_LEAST || length > BUCKET_LENGTH_MOST)
		return "expected s3://BUCKET/PREFIX, where BUCKET has 3 to 63 small letters, digits, dots and hyphens";
	for (prefix = bucket + length; *prefix == '/'; prefix += strcspn(prefix, "/"))
		if (*++prefix == '/' || *prefix == '.')
			return "the prefix must not have empty parts, nor parts that begin with a dot";
	prefix = bucket + length;
	if (prefix[strspn(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./")] != '\0')
		return "the prefix must be of letters, digits, hyphens, underscores, dots and slashes";
	return NULL;
}

static const char *refuse_region(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' ? NULL
										   : "expected a region such as eu-central-1";
}

static enum error_code read_style(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	(void)field;
	if (!json_is_boolean(value) && !json_is_null(value))
		return field_fail_type(reader, "true, false or null", value);
	((struct config_artifacts *)to)->style = json_is_null(value)   ? BUCKET_STYLE_UNSAID
						 : json_is_true(value) ? BUCKET_STYLE_PATH
								       : BUCKET_STYLE_HOST;
	return ERROR_NONE;
}

static enum error_code read_delivery(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	const char *text = json_text_value(value);

	(void)field;
	if (text == NULL)
		return field_fail_type(reader, "text", value);
	if (strcmp(text, "proxy") != 0 && strcmp(text, "redirect") != 0)
		return field_fail(reader, "expected \"proxy\" or \"redirect\"");
	((struct config_artifacts *)to)->redirects = strcmp(text, "redirect") == 0;
	return ERROR_NONE;
}

#define IN_ARTIFACTS(member) .offset = offsetof(struct config_artifacts, member)

const struct field config_artifacts_fields[] = {
	{ .key = "dir", .read = field_text, IN_ARTIFACTS(dir), .refuse = refuse_place },
	{ .key = "max_bytes", .read = field_int64, IN_ARTIFACTS(max_bytes), .minimum = 1, .maximum = INT64_C(1) << 50 },
	{ .key = "endpoint", .read = field_text, IN_ARTIFACTS(endpoint), .nullable = true, .refuse = address_refuse_url },
	{ .key = "region", .read = field_text, IN_ARTIFACTS(region), .nullable = true, .refuse = refuse_region },
	{ .key = "path_style", .read = read_style },
	{ .key = "deliver", .read = read_delivery },
	{ .key = "cache_bytes",
		.read = field_int64,
		IN_ARTIFACTS(cache_bytes),
		.minimum = CACHE_BYTES_LEAST,
		.maximum = INT64_C(1) << 50 },
	{ .key = NULL },
};

bool config_keeps_in_bucket(const struct config *config)
{
	return strncmp(config->artifacts.dir, CONFIG_BUCKET_SCHEME, sizeof CONFIG_BUCKET_SCHEME - 1) == 0;
}

const char *config_bucket_style(const struct config_artifacts *artifacts)
{
	return styles[artifacts->style];
}

void config_artifacts_free(struct config_artifacts *artifacts)
{
	free(artifacts->dir);
	free(artifacts->endpoint);
	free(artifacts->region);
}
