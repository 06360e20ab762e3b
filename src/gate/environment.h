/* environment.h - the process's environment as it was at start: where credentials may come from. */
#pragma once

#include <stdbool.h>

struct environment;

struct environment *environment_read(void);
void environment_free(struct environment *environment);

/* The functions below take NULL for "no environment".
 *
 * The value without white space at its ends; NULL when it is absent, blank, or not one line of text. Owned by `environment`. */
const char *environment_find(const struct environment *environment, const char *name);

/* Does a variable of this name hold a credential, by KEY, TOKEN, SECRET and the like as a part of it? Such values are masked. */
bool environment_names_credential(const char *name);

/* Calls `visit` with the value of each variable whose name speaks of a credential (RUNPOD_API_KEY, MODAL_TOKEN_ID, ...). */
void environment_each_credential(
	const struct environment *environment, void (*visit)(void *context, const char *value), void *context);

/* Calls `visit` with each password within a URL that is a variable's value (DATABASE_URL, HTTPS_PROXY), whatever the variable's name. */
void environment_each_password(
	const struct environment *environment, void (*visit)(void *context, const char *value), void *context);
