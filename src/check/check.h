/* check.h - the smoke test of a running host, as a command. */
#pragma once

/* check --profile NAME --base URL [--json] [--key KEY]. Returns an exit code (cli/cli.h). */
int check_command(int argc, char **argv);
