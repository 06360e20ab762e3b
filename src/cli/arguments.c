/* arguments.c - reads command lines by a table. The command's only thread; no state. */
#include "cli/arguments.h"

#include <stdlib.h>
#include <string.h>

#include "net/curl.h"
#include "cli/cli.h"

int arguments_refuse(const struct command *command, const char *problem, const char *what)
{
	fprintf(stderr, "providerd %s: %s%s%s\n%s", command->name, problem, what != NULL ? " " : "", what != NULL ? what : "",
		command->usage);
	return EXIT_USAGE;
}

/* The argument that argv[i] names, with or without its value. */
static const struct argument *find(const struct command *command, const char *given)
{
	const struct argument *argument = command->arguments;
	size_t length;

	for (; argument->name != NULL; argument++) {
		length = strlen(argument->name);
		if (strncmp(given, argument->name, length) == 0 &&
			(given[length] == '\0' || (argument->value != NULL && given[length] == '=')))
			return argument;
	}
	return NULL;
}

/* Takes argv[*i], and its value when that is the next one. */
static int take(const struct command *command, int argc, char **argv, int *i)
{
	const struct argument *argument = find(command, argv[*i]);
	const char *given = argv[*i];

	if (argument == NULL && given[0] != '-' && command->operand != NULL && *command->operand == NULL) {
		*command->operand = given;
		return EXIT_OK;
	}
	if (argument == NULL)
		return arguments_refuse(command, "unknown argument", given);
	if (argument->flag != NULL) {
		*argument->flag = true;
		return EXIT_OK;
	}
	if (given[strlen(argument->name)] == '=') {
		*argument->value = given + strlen(argument->name) + 1;
		return EXIT_OK;
	}
	if (*i + 1 == argc)
		return arguments_refuse(command, "a value is missing after", given);
	*argument->value = argv[++*i];
	return EXIT_OK;
}

int arguments_read(const struct command *command, int argc, char **argv)
{
	int result = EXIT_OK;

	for (int i = 1; i < argc && result == EXIT_OK; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			fputs(command->usage, stdout);
			return ARGUMENTS_HELPED;
		}
		result = take(command, argc, argv, &i);
	}
	return result;
}

int arguments_open(const struct command *command, const char *base, const char *key, struct client **client)
{
	struct error error = { .code = ERROR_NONE };

	if (key == NULL)
		key = getenv(KEY_VARIABLE);
	if (key != NULL && *key == '\0')
		key = NULL;
	if (!curl_load()) {
		fprintf(stderr, "providerd %s: libcurl (libcurl4) is not installed\n", command->name);
		return EXIT_PROBLEM;
	}
	if (client_open(base, key, client, &error) == ERROR_NONE)
		return EXIT_OK;
	if (error.code == ERROR_INVALID)
		return arguments_refuse(command, error.path, error.message);
	fprintf(stderr, "providerd %s: %s\n", command->name, error.message);
	return EXIT_PROBLEM;
}
