/* key_file.h - a key of the host's own in a file: random bytes that sign what is given to others and comes back. */
#pragma once

#include "base/error.h"

#define KEY_FILE_BYTES 32

/* Reads the key, or makes it (random, mode 0600, synced) where there is no file. ERROR_IO, also when the file is not one of ours. Blocks on the
 * disk. */
enum error_code key_file_open(const char *path, unsigned char key[KEY_FILE_BYTES], struct error *error);
