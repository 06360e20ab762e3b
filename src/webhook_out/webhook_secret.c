/* webhook_secret.c - the secrets that deliveries are signed with: whether one will do, new ones, and their change. HTTP threads.
 *
 * A secret is shown to whoever registers, once, and never again. */
#include "webhook_out/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/standard_webhooks.h"

#define SECRET_BYTES 32
#define SECRET_BYTES_LEAST 24 /* the specification's minimum */

enum error_code webhooks_out_check_secret(const char *secret, struct error *error)
{
	unsigned char key[STANDARD_WEBHOOKS_KEY_BYTES];
	size_t length = 0;

	if (strncmp(secret, "whsec_", 6) == 0 && strlen(secret) < LIMIT_WEBHOOK_OUT_SECRET_BYTES)
		length = standard_webhooks_key(secret, key);
	explicit_bzero(key, sizeof key);
	return length >= SECRET_BYTES_LEAST
		       ? ERROR_NONE
		       : error_set(error, ERROR_INVALID, "secret", "must be whsec_ and the base64 of 24 to 64 bytes");
}

bool webhooks_out_make_secret(char secret[LIMIT_WEBHOOK_OUT_SECRET_BYTES])
{
	unsigned char bytes[SECRET_BYTES];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes || !crypto_load())
		return false;
	memcpy(secret, "whsec_", 6);
	EVP_EncodeBlock((unsigned char *)secret + 6, bytes, sizeof bytes);
	explicit_bzero(bytes, sizeof bytes);
	return true;
}

/* Under the lock: waits for who changes the same secret. NULL with an error: the webhook is gone, or it took too long. */
static struct webhook *await_turn(struct webhooks_out *webhooks, int64_t number, struct error *error)
{
	struct webhook *webhook = webhook_of_number(webhooks, number);
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LIMIT_CALL_WAIT_MS / 1000;
	while (webhook != NULL && webhook->changing) {
		if (pthread_cond_timedwait(&webhooks->changed, &webhooks->lock, &until) == ETIMEDOUT) {
			error_set(error, ERROR_BUSY, NULL,
				"the registry is slow, and the secret is being changed by somebody else");
			return NULL;
		}
		webhook = webhook_of_number(webhooks, number);
	}
	if (webhook == NULL)
		webhook_refuse_unknown(error);
	return webhook;
}

/* Under the lock. One after the other: what is stored is what is in force, and the secret before is the one that was in force until then. */
static enum error_code change_secret(struct webhooks_out *webhooks, struct webhook_change *change, struct error *error)
{
	struct webhook *webhook = await_turn(webhooks, change->webhook.number, error);
	enum error_code code;

	if (webhook == NULL)
		return error->code;
	webhook->changing = true; /* so the webhook and its secret stay without the lock */
	pthread_mutex_unlock(&webhooks->lock);
	change->webhook.earlier_secret = webhook->secret;
	code = webhook_change_store(webhooks->store, change, error);
	pthread_mutex_lock(&webhooks->lock);
	webhook->changing = false;
	pthread_cond_broadcast(&webhooks->changed);
	if (code != ERROR_NONE)
		return code;
	if (webhook->removed)
		return webhook_refuse_unknown(error);
	webhook_wipe(webhook->earlier_secret);
	webhook->earlier_secret = webhook->secret;
	webhook->secret = memory_copy_text(change->webhook.secret);
	webhook->earlier_until_ms = change->webhook.earlier_until_ms;
	return ERROR_NONE;
}

enum error_code webhooks_out_rotate(struct webhooks_out *webhooks, const char *id, const char *secret, struct error *error)
{
	struct webhook_change change = { .op = WEBHOOK_SECRETS,
		.webhook = { .secret = secret, .earlier_until_ms = clock_unix_ms() + LIMIT_WEBHOOK_OUT_ROTATION_MS } };
	enum error_code code = webhook_find_number(webhooks, id, NULL, &change.webhook.number, error);

	if (code != ERROR_NONE)
		return code;
	if (webhooks->shared) { /* whoever delivers takes it over from the row */
		change.op = WEBHOOK_ROTATE;
		code = webhook_change_store(webhooks->store, &change, error);
		webhooks_out_look(webhooks);
		return code;
	}
	pthread_mutex_lock(&webhooks->lock);
	code = change_secret(webhooks, &change, error);
	pthread_mutex_unlock(&webhooks->lock);
	return code;
}
