/* check.c - the spec's smoke test: command line, the three catalogs, the summary. One thread; the host under test is another
 * process.
 *
 * Changes nothing but the registry, which gets the dry runs' rows. Needs no particular state of flags or credentials. */
#include "check/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/cli.h"
#include "check/check_provider.h"

#define PROFILE "p3_providers_gpu_image_video"
#define UNKNOWN_PROVIDER "no_such_provider"

struct check_arguments {
	const char *profile;
	const char *base;
	const char *key;
	bool json;
};

static const struct check_kind kinds[] = {
	{ "gpu", "/api/providers/gpu/public", "/api/providers/gpu/public/catalog", NULL,
		"{\"job\": {\"input\": {\"prompt\": \"smoke test\"}}, \"dry_run\": true}" },
	{ "image", "/api/providers/image", "/api/providers/image/catalog", "/api/providers/image/generate",
		"{\"prompt\": \"smoke test\", \"dry_run\": true}" },
	{ "video", "/api/providers/video", "/api/providers/video/catalog", "/api/providers/video/generate",
		"{\"prompt\": \"smoke test\", \"dry_run\": true}" },
};

/* ---- command line ---- */

static const char usage[] = "usage: providerd check --profile " PROFILE " --base URL [--json] [--key KEY]\n\n"
			    "  --base URL   the running host, such as " BASE_DEFAULT "\n"
			    "  --json       one JSON object instead of lines\n" KEY_HELP
			    "\nExit code: 0 all passed, 1 something failed, 64 bad arguments.\n";

static int judge_arguments(const struct command *command, const struct check_arguments *arguments)
{
	if (arguments->profile == NULL)
		return arguments_refuse(command, "--profile is missing; the known one is", PROFILE);
	if (strcmp(arguments->profile, PROFILE) != 0)
		return arguments_refuse(command, "unknown profile; the known one is", PROFILE);
	if (arguments->base == NULL)
		return arguments_refuse(command, "--base is missing: the address of the host to check", NULL);
	return EXIT_OK;
}

/* ---- the host ---- */

/* False: there is no use in asking on. */
static bool check_reachable(struct check_run *run)
{
	struct findings findings = { 0 };
	struct client_answer answer;
	struct error error = { 0 };
	const char *address;
	int port;
	bool reached = client_send(run->client, "GET", "/healthz", NULL, &answer, &error) == ERROR_NONE;

	if (!reached)
		findings_problem(&findings,
			"cannot reach %s: %s. Is the host running? Start it with `providerd serve` (or `make run`), or correct "
			"--base",
			client_base(run->client), error.message);
	else if (answer.status != 200 || !check_is_true(answer.json, "ok"))
		findings_problem(
			&findings, "/healthz does not answer as it should (status %d): is this a providerd?", answer.status);
	else
		findings_detail(&findings, "version %s", check_text(answer.json, "version"));
	check_report_add(&run->report, NULL, NULL, "reachable", &findings);
	if (reached && client_peer(run->client, &address, &port))
		traffic_open(&run->traffic, address, port);
	client_answer_free(&answer);
	return reached;
}

/* Files that do not load are in every catalog; one check tells them. */
static void check_scripts(struct check_run *run)
{
	struct findings findings = { 0 };
	const json_t *error;
	size_t i;

	if (run->script_errors == NULL)
		return;
	json_array_foreach(run->script_errors, i, error)
		findings_problem(&findings, "%s", json_is_string(error) ? json_string_value(error) : "an error that is no text");
	findings_detail(&findings, "every script in its newest version");
	check_report_add(&run->report, NULL, NULL, "scripts", &findings);
}

static void check_traffic(struct check_run *run)
{
	struct findings findings = { 0 };

	traffic_look(&run->traffic);
	traffic_report(&run->traffic, run->live_possible, &findings);
	check_report_add(&run->report, NULL, NULL, "traffic", &findings);
}

static void check_still_there(struct check_run *run)
{
	struct findings findings = { 0 };

	if (!client_gave_up(run->client))
		return;
	findings_problem(&findings, "gave up: %d requests in a row got no answer", LIMIT_CHECK_SILENCES);
	check_report_add(&run->report, NULL, NULL, "answers", &findings);
}

/* ---- the kinds ---- */

static const struct field_rule catalog_rules[] = {
	{ "ok", FIELD_BOOL },
	{ "execution_allowed", FIELD_BOOL },
	{ "dry_run", FIELD_TRUE },
	{ "feature.feature", FIELD_TEXT },
	{ "feature.enabled", FIELD_BOOL },
};

/* The catalog, or NULL; json_decref() it. */
static json_t *check_catalog(struct check_run *run, const struct check_kind *kind)
{
	struct findings findings = { 0 };
	json_t *catalog = check_request(run, 200, "GET", kind->catalog, NULL, &findings);
	size_t count = json_array_size(check_value(catalog, "providers"));

	if (catalog != NULL) {
		CHECK_FIELDS(catalog, catalog_rules, &findings);
		if (count == 0)
			findings_problem(&findings, "providers should list at least one");
		findings_detail(&findings, "%zu providers, %s is %s", count, check_text(catalog, "feature.feature"),
			check_is_true(catalog, "feature.enabled") ? "on" : "off");
		json_decref(run->script_errors);
		run->script_errors = json_incref(json_object_get(catalog, "script_errors"));
	}
	check_report_add(&run->report, kind->name, NULL, "catalogue", &findings);
	return catalog;
}

static void check_unknown(struct check_run *run, const struct check_kind *kind)
{
	struct findings findings = { 0 };
	char path[128];
	json_t *answer;

	snprintf(path, sizeof path, "%s/" UNKNOWN_PROVIDER "/health", kind->prefix);
	answer = check_request(run, 404, "POST", path, json_object(), &findings);
	findings_detail(&findings, "404: %s", check_text(answer, "detail"));
	json_decref(answer);
	check_report_add(&run->report, kind->name, NULL, "unknown", &findings);
}

static void check_one_kind(struct check_run *run, const struct check_kind *kind)
{
	json_t *catalog = check_catalog(run, kind);
	const json_t *entry;
	size_t i;

	if (!client_gave_up(run->client))
		check_unknown(run, kind);
	json_array_foreach(check_value(catalog, "providers"), i, entry) {
		if (client_gave_up(run->client))
			break;
		check_provider(run, kind, entry);
	}
	json_decref(catalog);
}

/* ---- all of it ---- */

static int run_checks(const struct command *command, const struct check_arguments *arguments)
{
	struct check_run run = { 0 };
	int result = arguments_open(command, arguments->base, arguments->key, &run.client);
	bool ok;

	if (result != EXIT_OK)
		return result;
	check_report_open(&run.report, arguments->json, PROFILE, client_base(run.client));
	if (check_reachable(&run)) {
		for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !client_gave_up(run.client); i++)
			check_one_kind(&run, &kinds[i]);
		check_scripts(&run);
		check_traffic(&run);
		check_still_there(&run);
	}
	ok = check_report_close(&run.report, PROFILE, client_base(run.client));
	json_decref(run.script_errors);
	client_close(run.client);
	return ok ? EXIT_OK : EXIT_PROBLEM;
}

int check_command(int argc, char **argv)
{
	struct check_arguments arguments = { 0 };
	const struct argument list[] = { { .name = "--profile", .value = &arguments.profile },
		{ .name = "--base", .value = &arguments.base }, { .name = "--key", .value = &arguments.key },
		{ .name = "--json", .flag = &arguments.json }, { .name = NULL } };
	const struct command command = { .name = "check", .usage = usage, .arguments = list };
	int result;

	if (!arguments_read(&command, argc, argv, &result))
		return result;
	result = judge_arguments(&command, &arguments);
	return result == EXIT_OK ? run_checks(&command, &arguments) : result;
}
