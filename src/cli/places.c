/* places.c - looks for the folders that ship with the program. Start-up only. */
#include "cli/places.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* The folder that the running program is in. */
static bool program_folder(char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (length <= 0)
		return false;
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
}

static bool has_folder(const char *directory, const char *name)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof path, "%s/%s", directory, name);

	return length > 0 && (size_t)length < sizeof path && file_exists(path);
}

char *places_find(const char *home, const char *name)
{
	static const char *const beside[] = { "..", "../..", "../share/providerd", "." };
	char program[PATH_MAX], directory[PATH_MAX + 32];

	if (!has_folder(home, name) && program_folder(program, sizeof program)) {
		for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
			snprintf(directory, sizeof directory, "%s/%s", program, beside[i]);
			if (has_folder(directory, name))
				return file_join(directory, name);
		}
	}
	if (!has_folder(home, name) && has_folder(PROVIDERD_PREFIX "/share/providerd", name))
		return file_join(PROVIDERD_PREFIX "/share/providerd", name);
	return file_join(home, name);
}
