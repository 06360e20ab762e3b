/* money.c - what a job costs in the end. Pure functions.
 *
 * The vendor's own figure counts where it reports one, else what the script computed from prices frozen at submit, else the estimate of that
 * time, else all that was reserved: unknown is not zero. What the vendor does not bill costs nothing. */
#include "live/internal.h"

#include <string.h>

#include "base/json.h"
#include "base/micro_usd.h"

struct cost money_cost(const json_t *result)
{
	const json_t *cost = json_object_get(result, "cost");
	const json_t *usd = json_object_get(cost, "usd");
	const char *source = json_text(cost, "source");
	struct cost known = { .micro_usd = -1 };

	if (!json_is_number(usd) || json_is_true(json_object_get(cost, "maximum")) ||
		!micro_usd_from(json_number_value(usd), MICRO_USD_MOST, &known.micro_usd))
		return known;
	known.source = source != NULL && strcmp(source, "vendor") == 0	   ? "vendor"
		       : source != NULL && strcmp(source, "operator") == 0 ? "operator"
									   : "computed";
	return known;
}

static void money_spend(struct live_job *job, int64_t micro_usd, const char *basis)
{
	job->money.spent = micro_usd;
	job->money.basis = basis;
}

void money_settle(struct live_job *job, enum task_status status, const struct cost *cost, const json_t *error)
{
	bool unbilled = status != TASK_DONE && json_is_false(json_object_get(error, "billed"));

	if (unbilled && cost->micro_usd <= 0)
		money_spend(job, 0, "not_billed");
	else if (cost->micro_usd >= 0)
		money_spend(job, cost->micro_usd, cost->source);
	else if (job->money.expected >= 0) /* of one request */
		money_spend(job, job->money.expected * (job->live.paid > 1 ? job->live.paid : 1), "estimate");
	else
		money_spend(job, job->money.reserved, "reserved");
}
