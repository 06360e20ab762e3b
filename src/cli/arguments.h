/* arguments.h - the command line of a command, by a table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/client.h"

#define KEY_VARIABLE "PROVIDERD_API_KEY"
#define KEY_HELP "  --key KEY    the host's API key, if it wants one (or in " KEY_VARIABLE ", which other users cannot see)\n"
#define BASE_DEFAULT "http://127.0.0.1:8001"

/* "--name VALUE" or "--name=VALUE"; a flag is "--name" alone. One of the pointers says what it is. */
struct argument {
	const char *name; /* NULL: the end of the list */
	const char **value;
	struct argument_values *values; /* it may come several times */
	int64_t *number;		/* from 0 to `highest` */
	int64_t highest;
	bool *flag;
};

struct argument_values {
	const char **items;
	size_t count, most;
};

struct command {
	const char *name;  /* "check" */
	const char *usage; /* printed for --help, and after what is wrong */
	const struct argument *arguments;
	const char **operand; /* the one argument without a name; NULL: there is none */
};

/* Reads them all; texts stay those of argv. False: that was all, with this exit code: EXIT_USAGE after saying what is wrong, EXIT_OK after --help. */
bool arguments_read(const struct command *command, int argc, char **argv, int *exit_code);

/* Says what is wrong with an argument. Returns EXIT_USAGE. */
int arguments_refuse(const struct command *command, const char *problem, const char *what);

/* Makes a client for the host at `base`, which the first argument of the table says, with `key` or the one of the environment. EXIT_OK, or the exit code after
 * saying why. Warns of a key that others could read on the way. */
int arguments_open(const struct command *command, const char *base, const char *key, struct client **client);

/* Says on standard error why the command failed: where, unless the message says it itself, and what. */
void arguments_print_error(const char *command, const struct error *error);
