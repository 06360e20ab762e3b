/* fields_size.h - in which words a model takes a size, by its declared inputs. Pure; any thread. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

enum size_way {
	SIZE_UNKNOWN = 0, /* nothing is known of the model: width and height, and its script decides */
	SIZE_PIXELS,	  /* width and height */
	SIZE_TEXT,	  /* one text of a list: "1024x768", "1280:720" */
	SIZE_SHAPE,	  /* an aspect ratio, and maybe a resolution */
	SIZE_NONE,	  /* it takes none */
};

struct size_inputs {
	enum size_way way;
	const json_t *width, *height; /* SIZE_PIXELS: the inputs, with their bounds */
	bool as_object;		      /* SIZE_PIXELS: both are members of parameters.image_size */
	const char *path;	      /* SIZE_TEXT: where; SIZE_SHAPE: of the aspect ratio, or NULL */
	const json_t *values;	      /* SIZE_TEXT: texts; SIZE_SHAPE: of the aspect ratio */
	const json_t *quotient;	      /* SIZE_SHAPE: the aspect ratio is any number within the bounds of this input */
	const char *resolution_path;  /* SIZE_SHAPE: or NULL */
	const json_t *resolutions;    /* those that say how long the short side is; else NULL */
};

struct size_inputs size_inputs_of(const json_t *schema);

/* "1024x768", "1024*768", "1280:720": two numbers; *separator is what stands between them. False: it is none. */
bool size_read(const char *text, int *width, int *height, char *separator);

/* How long the short side of a resolution is: "720p", "4k" beside others of that kind. 0: it does not say. */
int size_short_side(const char *resolution);

/* Does "21:9", "19.5:9" come to this, exactly? */
bool size_is_ratio(const char *ratio, int width, int height);

/* The sides of a short side and an aspect ratio, if they are whole numbers. */
bool size_of_shape(int short_side, const char *ratio, int *width, int *height);

/* Adds "sizes", or "ratios" where only the shape can be said, to `own`. */
void size_describe(const struct size_inputs *inputs, json_t *own);

/* Visits every size that can be listed, at most LIMIT_OPENAI_SIZES. */
void size_each(const struct size_inputs *inputs, void (*visit)(void *context, int width, int height), void *context);
