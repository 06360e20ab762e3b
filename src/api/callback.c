/* callback.c - reads callback_url and callback_secret, and stores them in the commit of their job. Any thread; no state. */
#include "api/callback.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "gate/mask.h"

const char *const callback_members[2] = { "callback_url", "callback_secret" };

void callback_free(struct callback *callback)
{
	if (callback == NULL)
		return;
	explicit_bzero(callback->secret, sizeof callback->secret);
	free(callback->url);
	free(callback);
}

/* A text of the body. False: it is something else, and a problem was sent. */
static bool read_callback_text(struct incoming *incoming, const char *name, const char **text)
{
	if (json_optional_text(incoming->body, name, text))
		return true;
	incoming_problem(incoming, 400, name, "must be text");
	return false;
}

static bool check_callback(struct incoming *incoming, const char *url, const char *secret)
{
	struct error error;

	if (webhooks_out_check_url(incoming->http->view->config, url, &error) != ERROR_NONE) {
		incoming_problem(incoming, 400, callback_members[0], error.message);
		return false;
	}
	if (mask_holds_known(incoming->http->view, url)) { /* it is kept and shown */
		incoming_problem(incoming, 400, callback_members[0], "must not carry a secret of the host's");
		return false;
	}
	if (secret != NULL && webhooks_out_check_secret(secret, &error) != ERROR_NONE) {
		incoming_problem(incoming, 400, callback_members[1], error.message);
		return false;
	}
	return true;
}

bool callback_read(struct incoming *incoming, struct callback **callback)
{
	const char *url, *secret;
	struct callback *made;

	if (!incoming->http->view->config->hooks.enabled)
		return true;
	if (!read_callback_text(incoming, callback_members[0], &url) ||
		!read_callback_text(incoming, callback_members[1], &secret))
		return false;
	if (url == NULL)
		return true;
	if (!check_callback(incoming, url, secret))
		return false;
	made = memory_new(sizeof *made);
	made->url = memory_copy_text(url);
	made->made = secret == NULL;
	*callback = made;
	if (secret != NULL)
		memcpy(made->secret, secret, strlen(secret) + 1);
	else if (!webhooks_out_make_secret(made->secret)) {
		incoming_retry(incoming, 1, "no secret can be made now");
		return false;
	}
	return true;
}

void callback_store(struct callback *callback, struct webhooks_out *webhooks, struct store_write *write)
{
	int64_t owner = webhooks_out_expect_callback(webhooks);

	callback->changes[0] = (struct webhook_change){ .op = WEBHOOK_PUT,
		.host = owner,
		.webhook = { .number = WEBHOOK_CALLBACKS, .url = "", .events = "", .secret = "", .cursor = -1, .owner = owner } };
	callback->changes[1] = (struct webhook_change){ .op = WEBHOOK_CALLBACK,
		.callback = { .sequence = id_sequence(&write->task.id), .url = callback->url, .secret = callback->secret } };
	write->webhook_changes = callback->changes;
	write->webhook_change_count = 2;
}

void callback_write(struct buffer *out, const struct callback *callback)
{
	buffer_text(out, "\"callback\":{\"url\":");
	json_write_text(out, callback->url);
	if (callback->made) {
		buffer_text(out, ",\"secret\":");
		json_write_text(out, callback->secret);
	}
	buffer_text(out, "},");
}
