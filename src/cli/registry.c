/* registry.c - the command registry: what an operator says of a registry that no host uses. The command's only thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/test_setting.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "gate/config.h"
#include "migration/migration_older.h"

static const char usage[] = "usage: providerd registry restored [--home DIR] [--registry URL]\n\n"
			    "A backup was put back. Jobs that it shows as queued or running may have been sent, paid for and "
			    "ended since: they count as\n"
			    "unknown from the next start on, and are not sent again. Once, before any host is started.\n\n"
			    "  --home DIR       whose configuration says where the registry is; default: the current folder\n"
			    "  --registry URL   instead of the configuration's registry.url\n\n"
			    "Exit code: 0, 1 refused, 64 bad arguments.\n";

static void tell(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "%s\n", text);
}

static enum error_code find_url(const char *home, const char *given, char **url, struct error *error)
{
	struct config *config = NULL;
	enum error_code code = given != NULL ? ERROR_NONE : config_read(home, &config, error);

	if (code != ERROR_NONE)
		return code;
	*url = memory_copy_text(given != NULL ? given : config->registry_url);
	config_free(config);
	return ERROR_NONE;
}

static int declare_restored(const char *home, const char *given)
{
	struct error error = { 0 };
	int64_t jobs = 0;
	char *url = NULL;
	enum error_code code = find_url(home, given, &url, &error);

	if (code == ERROR_NONE)
		code = migration_restored(home, url, tell, NULL, &jobs, &error);
	if (url != NULL)
		memset(url, 0, strlen(url)); /* it may hold a password */
	free(url);
	if (code == ERROR_NONE) {
		printf("%lld jobs are open: they count as unknown from the next start on\n", (long long)jobs);
		return EXIT_OK;
	}
	arguments_print_error("registry", &error);
	return EXIT_PROBLEM;
}

int cli_registry(int argc, char **argv)
{
	const char *home = ".", *url = NULL, *action = NULL;
	const struct argument list[] = { { .name = "--home", .value = &home }, { .name = "--registry", .value = &url },
		{ .name = NULL } };
	const struct command command = { .name = "registry", .usage = usage, .arguments = list, .operand = &action };
	int result;

	if (!arguments_read(&command, argc, argv, &result))
		return result;
	if (action == NULL || strcmp(action, "restored") != 0)
		return arguments_refuse(&command, "expected `restored`", NULL);
	test_settings_read();
	return declare_restored(home, url);
}
