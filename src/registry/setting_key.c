/* setting_key.c - keys of the registry's hosts: random bytes that sign what is given to others and comes back. Keeps none of them. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "registry/setting.h"

#define KEY_TEXT_BYTES (2 * SETTING_KEY_BYTES + 1)

bool setting_key_read(const char *value, unsigned char key[SETTING_KEY_BYTES])
{
	return text_read_hex(value, key, SETTING_KEY_BYTES);
}

static enum error_code make_key(const char *name, unsigned char key[SETTING_KEY_BYTES], struct error *error)
{
	if (getrandom(key, SETTING_KEY_BYTES, 0) != SETTING_KEY_BYTES)
		return error_set(error, ERROR_IO, name, "cannot make a key: no random bytes");
	return ERROR_NONE;
}

/* The file of an earlier version. ERROR_NOT_FOUND: there is none. */
static enum error_code read_file(const char *path, unsigned char key[SETTING_KEY_BYTES], struct error *error)
{
	char *bytes = NULL;
	size_t length = 0;
	enum error_code code = file_read(path, SETTING_KEY_BYTES, &bytes, &length, error);

	if (code == ERROR_NONE && length == SETTING_KEY_BYTES)
		memcpy(key, bytes, SETTING_KEY_BYTES);
	if (code == ERROR_LIMIT || (code == ERROR_NONE && length != SETTING_KEY_BYTES))
		code = error_set(error, ERROR_INVALID, path, "is not a key: %d bytes are expected", SETTING_KEY_BYTES);
	if (bytes != NULL)
		explicit_bzero(bytes, length);
	free(bytes);
	return code;
}

/* It is in the registry now, and a copy on the disk is one too many. One that is not the registry's is the operator's to remove. */
static void leave_file(const char *path, const unsigned char mine[SETTING_KEY_BYTES], const unsigned char key[SETTING_KEY_BYTES])
{
	struct error error;

	if (memcmp(mine, key, SETTING_KEY_BYTES) != 0)
		log_message(LOG_WARN, "registry.setting", "%s is not read: the registry has another key; remove the file", path);
	else if (file_remove_durably(path, &error) != ERROR_NONE)
		log_message(LOG_WARN, "registry.setting", "%s is not needed any more, and cannot be removed: %s", path,
			error.message);
	else
		log_message(LOG_INFO, "registry.setting", "the key of %s is kept in the registry from now on", path);
}

static enum error_code find_key(
	struct task_store *store, const char *name, unsigned char key[SETTING_KEY_BYTES], struct error *error)
{
	char mine[KEY_TEXT_BYTES], *value = NULL;
	enum error_code code;

	text_write_hex(mine, key, SETTING_KEY_BYTES);
	code = setting_once(store, name, mine, &value, error);
	if (code == ERROR_NONE && !setting_key_read(value, key))
		code = error_set(error, ERROR_INVALID, "registry",
			"the setting \"%s\" is no key: remove its row, and a new one is made", name);
	explicit_bzero(mine, sizeof mine);
	if (value != NULL)
		explicit_bzero(value, strlen(value));
	free(value);
	return code;
}

enum error_code setting_key_open(
	struct task_store *store, const char *name, const char *path, unsigned char key[SETTING_KEY_BYTES], struct error *error)
{
	unsigned char mine[SETTING_KEY_BYTES];
	struct error why;
	enum error_code read = read_file(path, mine, &why), code = ERROR_NONE;

	if (read != ERROR_NONE && read != ERROR_NOT_FOUND)
		log_message(LOG_WARN, "registry.setting", "%s: %s: it is not read", path, why.message);
	if (read != ERROR_NONE)
		code = make_key(name, mine, error);
	memcpy(key, mine, SETTING_KEY_BYTES);
	if (code == ERROR_NONE)
		code = find_key(store, name, key, error);
	if (code == ERROR_NONE && read == ERROR_NONE)
		leave_file(path, mine, key);
	explicit_bzero(mine, sizeof mine);
	return code;
}

enum error_code setting_key_renew(
	struct task_store *store, const char *name, unsigned char key[SETTING_KEY_BYTES], struct error *error)
{
	char text[KEY_TEXT_BYTES];
	enum error_code code = make_key(name, key, error);

	if (code != ERROR_NONE)
		return code;
	text_write_hex(text, key, SETTING_KEY_BYTES);
	code = task_store_set(store, &(struct setting){ .name = name, .value = text }, error);
	explicit_bzero(text, sizeof text);
	return code;
}
