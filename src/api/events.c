/* events.c - pages of the log of events, and what can be followed of it. HTTP threads. */
#include "api/events.h"

#include "api/access.h"
#include "api/event_query.h"
#include "api/query.h"
#include "api/answer.h"
#include "base/json.h"
#include "base/limits.h"
#include "webhook_out/webhook_out.h"
#include "event/event_json.h"

#define RECENT_EVENTS 20

/* ---- history ---- */

struct page {
	struct buffer out;
	enum event_form form;
	int count;
	int64_t newest; /* in the log, when it was read */
};

static bool page_add_event(void *context, const struct event_row *row)
{
	struct page *page = context;

	if (page->count++ > 0)
		buffer_char(&page->out, ',');
	event_json_write(&page->out, row, page->form);
	return !page->out.failed;
}

/* Walks until the page is full or the log ends. False: a problem was sent. */
static bool fill_page(struct host *host, struct http_request *request, struct page *page, struct event_walk *walk)
{
	struct error error;
	int limit = walk->limit;

	if (task_store_events(host->store, walk, page_add_event, page, &error) != ERROR_NONE ||
		task_store_find_newest_event(host->store, &page->newest, &error) != ERROR_NONE) {
		answer_problem(request, 503, NULL, error.message);
		return false;
	}
	walk->ended = walk->ended || (page->count == limit && walk->after >= page->newest);
	return true;
}

void events_history(struct host *host, struct http_request *request)
{
	int64_t limit = LIMIT_PAGE_DEFAULT, after = 0;
	struct event_filter filter;
	struct event_walk walk;
	struct page page = { .count = 0 };

	if (!event_query_filter(host, request, &filter) || !event_query_form(request, &page.form) ||
		!query_number(request, "limit", 1, LIMIT_PAGE_MAX, &limit) ||
		!query_number(request, "after", 0, INT64_MAX, &after))
		return;
	walk = (struct event_walk){ .filter = &filter, .after = after, .limit = (int)limit };
	buffer_init(&page.out, LIMIT_REPLY_BYTES);
	buffer_text(&page.out, "{\"ok\":true,\"events\":[");
	if (fill_page(host, request, &page, &walk)) {
		buffer_text(&page.out, "],\"next\":");
		if (walk.ended)
			buffer_text(&page.out, "null");
		else
			buffer_format(&page.out, "\"%lld\"", (long long)walk.after);
		buffer_format(&page.out, ",\"newest\":\"%lld\"}", (long long)page.newest);
		answer_json(request, 200, NULL, &page.out);
	}
	buffer_free(&page.out);
}

/* ---- hooks ---- */

static const struct {
	const char *verb;
	const char *text;
} job_verbs[] = {
	{ "submit", "a job was registered: a dry run, which is done with it, or a live job, which is queued" },
	{ "sent", "the vendor has taken the job" },
	{ "progress", "the vendor tells of another status or progress" },
	{ "done", "the job has ended well" },
	{ "error", "the job has failed" },
	{ "canceled", "the job was canceled" },
	{ "unknown", "the outcome is not known: the vendor may have done the work, and may ask for money" },
	{ "settled", "what the job has cost is known, or decided" },
	{ "artifact", "results of the job were stored by the host" },
};

static const struct {
	const char *type;
	const char *text;
} host_types[] = {
	{ "host.script.loaded", "a provider script was loaded, or loaded anew" },
	{ "host.script.rejected", "a provider script does not load; the last good one goes on serving" },
	{ "host.script.removed", "a provider script is gone" },
	{ "host.config.reloaded", "the configuration was read anew; feature flags that changed are named" },
	{ "host.config.rejected", "the configuration does not hold; the last good one is kept" },
	{ "host.secrets.reloaded", "the secrets file was read anew" },
	{ "host.secrets.rejected", "the secrets file does not hold; the last good one is kept" },
	{ "host.live.stopped", "an operator has stopped all live jobs that are not sent yet" },
	{ "host.live.started", "they go on" },
	{ WEBHOOK_TEST_TYPE, "a client tests webhooks" },
	{ "host.registry.failover",
		"the registry is on another server, which may lack what was committed last; numbers go on far beyond" },
	{ "host.registry.restored", "the registry is an older copy of what it was; its open jobs count as unknown" },
	{ "host.approval.requested", "an agent wants to pay for something that a person must approve first" },
	{ "host.approval.given", "it may be paid" },
	{ "host.approval.refused", "it may not" },
	{ "host.budget.refused", "a live job was refused, for it would go over a budget" },
	{ "host.directory.changed",
		"a vendor's models are not what they were: one is new, gone, or has other inputs, another price or status" },
	{ "host.budget.exceeded", "a live job cost more than was reserved for it" },
	{ "host.live.late",
		"a host that had stood still tells that a vendor took a job which has ended without that being known" },
};

static void add_type(struct buffer *out, const char *member, const char *type, const char *text)
{
	if (out->data[out->length - 1] == '}')
		buffer_char(out, ',');
	buffer_format(out, "{\"%s\":\"%s\",\"description\":", member, type);
	json_write_text(out, text);
	buffer_char(out, '}');
}

static void write_types(struct buffer *out, const char *list, const char *member)
{
	char type[EVENT_TYPE_BYTES];

	buffer_format(out, "\"%s\":[", list);
	for (size_t kind = 0; kind < KIND_COUNT && !out->failed; kind++) {
		for (size_t i = 0; i < sizeof job_verbs / sizeof *job_verbs && !out->failed; i++) {
			task_event_type(type, kind_list[kind].name, job_verbs[i].verb);
			add_type(out, member, type, job_verbs[i].text);
		}
	}
	for (size_t i = 0; i < sizeof host_types / sizeof *host_types && !out->failed; i++)
		add_type(out, member, host_types[i].type, host_types[i].text);
	buffer_text(out, "],");
}

static void write_field_list(struct buffer *out)
{
	static const char *const fields[][2] = {
		{ "specversion", "1.0: these are CloudEvents" },
		{ "id", "the event's number as text: it only grows, and Last-Event-ID, since and after go by it" },
		{ "source", EVENT_SOURCE },
		{ "type", "public.<kind>.<verb> of a job, host.* of the host itself" },
		{ "subject", "the job's id; absent in events of the host" },
		{ "time", "when it was written, with what it tells, RFC 3339" },
		{ "datacontenttype", "application/json" },
		{ "data", "the job as /api/jobs/status shows it, as it stood then" },
	};

	buffer_text(out, "\"fields\":{");
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		buffer_format(out, "%s\"%s\":", i > 0 ? "," : "", fields[i][0]);
		json_write_text(out, fields[i][1]);
	}
	buffer_text(out, "},");
}

/* False: a problem was sent. */
static bool add_webhooks(struct host *host, struct http_request *request, struct page *page)
{
	struct error error;

	if (webhooks_out_write(host->webhooks_out, &page->out, &error) == ERROR_NONE)
		return true;
	answer_problem(request, 503, NULL, error.message);
	return false;
}

void events_webhooks(struct host *host, struct http_request *request)
{
	int64_t newest = task_store_newest_event(host->store);
	struct event_filter filter = { .type_count = 0 };
	struct event_walk walk = {
		.filter = &filter, .after = newest > RECENT_EVENTS ? newest - RECENT_EVENTS : 0, .limit = RECENT_EVENTS
	};
	struct page page = { .count = 0 };
	bool whole = true;

	event_query_own(request, &filter);
	buffer_init(&page.out, LIMIT_REPLY_BYTES);
	buffer_text(&page.out, "{\"ok\":true,");
	write_types(&page.out, "types", "type");
	write_types(&page.out, "hooks", "name"); /* as modders' tools read them */
	write_field_list(&page.out);
	buffer_text(&page.out, "\"stream\":\"/api/modder/hooks/stream\",\"webhooks\":");
	if (access_has(request, ROLE_OPERATE) && access_owner(request) == NULL)
		whole = add_webhooks(host, request, &page);
	else
		buffer_text(&page.out, "[]"); /* they are the operator's */
	buffer_text(&page.out, ",\"history\":[");
	if (whole && fill_page(host, request, &page, &walk)) {
		buffer_text(&page.out, "]}");
		answer_json(request, 200, NULL, &page.out);
	}
	buffer_free(&page.out);
}
