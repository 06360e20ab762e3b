/* webhooks_in.c - takes a vendor's webhook: token, then signature, then on to the job. HTTP threads.
 *
 * A wrong token is answered after one HMAC, without a look into the registry, and in the same words whatever is wrong with it. No script sees a
 * webhook before its signature was checked. What is accepted is answered at once: the job's script runs later, on the engine thread. */
#include "api/webhooks_in.h"

#include <string.h>
#include <strings.h>

#include "api/answer.h"
#include "base/json.h"
#include "base/limits.h"
#include "live/live.h"
#include "net/response.h"
#include "webhook_in/webhook_in.h"

struct incoming_webhook {
	struct host *host;
	struct http_request *request;
	struct provider *provider;
	const char *token;
	struct id job;
	struct signed_webhook signed_part;
};

static void refuse_webhook(struct http_request *request, int status, const char *detail)
{
	http_send_problem(
		request, &(struct http_problem){
				 .status = status, .detail = detail, .headers = status == 503 ? "Retry-After: 5\r\n" : NULL });
}

/* ---- headers ---- */

static const char *header_named(const struct http_request *request, const char *name)
{
	return name != NULL ? http_header(request, name) : NULL;
}

static void read_webhook_signature(struct incoming_webhook *webhook)
{
	enum webhook_scheme scheme = webhook->provider->manifest.signature.scheme;
	const struct signature_headers *names = signature_headers(scheme);
	const struct http_request *request = webhook->request;

	webhook->signed_part = (struct signed_webhook){ .scheme = scheme,
		.id = header_named(request, names->id),
		.user = header_named(request, names->user),
		.timestamp = header_named(request, names->timestamp),
		.signature = header_named(request, names->signature),
		.body = request->body,
		.body_length = request->body_length };
}

/* Names in lower case, as scripts get them; without what could be somebody's credential. */
static void add_webhook_header(void *context, const char *name, const char *value)
{
	static const char *const secret[] = { "authorization", "proxy-authorization", "x-api-key", "cookie" };
	size_t length = strlen(name);
	struct buffer *headers = context;

	for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
		if (strcasecmp(name, secret[i]) == 0)
			return;
	if (length >= LIMIT_WEBHOOK_IN_HEADER_BYTES)
		return;
	for (size_t i = 0; i <= length; i++)
		buffer_char(headers, name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i]);
	buffer_append(headers, value, strlen(value) + 1);
}

/* A value that is no UTF-8 is left out. */
static json_t *headers_object(const struct buffer *headers)
{
	json_t *object = json_object();
	const char *value;

	for (const char *at = buffer_begin(headers), *end = at + headers->length; at < end; at = value + strlen(value) + 1) {
		value = at + strlen(at) + 1;
		json_object_set_new(object, at, json_string(value));
	}
	return object;
}

/* ---- the way in ---- */

/* The provider whose token this is, held; NULL when there is none. */
static struct provider *provider_of_token(struct host *host, const char *name, const char *token, struct id *job)
{
	struct provider *provider = NULL;
	struct provider_set *set;

	if (!webhooks_in_find(host->webhooks_in, name, token, job))
		return NULL;
	set = provider_loader_acquire(host->loader);
	provider = provider_set_find(set, NULL, name);
	if (provider != NULL && strcmp(provider->manifest.id, name) == 0)
		provider_hold(provider);
	else
		provider = NULL;
	provider_set_release(set);
	return provider;
}

static bool check_signature(struct incoming_webhook *webhook)
{
	struct error error;
	enum signature_verdict verdict = webhooks_in_verify(
		webhook->host->webhooks_in, webhook->request->view, webhook->provider, &webhook->signed_part, &error);

	if (verdict == SIGNATURE_UNCHECKED)
		refuse_webhook(webhook->request, 503, error.message);
	else if (verdict != SIGNATURE_GOOD)
		refuse_webhook(webhook->request, 401, signature_verdict_text(verdict));
	return verdict == SIGNATURE_GOOD;
}

static void hand_over(struct incoming_webhook *webhook)
{
	bool verified = webhook->signed_part.scheme != WEBHOOK_UNSIGNED;
	struct http_request *request = webhook->request;
	struct response masked; /* masked like an answer to a request of ours */
	struct error error;
	enum error_code code;
	json_t *headers;

	response_init(&masked);
	http_each_header(request, add_webhook_header, &masked.headers);
	buffer_append(&masked.body, request->body, request->body_length);
	response_mask(&masked, request->view, &webhook->provider->subject, webhook->token);
	if (masked.failed || masked.headers.failed || masked.body.failed) {
		code = error_memory(&error);
	} else {
		headers = headers_object(&masked.headers);
		code = live_take_webhook(webhook->host->live, &webhook->job, webhook->signed_part.id, verified, headers,
			masked.body.data != NULL ? masked.body.data : "", masked.body.length, &error);
		json_decref(headers);
	}
	response_clear(&masked);
	if (code != ERROR_NONE) {
		refuse_webhook(request, 503, error.message);
		return;
	}
	if (verified)
		webhooks_in_note(webhook->host->webhooks_in, &webhook->job, webhook->signed_part.id);
	answer_ok(request);
}

static void receive_webhook(struct incoming_webhook *webhook)
{
	bool is_signed;

	read_webhook_signature(webhook);
	is_signed = webhook->signed_part.scheme != WEBHOOK_UNSIGNED;
	if (is_signed && !check_signature(webhook))
		return;
	if (is_signed && webhooks_in_seen(webhook->host->webhooks_in, &webhook->job, webhook->signed_part.id))
		answer_ok(webhook->request);
	else
		hand_over(webhook);
}

void webhooks_in_receive(struct host *host, struct http_request *request, const char *provider, const char *token)
{
	struct incoming_webhook webhook = { .host = host, .request = request, .token = token };

	if (request->view->config->live.public_url != NULL)
		webhook.provider = provider_of_token(host, provider, token, &webhook.job);
	if (webhook.provider == NULL) {
		refuse_webhook(request, 404, "there is no such webhook");
		return;
	}
	receive_webhook(&webhook);
	provider_release(webhook.provider);
}
