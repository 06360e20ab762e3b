/* error.h - how a function says what went wrong: a code to act on, and a text that helps a person. */
#pragma once

enum error_code {
	ERROR_NONE = 0,
	ERROR_MEMORY,  /* no room for what others decide the size of, see memory.h */
	ERROR_INVALID, /* input that breaks a rule; `path` names the field */
	ERROR_NOT_FOUND,
	ERROR_CONFLICT,
	ERROR_LIMIT,   /* a maximum of limits.h or of the configuration */
	ERROR_BUSY,    /* try again later */
	ERROR_PENDING, /* it has begun, and will be done: nothing is to be tried again */
	ERROR_IO,      /* file, socket or database */
	ERROR_SCRIPT,  /* a provider script failed */
};

/* Filled where the knowledge is. `path` is a field path ("parameters.steps"), a file, or empty. */
struct error {
	enum error_code code;
	int line; /* of the text that was read, from 1; 0: not known */
	char path[160];
	char message[480];
};

/* Fills `error` (which may be NULL) and returns `code`, so that a failing function ends in one line. */
__attribute__((format(printf, 4, 5))) enum error_code error_set(
	struct error *error, enum error_code code, const char *path, const char *format, ...);

/* Out of memory, said without allocating. */
enum error_code error_memory(struct error *error);
