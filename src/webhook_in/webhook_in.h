/* webhook_in.h - inbound webhooks: the URL that a vendor is given for a job, and whether what comes there is the vendor's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/id.h"
#include "engine/engine.h"
#include "gate/gate.h"
#include "webhook_in/signature.h"
#include "webhook_in/token.h"

#define WEBHOOK_PATH "/api/webhooks/"

struct webhooks_in;

/* The key of the URLs is that of all hosts that vendors' webhooks may come to; copied. */
struct webhooks_in *webhooks_in_new(const unsigned char key[TOKEN_KEY_BYTES], struct gate *gate, struct engine *engine);

/* After the engine was freed. */
void webhooks_in_free(struct webhooks_in *webhooks_in);

/* The URL for this job, the caller's to free(); with `id` NULL the one that a preview shows, whose token is "{webhook_token}". NULL when there is
 * none: live.public_url is not set, the provider has no function webhook, or there is no libcrypto. Any thread. */
char *webhooks_in_url(
	struct webhooks_in *webhooks_in, const struct gate_view *view, const struct provider *provider, const struct id *id);

/* The job of such a URL. False for any other token: it costs one HMAC. Any thread. */
bool webhooks_in_find(struct webhooks_in *webhooks_in, const char *provider, const char *token, struct id *id);

/* Is it the vendor's? `webhook->scheme` must not be WEBHOOK_UNSIGNED. May wait LIMIT_SIGNING_KEYS_WAIT_MS twice for the vendor's keys;
 * SIGNATURE_UNCHECKED with a message when they cannot be had. HTTP threads. */
enum signature_verdict webhooks_in_verify(struct webhooks_in *webhooks_in, const struct gate_view *view,
	struct provider *provider, const struct signed_webhook *webhook, struct error *error);

/* Was this webhook (its job and its own id) noted before? The last LIMIT_WEBHOOK_IN_SEEN are remembered, those of this run only: acting upon one
 * twice must do no harm. Any thread. */
bool webhooks_in_seen(struct webhooks_in *webhooks_in, const struct id *job, const char *id);
void webhooks_in_note(struct webhooks_in *webhooks_in, const struct id *job, const char *id);
