/* places.h - where scripts are found: the home folder, else beside the program, else the install prefix. */
#pragma once

/* The folder `name` ("providers", "lua", "studio") as a path; free() it. Falls back to the home's own, which may not exist. */
char *places_find(const char *home, const char *name);
