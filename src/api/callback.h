/* callback.h - callback_url of a submit: a webhook for the events of this one job (docs/api.md). */
#pragma once

#include "api/incoming.h"
#include "webhook_out/webhook_out.h"

struct callback {
	char *url;
	char secret[LIMIT_WEBHOOK_OUT_SECRET_BYTES];
	bool made; /* the secret is the host's: the answer shows it */
	struct webhook_change changes[2];
};

/* The members of a request that belong to the host while hooks.enabled is on; else they are the script's affair, as every other member. */
extern const char *const callback_members[2];

/* Reads them. *callback stays NULL when there are none. False: a problem was sent. HTTP threads. */
bool callback_read(struct incoming *incoming, struct callback **callback);

/* Adds it to the write that stores its job. Before the write is handed to the store. */
void callback_store(struct callback *callback, struct webhooks_out *webhooks, struct store_write *write);

/* Appends the member `callback` of the answer. */
void callback_write(struct buffer *out, const struct callback *callback);

void callback_free(struct callback *callback);
