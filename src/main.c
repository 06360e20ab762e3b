/* main.c - the command line. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "check/check.h"
#include "cli/cli.h"
#include "cli/serve.h"
#include "sim/simulate.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "serve", serve, "serve [--home DIR] [--listen ADDR:PORT]   run the host (home holds config/ data/ logs/)" },
	{ "check", check_command,
		"check --profile NAME --base URL [--json] [--key KEY]\n"
		"                                            smoke test of a running host" },
	{ "watch", cli_watch, "watch [JOB] [--base URL] [--key KEY] ...   follow what happens in a running host" },
	{ "jobs", cli_jobs, "jobs [--status S] [--provider ID] ...     its jobs, as a table" },
	{ "budget", cli_budget, "budget [--days N]                         its money, as a table" },
	{ "hosts", cli_hosts, "hosts                                      which hosts use its registry, as a table" },
	{ "mcp", cli_mcp, "mcp [--url URL] [--key KEY]                MCP over standard input and output, for agents" },
	{ "approve", cli_approve,
		"approve [QUOTE] [--amount USD] ...         what agents want to pay for: list it, say yes or no" },
	{ "migrate", cli_migrate, "migrate --from URL --to URL               move the registry to another database" },
	{ "registry", cli_registry, "registry restored [--home DIR]             a backup of it was put back: say so, once" },
	{ "simulate", simulate_command, "simulate [--listen ADDR:PORT] [--seed N] ...  all nine vendors on loopback" },
	{ "lint", cli_lint, "lint FILE.lua...                          validate provider scripts" },
};

static void print_usage(FILE *out)
{
	fprintf(out, "usage: providerd COMMAND\n\n");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		fprintf(out, "  %s\n", commands[i].help);
	fprintf(out, "  --version\n");
}

int main(int argc, char **argv)
{
	memory_serve_jansson();
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("providerd %s\n", PROVIDERD_VERSION);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return EXIT_OK;
	}
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "providerd: unknown command '%s'\n", argv[1]);
	print_usage(stderr);
	return EXIT_USAGE;
}
