/* migrate.c - the command migrate: moves a registry to another database. The command's only thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "migration/migration.h"

static const char usage[] =
	"usage: providerd migrate --from URL --to URL [--home DIR]\n\n"
	"  --from URL   the registry: sqlite:FILE or postgresql://..., as in registry.url; no host may run on it\n"
	"  --to URL     where it goes: an empty database, or a new file\n"
	"  --home DIR   where relative files begin; default: the current folder\n\n"
	"Every row is moved and compared at the end. Cut off, the same command goes on where it stopped.\n"
	"Exit code: 0 moved and compared, 1 refused or different, 75 stopped on the way: run it again, 64 bad arguments.\n";

static void tell(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "%s\n", text);
}

static void print_result(const struct migration_result *result, double seconds)
{
	printf("moved: %lld rows of %d tables, compared row by row, in %.1f s\n", (long long)result->rows, result->tables,
		seconds);
	if (result->cleaned > 0)
		printf("%lld texts held bytes that are no UTF-8: U+FFFD stands for them\n", (long long)result->cleaned);
	if (result->open_jobs > 0)
		printf("%lld jobs are open and go on there; on the old registry they count as unknown from now on\n",
			(long long)result->open_jobs);
	printf("next: set registry.url to the new place, then start the host\n");
}

/* Others on this machine may read the arguments of a command: a password stands there no longer than it must. */
static void hide_urls(int argc, char **argv)
{
	static const char scheme[] = "postgresql:";

	for (int i = 0; i < argc; i++) {
		char *url = strstr(argv[i], scheme);

		if (url != NULL && (url == argv[i] || url[-1] == '='))
			memset(url + strlen(scheme), '*', strlen(url) - strlen(scheme));
	}
}

static int run(const struct migration_options *options)
{
	struct migration_result result;
	struct error error = { 0 };
	int64_t begun_ns = clock_monotonic_ns();

	if (migration_run(options, &result, &error) == ERROR_NONE) {
		print_result(&result, (double)(clock_monotonic_ns() - begun_ns) / 1e9);
		return EXIT_OK;
	}
	arguments_print_error("migrate", &error);
	if (!result.begun || error.code == ERROR_CONFLICT || error.code == ERROR_INVALID)
		return EXIT_PROBLEM;
	fprintf(stderr, "what was moved stays: run the same command again, it goes on where it stopped\n");
	return EXIT_AGAIN;
}

int cli_migrate(int argc, char **argv)
{
	struct migration_options options = { .home = ".", .tell = tell };
	const struct argument list[] = { { .name = "--home", .value = &options.home },
		{ .name = "--from", .value = &options.from }, { .name = "--to", .value = &options.to }, { .name = NULL } };
	const struct command command = { .name = "migrate", .usage = usage, .arguments = list };
	char *from, *to;
	int code;

	if (!arguments_read(&command, argc, argv, &code))
		return code;
	if (options.from == NULL || options.to == NULL)
		return arguments_refuse(&command, "both --from and --to are needed", NULL);
	options.from = from = memory_copy_text(options.from);
	options.to = to = memory_copy_text(options.to);
	hide_urls(argc, argv);
	test_settings_read();
	test_stall("migrate", "open");
	code = run(&options);
	free(from);
	free(to);
	return code;
}
