/* library.h - shared libraries that are loaded when they are first needed (base/curl.h, base/crypto.h). */
#pragma once

#include <stdbool.h>

/* The library by its soname, for the life of the process, or NULL. */
void *library_open(const char *soname);

/* Puts the address of the function `name` into the function pointer at `place`. */
bool library_find(void *library, const char *name, void *place);
