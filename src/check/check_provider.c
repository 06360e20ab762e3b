/* check_provider.c - asks for everything a provider answers, and compares it with what the spec promises. The command's only
 * thread.
 *
 * Takes the host as it is: flags and credentials may be in any state, they only have to fit each other. Every submit says that it
 * is a dry run, so no run of this costs anything. */
#include "check/check_provider.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"

#define PATH_BYTES 512

struct probe {
	struct check_run *run;
	const struct check_kind *kind;
	const json_t *entry; /* of the catalog */
	const char *id;
	struct findings *findings; /* of the check that runs */
	bool health_known;
	bool allowed; /* execution_allowed of health */
	char job_id[ID_TEXT_BYTES];
};

/* ---- what every answer has ---- */

static const struct field_rule envelope_rules[] = {
	{ "ok", FIELD_BOOL },
	{ "execution_allowed", FIELD_BOOL },
	{ "dry_run", FIELD_TRUE },
	{ "feature.feature", FIELD_TEXT },
	{ "feature.enabled", FIELD_BOOL },
	{ "credentials.present", FIELD_BOOL },
	{ "pricing_url", FIELD_HTTPS },
	{ "docs_url", FIELD_HTTPS },
	{ "last_checked", FIELD_DATE },
	{ "capabilities", FIELD_FILLED },
	{ "warnings", FIELD_TEXTS },
};

static void check_envelope(struct probe *probe, const json_t *answer)
{
	struct findings *findings = probe->findings;
	bool allowed = check_is_true(answer, "execution_allowed");

	CHECK_FIELDS(answer, envelope_rules, findings);
	check_field_is(answer, "provider", probe->id, findings);
	check_field_is(answer, "kind", probe->kind->name, findings);
	if (check_is_true(answer, "ok") != allowed)
		findings_problem(findings, "ok and execution_allowed differ");
	if (allowed != (check_is_true(answer, "feature.enabled") && check_is_true(answer, "credentials.present")))
		findings_problem(findings, "execution_allowed is %s although feature.enabled is %s and credentials.present is %s",
			allowed ? "true" : "false", check_is_true(answer, "feature.enabled") ? "true" : "false",
			check_is_true(answer, "credentials.present") ? "true" : "false");
	if (probe->health_known && allowed != probe->allowed)
		findings_problem(findings, "execution_allowed is not as in health");
}

/* ---- asking ---- */

/* What an answer with an unexpected status says about itself. */
static void note_wrong_status(const struct client_answer *answer, int expected, struct findings *findings)
{
	static const char *const places[] = { "detail", "reason", "title" };
	const json_t *first = json_array_get(check_value(answer->json, "errors"), 0);
	const char *says = "";

	for (size_t i = 0; *says == '\0' && i < sizeof places / sizeof *places; i++)
		says = check_text(answer->json, places[i]);
	findings_problem(findings, "status %d instead of %d%s%s", answer->status, expected, *says != '\0' ? ": " : "", says);
	if (first != NULL)
		findings_problem(findings, "%s: %s", check_text(first, "path"), check_text(first, "message"));
	if (answer->status == 401)
		findings_problem(findings, "the host wants an API key: give it with --key");
}

json_t *check_request(
	struct check_run *run, int status, const char *method, const char *path, json_t *body, struct findings *findings)
{
	struct client_answer answer;
	struct error error = { 0 };
	json_t *object = NULL;

	if (client_send(run->client, method, path, body, &answer, &error) != ERROR_NONE)
		findings_problem(findings, "no answer: %s", error.message);
	else if (answer.status != status)
		note_wrong_status(&answer, status, findings);
	else if (!json_is_object(answer.json))
		findings_problem(findings, "the answer is not a JSON object");
	else
		object = json_incref(answer.json);
	client_answer_free(&answer);
	json_decref(body);
	return object;
}

__attribute__((format(printf, 3, 4))) static json_t *get_probe(struct probe *probe, int status, const char *format, ...)
{
	char path[PATH_BYTES];
	va_list values;

	va_start(values, format);
	vsnprintf(path, sizeof path, format, values);
	va_end(values);
	return check_request(probe->run, status, "GET", path, NULL, probe->findings);
}

static json_t *post_probe(struct probe *probe, const char *verb, json_t *body)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/%s/%s", probe->kind->prefix, probe->id, verb);
	return check_request(probe->run, 200, "POST", path, body, probe->findings);
}

/* ---- catalog entry and health ---- */

static const struct field_rule id_rules[] = {
	{ "id", FIELD_ID },
};

static const struct field_rule entry_rules[] = {
	{ "name", FIELD_TEXT },
	{ "aliases", FIELD_TEXTS },
	{ "env_keys", FIELD_TEXTS },
	{ "pricing.as_of", FIELD_DATE },
	{ "pricing.source", FIELD_TEXT },
	{ "script.file", FIELD_TEXT },
	{ "script.generation", FIELD_WHOLE },
	{ "script.loaded_at", FIELD_DATE },
	{ "script.error", FIELD_NULL },
};

static void check_entry(struct probe *probe)
{
	check_envelope(probe, probe->entry);
	CHECK_FIELDS(probe->entry, entry_rules, probe->findings);
	findings_detail(probe->findings, "%s, pricing as of %.10s", check_text(probe->entry, "script.file"),
		check_text(probe->entry, "pricing.as_of"));
}

static void check_health(struct probe *probe)
{
	json_t *answer = post_probe(probe, "health", json_object());

	if (answer == NULL)
		return;
	check_envelope(probe, answer);
	probe->health_known = true;
	probe->allowed = check_is_true(answer, "execution_allowed");
	probe->run->live_possible |= probe->allowed;
	findings_detail(probe->findings, "%s is %s, credentials %s, %s", check_text(answer, "feature.feature"),
		check_is_true(answer, "feature.enabled") ? "on" : "off",
		check_is_true(answer, "credentials.present") ? "present" : "absent", check_text(answer, "pricing_url"));
	json_decref(answer);
}

/* ---- submit, and what the registry knows of it ---- */

static const struct field_rule submit_rules[] = {
	{ "job_id", FIELD_UUID },
	{ "estimates", FIELD_OBJECT },
	{ "estimates.estimated_cost_usd", FIELD_AMOUNT },
	{ "upstream", FIELD_OPTION },
};

static const struct field_rule upstream_rules[] = {
	{ "upstream.method", FIELD_TEXT },
	{ "upstream.url", FIELD_TEXT },
	{ "upstream.headers", FIELD_OBJECT },
};

static const struct field_rule task_rules[] = {
	{ "dry_run", FIELD_TRUE },
	{ "created_at", FIELD_DATE },
};

static void check_mock_id(struct probe *probe, const json_t *answer, const char *path)
{
	char id[PATH_BYTES];

	snprintf(id, sizeof id, "mock-%s-1", probe->id);
	check_field_is(answer, path, id, probe->findings);
}

static void report_submit(struct probe *probe, const json_t *answer)
{
	const json_t *cost = check_value(answer, "estimates.estimated_cost_usd");

	findings_detail(probe->findings, "job %s", check_text(answer, "job_id"));
	if (json_is_number(cost))
		findings_detail(probe->findings, "about $%.4g", json_number_value(cost));
	if (json_is_object(check_value(answer, "upstream")))
		findings_detail(probe->findings, "upstream %s %s", check_text(answer, "upstream.method"),
			check_text(answer, "upstream.url"));
	else
		findings_detail(probe->findings, "upstream null: the vendor needs more than this request has");
}

/* Checks the answer of a submit or generate. `job_id` becomes the id of its task, "" if it has none. */
static void check_submitted(struct probe *probe, json_t *answer, char job_id[ID_TEXT_BYTES])
{
	struct id id;

	job_id[0] = '\0';
	if (answer == NULL)
		return;
	check_envelope(probe, answer);
	CHECK_FIELDS(answer, submit_rules, probe->findings);
	if (json_is_object(check_value(answer, "upstream")))
		CHECK_FIELDS(answer, upstream_rules, probe->findings);
	check_mock_id(probe, answer, "id");
	if (id_parse(check_text(answer, "job_id"), &id))
		id_format(&id, job_id);
	report_submit(probe, answer);
}

/* The row of a task, wherever it is shown. */
static void check_row(struct probe *probe, const json_t *row, const char *job_id)
{
	char kind[32];

	snprintf(kind, sizeof kind, "public.%s.submit", probe->kind->name);
	check_field_is(row, "job_id", job_id, probe->findings);
	check_field_is(row, "kind", kind, probe->findings);
	check_field_is(row, "provider", probe->id, probe->findings);
	check_field_is(row, "status", "done", probe->findings);
	CHECK_FIELDS(row, task_rules, probe->findings);
}

static void check_registered(struct probe *probe, const char *job_id)
{
	json_t *row = get_probe(probe, 200, "/api/jobs/status/%s", job_id);

	if (row == NULL)
		return;
	check_row(probe, row, job_id);
	findings_detail(probe->findings, "%s, %s", check_text(row, "kind"), check_text(row, "status"));
	json_decref(row);
}

static void check_submit(struct probe *probe)
{
	json_t *answer = post_probe(probe, "submit", json_loads(probe->kind->request, 0, NULL));

	check_submitted(probe, answer, probe->job_id);
	json_decref(answer);
	traffic_look(&probe->run->traffic);
}

static void check_generate(struct probe *probe)
{
	json_t *body = json_loads(probe->kind->request, 0, NULL), *answer;
	char job_id[ID_TEXT_BYTES];

	json_object_set_new(body, "provider", json_string(probe->id));
	answer = check_request(probe->run, 200, "POST", probe->kind->generate, body, probe->findings);
	check_submitted(probe, answer, job_id);
	json_decref(answer);
	if (job_id[0] != '\0')
		check_registered(probe, job_id);
	traffic_look(&probe->run->traffic);
}

/* The checks of a job that was not submitted say so, instead of nothing. */
static bool has_job(struct probe *probe)
{
	if (probe->job_id[0] == '\0')
		findings_problem(probe->findings, "not tried: submit gave no job_id");
	return probe->job_id[0] != '\0';
}

static void check_task(struct probe *probe)
{
	if (has_job(probe))
		check_registered(probe, probe->job_id);
}

/* ---- the list: newest first, so the job is on its first page unless others are busy ---- */

static const json_t *find_listed(const json_t *page, const char *job_id)
{
	const json_t *row;
	size_t i;

	json_array_foreach(check_value(page, "tasks"), i, row)
		if (strcmp(check_text(row, "job_id"), job_id) == 0)
			return row;
	return NULL;
}

static bool is_cursor(const char *text)
{
	return *text != '\0' && strlen(text) < 64 &&
	       strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == strlen(text);
}

static void check_list(struct probe *probe)
{
	char cursor[80] = "";
	const json_t *row = NULL;
	json_t *page = NULL;
	int pages = 0;

	if (!has_job(probe))
		return;
	do {
		page = get_probe(probe, 200, "/api/jobs/list?provider=%s&limit=50%s", probe->id, cursor);
		pages++;
		row = find_listed(page, probe->job_id);
		if (row != NULL)
			check_row(probe, row, probe->job_id);
		if (page == NULL || row != NULL || !is_cursor(check_text(page, "next")))
			break;
		snprintf(cursor, sizeof cursor, "&cursor=%s", check_text(page, "next"));
		json_decref(page);
		page = NULL;
	} while (pages < LIMIT_CHECK_LIST_PAGES);
	if (row != NULL)
		findings_detail(probe->findings, "on page %d of /api/jobs/list?provider=%s", pages, probe->id);
	else if (!probe->findings->failed)
		findings_problem(probe->findings, "the job is not among the newest of /api/jobs/list?provider=%s", probe->id);
	json_decref(page);
}

/* ---- poll ---- */

/* `job_id` NULL: without one. */
static void poll_as(struct probe *probe, const char *job_id)
{
	json_t *answer = post_probe(probe, "poll", job_id != NULL ? json_pack("{s:s}", "job_id", job_id) : json_object());

	if (answer == NULL)
		return;
	check_envelope(probe, answer);
	check_field_is(answer, "status", "done", probe->findings);
	if (job_id != NULL)
		check_field_is(answer, "job_id", job_id, probe->findings);
	else
		check_mock_id(probe, answer, "job_id");
	findings_detail(probe->findings, "%s is %s", check_text(answer, "job_id"), check_text(answer, "status"));
	json_decref(answer);
}

static void check_poll(struct probe *probe)
{
	poll_as(probe, NULL);
}

static void check_poll_job(struct probe *probe)
{
	if (has_job(probe))
		poll_as(probe, probe->job_id);
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	void (*check)(struct probe *probe);
} steps[] = {
	{ "entry", check_entry },
	{ "health", check_health },
	{ "submit", check_submit },
	{ "task", check_task },
	{ "list", check_list },
	{ "poll", check_poll },
	{ "poll_job", check_poll_job },
	{ "generate", check_generate },
};

void check_provider(struct check_run *run, const struct check_kind *kind, const json_t *entry)
{
	struct probe probe = { .run = run, .kind = kind, .entry = entry, .id = check_text(entry, "id") };
	struct findings findings = { 0 };

	CHECK_FIELDS(entry, id_rules, &findings);
	if (findings.failed) { /* nothing can be asked of it */
		check_report_add(&run->report, kind->name, NULL, "entry", &findings);
		return;
	}
	for (size_t i = 0; i < sizeof steps / sizeof *steps && !client_gave_up(run->client); i++) {
		if (steps[i].check == check_generate && kind->generate == NULL)
			continue;
		findings = (struct findings){ 0 };
		probe.findings = &findings;
		steps[i].check(&probe);
		check_report_add(&run->report, kind->name, probe.id, steps[i].name, &findings);
	}
}
