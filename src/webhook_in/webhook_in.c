/* webhook_in.c - puts tokens, keys and signatures together. HTTP threads, the engine's (for URLs) and the loader's (for the key file).
 *
 * The key is read once and then never changes, so a pointer to it is all that is shared. Knows nothing of jobs but their ids; what a delivery
 * does to one is live.c's affair. */
#include "webhook_in/webhook_in.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "webhook_in/signing_keys.h"
#include "webhook_in/token.h"

#define PREVIEW_TOKEN "{webhook_token}"

struct webhooks {
	char *data;
	struct signing_keys *keys;
	struct token_key key;
	_Atomic bool ready; /* the key is there */
	pthread_mutex_t lock;
	uint64_t seen[LIMIT_WEBHOOK_SEEN]; /* under lock: digests, each in the place that its lower bits name; 0: none */
};

struct webhooks *webhooks_new(const char *data, struct gate *gate, struct engine *engine)
{
	struct webhooks *webhooks = calloc(1, sizeof *webhooks);

	if (webhooks == NULL)
		return NULL;
	pthread_mutex_init(&webhooks->lock, NULL);
	webhooks->data = strdup(data);
	webhooks->keys = signing_keys_new(gate, engine);
	if (webhooks->data != NULL && webhooks->keys != NULL)
		return webhooks;
	webhooks_free(webhooks);
	return NULL;
}

void webhooks_free(struct webhooks *webhooks)
{
	if (webhooks == NULL)
		return;
	signing_keys_free(webhooks->keys);
	pthread_mutex_destroy(&webhooks->lock);
	explicit_bzero(&webhooks->key, sizeof webhooks->key);
	free(webhooks->data);
	free(webhooks);
}

void webhooks_prepare(struct webhooks *webhooks, const struct gate_view *view)
{
	struct error error;

	if (view->config->live.public_url == NULL || atomic_load(&webhooks->ready))
		return;
	if (token_key_open(webhooks->data, &webhooks->key, &error) == ERROR_NONE)
		atomic_store(&webhooks->ready, true);
	else
		log_message(
			LOG_ERROR, "webhook.key", "no webhooks, vendors are polled instead: %s: %s", error.path, error.message);
}

/* ---- URLs ---- */

char *webhooks_url(struct webhooks *webhooks, const struct gate_view *view, const struct provider *provider, const struct id *id)
{
	const char *base = view->config->live.public_url;
	char token[TOKEN_TEXT_BYTES] = PREVIEW_TOKEN;
	size_t length = base != NULL ? strlen(base) : 0;
	struct buffer url;

	if (base == NULL || !provider->manifest.has[FUNCTION_WEBHOOK])
		return NULL;
	if (id != NULL && !(atomic_load(&webhooks->ready) && token_make(&webhooks->key, provider->manifest.id, id, token)))
		return NULL;
	while (length > 0 && base[length - 1] == '/')
		length--;
	buffer_init(&url, LIMIT_PATH_BYTES + LIMIT_CONFIG_TEXT_BYTES);
	buffer_append(&url, base, length);
	buffer_text(&url, WEBHOOK_PATH);
	buffer_text(&url, provider->manifest.id);
	buffer_char(&url, '/');
	buffer_text(&url, token);
	return buffer_take(&url);
}

bool webhooks_find(struct webhooks *webhooks, const char *provider, const char *token, struct id *id)
{
	return atomic_load(&webhooks->ready) && token_read(&webhooks->key, provider, token, id);
}

/* ---- deliveries ---- */

/* Tries the keys that are there, or those that came after `*fetch`; `*fetch` becomes theirs. */
static enum signature_verdict try_keys(struct webhooks *webhooks, const struct gate_view *view, struct provider *provider,
	const struct signed_delivery *delivery, uint64_t *fetch, struct error *error)
{
	enum signature_verdict verdict = SIGNATURE_UNCHECKED;
	struct signing_key_set set;

	if (signing_keys_get(webhooks->keys, view, provider, *fetch, &set, error) == ERROR_NONE)
		verdict = signature_verify(delivery, set.keys, set.count);
	*fetch = set.fetch;
	explicit_bzero(&set, sizeof set);
	return verdict;
}

/* A vendor may have changed its keys since they were fetched: one that fits none of them is tried with the newest. */
enum signature_verdict webhooks_verify(struct webhooks *webhooks, const struct gate_view *view, struct provider *provider,
	const struct signed_delivery *delivery, struct error *error)
{
	enum signature_verdict verdict = signature_look(delivery, clock_unix_ms() / 1000);
	uint64_t fetch = 0;

	error_set(error, ERROR_BUSY, NULL, "%s", signature_verdict_text(SIGNATURE_UNCHECKED));
	if (verdict == SIGNATURE_GOOD)
		verdict = try_keys(webhooks, view, provider, delivery, &fetch, error);
	if (verdict == SIGNATURE_WRONG && fetch != 0)
		verdict = try_keys(webhooks, view, provider, delivery, &fetch, error);
	return verdict;
}

static uint64_t delivery_digest(const struct id *job, const char *delivery)
{
	uint64_t digest = text_digest(job->bytes, sizeof job->bytes) * 31 + text_digest(delivery, strlen(delivery));

	return digest != 0 ? digest : 1;
}

bool webhooks_seen(struct webhooks *webhooks, const struct id *job, const char *delivery)
{
	uint64_t digest = delivery_digest(job, delivery);
	bool seen;

	pthread_mutex_lock(&webhooks->lock);
	seen = webhooks->seen[digest % LIMIT_WEBHOOK_SEEN] == digest;
	pthread_mutex_unlock(&webhooks->lock);
	return seen;
}

void webhooks_note(struct webhooks *webhooks, const struct id *job, const char *delivery)
{
	uint64_t digest = delivery_digest(job, delivery);

	pthread_mutex_lock(&webhooks->lock);
	webhooks->seen[digest % LIMIT_WEBHOOK_SEEN] = digest;
	pthread_mutex_unlock(&webhooks->lock);
}
