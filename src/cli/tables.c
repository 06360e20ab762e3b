/* tables.c - the commands jobs, budget and hosts: what a running host knows, as tables. The command's only thread. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/table.h"

#define PATH_BYTES 1024

static const char jobs_usage[] =
	"usage: providerd jobs [--base URL] [--key KEY] [--status S] [--kind K] [--provider ID] [--since TIME] [--limit N] "
	"[--json]\n\n"
	"  --base URL   the running host; default " BASE_DEFAULT "\n"
	"  --status S   queued, running, done, error, canceled or unknown\n"
	"  --kind K     gpu, image or video\n"
	"  --since TIME 2026-11-23T12:00:00Z, or a date\n"
	"  --limit N    so many, newest first; default 50\n"
	"  --json       the answer as it is\n" KEY_HELP "\nExit code: 0, 1 no answer, 64 bad arguments.\n";

static const char budget_usage[] =
	"usage: providerd budget [--base URL] [--key KEY] [--days N] [--json]\n\n"
	"  --base URL   the running host; default " BASE_DEFAULT "\n"
	"  --days N     how far back the days go; default 31\n"
	"  --json       the answer as it is\n" KEY_HELP "\nExit code: 0, 1 no answer, 64 bad arguments.\n";

static const char hosts_usage[] =
	"usage: providerd hosts [--base URL] [--key KEY] [--json]\n\n"
	"  --base URL   one of the running hosts; default " BASE_DEFAULT "\n"
	"  --json       the answer as it is\n" KEY_HELP "\nExit code: 0, 1 no answer, 64 bad arguments.\n";

/* ---- asking ---- */

/* Asks and hands the answer to `print`, or prints it as it is. */
static int ask_host(const struct command *command, const char *base, const char *key, const struct buffer *path, bool as_json,
	void (*print)(const json_t *answer))
{
	struct client_answer answer = { 0 };
	struct client *client = NULL;
	struct error error;
	char detail[480];
	int result = arguments_open(command, base, key, &client);

	if (result != EXIT_OK)
		return result;
	result = EXIT_PROBLEM;
	if (client_send(client, "GET", path->data, NULL, &answer, &error) != ERROR_NONE)
		fprintf(stderr, "providerd %s: %s\n", command->name, error.message);
	else if (answer.status != 200)
		fprintf(stderr, "providerd %s: %d: %s\n", command->name, answer.status,
			show_text(answer.json, "detail", detail, sizeof detail));
	else if (as_json)
		result = show_json(answer.json) ? EXIT_OK : EXIT_PROBLEM;
	else
		result = (print(answer.json), EXIT_OK);
	client_answer_free(&answer);
	client_close(client);
	return result;
}

/* ---- jobs ---- */

/* "image" of "public.image.submit". */
static void write_kind(char cell[CELL_BYTES], const char *kind)
{
	kind = kind != NULL && strncmp(kind, "public.", 7) == 0 ? kind + 7 : "-";
	snprintf(cell, CELL_BYTES, "%.*s", (int)strcspn(kind, "."), kind);
}

static void print_jobs(const json_t *answer)
{
	static const char *const heads[] = { "JOB", "CREATED", "KIND", "PROVIDER", "STATUS", "PROGRESS", "COST", "RUN" };
	struct table table;
	struct table_row *row;
	const json_t *job;
	char text[SHOW_BYTES];
	size_t i;

	table_open(&table, heads, 8);
	json_array_foreach(json_object_get(answer, "tasks"), i, job) {
		row = table_add(&table);
		show_text(job, "job_id", row->cells[0], CELL_BYTES);
		snprintf(row->cells[1], CELL_BYTES, "%.19s", show_text(job, "created_at", text, sizeof text));
		write_kind(row->cells[2], json_text(job, "kind"));
		show_text(job, "provider", row->cells[3], CELL_BYTES);
		show_text(job, "status", row->cells[4], CELL_BYTES);
		snprintf(row->cells[5], CELL_BYTES, "%s", show_progress(job, text));
		snprintf(row->cells[6], CELL_BYTES, "%s", show_cost(job, text));
		snprintf(row->cells[7], CELL_BYTES, "%s", json_is_true(json_object_get(job, "dry_run")) ? "dry" : "live");
	}
	table_print(&table);
	if (json_text(answer, "next") != NULL)
		printf("(there are more: --limit, --since)\n");
}

int cli_jobs(int argc, char **argv)
{
	const char *base = BASE_DEFAULT, *key = NULL, *status = NULL, *kind = NULL, *provider = NULL, *since = NULL,
		   *limit = NULL;
	bool json = false;
	const struct argument list[] = { { .name = "--base", .value = &base }, { .name = "--key", .value = &key },
		{ .name = "--status", .value = &status }, { .name = "--kind", .value = &kind },
		{ .name = "--provider", .value = &provider }, { .name = "--since", .value = &since },
		{ .name = "--limit", .value = &limit }, { .name = "--json", .flag = &json }, { .name = NULL } };
	const struct command command = { .name = "jobs", .usage = jobs_usage, .arguments = list };
	int result;
	struct buffer path;

	if (!arguments_read(&command, argc, argv, &result))
		return result;
	buffer_init(&path, PATH_BYTES);
	buffer_text(&path, "/api/jobs/list");
	show_query(&path, "status", status);
	show_query(&path, "kind", kind);
	show_query(&path, "provider", provider);
	show_query(&path, "since", since);
	show_query(&path, "limit", limit);
	result = path.failed ? arguments_refuse(&command, "the arguments are too long", NULL)
			     : ask_host(&command, base, key, &path, json, print_jobs);
	buffer_free(&path);
	return result;
}

/* ---- budget ---- */

static void add_span(struct table *table, const char *whose, const json_t *account, const char *span)
{
	const json_t *money = json_object_get(account, span);
	static const char *const members[] = { "limit_usd", "spent_usd", "reserved_usd", "left_usd" };
	struct table_row *row = table_add(table);
	char text[SHOW_BYTES];

	snprintf(row->cells[0], CELL_BYTES, "%s", whose);
	snprintf(row->cells[1], CELL_BYTES, "%s", span);
	for (size_t i = 0; i < 4; i++)
		snprintf(row->cells[2 + i], CELL_BYTES, "%s", show_usd(json_object_get(money, members[i]), "", text));
}

static void add_accounts(struct table *table, const json_t *accounts, const char *name, const char *what)
{
	char whose[CELL_BYTES], text[SHOW_BYTES];
	const json_t *account;
	size_t i;

	json_array_foreach(accounts, i, account) {
		snprintf(whose, sizeof whose, "%s %s", what, show_text(account, name, text, sizeof text));
		add_span(table, whose, account, "day");
		add_span(table, whose, account, "month");
	}
}

static void add_day(struct table *table, const json_t *day)
{
	struct table_row *row = table_add(table);
	char text[SHOW_BYTES];

	show_text(day, "day", row->cells[0], CELL_BYTES);
	show_text(day, "provider", row->cells[1], CELL_BYTES);
	show_text(day, "api_key", row->cells[2], CELL_BYTES);
	snprintf(row->cells[3], CELL_BYTES, "%lld", (long long)json_integer_value(json_object_get(day, "jobs")));
	snprintf(row->cells[4], CELL_BYTES, "%lld", (long long)json_integer_value(json_object_get(day, "open")));
	snprintf(row->cells[5], CELL_BYTES, "%s", show_usd(json_object_get(day, "spent_usd"), "", text));
	snprintf(row->cells[6], CELL_BYTES, "%s", show_usd(json_object_get(day, "reserved_usd"), "", text));
}

static void print_budget(const json_t *answer)
{
	static const char *const heads[] = { "BUDGET OF", "PER", "LIMIT", "SPENT", "RESERVED", "LEFT" };
	static const char *const day_heads[] = { "DAY", "PROVIDER", "API KEY", "JOBS", "OPEN", "SPENT", "RESERVED" };
	struct table accounts, days;
	const json_t *day;
	size_t i;

	table_open(&accounts, heads, 6);
	add_span(&accounts, "the host", json_object_get(answer, "host"), "day");
	add_span(&accounts, "the host", json_object_get(answer, "host"), "month");
	if (json_is_object(json_object_get(answer, "mcp"))) {
		add_span(&accounts, "/mcp", json_object_get(answer, "mcp"), "day");
		add_span(&accounts, "/mcp", json_object_get(answer, "mcp"), "month");
	}
	add_accounts(&accounts, json_object_get(answer, "providers"), "provider", "provider");
	add_accounts(&accounts, json_object_get(answer, "api_keys"), "name", "key");
	table_print(&accounts);
	table_open(&days, day_heads, 7);
	json_array_foreach(json_object_get(answer, "days"), i, day)
		add_day(&days, day);
	if (i > 0) {
		putchar('\n');
		table_print(&days);
	}
}

int cli_budget(int argc, char **argv)
{
	const char *base = BASE_DEFAULT, *key = NULL, *days = NULL;
	bool json = false;
	const struct argument list[] = { { .name = "--base", .value = &base }, { .name = "--key", .value = &key },
		{ .name = "--days", .value = &days }, { .name = "--json", .flag = &json }, { .name = NULL } };
	const struct command command = { .name = "budget", .usage = budget_usage, .arguments = list };
	int result;
	struct buffer path;

	if (!arguments_read(&command, argc, argv, &result))
		return result;
	buffer_init(&path, PATH_BYTES);
	buffer_text(&path, "/api/budget");
	show_query(&path, "days", days);
	result = path.failed ? arguments_refuse(&command, "the arguments are too long", NULL)
			     : ask_host(&command, base, key, &path, json, print_budget);
	buffer_free(&path);
	return result;
}

/* ---- hosts ---- */

static void print_hosts(const json_t *answer)
{
	static const char *const heads[] = { "HOST", "VERSION", "STARTED", "LAST BEAT", "LEASE", "JOBS", "CONFIGURATION" };
	struct table table;
	struct table_row *row;
	const json_t *host;
	char text[SHOW_BYTES];
	size_t i;

	table_open(&table, heads, 7);
	json_array_foreach(json_object_get(answer, "hosts"), i, host) {
		row = table_add(&table);
		show_text(host, "name", text, sizeof text);
		snprintf(row->cells[0], CELL_BYTES, "%s%s", text, json_is_true(json_object_get(host, "self")) ? " (asked)" : "");
		show_text(host, "version", row->cells[1], CELL_BYTES);
		snprintf(row->cells[2], CELL_BYTES, "%.19s", show_text(host, "started_at", text, sizeof text));
		snprintf(row->cells[3], CELL_BYTES, "%.1f s ago",
			(double)json_integer_value(json_object_get(host, "beat_age_ms")) / 1000);
		snprintf(row->cells[4], CELL_BYTES, "%lld s",
			(long long)json_integer_value(json_object_get(host, "lease_seconds")));
		snprintf(row->cells[5], CELL_BYTES, "%lld", (long long)json_integer_value(json_object_get(host, "jobs")));
		snprintf(row->cells[6], CELL_BYTES, "%s",
			json_is_true(json_object_get(host, "config_differs")) ? "differs" : "the same");
	}
	table_print(&table);
}

int cli_hosts(int argc, char **argv)
{
	const char *base = BASE_DEFAULT, *key = NULL;
	bool json = false;
	const struct argument list[] = { { .name = "--base", .value = &base }, { .name = "--key", .value = &key },
		{ .name = "--json", .flag = &json }, { .name = NULL } };
	const struct command command = { .name = "hosts", .usage = hosts_usage, .arguments = list };
	int result;
	struct buffer path;

	if (!arguments_read(&command, argc, argv, &result))
		return result;
	buffer_init(&path, PATH_BYTES);
	buffer_text(&path, "/api/host");
	result = ask_host(&command, base, key, &path, json, print_hosts);
	buffer_free(&path);
	return result;
}
