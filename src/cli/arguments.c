/* arguments.c - reads command lines by a table. The command's only thread; no state. */
#include "cli/arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "net/curl.h"

int arguments_refuse(const struct command *command, const char *problem, const char *what)
{
	fprintf(stderr, "providerd %s: %s%s%s\n%s", command->name, problem, what != NULL ? " " : "", what != NULL ? what : "",
		command->usage);
	return EXIT_USAGE;
}

/* The argument that `given` names, with or without its value. */
static const struct argument *find_argument(const struct command *command, const char *given)
{
	const struct argument *argument = command->arguments;
	size_t length;

	for (; argument->name != NULL; argument++) {
		length = strlen(argument->name);
		if (strncmp(given, argument->name, length) == 0 &&
			(given[length] == '\0' || (argument->flag == NULL && given[length] == '=')))
			return argument;
	}
	return NULL;
}

static int take_number(const struct command *command, const struct argument *argument, const char *text)
{
	char problem[80], *end;

	errno = 0;
	*argument->number = strtoll(text, &end, 10);
	if (*text != '\0' && *end == '\0' && errno == 0 && *argument->number >= 0 && *argument->number <= argument->highest)
		return EXIT_OK;
	snprintf(problem, sizeof problem, "a number from 0 to %" PRId64 " is expected after", argument->highest);
	return arguments_refuse(command, problem, argument->name);
}

static int take_argument_value(const struct command *command, const struct argument *argument, const char *text)
{
	struct argument_values *values = argument->values;

	if (argument->number != NULL)
		return take_number(command, argument, text);
	if (values != NULL && values->count == values->most)
		return arguments_refuse(command, "too many of", argument->name);
	*(values != NULL ? &values->items[values->count++] : argument->value) = text;
	return EXIT_OK;
}

/* Takes argv[*i], and its value when that is the next one. */
static int take_argument(const struct command *command, int argc, char **argv, int *i)
{
	const char *given = argv[*i];
	const struct argument *argument = find_argument(command, given);

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
	if (given[strlen(argument->name)] == '=')
		return take_argument_value(command, argument, given + strlen(argument->name) + 1);
	if (*i + 1 == argc)
		return arguments_refuse(command, "a value is missing after", given);
	return take_argument_value(command, argument, argv[++*i]);
}

bool arguments_read(const struct command *command, int argc, char **argv, int *exit_code)
{
	*exit_code = EXIT_OK;
	for (int i = 1; i < argc && *exit_code == EXIT_OK; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			fputs(command->usage, stdout);
			return false;
		}
		*exit_code = take_argument(command, argc, argv, &i);
	}
	return *exit_code == EXIT_OK;
}

int arguments_open(const struct command *command, const char *base, const char *key, struct client **client)
{
	struct error error = { .code = ERROR_NONE };
	const char *key_name = "--key";

	if (key == NULL) {
		key = getenv(KEY_VARIABLE);
		key_name = KEY_VARIABLE;
	}
	if (key != NULL && *key == '\0')
		key = NULL;
	if (!curl_load()) {
		fprintf(stderr, "providerd %s: libcurl (libcurl4) is not installed\n", command->name);
		return EXIT_PROBLEM;
	}
	if (client_open(base, key, client, &error) == ERROR_NONE) {
		if (key != NULL && client_is_in_clear(*client))
			fprintf(stderr,
				"providerd %s: the API key goes to %s in clear text, for others on the way to read: use https\n",
				command->name, client_base(*client));
		return EXIT_OK;
	}
	if (error.code == ERROR_INVALID)
		return arguments_refuse(
			command, strcmp(error.path, "--key") == 0 ? key_name : command->arguments->name, error.message);
	fprintf(stderr, "providerd %s: %s\n", command->name, error.message);
	return EXIT_PROBLEM;
}

void arguments_print_error(const char *command, const struct error *error)
{
	bool named = error->path[0] == '\0' || strstr(error->message, error->path) != NULL;

	fprintf(stderr, "providerd %s: %s%s%s\n", command, named ? "" : error->path, named ? "" : ": ", error->message);
}
