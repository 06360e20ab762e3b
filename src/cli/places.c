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

/* directory/name if it is there, else NULL. */
static char *if_there(const char *directory, const char *name)
{
	char *path = file_join(directory, name);

	if (path != NULL && file_exists(path))
		return path;
	free(path);
	return NULL;
}

char *places_find(const char *home, const char *name)
{
	static const char *const beside[] = { "..", "../..", "../share/providerd", "." };
	char program[PATH_MAX], directory[PATH_MAX + 32];
	char *found = if_there(home, name);

	if (found == NULL && program_folder(program, sizeof program)) {
		for (size_t i = 0; found == NULL && i < sizeof beside / sizeof *beside; i++) {
			snprintf(directory, sizeof directory, "%s/%s", program, beside[i]);
			found = if_there(directory, name);
		}
	}
	if (found == NULL)
		found = if_there(PROVIDERD_PREFIX "/share/providerd", name);
	return found != NULL ? found : file_join(home, name);
}
