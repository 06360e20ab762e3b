/* approve.c - the command approve: what agents want to pay for, as a table, and a person's yes or no. The command's only thread. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/table.h"

#define PATH_BYTES 160

static const char usage[] =
	"usage: providerd approve [QUOTE] [--refuse] [--base URL] [--key KEY] [--json]\n\n"
	"  QUOTE        the quote_id that an agent named: it may be paid, up to the amount that is shown; without one all that "
	"waits\n"
	"               is listed\n"
	"  --refuse     it may not\n"
	"  --base URL   the running host; default " BASE_DEFAULT "\n"
	"  --json       the answer as it is\n" KEY_HELP "\nExit code: 0, 1 no answer or nothing was decided, 64 bad arguments.\n";

static void write_prompt(const json_t *request, char *text, size_t size)
{
	const json_t *job = json_object_get(request, "job");

	show_text(json_is_object(job) ? job : request, "prompt", text, size);
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

static void print_decision(const json_t *answer)
{
	const json_t *approval = json_object_get(answer, "approval");
	char state[SHOW_BYTES], provider[SHOW_BYTES], usd[SHOW_BYTES], until[SHOW_BYTES], id[SHOW_BYTES], prompt[200];

	write_prompt(json_object_get(approval, "request"), prompt, sizeof prompt);
	printf("%s  %s  %s  up to %s  until %.19s  %s\n", show_text(approval, "state", state, sizeof state),
		show_text(approval, "quote_id", id, sizeof id), show_text(approval, "provider", provider, sizeof provider),
		show_usd(json_object_get(approval, "amount_usd"), "", usd),
		show_text(approval, "expires_at", until, sizeof until), prompt);
}

static int ask(const struct command *command, struct client *client, const char *method, const char *path, bool as_json)
{
	struct client_answer answer = { 0 };
	struct error error;
	char detail[480];
	int result = EXIT_PROBLEM;

	if (client_send(client, method, path, NULL, &answer, &error) != ERROR_NONE)
		fprintf(stderr, "providerd %s: %s\n", command->name, error.message);
	else if (answer.status != 200)
		fprintf(stderr, "providerd %s: %d: %s\n", command->name, answer.status,
			show_text(answer.json, "detail", detail, sizeof detail));
	else if (as_json)
		result = show_json(answer.json) ? EXIT_OK : EXIT_PROBLEM;
	else
		result = ((*command->operand != NULL ? print_decision : print_approvals)(answer.json), EXIT_OK);
	client_answer_free(&answer);
	return result;
}

int cli_approve(int argc, char **argv)
{
	const char *base = BASE_DEFAULT, *key = NULL, *quote = NULL;
	bool json = false, refuse = false;
	const struct argument list[] = { { .name = "--base", .value = &base }, { .name = "--key", .value = &key },
		{ .name = "--refuse", .flag = &refuse }, { .name = "--json", .flag = &json }, { .name = NULL } };
	const struct command command = { .name = "approve", .usage = usage, .arguments = list, .operand = &quote };
	struct client *client = NULL;
	char path[PATH_BYTES];
	int result;

	if (!arguments_read(&command, argc, argv, &result))
		return result;
	if (quote != NULL && quote[strspn(quote, "0123456789abcdefABCDEF-")] != '\0')
		return arguments_refuse(&command, "a quote's id is a UUID, not", quote);
	if (quote == NULL && refuse)
		return arguments_refuse(&command, "say which quote to refuse", NULL);
	snprintf(path, sizeof path, quote != NULL ? "/api/approvals/%.60s" : "/api/approvals", quote);
	result = arguments_open(&command, base, key, &client);
	if (result == EXIT_OK)
		result = ask(&command, client, quote == NULL ? "GET" : refuse ? "DELETE" : "POST", path, json);
	client_close(client);
	return result;
}
