/* shared_library.c - dlopen and dlsym. */
#include "base/shared_library.h"

#include <dlfcn.h>
#include <stddef.h>

bool library_load(struct library *library, bool (*load)(void))
{
	if (atomic_load_explicit(&library->loaded, memory_order_acquire))
		return true;
	pthread_mutex_lock(&library->lock);
	if (!library->loaded && load())
		atomic_store_explicit(&library->loaded, true, memory_order_release);
	pthread_mutex_unlock(&library->lock);
	return library->loaded;
}

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
