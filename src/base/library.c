/* library.c - dlopen and dlsym. */
#include "base/library.h"

#include <dlfcn.h>
#include <stddef.h>

void *library_open(const char *soname)
{
	return dlopen(soname, RTLD_NOW | RTLD_LOCAL);
}

bool library_find(void *library, const char *name, void *place)
{
	void **function = place;

	*function = dlsym(library, name);
	return *function != NULL;
}
