/* key_file.c - reads and makes keys. Keeps none of them. */
#include "gate/key_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/file.h"

static enum error_code make_key(const char *path, unsigned char key[KEY_FILE_BYTES], struct error *error)
{
	if (getrandom(key, KEY_FILE_BYTES, 0) != KEY_FILE_BYTES)
		return error_set(error, ERROR_IO, path, "cannot make a key: no random bytes");
	return file_write_durably(path, key, KEY_FILE_BYTES, 0600, error);
}

static enum error_code read_key(const char *path, unsigned char key[KEY_FILE_BYTES], struct error *error)
{
	char *bytes = NULL;
	size_t length = 0;
	enum error_code code = file_read(path, KEY_FILE_BYTES, &bytes, &length, error);

	if (code == ERROR_NONE && length == KEY_FILE_BYTES)
		memcpy(key, bytes, KEY_FILE_BYTES);
	if (code == ERROR_LIMIT || (code == ERROR_NONE && length != KEY_FILE_BYTES))
		code = error_set(error, ERROR_IO, path, "is not a key: %d bytes are expected; remove it, and a new one is made",
			KEY_FILE_BYTES);
	if (bytes != NULL)
		explicit_bzero(bytes, length);
	free(bytes);
	return code;
}

enum error_code key_file_open(const char *path, unsigned char key[KEY_FILE_BYTES], struct error *error)
{
	enum error_code code = read_key(path, key, error);

	return code == ERROR_NOT_FOUND ? make_key(path, key, error) : code;
}
