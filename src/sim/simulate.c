/* simulate.c - the simulate command: nine vendors on loopback, wire-compatible with their contracts.
 *
 * Runs on the main thread: reads the arguments, starts the parts in order, waits for SIGTERM or SIGINT, and stops them in the
 * opposite order. It is no part of a host: it reads no configuration, no credential and no registry. */
#include "sim/simulate.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/curl.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/places.h"
#include "sim/internal.h"

#define DEFAULT_JOB_MS 1500
#define DEFAULT_SLOW_MS 5000

struct arguments {
	const char *listen, *journal;
	int64_t seed, latency_ms, slow_ms, job_ms;
	const char *faults[LIMIT_SIM_FAULTS];
	size_t fault_count;
};

struct simulator {
	struct sim_faults *faults;
	struct sim_journal *journal;
	struct sim_deliver *deliver;
	struct sim_script *script;
	struct sim_server *server;
};

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: providerd simulate [--listen ADDR:PORT] [--seed N] [--latency MS] [--fault PROVIDER:KIND:RATE[:METHOD] "
		"...]\n"
		"                          [--journal FILE] [--job-time MS] [--slow MS]\n\n"
		"  --listen     default 127.0.0.1:9101; loopback only, port 0 takes a free one\n"
		"  --seed       ids, times, pictures and faults follow from it (default 1)\n"
		"  --latency    added to every answer\n"
		"  --fault      PROVIDER is an id (fal) or *; RATE is from 0 to 1; METHOD (POST) limits it; KIND is one of\n"
		"               reset_before, reset_after, 429, 5xx, slow, truncated, wrong_json, echo, echo_refusal, "
		"never_ending, moderated, "
		"out_of_credit\n"
		"  --journal    also appends every request to FILE, one JSON object a line\n"
		"  --job-time   how long a job takes at most (default %d)\n"
		"  --slow       what the fault slow adds (default %d)\n\n"
		"  GET /journal[?provider=ID][&paid=1], DELETE /journal, GET /jobs, GET /healthz\n",
		DEFAULT_JOB_MS, DEFAULT_SLOW_MS);
}

static bool read_number(const char *name, const char *text, int64_t highest, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	if (text[0] != '\0' && *end == '\0' && errno == 0 && *value >= 0 && *value <= highest)
		return true;
	fprintf(stderr, "providerd simulate: %s: expected a number from 0 to %lld, got \"%s\"\n", name, (long long)highest, text);
	return false;
}

static bool read_option(struct arguments *arguments, const char *name, const char *value)
{
	if (strcmp(name, "--listen") == 0)
		arguments->listen = value;
	else if (strcmp(name, "--journal") == 0)
		arguments->journal = value;
	else if (strcmp(name, "--seed") == 0)
		return read_number(name, value, INT64_MAX - 1, &arguments->seed);
	else if (strcmp(name, "--latency") == 0)
		return read_number(name, value, LIMIT_SIM_LATENCY_MS, &arguments->latency_ms);
	else if (strcmp(name, "--slow") == 0)
		return read_number(name, value, LIMIT_SIM_LATENCY_MS, &arguments->slow_ms);
	else if (strcmp(name, "--job-time") == 0)
		return read_number(name, value, LIMIT_SIM_LATENCY_MS, &arguments->job_ms);
	else if (strcmp(name, "--fault") == 0 && arguments->fault_count < LIMIT_SIM_FAULTS)
		arguments->faults[arguments->fault_count++] = value;
	else
		return false;
	return true;
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 >= argc || !read_option(arguments, argv[i], argv[i + 1])) {
			fprintf(stderr, "providerd simulate: cannot use '%s'\n", argv[i]);
			print_usage(stderr);
			return false;
		}
	}
	return true;
}

/* A rule for a provider that nobody simulates is a typing mistake. */
static enum error_code check_providers(const struct arguments *arguments, const struct sim_script *script, struct error *error)
{
	for (size_t i = 0; i < arguments->fault_count; i++) {
		char name[64];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(arguments->faults[i], ":"), arguments->faults[i]);
		if (strcmp(name, "*") != 0 && !sim_script_has(script, name))
			return error_set(error, ERROR_INVALID, "fault", "\"%s\": no provider \"%s\" is simulated",
				arguments->faults[i], name);
	}
	return ERROR_NONE;
}

static enum error_code start_scripts(struct simulator *sim, const struct arguments *arguments, struct error *error)
{
	char *directory = places_find(".", "lua");
	struct sim_script_options options = { .directory = directory,
		.seed = (uint64_t)arguments->seed,
		.job_ms = arguments->job_ms,
		.deliver = sim_deliver_send,
		.context = sim->deliver };
	enum error_code code = directory != NULL ? sim_script_open(&options, &sim->script, error) : error_memory(error);

	free(directory);
	return code == ERROR_NONE ? check_providers(arguments, sim->script, error) : code;
}

static enum error_code start(struct simulator *sim, const struct arguments *arguments, struct error *error)
{
	struct sim_server_options server = {
		.listen = arguments->listen, .latency_ms = arguments->latency_ms, .slow_ms = arguments->slow_ms
	};
	enum error_code code;

	code = sim_faults_open(arguments->faults, arguments->fault_count, (uint64_t)arguments->seed, &sim->faults, error);
	if (code == ERROR_NONE)
		code = sim_journal_open(arguments->journal, &sim->journal, error);
	if (code == ERROR_NONE)
		code = sim_deliver_open(sim->journal, &sim->deliver, error);
	if (code == ERROR_NONE)
		code = start_scripts(sim, arguments, error);
	server.script = sim->script;
	server.faults = sim->faults;
	server.journal = sim->journal;
	if (code == ERROR_NONE)
		code = sim_server_open(&server, &sim->server, error);
	return code;
}

static void stop(struct simulator *sim)
{
	sim_server_close(sim->server);
	sim_script_close(sim->script);
	sim_deliver_close(sim->deliver);
	sim_journal_close(sim->journal);
	sim_faults_close(sim->faults);
}

static void wait_for_signal(const sigset_t *signals)
{
	int number;

	while (sigwait(signals, &number) != 0)
		;
}

int simulate_command(int argc, char **argv)
{
	struct arguments arguments = {
		.listen = "127.0.0.1:9101", .seed = 1, .slow_ms = DEFAULT_SLOW_MS, .job_ms = DEFAULT_JOB_MS
	};
	struct simulator sim = { 0 };
	struct error error = { 0 };
	enum error_code code;
	sigset_t signals;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		print_usage(stdout);
		return EXIT_OK;
	}
	if (!read_arguments(argc, argv, &arguments))
		return EXIT_USAGE;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	curl_load();
	code = start(&sim, &arguments, &error);
	if (code == ERROR_NONE) {
		printf("providerd simulate %s listens on http://%s:%d\n", PROVIDERD_VERSION,
			http_address(sim_server_http(sim.server)), http_port(sim_server_http(sim.server)));
		fflush(stdout);
		wait_for_signal(&signals);
	} else {
		fprintf(stderr, "providerd simulate: %s\n", error.message);
	}
	stop(&sim);
	if (code == ERROR_NONE)
		return EXIT_OK;
	return code == ERROR_INVALID ? EXIT_USAGE : EXIT_PROBLEM;
}
