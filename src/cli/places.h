/* places.h - where scripts are found (design 9): the home folder, else beside the program, else the install prefix. */
#pragma once

/* The folder `name` ("providers", "lua") as a path, the caller's to free(). Falls back to the home's own, which may not exist. NULL: out of memory. */
char *places_find(const char *home, const char *name);
