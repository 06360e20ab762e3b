/* approve.c - the command approve: what agents want to pay for, as a table, and a person's yes or no. The command's only thread. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/table.h"

#define PATH_BYTES 160
#define LIST_PATH "/api/approvals"

static const char usage[] =
	"usage: providerd approve [QUOTE] [--amount USD | --refuse] [--base URL] [--key KEY] [--json]\n\n"
	"  QUOTE        the quote_id that an agent named: it may be paid, up to the amount that is shown; without one all that "
	"waits\n"
	"               is listed\n"
	"  --amount USD the amount that was read: if it is another one by now, nothing is approved. Without it a person at a\n"
	"               terminal is shown what is asked for, and asked\n"
	"  --refuse     it may not\n"
	"  --base URL   the running host; default " BASE_DEFAULT "\n"
	"  --json       the answer as it is\n" KEY_HELP "\nExit code: 0, 1 no answer or nothing was decided, 64 bad arguments.\n";

/* A vendor's own job has it somewhere below. */
static void write_prompt(const json_t *request, char *text, size_t size)
{
	static const char *const places[] = { "job", "input", NULL };

	for (const char *const *place = places; *place != NULL; place++)
		if (json_text(request, "prompt") == NULL && json_is_object(json_object_get(request, *place)))
			request = json_object_get(request, *place);
	show_text(request, "prompt", text, size);
}

static void add_approval_row(struct table *table, const json_t *approval)
{
	struct table_row *row = table_add(table);
	char text[SHOW_BYTES];

	show_text(approval, "quote_id", row->cells[0], CELL_BYTES);
	show_text(approval, "state", row->cells[1], CELL_BYTES);
	show_text(approval, "provider", row->cells[2], CELL_BYTES);
	show_text(approval, "api_key", row->cells[3], CELL_BYTES);
	snprintf(row->cells[4], CELL_BYTES, "%s", show_usd(json_object_get(approval, "amount_usd"), "", text));
	snprintf(row->cells[5], CELL_BYTES, "%.19s", show_text(approval, "expires_at", text, sizeof text));
	write_prompt(json_object_get(approval, "request"), row->cells[6], 41);
}

static void print_approvals(const json_t *answer)
{
	static const char *const heads[] = { "QUOTE", "STATE", "PROVIDER", "API KEY", "UP TO", "UNTIL (UTC)", "PROMPT" };
	const json_t *list = json_object_get(answer, "approvals"), *approval;
	struct table table;
	size_t i;

	if (json_array_size(list) == 0) {
		printf("nothing waits for an approval\n");
		return;
	}
	table_open(&table, heads, 7);
	json_array_foreach(list, i, approval)
		add_approval_row(&table, approval);
	table_print(&table);
}

static void print_approval(const json_t *approval)
{
	char state[SHOW_BYTES], provider[SHOW_BYTES], usd[SHOW_BYTES], until[SHOW_BYTES], id[SHOW_BYTES], prompt[200];

	write_prompt(json_object_get(approval, "request"), prompt, sizeof prompt);
	printf("%s  %s  %s  up to %s  until %.19s  %s\n", show_text(approval, "state", state, sizeof state),
		show_text(approval, "quote_id", id, sizeof id), show_text(approval, "provider", provider, sizeof provider),
		show_usd(json_object_get(approval, "amount_usd"), "", usd),
		show_text(approval, "expires_at", until, sizeof until), prompt);
}

/* ---- the calls ---- */

struct approving {
	struct client *client;
	const char *quote; /* or NULL: all */
	bool refuse, json;
};

/* Sends one request. False: why not was said. The answer is the caller's in either case. */
static bool ask_host(
	const struct approving *approving, const char *method, const char *path, const json_t *body, struct client_answer *answer)
{
	struct error error;
	char detail[480];

	*answer = (struct client_answer){ 0 };
	if (client_send(approving->client, method, path, body, answer, &error) != ERROR_NONE)
		fprintf(stderr, "providerd approve: %s\n", error.message);
	else if (answer->status != 200)
		fprintf(stderr, "providerd approve: %d: %s\n", answer->status,
			show_text(answer->json, "detail", detail, sizeof detail));
	else
		return true;
	return false;
}

static const json_t *find_approval(const json_t *answer, const char *quote)
{
	const json_t *approval;
	size_t i;

	json_array_foreach(json_object_get(answer, "approvals"), i, approval)
		if (json_text(approval, "quote_id") != NULL && strcasecmp(json_text(approval, "quote_id"), quote) == 0)
			return approval;
	return NULL;
}

static bool hear_yes(void)
{
	char line[8] = "";

	printf("Approve it? [y/N] ");
	fflush(stdout);
	return fgets(line, sizeof line, stdin) != NULL && (strcasecmp(line, "y\n") == 0 || strcasecmp(line, "yes\n") == 0);
}

/* What an agent asks for may be more by now than what was read before: who says yes at a terminal is shown it first. The body that says yes to just that, or
 * NULL: it was a no, or why not was said. */
static json_t *show_and_ask(const struct approving *approving)
{
	struct client_answer answer;
	const json_t *approval;
	json_t *body = NULL;

	if (ask_host(approving, "GET", LIST_PATH, NULL, &answer)) {
		approval = find_approval(answer.json, approving->quote);
		if (approval == NULL) {
			fprintf(stderr,
				"providerd approve: this quote is not among those that wait: to approve it all the same, say "
				"its --amount\n");
		} else {
			print_approval(approval);
			if (hear_yes())
				body = json_pack("{s:O}", "amount_usd", json_object_get(approval, "amount_usd"));
			else
				fprintf(stderr, "providerd approve: nothing was decided\n");
		}
	}
	client_answer_free(&answer);
	return body;
}

static int call_approvals(const struct approving *approving, const char *method, const json_t *body)
{
	struct client_answer answer;
	char path[PATH_BYTES] = LIST_PATH;
	int result = EXIT_PROBLEM;

	if (approving->quote != NULL)
		snprintf(path, sizeof path, LIST_PATH "/%.60s", approving->quote);
	if (ask_host(approving, method, path, body, &answer)) {
		result = EXIT_OK;
		if (approving->json)
			result = show_json(answer.json) ? EXIT_OK : EXIT_PROBLEM;
		else if (approving->quote != NULL)
			print_approval(json_object_get(answer.json, "approval"));
		else
			print_approvals(answer.json);
	}
	client_answer_free(&answer);
	return result;
}

/* `amount` is that of the command line; taken, or NULL. */
static int say_yes(const struct approving *approving, json_t *amount)
{
	json_t *body = NULL;
	int result = EXIT_PROBLEM;

	if (amount != NULL)
		body = json_pack("{s:o}", "amount_usd", amount);
	else if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		body = show_and_ask(approving);
	else
		body = json_object();
	if (body != NULL)
		result = call_approvals(approving, "POST", body);
	json_decref(body);
	return result;
}

/* ---- the command ---- */

/* False: it is none. *amount is the caller's, or NULL where there is no text. */
static bool read_amount(const char *text, json_t **amount)
{
	char *end;
	double value;

	*amount = NULL;
	if (text == NULL)
		return true;
	value = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(value) || value < 0)
		return false;
	*amount = json_real(value);
	return true;
}

int cli_approve(int argc, char **argv)
{
	const char *base = BASE_DEFAULT, *key = NULL, *usd = NULL;
	struct approving approving = { .client = NULL };
	const struct argument list[] = { { .name = "--base", .value = &base }, { .name = "--key", .value = &key },
		{ .name = "--amount", .value = &usd }, { .name = "--refuse", .flag = &approving.refuse },
		{ .name = "--json", .flag = &approving.json }, { .name = NULL } };
	const struct command command = { .name = "approve", .usage = usage, .arguments = list, .operand = &approving.quote };
	json_t *amount;
	int result;

	if (!arguments_read(&command, argc, argv, &result))
		return result;
	if (approving.quote != NULL && approving.quote[strspn(approving.quote, "0123456789abcdefABCDEF-")] != '\0')
		return arguments_refuse(&command, "a quote's id is a UUID, not", approving.quote);
	if (approving.quote == NULL && (approving.refuse || usd != NULL))
		return arguments_refuse(&command, "say which quote", NULL);
	if (approving.refuse && usd != NULL)
		return arguments_refuse(&command, "a refusal has no --amount", NULL);
	if (!read_amount(usd, &amount))
		return arguments_refuse(&command, "--amount is a number of dollars, not", usd);
	result = arguments_open(&command, base, key, &approving.client);
	if (result != EXIT_OK)
		json_decref(amount);
	else if (approving.quote != NULL && !approving.refuse)
		result = say_yes(&approving, amount);
	else
		result = call_approvals(&approving, approving.quote != NULL ? "DELETE" : "GET", NULL);
	client_close(approving.client);
	return result;
}
