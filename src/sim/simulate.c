/* simulate.c - the simulate command: nine vendors on loopback, wire-compatible with their contracts.
 *
 * Runs on the main thread: reads the arguments, starts the parts in order, waits for SIGTERM or SIGINT, and stops them in the
 * opposite order. It is no part of a host: it reads no configuration, no credential and no registry. */
#include "sim/simulate.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/places.h"
#include "net/curl.h"
#include "sim/internal.h"

struct simulate_arguments {
	const char *listen, *journal;
	int64_t seed, latency_ms, slow_ms, job_ms;
	struct argument_values faults, directory;
};

struct simulator {
	struct sim_faults *faults;
	struct sim_journal *journal;
	struct sim_deliver *deliver;
	struct sim_script *script;
	struct sim_server *server;
};

static const char simulate_usage[] =
	"usage: providerd simulate [--listen ADDR:PORT] [--seed N] [--latency MS] [--fault PROVIDER:KIND:RATE[:METHOD] ...]\n"
	"                          [--directory PROVIDER:SWITCH[=VALUE] ...]\n"
	"                          [--journal FILE] [--job-time MS] [--slow MS]\n\n"
	"  --listen     default 127.0.0.1:9101; loopback only, port 0 takes a free one\n"
	"  --seed       ids, times, pictures and faults follow from it (default 1)\n"
	"  --latency    added to every answer\n"
	"  --fault      PROVIDER is an id (fal) or *; RATE is from 0 to 1; METHOD (POST) limits it; KIND is one of\n"
	"               reset_before, reset_after, 429, 5xx, slow, truncated, wrong_json, echo, echo_refusal, never_ending, "
	"moderated, out_of_credit\n"
	"  --directory  what the provider's directory of models does, as in fal:html or fal:models=1500; lua/sim/directory.lua\n"
	"               has the list\n"
	"  --journal    also appends every request to FILE, one JSON object a line\n"
	"  --job-time   how long a job takes at most (default 1500)\n"
	"  --slow       what the fault slow adds (default 5000)\n\n"
	"  GET /journal[?provider=ID][&paid=1], DELETE /journal, GET /jobs, GET /healthz,\n"
	"  GET /directory, PUT /directory/PROVIDER {\"SWITCH\": true, ...}, DELETE /directory/PROVIDER\n";

/* A rule for a provider that nobody simulates is a typing mistake. */
static enum error_code check_providers(
	const struct simulate_arguments *arguments, const struct sim_script *script, struct error *error)
{
	for (size_t i = 0; i < arguments->faults.count; i++) {
		char name[64];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(arguments->faults.items[i], ":"), arguments->faults.items[i]);
		if (strcmp(name, "*") != 0 && !sim_hosts_has(sim_script_hosts(script), name))
			return error_set(error, ERROR_INVALID, "fault", "\"%s\": no provider \"%s\" is simulated",
				arguments->faults.items[i], name);
	}
	return ERROR_NONE;
}

static enum error_code start_scripts(struct simulator *sim, const struct simulate_arguments *arguments, struct error *error)
{
	char *directory = places_find(".", "lua");
	struct sim_script_options options = { .directory = directory,
		.seed = (uint64_t)arguments->seed,
		.job_ms = arguments->job_ms,
		.directory_switches = arguments->directory.items,
		.directory_switch_count = arguments->directory.count,
		.deliver = sim_deliver_send,
		.context = sim->deliver };
	enum error_code code = sim_script_open(&options, &sim->script, error);

	free(directory);
	return code == ERROR_NONE ? check_providers(arguments, sim->script, error) : code;
}

static enum error_code start_simulator(struct simulator *sim, const struct simulate_arguments *arguments, struct error *error)
{
	struct sim_server_options server = {
		.listen = arguments->listen, .latency_ms = arguments->latency_ms, .slow_ms = arguments->slow_ms
	};
	enum error_code code;

	code = sim_faults_open(arguments->faults.items, arguments->faults.count, (uint64_t)arguments->seed, &sim->faults, error);
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

static void stop_simulator(struct simulator *sim)
{
	sim_server_close(sim->server);
	sim_script_close(sim->script);
	sim_deliver_close(sim->deliver);
	sim_journal_close(sim->journal);
	sim_faults_close(sim->faults);
}

static int run_simulator(const struct simulate_arguments *arguments, const sigset_t *signals)
{
	struct simulator sim = { 0 };
	struct error error = { 0 };
	enum error_code code = start_simulator(&sim, arguments, &error);
	int number;

	if (code == ERROR_NONE) {
		printf("providerd simulate %s listens on http://%s:%d\n", PROVIDERD_VERSION,
			http_address(sim_server_http(sim.server)), http_port(sim_server_http(sim.server)));
		fflush(stdout);
		while (sigwait(signals, &number) != 0)
			;
	} else {
		fprintf(stderr, "providerd simulate: %s\n", error.message);
	}
	stop_simulator(&sim);
	if (code == ERROR_NONE)
		return EXIT_OK;
	return code == ERROR_INVALID ? EXIT_USAGE : EXIT_PROBLEM;
}

int simulate_command(int argc, char **argv)
{
	const char *faults[LIMIT_SIM_FAULTS], *directory[LIMIT_SIM_FAULTS];
	struct simulate_arguments given = { .listen = "127.0.0.1:9101", .seed = 1, .slow_ms = 5000, .job_ms = 1500 };
	const struct argument list[] = { { .name = "--listen", .value = &given.listen },
		{ .name = "--journal", .value = &given.journal }, { .name = "--fault", .values = &given.faults },
		{ .name = "--directory", .values = &given.directory },
		{ .name = "--seed", .number = &given.seed, .highest = INT64_MAX - 1 },
		{ .name = "--latency", .number = &given.latency_ms, .highest = LIMIT_SIM_LATENCY_MS },
		{ .name = "--slow", .number = &given.slow_ms, .highest = LIMIT_SIM_LATENCY_MS },
		{ .name = "--job-time", .number = &given.job_ms, .highest = LIMIT_SIM_LATENCY_MS }, { .name = NULL } };
	const struct command command = { .name = "simulate", .usage = simulate_usage, .arguments = list };
	sigset_t signals;
	int exit_code;

	given.faults = (struct argument_values){ .items = faults, .most = LIMIT_SIM_FAULTS };
	given.directory = (struct argument_values){ .items = directory, .most = LIMIT_SIM_FAULTS };
	if (!arguments_read(&command, argc, argv, &exit_code))
		return exit_code;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	curl_load();
	return run_simulator(&given, &signals);
}
