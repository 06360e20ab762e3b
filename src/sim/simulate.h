/* simulate.h - the vendors' simulator, as a command. */
#pragma once

/* simulate [--listen ADDR:PORT] [--seed N] [--latency MS] [--fault ...]: all vendors on loopback, until SIGTERM or SIGINT. Returns an exit code
 * (cli/cli.h). */
int simulate_command(int argc, char **argv);
