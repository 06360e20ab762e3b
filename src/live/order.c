/* order.c - new jobs: priced on the engine thread, begun when the store has reserved their money and written their row. Without it they cost nothing. */
#include "live/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/micro_usd.h"
#include "cluster/cluster.h"

static int64_t order_deadline(const char *kind, int64_t now_ms)
{
	int seconds = strcmp(kind, "image") == 0   ? LIMIT_LIVE_IMAGE_SECONDS
		      : strcmp(kind, "video") == 0 ? LIMIT_LIVE_VIDEO_SECONDS
						   : LIMIT_LIVE_GPU_SECONDS;

	return now_ms + seconds * 1000LL;
}

/* The high end of the estimate for each request that the script may pay for; what the client allows when there is no estimate. Not less than the
 * operator's floor, within what the client allows, and nothing only when the script says that it is free. */
static enum error_code order_price(const struct live_order *order, struct task_money *money, struct error *error)
{
	const struct script_call *call = order->call;
	const struct manifest *manifest = &call->provider->manifest;
	const struct config_live_provider *own = config_live_provider(order->view->config, manifest->id);
	int64_t floor = own != NULL ? own->min_reserve_micro_usd : 0;

	money->expected = call->estimate_micro_usd;
	money->reserved =
		call->estimate_high_micro_usd >= 0 ? call->estimate_high_micro_usd * manifest->paid_requests : order->max_cost;
	if (money->reserved < 0)
		return error_set(error, ERROR_INVALID, "max_cost_usd",
			"the price is not known: say max_cost_usd, the most that this job may cost");
	if (call->estimate_high_micro_usd >= 0 && call->estimate_free)
		return ERROR_NONE;
	if (money->reserved == 0)
		return error_set(error, ERROR_INVALID, "max_cost_usd",
			"the price comes to nothing, which is no price: give quantities that the vendor bills");
	if (call->estimate_high_micro_usd >= 0 && money->reserved < floor)
		money->reserved = floor;
	if (money->reserved < floor)
		return error_set(error, ERROR_INVALID, "max_cost_usd",
			"the price is not known, and the operator lets no such job reserve less than %.6f USD "
			"(live.providers.%s.min_reserve_usd)",
			micro_usd_dollars(floor), manifest->id);
	if (order->max_cost >= 0 && money->reserved > order->max_cost)
		return error_set(error, ERROR_INVALID, "max_cost_usd",
			"this job may cost %.6f USD, more than max_cost_usd allows", micro_usd_dollars(money->reserved));
	return ERROR_NONE;
}

static char *order_copy_request(const char *request)
{
	struct buffer copy;

	buffer_init(&copy, LIMIT_BODY_BYTES_MAX);
	buffer_text(&copy, request);
	return buffer_take(&copy);
}

/* What the client sent is as long as it likes: a copy of it may be refused. */
static enum error_code order_fill(struct live_job *job, const struct live_order *order, struct error *error)
{
	const struct script_call *call = order->call;
	struct buffer payload;

	buffer_init(&payload, LIMIT_SCRIPT_MEMORY_BYTES);
	json_write_abbreviated(&payload, call->payload.data, call->payload.length, LIMIT_STORED_TEXT_BYTES);
	job->payload = buffer_take(&payload);
	job->live.request = order_copy_request(order->request);
	if (job->payload == NULL || job->live.request == NULL)
		return error_memory(error);
	observed_name_job(job, call->estimates.data);
	job_set_text(&job->live.caller, order->caller);
	job_set_text(&job->live.trace, order->trace);
	job_set_text(&job->live.expected, order->expected);
	job->live.owner = cluster_host(job->owner->cluster);
	job->created_ms = clock_unix_ms();
	job->live.deadline_ms = order_deadline(job->kind, job->created_ms);
	job->live.paid_most = call->provider->manifest.paid_requests;
	return ERROR_NONE;
}

static struct budget_limit order_limit(const struct budget *budget)
{
	return (struct budget_limit){
		.limited = true, .per_day = budget->per_day_micro_usd, .per_month = budget->per_month_micro_usd
	};
}

/* What the configuration lets each account that the order counts in spend; of a provider that is not named there nothing. */
static void order_limits(const struct live_order *order, struct budget_limits *limits)
{
	static const struct budget nothing;
	const struct config *config = order->view->config;
	const struct config_live_provider *own = config_live_provider(config, order->call->provider->manifest.id);
	const struct config_api_key *key;

	*limits = (struct budget_limits){ 0 };
	limits->of[BUDGET_HOST] = order_limit(&config->live.budget);
	limits->of[BUDGET_PROVIDER] = order_limit(own != NULL ? &own->budget : &nothing);
	limits->of[BUDGET_MCP] = order_limit(&config->mcp.budget);
	for (size_t i = 0; order->caller != NULL && i < config->server.api_key_count; i++) {
		key = &config->server.api_keys[i];
		if (key->has_budget && strcmp(key->name, order->caller) == 0)
			limits->of[BUDGET_KEY] = order_limit(&key->budget);
	}
}

static enum error_code order_prepare(struct live_job *job, const struct live_order *order, struct error *error)
{
	enum error_code code = order_price(order, &job->money, error);

	job->money.day = budget_today();
	order_limits(order, &job->limits);
	return code == ERROR_NONE ? order_fill(job, order, error) : code;
}

/* ---- its row ---- */

/* The live half of the row that the store was given is the job's own. */
static struct live_job *order_of(const struct store_write *write)
{
	return (struct live_job *)(void *)((char *)(uintptr_t)write->task.live - offsetof(struct live_job, live));
}

/* The write is its caller's alone again. */
static void order_part(struct store_write *write)
{
	write->task.live = NULL;
	write->task.money = NULL;
	write->limits = NULL;
}

/* Engine thread. */
static void on_order_written(struct engine_note *note)
{
	struct live_job *job = job_of_note(note);

	job->provider_queue = provider_queue_of(job->owner, job->provider);
	job_add(job);
	schedule_job(job);
}

/* Store thread. */
static void order_written(struct store_write *write)
{
	struct live_job *job = order_of(write);

	write->done = job->ordered;
	if (write->outcome == STORE_WRITTEN) {
		order_part(write);
		job->note.run = on_order_written;
		if (engine_run(job->owner->engine, &job->note) != ERROR_NONE)
			job_free(job); /* the host is stopping: the registry has it for the next start */
	} else {
		live_drop(write);
	}
	write->done(write);
}

static enum error_code order_room(struct live *live, struct error *error)
{
	if (atomic_load_explicit(&live->jobs, memory_order_relaxed) < LIMIT_LIVE_JOBS)
		return ERROR_NONE;
	return error_set(error, ERROR_BUSY, NULL, "%d live jobs are open, the maximum", LIMIT_LIVE_JOBS);
}

enum error_code live_quote(struct live *live, const struct live_order *order, const struct budget_sheet *budgets,
	int64_t *reserved, struct error *error)
{
	struct task_money money = { .day = budget_sheet_day(budgets) };
	struct budget_limits limits;
	enum error_code code = order_price(order, &money, error);
	const struct budget_entry entry = { .provider = order->call->provider->manifest.id,
		.caller = order->caller,
		.day = money.day,
		.micro_usd = money.reserved };

	*reserved = code == ERROR_NONE ? money.reserved : -1;
	order_limits(order, &limits);
	if (code == ERROR_NONE)
		code = budget_sheet_allows(budgets, &entry, &limits, error);
	return code == ERROR_NONE ? order_room(live, error) : code;
}

enum error_code live_order(struct live *live, const struct live_order *order, struct store_write *write, struct error *error)
{
	const struct manifest *manifest = &order->call->provider->manifest;
	enum error_code code = order_room(live, error);
	struct live_job *job;

	if (code != ERROR_NONE)
		return code;
	job = job_new(live, &write->task.id, order->call->kind->name, manifest->id);
	job->money.door = write->ties.quote.tied ? DOOR_MCP : DOOR_API;
	code = order_prepare(job, order, error);
	if (code != ERROR_NONE) {
		job_free(job);
		return code;
	}
	job->ordered = write->done;
	write->done = order_written;
	write->durable = true;
	write->task.status = TASK_QUEUED;
	write->task.live = &job->live;
	write->task.money = &job->money;
	write->limits = &job->limits;
	return ERROR_NONE;
}

void live_drop(struct store_write *write)
{
	struct live_job *job;

	if (write->task.live == NULL)
		return;
	job = order_of(write);
	order_part(write);
	job_free(job);
}
