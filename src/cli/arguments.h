/* arguments.h - the command line of the commands that talk to a running host. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "cli/client.h"

#define KEY_VARIABLE "PROVIDERD_API_KEY"
#define KEY_HELP "  --key KEY    the host's API key, if it wants one (or in " KEY_VARIABLE ", which other users cannot see)\n"
#define BASE_DEFAULT "http://127.0.0.1:8001"

/* "--name VALUE" or "--name=VALUE" when it has a value, "--name" when it has a flag. */
struct argument {
	const char *name; /* NULL: the end of the list */
	const char **value;
	bool *flag;
};

struct command {
	const char *name;  /* "check" */
	const char *usage; /* printed for --help, and after what is wrong */
	const struct argument *arguments;
	const char **operand; /* the one argument without a name; NULL: there is none */
};

/* Reads them all. EXIT_OK; EXIT_USAGE after saying what is wrong; ARGUMENTS_HELPED after --help. */
#define ARGUMENTS_HELPED (-1)
int arguments_read(const struct command *command, int argc, char **argv);

/* Says what is wrong with an argument. Returns EXIT_USAGE. */
int arguments_refuse(const struct command *command, const char *problem, const char *what);

/* Makes a client for the host at `base`, with `key` or the one of the environment. EXIT_OK, or the exit code after saying why. */
int arguments_open(const struct command *command, const char *base, const char *key, struct client **client);
