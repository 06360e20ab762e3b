/* budget.c - writes the budgets of the configuration beside the sums of the ledger, all of one moment. HTTP threads. */
#include "api/budget.h"

#include <string.h>

#include "api/access.h"
#include "api/answer.h"
#include "api/query.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

#define DAYS_DEFAULT 31
#define DAYS_MAX 400

static void write_span(struct buffer *out, const char *name, int64_t limit, int64_t reserved, int64_t spent, bool limited)
{
	int64_t left = limit - reserved - spent;

	buffer_format(out, "\"%s\":{\"limit_usd\":", name);
	if (limited)
		json_write_usd(out, limit);
	else
		buffer_text(out, "null");
	buffer_text(out, ",\"reserved_usd\":");
	json_write_usd(out, reserved);
	buffer_text(out, ",\"spent_usd\":");
	json_write_usd(out, spent);
	buffer_text(out, ",\"left_usd\":");
	if (limited)
		json_write_usd(out, left > 0 ? left : 0);
	else
		buffer_text(out, "null");
	buffer_char(out, '}');
}

static void write_account(struct buffer *out, const struct budget *limit, const struct budget_sums *sums)
{
	static const struct budget none;
	const struct budget *known = limit != NULL ? limit : &none;

	write_span(out, "day", known->per_day_micro_usd, sums->day_reserved, sums->day_spent, limit != NULL);
	buffer_char(out, ',');
	write_span(out, "month", known->per_month_micro_usd, sums->month_reserved, sums->month_spent, limit != NULL);
}

void budget_write_today(struct buffer *out, struct host *host, const struct http_request *request)
{
	const struct config_api_key *key = access_owner(request) != NULL ? request->api_key : NULL;
	const struct budget *limit = key == NULL ? &request->view->config->live.budget : key->has_budget ? &key->budget : NULL;
	struct budget_sheet *sheet;
	struct budget_sums sums;
	struct error error;

	if (task_store_budgets(host->store, budget_today(), &sheet, &error) != ERROR_NONE) {
		buffer_text(out, "\"today\":null");
		return;
	}
	sums = budget_sheet_sums(sheet, key != NULL ? BUDGET_KEY : BUDGET_HOST, key != NULL ? key->name : "");
	budget_sheet_release(sheet);
	write_span(out, "today", limit != NULL ? limit->per_day_micro_usd : 0, sums.day_reserved, sums.day_spent, limit != NULL);
}

static void write_host(struct buffer *out, const struct budget_sheet *sheet, const struct config *config)
{
	struct budget_sums sums = budget_sheet_sums(sheet, BUDGET_HOST, "");

	buffer_text(out, "\"host\":{");
	write_account(out, &config->live.budget, &sums);
	buffer_text(out, "},");
}

/* What may be spent by the tools of /mcp, whoever calls them. */
static void write_mcp(struct buffer *out, const struct budget_sheet *sheet, const struct config *config)
{
	struct budget_sums sums = budget_sheet_sums(sheet, BUDGET_MCP, "");

	buffer_text(out, "\"mcp\":{");
	write_account(out, &config->mcp.budget, &sums);
	buffer_text(out, "},");
}

static void write_providers(struct buffer *out, const struct budget_sheet *sheet, const struct config *config)
{
	buffer_text(out, "\"providers\":[");
	for (size_t i = 0; i < config->live.provider_count; i++) {
		const struct config_live_provider *provider = &config->live.providers[i];
		struct budget_sums sums = budget_sheet_sums(sheet, BUDGET_PROVIDER, provider->id);

		buffer_text(out, i > 0 ? ",{\"provider\":" : "{\"provider\":");
		json_write_text(out, provider->id);
		buffer_text(out, ",\"enabled\":");
		json_write_bool(out, provider->enabled);
		buffer_char(out, ',');
		write_account(out, &provider->budget, &sums);
		buffer_char(out, '}');
	}
	buffer_text(out, "],");
}

/* All keys, or the one of this name. */
static void write_keys(struct buffer *out, const struct budget_sheet *sheet, const struct config *config, const char *owner)
{
	buffer_text(out, "\"api_keys\":[");
	for (size_t i = 0; i < config->server.api_key_count; i++) {
		const struct config_api_key *key = &config->server.api_keys[i];
		struct budget_sums sums;

		if (owner != NULL && strcmp(owner, key->name) != 0)
			continue;
		sums = budget_sheet_sums(sheet, BUDGET_KEY, key->name);
		buffer_text(out, out->data[out->length - 1] == '}' ? ",{\"name\":" : "{\"name\":");
		json_write_text(out, key->name);
		buffer_char(out, ',');
		write_account(out, key->has_budget ? &key->budget : NULL, &sums);
		buffer_char(out, '}');
	}
	buffer_text(out, "],");
}

struct days {
	struct buffer *out;
	const char *owner; /* only those of this key, or NULL */
};

static bool write_day(void *context, const struct ledger_sum *sum)
{
	const struct days *days = context;
	struct buffer *out = days->out;
	char date[CLOCK_TEXT_BYTES];

	if (days->owner != NULL && (sum->caller == NULL || strcmp(sum->caller, days->owner) != 0))
		return true;

	clock_format(sum->day * 86400000LL, date);
	date[10] = '\0';
	buffer_format(out, "%s{\"day\":\"%s\",\"kind\":", out->data[out->length - 1] == '[' ? "" : ",", date);
	json_write_text(out, sum->kind);
	buffer_text(out, ",\"provider\":");
	json_write_text(out, sum->provider);
	buffer_text(out, ",\"api_key\":");
	json_write_text(out, sum->caller);
	buffer_text(out, sum->door == DOOR_MCP ? ",\"door\":\"mcp\"" : ",\"door\":null");
	buffer_format(out, ",\"jobs\":%lld,\"open\":%lld,\"reserved_usd\":", (long long)sum->jobs, (long long)sum->open);
	json_write_usd(out, sum->reserved);
	buffer_text(out, ",\"spent_usd\":");
	json_write_usd(out, sum->spent);
	buffer_char(out, '}');
	return !out->failed;
}

/* False: the registry cannot be read. */
static bool write_budgets(struct host *host, const struct config *config, struct days *days, int64_t count, struct error *error)
{
	int64_t today = budget_today();
	struct buffer *out = days->out;
	struct budget_sheet *sheet;

	if (task_store_budgets(host->store, today, &sheet, error) != ERROR_NONE)
		return false;
	if (days->owner == NULL) {
		write_host(out, sheet, config);
		write_mcp(out, sheet, config);
		write_providers(out, sheet, config);
	} else {
		buffer_text(out, "\"host\":null,\"mcp\":null,\"providers\":[],"); /* they tell of everybody's jobs */
	}
	write_keys(out, sheet, config, days->owner);
	budget_sheet_release(sheet);
	buffer_text(out, "\"days\":[");
	return task_store_ledger(host->store, today - count + 1, write_day, days, error) == ERROR_NONE;
}

void budget_handle(struct host *host, struct http_request *request)
{
	int64_t days = DAYS_DEFAULT; /* how far back the days go */
	struct buffer out;
	struct days listed = { .out = &out, .owner = access_owner(request) };
	struct error error;

	if (!query_number(request, "days", 1, DAYS_MAX, &days))
		return;
	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_text(&out, "{\"ok\":true,");
	if (write_budgets(host, request->view->config, &listed, days, &error)) {
		buffer_text(&out, "]}");
		answer_json(request, 200, NULL, &out);
	} else {
		answer_problem(request, 503, NULL, error.message);
	}
	buffer_free(&out);
}
