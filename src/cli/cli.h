/* cli.h - the commands other than serve. Each takes its own arguments (argv[0] is the command's name) and returns the exit code. */
#pragma once

#define EXIT_OK 0
#define EXIT_PROBLEM 1 /* the command ran and found something wrong */
#define EXIT_USAGE 64  /* bad arguments */
#define EXIT_AGAIN 75  /* it was cut off: the same command goes on */

/* lint FILE.lua...: validates scripts as the host would load them, with the library of the first lua/ that is found. */
int cli_lint(int argc, char **argv);

/* watch [JOB]: follows the events of a running host. */
int cli_watch(int argc, char **argv);

/* jobs, budget, hosts: tables of a running host's jobs, of its money, and of those that use the same registry. */
int cli_jobs(int argc, char **argv);
int cli_budget(int argc, char **argv);
int cli_hosts(int argc, char **argv);

/* mcp: the tools of a running host over standard input and output. */
int cli_mcp(int argc, char **argv);
/* approve [QUOTE]: what agents want to pay for; yes or no. */
int cli_approve(int argc, char **argv);

/* migrate: moves a registry to another database. */
int cli_migrate(int argc, char **argv);
/* registry restored: a backup of it was put back. */
int cli_registry(int argc, char **argv);
