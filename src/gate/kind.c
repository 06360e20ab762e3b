/* kind.c - the one table of kinds. */
#include "gate/kind.h"

#include <string.h>

const struct kind kind_list[KIND_COUNT] = {
	{ "gpu", "enable_public_gpu" },
	{ "image", "enable_public_image_providers" },
	{ "video", "enable_public_video_providers" },
};

const struct kind *kind_named(const char *name)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (strcmp(kind_list[i].name, name) == 0)
			return &kind_list[i];
	return NULL;
}

size_t kind_place(const struct kind *kind)
{
	return (size_t)(kind - kind_list);
}
