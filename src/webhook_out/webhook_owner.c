/* webhook_owner.c - which webhooks this host delivers, where several share the registry. The webhooks' thread; blocks on the registry.
 *
 * A webhook's row names its owner: the host that alone delivers it and writes where that has come to, each time on the condition that it is the owner
 * still. So there is one at a time, and who takes it over goes on from the row. A host takes what nobody living has, up to its share of them; one that has
 * fewer than another asks for one of those, and the other finishes what is under way and gives it away. Who takes nothing (hooks.enabled is off
 * there) is not waited for. */
#include "webhook_out/internal.h"

#include "base/clock.h"
#include "base/log.h"

#define LOOK_NS INT64_C(1000000000)
#define TRUST_MS 200		       /* between two looks at whether what is under way may go on */
#define SETTLE_MS 20		       /* until what is being written is */
#define NOBODYS_NS INT64_C(5000000000) /* after which anybody takes what nobody has, whatever its share */
#define MOST_ROWS (2 * LIMIT_WEBHOOKS_OUT + 1)

struct survey {
	struct webhook_owner rows[MOST_ROWS];
	int count, hosts;
	int64_t host; /* ours */
};

bool webhook_owner_may_send(const struct webhooks_out *webhooks)
{
	const struct webhooks_out_host *among = &webhooks->among;

	return !webhooks->shared || (among->number(among->context) == webhooks->host && among->may_send(among->context));
}

static void note_owner(void *context, const struct webhook_owner *owner)
{
	struct survey *survey = context;

	if (survey->count < MOST_ROWS)
		survey->rows[survey->count++] = *owner;
}

/* Has the row a living owner? */
static bool is_owned(const struct webhook_owner *row)
{
	return row->owner != 0 && row->living;
}

static int count_of(const struct survey *survey, int64_t host)
{
	int count = 0;

	for (int i = 0; i < survey->count; i++)
		count += survey->rows[i].owner == host;
	return count;
}

static int share_of_hosts(const struct survey *survey)
{
	int hosts = survey->hosts > 0 ? survey->hosts : 1;

	return (survey->count + hosts - 1) / hosts;
}

/* ---- losing ---- */

/* Nothing of it is written any more: what is in the registry is its next owner's. Its attempts end by themselves, or are ended. */
static void forget_all(struct webhooks_out *webhooks)
{
	pthread_mutex_lock(&webhooks->lock);
	for (struct webhook *webhook = webhooks->list; webhook != NULL; webhook = webhook->next)
		webhook->removed = true;
	save_forget(webhooks->save);
	pthread_mutex_unlock(&webhooks->lock);
}

static const struct webhook_owner *row_of(const struct survey *survey, int64_t number)
{
	for (int i = 0; i < survey->count; i++)
		if (survey->rows[i].number == number)
			return &survey->rows[i];
	return NULL;
}

/* What was removed or taken elsewhere is forgotten, what is asked for is given away, as is all when this host would not deliver it. */
static void lose(struct webhooks_out *webhooks, const struct survey *survey, bool enabled)
{
	const struct webhook_owner *row;

	pthread_mutex_lock(&webhooks->lock);
	for (struct webhook *webhook = webhooks->list; webhook != NULL; webhook = webhook->next) {
		row = row_of(survey, webhook->number);
		if (row == NULL || row->owner != survey->host)
			webhook->removed = true;
		else if (!enabled || row->heir != 0)
			webhook->leaving = true;
	}
	pthread_mutex_unlock(&webhooks->lock);
}

/* ---- taking ---- */

static void change_owner(
	struct webhooks_out *webhooks, const struct survey *survey, enum webhook_op op, const struct webhook_owner *row)
{
	struct webhook_change change = {
		.op = op, .host = survey->host, .webhook = { .number = row->number, .owner = row->owner }
	};
	struct error error;

	if (webhook_change_store(webhooks->store, &change, &error) != ERROR_NONE)
		log_message(LOG_WARN, "hook.owner", "cannot take a webhook over: %s", error.message);
}

/* Those that nobody living has. Returns how many were asked of the registry; whether it was in time shows when it is read. */
static int adopt(struct webhooks_out *webhooks, const struct survey *survey, int room)
{
	int64_t now_ns = clock_monotonic_ns();
	int nobodys = 0, adopted = 0;
	bool waited = webhooks->nobodys_ns != 0 && now_ns - webhooks->nobodys_ns > NOBODYS_NS;

	for (int i = 0; i < survey->count; i++) {
		if (is_owned(&survey->rows[i]))
			continue;
		nobodys++;
		if (adopted >= room && !waited)
			continue;
		change_owner(webhooks, survey, WEBHOOK_ADOPT, &survey->rows[i]);
		adopted++;
	}
	if (nobodys == adopted)
		webhooks->nobodys_ns = 0;
	else if (webhooks->nobodys_ns == 0)
		webhooks->nobodys_ns = now_ns;
	return adopted;
}

/* How many webhooks a host will have, when those that are asked for have been given away. */
static int count_to_be(const struct survey *survey, int64_t host)
{
	int count = 0;

	for (int i = 0; i < survey->count; i++)
		count += (survey->rows[i].heir != 0 ? survey->rows[i].heir : survey->rows[i].owner) == host;
	return count;
}

/* One that a host has which would have more than this one still, if it gave one away. NULL: it is even. */
static struct webhook_owner *find_surplus(struct survey *survey)
{
	int own = count_to_be(survey, survey->host);

	for (int i = 0; i < survey->count; i++) {
		struct webhook_owner *row = &survey->rows[i];

		if (is_owned(row) && row->heir == 0 && row->owner != survey->host && count_to_be(survey, row->owner) > own + 1)
			return row;
	}
	return NULL;
}

static void ask_for_some(struct webhooks_out *webhooks, struct survey *survey)
{
	struct webhook_owner *row;

	while ((row = find_surplus(survey)) != NULL) {
		change_owner(webhooks, survey, WEBHOOK_ASK, row);
		row->heir = survey->host;
	}
}

/* True: there may be one of ours that is not in the list. */
static bool take(struct webhooks_out *webhooks, struct survey *survey)
{
	bool some = adopt(webhooks, survey, share_of_hosts(survey) - count_of(survey, survey->host)) > 0;

	if (!some)
		ask_for_some(webhooks, survey);
	pthread_mutex_lock(&webhooks->lock);
	for (int i = 0; i < survey->count; i++) {
		const struct webhook_owner *row = &survey->rows[i];

		if (row->number == WEBHOOK_CALLBACKS) {
			atomic_store(&webhooks->callbacks, true);
			atomic_store(&webhooks->expects, false);
		}
		some = some || (row->owner == survey->host && webhook_of_number(webhooks, row->number) == NULL);
	}
	pthread_mutex_unlock(&webhooks->lock);
	return some;
}

/* ---- the look ---- */

static void survey_owners(struct webhooks_out *webhooks, bool changed, bool enabled)
{
	struct survey survey = { .host = webhooks->host };
	struct error error;
	enum error_code code = task_store_webhook_owners(webhooks->store, note_owner, &survey, &survey.hosts, &error);

	if (code == ERROR_NONE) {
		lose(webhooks, &survey, enabled);
		if (enabled && take(webhooks, &survey))
			changed = true;
		if (changed)
			code = webhooks_load(webhooks, &error);
	}
	if (code != ERROR_NONE) {
		log_message(LOG_WARN, "hook.owner", "cannot read whose the webhooks are: %s", error.message);
		atomic_store(&webhooks->look, webhooks->look || changed);
	}
}

/* False: this host is not the owner of anything now, or may not say so. */
static bool is_itself(struct webhooks_out *webhooks)
{
	int64_t host = webhooks->among.number(webhooks->among.context);

	if (host != webhooks->host) {
		forget_all(webhooks);
		webhooks->host = host;
		atomic_store(&webhooks->look, true);
	}
	if (webhook_owner_may_send(webhooks) && host != 0)
		return true;
	transfers_abort(webhooks->loop);
	return false;
}

int64_t webhook_owner_run(struct webhooks_out *webhooks, int64_t now_ms, bool enabled)
{
	int64_t now_ns = clock_monotonic_ns();
	bool changed;

	if (!webhooks->shared)
		return INT64_MAX;
	if (!is_itself(webhooks))
		return now_ms + TRUST_MS;
	if (now_ns >= webhooks->look_ns || atomic_load(&webhooks->look)) {
		if (!save_is_settled(webhooks->save))
			return now_ms + SETTLE_MS;
		changed = atomic_exchange(&webhooks->look, false);
		survey_owners(webhooks, changed, enabled);
		webhooks->look_ns = clock_monotonic_ns() + LOOK_NS;
	}
	return webhooks->under_way > 0 ? now_ms + TRUST_MS : now_ms + LOOK_NS / 1000000;
}
