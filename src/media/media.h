/* media.h - files that stand in for what a vendor would make: the answers of dry runs that have to be a picture or a film, and what the simulator's
 * vendors deliver. Small, quickly made, and valid for any decoder.
 *
 * A picture is horizontal bands in two colours, with a panel of text if there are lines. Equal wishes make equal bytes (of PNG: with the same zlib). */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

enum media_format { MEDIA_PNG, MEDIA_JPEG, MEDIA_WEBP, MEDIA_MP4, MEDIA_WAV, MEDIA_GLB };

struct media_wish {
	enum media_format format;
	int width, height;	  /* pixels, brought into 1 to LIMIT_MEDIA_SIDE; of MP4 even, and at least 16 */
	double seconds;		  /* MP4, WAV: brought into one frame or sample to LIMIT_MEDIA_SECONDS */
	const char *seed;	  /* UTF-8: the colours follow from it, and the pitch of WAV; or NULL */
	const char *const *lines; /* UTF-8: text in the picture, the first line larger; or NULL */
	int line_count;
	const char *comment; /* UTF-8: in the file's metadata; or NULL */
};

/* Appends the file. What is too long of lines and comment is left out (base/limits.h). False: there is no room in `out`, or no memory; what `out`
 * holds then is no file. Any thread; small stack; waits for nothing. */
bool media_make(const struct media_wish *wish, struct buffer *out);

/* "image/png". */
const char *media_type(enum media_format format);

/* The format of a file's ending ("png", "jpg", "jpeg", "webp", "mp4", "wav", "glb"). False: there is none of this name. */
bool media_format_named(const char *name, enum media_format *format);
