/* picture_size.h - how large a picture is, by its file. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Reads the size of a PNG, JPEG, WebP or GIF from its first bytes. False: it is none of them, or they are cut before they say it. */
bool picture_size(const unsigned char *bytes, size_t length, int *width, int *height);

/* The same of a file, from its beginning. Blocks on the disk briefly. */
bool picture_size_of_file(int descriptor, int *width, int *height);
