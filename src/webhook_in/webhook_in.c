/* webhook_in.c - puts tokens, keys and signatures together. HTTP threads, and the engine's (for URLs).
 *
 * The key of the URLs never changes. Knows nothing of jobs but their ids; what a webhook does to one is live/'s affair. */
#include "webhook_in/webhook_in.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "webhook_in/signing_keys.h"

#define PREVIEW_TOKEN "{webhook_token}"

struct webhooks_in {
	struct signing_keys *keys;
	struct token_key key;
	pthread_mutex_t lock;
	uint64_t seen[LIMIT_WEBHOOK_IN_SEEN]; /* under lock: digests, each in the place that its lower bits name; 0: none */
};

struct webhooks_in *webhooks_in_new(const unsigned char key[TOKEN_KEY_BYTES], struct gate *gate, struct engine *engine)
{
	struct webhooks_in *webhooks_in = memory_new(sizeof *webhooks_in);

	pthread_mutex_init(&webhooks_in->lock, NULL);
	memcpy(webhooks_in->key.bytes, key, TOKEN_KEY_BYTES);
	webhooks_in->keys = signing_keys_new(gate, engine);
	return webhooks_in;
}

void webhooks_in_free(struct webhooks_in *webhooks_in)
{
	if (webhooks_in == NULL)
		return;
	signing_keys_free(webhooks_in->keys);
	pthread_mutex_destroy(&webhooks_in->lock);
	explicit_bzero(&webhooks_in->key, sizeof webhooks_in->key);
	free(webhooks_in);
}

/* ---- URLs ---- */

char *webhooks_in_url(
	struct webhooks_in *webhooks_in, const struct gate_view *view, const struct provider *provider, const struct id *id)
{
	const char *base = view->config->live.public_url;
	char token[TOKEN_TEXT_BYTES] = PREVIEW_TOKEN;
	size_t length = base != NULL ? strlen(base) : 0;
	struct buffer url;

	if (base == NULL || !provider->manifest.has[FUNCTION_WEBHOOK])
		return NULL;
	if (id != NULL && !token_make(&webhooks_in->key, provider->manifest.id, id, token))
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

bool webhooks_in_find(struct webhooks_in *webhooks_in, const char *provider, const char *token, struct id *id)
{
	return token_read(&webhooks_in->key, provider, token, id);
}

/* ---- what comes ---- */

/* Tries the keys that are there, or those that came after `*fetch`; `*fetch` becomes theirs. */
static enum signature_verdict try_keys(struct webhooks_in *webhooks_in, const struct gate_view *view, struct provider *provider,
	const struct signed_webhook *webhook, uint64_t *fetch, struct error *error)
{
	enum signature_verdict verdict = SIGNATURE_UNCHECKED;
	struct signing_key_set set;

	if (signing_keys_get(webhooks_in->keys, view, provider, *fetch, &set, error) == ERROR_NONE)
		verdict = signature_verify(webhook, set.keys, set.count);
	*fetch = set.fetch;
	explicit_bzero(&set, sizeof set);
	return verdict;
}

/* A vendor may have changed its keys since they were fetched: one that fits none of them is tried with the newest. */
enum signature_verdict webhooks_in_verify(struct webhooks_in *webhooks_in, const struct gate_view *view,
	struct provider *provider, const struct signed_webhook *webhook, struct error *error)
{
	enum signature_verdict verdict = signature_look(webhook, clock_machine_ms() / 1000);
	uint64_t fetch = 0;

	error_set(error, ERROR_BUSY, NULL, "%s", signature_verdict_text(SIGNATURE_UNCHECKED));
	if (verdict == SIGNATURE_GOOD)
		verdict = try_keys(webhooks_in, view, provider, webhook, &fetch, error);
	if (verdict == SIGNATURE_WRONG && fetch != 0)
		verdict = try_keys(webhooks_in, view, provider, webhook, &fetch, error);
	return verdict;
}

static uint64_t webhook_digest(const struct id *job, const char *id)
{
	uint64_t digest = text_digest(job->bytes, sizeof job->bytes) * 31 + text_digest(id, strlen(id));

	return digest != 0 ? digest : 1;
}

bool webhooks_in_seen(struct webhooks_in *webhooks_in, const struct id *job, const char *id)
{
	uint64_t digest = webhook_digest(job, id);
	bool seen;

	pthread_mutex_lock(&webhooks_in->lock);
	seen = webhooks_in->seen[digest % LIMIT_WEBHOOK_IN_SEEN] == digest;
	pthread_mutex_unlock(&webhooks_in->lock);
	return seen;
}

void webhooks_in_note(struct webhooks_in *webhooks_in, const struct id *job, const char *id)
{
	uint64_t digest = webhook_digest(job, id);

	pthread_mutex_lock(&webhooks_in->lock);
	webhooks_in->seen[digest % LIMIT_WEBHOOK_IN_SEEN] = digest;
	pthread_mutex_unlock(&webhooks_in->lock);
}
