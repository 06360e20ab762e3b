/* wish.c - reads a request whole: its form, its switches, its model, its fields. See wish.h. */
#include "openai/wish.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/json_digest.h"
#include "base/limits.h"
#include "gate/mask.h"
#include "openai/fields_map.h"
#include "openai/problem.h"
#include "openai/wish_body.h"

#define LIVE_BASE "/live"
#define DRY_RUN_HEADER "X-Providerd-Dry-Run"
#define MAX_COST_HEADER "X-Providerd-Max-Cost-Usd"
#define ASKED_BYTES (1024 * 1024)

/* ---- live or dry ---- */

struct switches {
	bool live, dry, bad;
};

static void look_at_switch(struct switches *switches, const char *text)
{
	if (strcasecmp(text, "true") == 0)
		switches->dry = true;
	else if (strcasecmp(text, "false") == 0)
		switches->live = true;
	else
		switches->bad = true;
}

/* Each of them, should it be there twice. */
static void look_at_header(void *context, const char *name, const char *value)
{
	if (strcasecmp(name, DRY_RUN_HEADER) == 0)
		look_at_switch(context, value);
}

/* An SDK can be told to add it to every URL, where nobody would read it: who pays for what was meant as a dry run has not said so. */
static bool is_said_in_url(struct openai_fields *fields)
{
	static const char *const names[] = { "dry_run", "max_cost_usd" };
	char value[8];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!http_query(fields->request, names[i], value, sizeof value))
			continue;
		openai_refuse(fields->request, "invalid_value", names[i],
			"%s: is not read from the URL: say it in the body, or by a header (" DRY_RUN_HEADER ", " MAX_COST_HEADER
			").",
			names[i]);
		return true;
	}
	return false;
}

static bool read_switches(struct openai_fields *fields)
{
	struct switches switches = { .live = strncmp(fields->request->path, LIVE_BASE "/", sizeof LIVE_BASE) == 0 };
	const json_t *body = json_object_get(fields->given, "dry_run");
	bool dry = false;

	if (is_said_in_url(fields))
		return false;
	http_each_header(fields->request, look_at_header, &switches);
	if (switches.bad) {
		openai_refuse(fields->request, "invalid_value", DRY_RUN_HEADER, "%s: must be true or false.", DRY_RUN_HEADER);
		return false;
	}
	if (!fields_flag(fields, "dry_run", &dry))
		return false;
	switches.dry |= body != NULL && dry;
	switches.live |= body != NULL && !dry;
	fields->wish->says_dry = switches.dry;
	fields->wish->wants_live = switches.live && !switches.dry;
	return true;
}

/* A number of dollars above zero; 0: not said. False: it is none. */
static bool read_usd(const json_t *value, const char *text, double *usd)
{
	json_t *read = NULL;
	bool good;

	if (text == NULL)
		text = json_text_value(value);
	if (text != NULL) {
		read = json_read(text, strlen(text), NULL);
		value = read;
	}
	*usd = json_number_value(value);
	good = json_is_number(value) && isfinite(*usd) && *usd > 0;
	json_decref(read);
	return good;
}

/* The lowest of what was said. */
struct most {
	double usd;
	bool said, bad;
};

static void look_at_most(struct most *most, const json_t *value, const char *text)
{
	double usd;

	if (!read_usd(value, text, &usd))
		most->bad = true;
	else if (!most->said || usd < most->usd)
		most->usd = usd;
	most->said = true;
}

/* Each of them, should it be there twice. */
static void look_at_most_header(void *context, const char *name, const char *value)
{
	if (strcasecmp(name, MAX_COST_HEADER) == 0)
		look_at_most(context, NULL, value);
}

static bool refuse_most(const struct openai_fields *fields, const char *name)
{
	openai_refuse(fields->request, "invalid_value", name, "%s: must be a number of dollars above zero.", name);
	return false;
}

static bool put_max_cost(struct openai_fields *fields)
{
	const json_t *body = json_object_get(fields->given, "max_cost_usd");
	struct most most = { .said = false };

	if (body != NULL)
		look_at_most(&most, body, NULL);
	if (most.bad)
		return refuse_most(fields, "max_cost_usd");
	http_each_header(fields->request, look_at_most_header, &most);
	if (most.bad)
		return refuse_most(fields, MAX_COST_HEADER);
	if (most.said)
		json_object_set_new(fields->submit, "max_cost_usd", json_real(most.usd));
	return true;
}

static bool put_switches(struct openai_fields *fields)
{
	static const char *const hosts_own[] = { "callback_url", "callback_secret", "directory", "expect_upstream_sha256" };

	json_object_set_new(fields->submit, "dry_run", json_boolean(!fields->wish->wants_live));
	for (size_t i = 0; i < sizeof hosts_own / sizeof *hosts_own; i++)
		if (json_object_get(fields->given, hosts_own[i]) != NULL)
			json_object_set(fields->submit, hosts_own[i], json_object_get(fields->given, hosts_own[i]));
	return put_max_cost(fields);
}

/* An operator may have it that nobody takes a dry run for the real thing. */
static bool may_be_dry(const struct openai_fields *fields)
{
	if (fields->wish->wants_live || !fields->request->view->config->openai.dry_run_is_error)
		return true;
	openai_send_error(fields->request, &(struct openai_error){ .status = 403,
						   .code = "dry_run",
						   .param = "dry_run",
						   .message = "Dry runs are answered by an error here (openai.dry_run). Ask for "
							      "live: \"dry_run\": false in the body, the header " DRY_RUN_HEADER
							      ": false, or the base URL /live/v1." });
	return false;
}

/* ---- the model ---- */

static const char *kind_of(enum openai_call call)
{
	return call == OPENAI_VIDEOS_CREATE ? "video" : "image";
}

static void send_unknown_model(struct http_request *request, const char *name)
{
	char quoted[OPENAI_QUOTE_BYTES], message[OPENAI_QUOTE_BYTES + 256];

	snprintf(message, sizeof message,
		"The model '%s' does not exist here. GET /v1/models lists the models; an operator can give this name to one of "
		"them with "
		"openai.models in %s.",
		openai_quote(request, name, quoted), request->view->config->file);
	openai_send_error(request,
		&(struct openai_error){ .status = 404, .code = "model_not_found", .param = "model", .message = message });
}

static bool find_model(struct host *host, struct openai_fields *fields, struct openai_model *model)
{
	const char *name, *kind = kind_of(fields->wish->call);
	char quoted[OPENAI_QUOTE_BYTES];

	if (!fields_text(fields, "model", &name))
		return false;
	if (name == NULL || *name == '\0') {
		openai_refuse(fields->request, "missing_required_parameter", "model", "Missing required parameter: 'model'.");
		return false;
	}
	switch (openai_model_find(host, fields->request->view, kind, name, model)) {
	case OPENAI_MODEL_FOUND: break;
	case OPENAI_MODEL_UNKNOWN: send_unknown_model(fields->request, name); return false;
	case OPENAI_MODEL_OTHER_KIND:
		openai_refuse(fields->request, "invalid_value", "model", "model: '%s' makes %s: see %s.",
			openai_quote(fields->request, name, quoted), strcmp(kind, "image") == 0 ? "videos" : "images",
			strcmp(kind, "image") == 0 ? "/v1/videos" : "/v1/images/generations");
		return false;
	}
	snprintf(fields->wish->asked_model, sizeof fields->wish->asked_model, "%s", name);
	snprintf(fields->wish->provider, sizeof fields->wish->provider, "%s", model->provider->manifest.id);
	return true;
}

/* ---- all of it ---- */

/* What is equal in a request that is sent again, whatever its bytes. */
static bool take_fingerprint(const struct openai_fields *fields)
{
	const struct http_request *request = fields->request;
	const char *path = request->path;
	json_t *all = json_object();

	if (!crypto_load()) {
		json_decref(all);
		openai_send_error(fields->request, &(struct openai_error){ .status = 503,
							   .code = "overloaded",
							   .message = "libcrypto (libssl3) cannot be loaded: is it installed?" });
		return false;
	}
	if (strncmp(path, LIVE_BASE "/", sizeof LIVE_BASE) == 0)
		path += sizeof LIVE_BASE - 1;
	json_object_set_new(all, "key", request->api_key != NULL ? json_string(request->api_key->name) : json_null());
	json_object_set_new(all, "path", json_string(path));
	json_object_set(all, "fields", fields->given);
	json_object_set(all, "max_cost_usd", json_object_get(fields->submit, "max_cost_usd"));
	json_sha256(all, fields->wish->fingerprint);
	json_decref(all);
	return true;
}

static bool read_fields(struct host *host, struct openai_fields *fields)
{
	struct openai_model model;
	bool good;

	if (!read_switches(fields) || !may_be_dry(fields) || !find_model(host, fields, &model))
		return false;
	fields->model = &model;
	good = openai_fields_apply(fields) && put_switches(fields) && take_fingerprint(fields);
	openai_model_close(&model);
	return good;
}

bool openai_wish_read(struct host *host, struct http_request *request, enum openai_call call, struct openai_wish *wish)
{
	struct openai_fields fields = { .host = host, .request = request, .wish = wish };

	*wish = (struct openai_wish){ .call = call, .kind = kind_of(call), .n = 1, .prompt = "" };
	wish->fields = fields.given = openai_body_read(request, &fields.from_form);
	if (fields.given == NULL)
		return false;
	wish->warnings = json_array();
	if (read_fields(host, &fields))
		return true;
	openai_wish_close(wish);
	return false;
}

void openai_wish_close(struct openai_wish *wish)
{
	json_decref(wish->submit);
	json_decref(wish->warnings);
	json_decref(wish->fields);
	wish->submit = wish->warnings = wish->fields = NULL;
}

void openai_wish_path(const struct openai_wish *wish, char *path, size_t size)
{
	snprintf(path, size, "/api/providers/%s/%s/submit", wish->kind, wish->provider);
}

char *openai_wish_asked(const struct http_request *request, json_t *words)
{
	bool changed;
	json_t *masked = mask_json(request->view, words, &changed);
	struct buffer out;

	buffer_init(&out, ASKED_BYTES);
	if (masked != NULL)
		json_write(&out, masked);
	json_decref(masked);
	json_decref(words);
	return buffer_take(&out);
}

static bool lists_text(const json_t *list, const json_t *text)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_equal(item, text))
			return true;
	return false;
}

json_t *openai_wish_warnings(const struct openai_wish *wish, const json_t *more, const json_t *missing)
{
	json_t *warnings = wish->warnings != NULL ? json_copy(wish->warnings) : json_array(), *text;
	size_t i;

	json_array_foreach(more, i, text)
		if (!lists_text(missing, text) && !lists_text(warnings, text))
			json_array_append(warnings, text);
	return warnings;
}
