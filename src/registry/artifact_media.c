/* artifact_media.c - sorts outputs. Pure; any thread. */
#include "registry/artifact_media.h"

#include <string.h>

static const char *const media_names[] = {
	[MEDIA_OTHER] = "other",
	[MEDIA_IMAGE] = "image",
	[MEDIA_VIDEO] = "video",
	[MEDIA_AUDIO] = "audio",
	[MEDIA_TEXT] = "text",
};
#define MEDIA_COUNT (sizeof media_names / sizeof *media_names)

bool artifact_media_parse(const char *text, enum artifact_media *media)
{
	for (size_t i = 0; i < MEDIA_COUNT; i++) {
		if (strcmp(text, media_names[i]) != 0)
			continue;
		*media = (enum artifact_media)i;
		return true;
	}
	return false;
}

enum artifact_media artifact_media_of(struct json_span entry, const char *kind)
{
	struct json_span type = json_span_member(entry, "content_type");
	enum artifact_media media = MEDIA_OTHER;
	char name[8] = "";

	if (!json_span_is_text(type)) {
		artifact_media_parse(kind, &media);
		return media;
	}
	for (size_t i = 0; i + 1 < sizeof name && i + 2 < type.length && type.text[i + 1] != '/'; i++)
		name[i] = type.text[i + 1];
	artifact_media_parse(name, &media);
	return media;
}
