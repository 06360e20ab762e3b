/* artifact_media.h - what sort of file an output is: what galleries choose by. Pure. */
#pragma once

#include <stdbool.h>

#include "base/json_span.h"

/* Stored by number: append only. */
enum artifact_media { MEDIA_OTHER = 0, MEDIA_IMAGE, MEDIA_VIDEO, MEDIA_AUDIO, MEDIA_TEXT };

/* By the content type of an entry of `artifacts`; one that was lost has none, and counts as what its job's kind makes. */
enum artifact_media artifact_media_of(struct json_span entry, const char *kind);

/* "image", "video", "audio", "text", "other". */
bool artifact_media_parse(const char *text, enum artifact_media *media);
