/* place.c - which home this is, and where. At the start.
 *
 * The home has a random name of its own, in data/host.id. It does not tell a copy of the home from the home, so there is a second name: that of the running
 * system and of the folder on it. Where both are those of a former run, this host's lock on the folder proves that the former one has ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "cluster/internal.h"

#define FILE_NAME "host.id"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define HOME_BYTES 16

static enum error_code make_home(const char *path, char home[HOST_PLACE_BYTES], struct error *error)
{
	unsigned char bytes[HOME_BYTES];
	char text[2 * HOME_BYTES + 2], *end;

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return error_set(error, ERROR_IO, path, "the system gives no random bytes");
	end = text_write_hex(text, bytes, sizeof bytes);
	*end = '\0';
	snprintf(home, HOST_PLACE_BYTES, "%s", text);
	memcpy(end, "\n", 2);
	return file_write_durably(path, text, strlen(text), 0640, error);
}

static enum error_code read_home(const char *path, char home[HOST_PLACE_BYTES], struct error *error)
{
	char *text = NULL;
	size_t length = 0;
	enum error_code code = file_read(path, HOST_PLACE_BYTES - 1, &text, &length, error);

	if (code == ERROR_NOT_FOUND)
		return make_home(path, home, error);
	if (code == ERROR_NONE) {
		snprintf(home, HOST_PLACE_BYTES, "%.*s", (int)strcspn(text, "\r\n"), text);
		if (home[0] == '\0')
			code = make_home(path, home, error);
	}
	free(text);
	return code;
}

static void read_machine(const char *data, char machine[HOST_PLACE_BYTES])
{
	struct stat folder = { 0 };
	struct error error;
	char *boot = NULL;
	size_t length = 0;

	machine[0] = '\0'; /* like no other */
	if (file_read(BOOT_ID, 64, &boot, &length, &error) == ERROR_NONE && stat(data, &folder) == 0)
		snprintf(machine, HOST_PLACE_BYTES, "%.36s %llx:%llx", boot, (unsigned long long)folder.st_dev,
			(unsigned long long)folder.st_ino);
	free(boot);
}

enum error_code place_find(const char *data, char home[HOST_PLACE_BYTES], char machine[HOST_PLACE_BYTES], struct error *error)
{
	char *path = file_join(data, FILE_NAME);
	enum error_code code = read_home(path, home, error);

	free(path);
	read_machine(data, machine);
	return code;
}
