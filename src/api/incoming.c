/* incoming.c - parses bodies and finds providers. HTTP threads; everything here ends before the engine is asked. */
#include "api/incoming.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/access.h"
#include "api/artifact_input.h"
#include "api/envelope.h"
#include "api/callback.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/micro_usd.h"
#include "base/text.h"
#include "gate/mask.h"
#include "gate/mask_known.h"

#define MEMBERS_BYTES (1024 * 1024)
#define EXPECT "expect_upstream_sha256"

static void send_problem(struct incoming *incoming, struct http_problem *problem, const char *more)
{
	struct buffer members;

	buffer_init(&members, MEMBERS_BYTES);
	if (more != NULL)
		buffer_text(&members, more);
	if (incoming->provider != NULL && incoming->verdict_json != NULL) {
		envelope_write_refusal(&members, incoming->as, incoming->verdict_json, incoming->liveness);
		if (!members.failed)
			problem->members = members.data;
	}
	http_send_problem(incoming->http, problem);
	buffer_free(&members);
}

void incoming_problem(struct incoming *incoming, int status, const char *path, const char *detail)
{
	send_problem(incoming, &(struct http_problem){ .status = status, .detail = detail, .path = path }, NULL);
}

void incoming_retry(struct incoming *incoming, int64_t seconds, const char *detail)
{
	char headers[48];

	snprintf(headers, sizeof headers, "Retry-After: %lld\r\n", (long long)seconds);
	send_problem(incoming, &(struct http_problem){ .status = 503, .detail = detail, .headers = headers }, NULL);
}

void incoming_problem_with(struct incoming *incoming, int status, const char *detail, const char *headers, const char *members)
{
	send_problem(incoming, &(struct http_problem){ .status = status, .detail = detail, .headers = headers }, members);
}

void incoming_no_memory(struct incoming *incoming)
{
	incoming_retry(incoming, 1, "out of memory");
}

/* An absent body and null mean {}. */
static bool parse_body(struct incoming *incoming)
{
	struct error error;

	if (http_has_body(incoming->http)) {
		incoming->body = http_read_json(incoming->http, &error);
		if (incoming->body == NULL) {
			if (error.code == ERROR_MEMORY)
				incoming_retry(incoming, 1, error.message);
			else
				incoming_problem(incoming, 400, error.path, error.message);
			return false;
		}
	}
	if (incoming->body == NULL || json_is_null(incoming->body))
		incoming->body = json_object();
	if (!json_is_object(incoming->body)) {
		incoming_problem(incoming, 400, "", "the body must be a JSON object");
		return false;
	}
	return true;
}

static bool is_given(const json_t *value)
{
	return value != NULL && !json_is_null(value);
}

/* generate names its provider in the body; the earlier tools also wrote provider_id or id. */
static const char *named_provider(struct incoming *incoming)
{
	static const char *const keys[] = { "provider", "provider_id", "id" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const json_t *value = json_object_get(incoming->body, keys[i]);

		if (!is_given(value))
			continue;
		if (json_text_value(value) != NULL)
			return json_text_value(value);
		incoming_problem(incoming, 400, keys[i], "must be text: a provider's id or alias");
		return NULL;
	}
	incoming_problem(incoming, 400, "provider", "is required: a provider's id or alias, see the catalog");
	return NULL;
}

static bool choose_provider(struct incoming *incoming, const char *name)
{
	char detail[256];

	incoming->set = provider_loader_acquire(incoming->host->loader);
	incoming->provider = provider_set_find(incoming->set, incoming->kind, name);
	if (incoming->provider != NULL) {
		incoming->as = provider_as(incoming->provider, incoming->kind);
		return true;
	}
	snprintf(detail, sizeof detail, "there is no %s provider of this name; GET /api/providers/%s/catalog lists them",
		incoming->kind, strcmp(incoming->kind, "gpu") == 0 ? "gpu/public" : incoming->kind);
	incoming_problem(incoming, 404, NULL, detail);
	return false;
}

/* The request's credentials: config, else cfg; either may be null. */
static bool read_own_credentials(struct incoming *incoming)
{
	static const char *const keys[] = { "config", "cfg" };
	const char *wrong;
	char path[128];

	for (size_t i = 0; i < 2; i++) {
		const json_t *value = json_object_get(incoming->body, keys[i]);

		if (!is_given(value))
			continue;
		if (!json_is_object(value)) {
			incoming_problem(incoming, 400, keys[i], "must be an object with credentials");
			return false;
		}
		if ((wrong = gate_config_fault(&incoming->provider->subject, value)) != NULL) {
			snprintf(path, sizeof path, "%s.%s", keys[i], wrong);
			incoming_problem(incoming, 400, path, "must be text: a credential");
			return false;
		}
		if (incoming->config == NULL && json_object_size(value) > 0)
			incoming->config = value;
	}
	return true;
}

/* "directory": "ignore": what the vendor's schema forbids is a warning. */
static bool read_directory(struct incoming *incoming)
{
	const json_t *value = json_object_get(incoming->body, "directory");
	const char *text = json_text_value(value);

	incoming->ignores_directory = text != NULL && strcmp(text, "ignore") == 0;
	if (!is_given(value) || incoming->ignores_directory)
		return true;
	incoming_problem(incoming, 400, "directory",
		"must be \"ignore\": what the vendor's schema forbids is then a warning; leave it out otherwise");
	return false;
}

static bool read_switches(struct incoming *incoming)
{
	const json_t *dry_run = json_object_get(incoming->body, "dry_run");
	const json_t *most = json_object_get(incoming->body, "max_cost_usd");

	if (is_given(dry_run) && !json_is_boolean(dry_run)) {
		incoming_problem(incoming, 400, "dry_run", "must be true or false");
		return false;
	}
	incoming->max_cost = -1;
	if (is_given(most) &&
		(!json_is_number(most) || !micro_usd_from(json_number_value(most), MICRO_USD_MOST, &incoming->max_cost) ||
			incoming->max_cost == 0)) {
		incoming_problem(incoming, 400, "max_cost_usd", "must be a number of dollars above zero");
		return false;
	}
	incoming->wants_live = json_is_false(dry_run);
	if (incoming->wants_live && incoming->verb != VERB_POLL && !access_allows(incoming->http, ROLE_LIVE))
		return false;
	if (incoming->wants_live && incoming->verdict_json->request_credential) {
		incoming_problem(incoming, 400, "config",
			"a live request must not carry a credential: put it into the secrets file or the environment");
		return false;
	}
	return true;
}

/* What is to be sent must be the request that was previewed. */
static bool read_expected(struct incoming *incoming)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	const char *text = NULL;

	if (!json_optional_text(incoming->body, EXPECT, &text) || (text != NULL && !text_read_hex(text, digest, sizeof digest))) {
		incoming_problem(
			incoming, 400, EXPECT, "must be an upstream_sha256, as a preview or a submit answers it: 64 hex digits");
		return false;
	}
	if (text != NULL && !crypto_load()) {
		incoming_problem(incoming, 503, EXPECT, "needs libcrypto (libssl3), which cannot be loaded: is it installed?");
		return false;
	}
	if (text != NULL)
		text_write_hex(incoming->expected, digest, sizeof digest);
	return true;
}

const char *incoming_request_path(const struct incoming *incoming)
{
	if (strcmp(incoming->kind, "gpu") != 0)
		return "";
	return is_given(json_object_get(incoming->body, "job")) ? "job" : "payload";
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (*name == *names[i] && strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* What of a body is for the host, and not for the script. */
static bool is_for_host(const struct incoming *incoming, const char *name)
{
	static const char *const host_keys[] = { "config", "cfg", "dry_run", "max_cost_usd", "directory", EXPECT };
	static const char *const name_keys[] = { "provider", "provider_id", "id" };

	return is_one_of(name, host_keys, sizeof host_keys / sizeof *host_keys) ||
	       (incoming->callback != NULL && is_one_of(name, callback_members, 2)) ||
	       (incoming->verb == VERB_GENERATE && is_one_of(name, name_keys, sizeof name_keys / sizeof *name_keys));
}

/* gpu: the job, by either name. image and video: the body without what is the host's. */
static json_t *extract_request(struct incoming *incoming, const char **path)
{
	json_t *request, *member;
	const char *name;

	*path = incoming_request_path(incoming);
	if (**path != '\0') {
		request = json_object_get(incoming->body, *path);
		return is_given(request) ? json_incref(request) : json_object();
	}
	request = json_object();
	json_object_foreach(incoming->body, name, member)
		if (!is_for_host(incoming, name))
			json_object_set_nocheck(request, name, member);
	return request;
}

/* ---- what must not be repeated ---- */

/* The API key that the request came with. */
static void add_presented(struct mask_index *index, const char *text)
{
	char key[LIMIT_CREDENTIAL_BYTES];

	if (text == NULL)
		return;
	if (strncasecmp(text, "Bearer ", 7) == 0)
		text += 7 + strspn(text + 7, " ");
	snprintf(key, sizeof key, "%.*s", (int)strcspn(text, " "), text);
	mask_index_add(index, key);
	explicit_bzero(key, sizeof key);
}

void incoming_add_key(struct mask_index *index, const struct http_request *http)
{
	if (http->api_key == NULL)
		return;
	add_presented(index, http_header(http, "Authorization"));
	add_presented(index, http_header(http, "X-API-Key"));
}

/* Its credentials, its callback's secret and its API key are as secret as the host's own. False: out of memory. */
static bool gather_secrets(struct incoming *incoming)
{
	static const char *const keys[] = { "config", "cfg" };
	const char *secret = json_text(incoming->body, callback_members[1]);

	if (incoming->config == NULL && incoming->http->api_key == NULL && secret == NULL)
		return true;
	incoming->also = mask_index_new();
	for (size_t i = 0; i < 2; i++)
		gate_config_secrets(&incoming->provider->subject, json_object_get(incoming->body, keys[i]), incoming->also);
	if (secret != NULL)
		mask_index_add(incoming->also, secret);
	incoming_add_key(incoming->also, incoming->http);
	return mask_index_ready(incoming->also);
}

static bool read_script_request(struct incoming *incoming)
{
	const char *path;
	json_t *request = extract_request(incoming, &path);
	bool changed;

	if (!json_is_object(request)) {
		json_decref(request);
		incoming_problem(incoming, 400, path, "must be an object");
		return false;
	}
	incoming->script_request = mask_json_with(incoming->http->view, incoming->also, request, &changed);
	json_decref(request);
	if (incoming->script_request == NULL)
		incoming_no_memory(incoming);
	else if (changed && incoming->wants_live) { /* masked, it is not what the user wants to pay for */
		incoming_problem(incoming, 400, path,
			"a live job must not carry what looks like a credential: it would be sent as ***; take it out, or give "
			"the "
			"vendor its own way to it");
		return false;
	}
	return incoming->script_request != NULL;
}

/* As far as the gate decides: a submit may still find that its price is not known. */
static enum liveness decide_liveness(const struct incoming *incoming)
{
	if (!incoming->wants_live)
		return LIVENESS_DRY;
	if (incoming->verb == VERB_HEALTH && live_is_stopped(incoming->host->live)) /* of a submit, submit.c says it */
		return LIVENESS_ASKED;
	if (incoming->verb == VERB_POLL) /* a live job is live whatever a poll says, a dry run is not */
		return LIVENESS_ASKED;
	return incoming->verdict_json->live_allowed ? LIVENESS_LIVE : LIVENESS_ASKED;
}

static void judge_incoming(struct incoming *incoming)
{
	verdict_json_release(incoming->verdict_json);
	incoming->verdict_json = verdict_json_acquire(
		incoming->host->verdict_jsons, incoming->provider, incoming->as, incoming->http->view, incoming->config);
}

void incoming_take_kind(struct incoming *incoming, const char *kind)
{
	const struct provider_kind *as = provider_as(incoming->provider, kind);

	if (as == NULL || as == incoming->as)
		return;
	incoming->as = as;
	incoming->kind = as->kind->name;
	judge_incoming(incoming);
}

bool incoming_open(struct incoming *incoming)
{
	const char *name = incoming->name;

	if (name != NULL && !choose_provider(incoming, name))
		return false;
	if (name != NULL) /* so that a bad body is answered with the envelope too */
		judge_incoming(incoming);
	if (!parse_body(incoming))
		return false;
	if (name == NULL && ((name = named_provider(incoming)) == NULL || !choose_provider(incoming, name)))
		return false;
	if (!read_own_credentials(incoming))
		return false;
	if (incoming->verdict_json == NULL || incoming->config != NULL)
		judge_incoming(incoming);
	if (!read_switches(incoming) || !read_directory(incoming))
		return false;
	incoming->liveness = decide_liveness(incoming);
	if (!gather_secrets(incoming)) {
		incoming_no_memory(incoming);
		return false;
	}
	if (incoming->verb != VERB_SUBMIT && incoming->verb != VERB_GENERATE)
		return true;
	return callback_read(incoming, &incoming->callback) && read_expected(incoming) && read_script_request(incoming) &&
	       artifact_input_fill(incoming);
}

void incoming_close(struct incoming *incoming)
{
	verdict_json_release(incoming->verdict_json);
	callback_free(incoming->callback);
	json_decref(incoming->script_request);
	mask_index_free(incoming->also);
	json_decref(incoming->polled_id);
	json_decref(incoming->body);
	provider_set_release(incoming->set);
}
