/* media.c - a wish within its limits, and the format that it is of. Nothing is kept from one file to the next. */
#include "media/media.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "media/internal.h"

static const struct {
	const char *type;
	bool (*write)(const struct media_wish *wish, struct buffer *out);
} formats[] = {
	[MEDIA_PNG] = { "image/png", png_write },
	[MEDIA_JPEG] = { "image/jpeg", jpeg_write },
	[MEDIA_WEBP] = { "image/webp", webp_write },
	[MEDIA_MP4] = { "video/mp4", mp4_write },
	[MEDIA_WAV] = { "audio/wav", wav_write },
	[MEDIA_GLB] = { "model/gltf-binary", glb_write },
};

static const struct {
	const char *name;
	enum media_format format;
} endings[] = {
	{ "png", MEDIA_PNG },
	{ "jpeg", MEDIA_JPEG },
	{ "jpg", MEDIA_JPEG },
	{ "webp", MEDIA_WEBP },
	{ "mp4", MEDIA_MP4 },
	{ "wav", MEDIA_WAV },
	{ "glb", MEDIA_GLB },
};

const char *media_type(enum media_format format)
{
	return formats[format].type;
}

bool media_format_named(const char *name, enum media_format *format)
{
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		if (strcasecmp(endings[i].name, name) == 0) {
			*format = endings[i].format;
			return true;
		}
	}
	return false;
}

static int within(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

/* The whole characters of a text that are in its first LIMIT_MEDIA_COMMENT_BYTES. */
static void cut_comment(const char *text, char cut[LIMIT_MEDIA_COMMENT_BYTES + 1])
{
	size_t length = strlen(text), at = 0;

	while (at < length) {
		size_t character = text_character_length((const unsigned char *)text + at, length - at);
		character = character == 0 ? 1 : character;
		if (at + character > LIMIT_MEDIA_COMMENT_BYTES)
			break;
		at += character;
	}
	memcpy(cut, text, at);
	cut[at] = '\0';
}

bool media_make(const struct media_wish *wish, struct buffer *out)
{
	char comment[LIMIT_MEDIA_COMMENT_BYTES + 1];
	struct media_wish within_limits = *wish;

	within_limits.width = within(wish->width, 1, LIMIT_MEDIA_SIDE);
	within_limits.height = within(wish->height, 1, LIMIT_MEDIA_SIDE);
	if (!(wish->seconds > 0))
		within_limits.seconds = 0;
	else if (wish->seconds > LIMIT_MEDIA_SECONDS)
		within_limits.seconds = LIMIT_MEDIA_SECONDS;
	if (wish->comment != NULL) {
		cut_comment(wish->comment, comment);
		within_limits.comment = comment;
	}
	return formats[wish->format].write(&within_limits, out);
}
