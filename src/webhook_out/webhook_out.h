/* webhook_out.h - outgoing webhooks: who is told of events, and the thread that tells them.
 *
 * Each webhook is a place in the log of events that moves on, and what is to be tried again. A delivery is an event on its
 * way to one webhook, in the order of the log where they are of one job; an attempt is one POST, signed by the Standard Webhooks specification. It is
 * repeated until the receiver answers 2xx or a day has passed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "gate/gate.h"
#include "registry/store.h"

struct webhooks_out;

#define WEBHOOK_TEST_TYPE "host.hook.test" /* goes to every webhook, whatever its patterns, or to the one that its data names */

/* Where several hosts share the registry: which one this is. Any thread; they do not block. */
struct webhooks_out_host {
	int64_t (*number)(void *context); /* above 0; another one after it was declared dead */
	bool (*may_send)(void *context);  /* can nobody have declared it dead? */
	void *context;
};

/* Reads what is stored and starts the thread. Nothing is opened to the outside before there is something to deliver. `host`, copied, or NULL: no other
 * host uses the registry. */
enum error_code webhooks_out_open(struct gate *gate, struct task_store *store, const struct webhooks_out_host *host,
	struct webhooks_out **webhooks, struct error *error);

/* Gives attempts under way LIMIT_WEBHOOK_OUT_STOP_MS, saves how far it has come, leaves its webhooks to other hosts, ends the thread. Before the store is
 * closed. */
void webhooks_out_stop(struct webhooks_out *webhooks);

/* After webhooks_out_stop(). NULL is fine. */
void webhooks_out_free(struct webhooks_out *webhooks);

/* The log has grown up to this number, or the configuration has changed (0). Any thread; never blocks. */
void webhooks_out_notify(struct webhooks_out *webhooks, int64_t newest);

/* Another host has changed a webhook, or hosts have come or gone. Any thread; never blocks. */
void webhooks_out_look(struct webhooks_out *webhooks);

/* ---- registering; HTTP threads ---- */

/* May a webhook go to this URL? ERROR_INVALID says why not: TLS to a public name, or plain HTTP to loopback where webhooks.allow_loopback is on. */
enum error_code webhooks_out_check_url(const struct config *config, const char *url, struct error *error);

/* A secret as a client may give one: "whsec_" and base64 of 24 to 64 bytes. ERROR_INVALID. */
enum error_code webhooks_out_check_secret(const char *secret, struct error *error);

/* A new secret. False: no randomness, or no libcrypto. */
bool webhooks_out_make_secret(char secret[LIMIT_WEBHOOK_OUT_SECRET_BYTES]);

struct webhook_order {
	const char *url;
	const char *events; /* patterns, separated by commas; "": all */
	const char *secret;
	const char *caller; /* or NULL */
};

#define WEBHOOK_ID_BYTES 24 /* "hook_" and 16 hex digits */

/* Stores a new webhook, which is told of what happens from now on. ERROR_LIMIT: there are LIMIT_WEBHOOKS_OUT. ERROR_BUSY, ERROR_IO. */
enum error_code webhooks_out_add(
	struct webhooks_out *webhooks, const struct webhook_order *order, char id[WEBHOOK_ID_BYTES], struct error *error);

/* ERROR_NOT_FOUND. `id` is a webhook's id or its URL; with `events`, of that one only which has these patterns, else NULL. */
enum error_code webhooks_out_remove(struct webhooks_out *webhooks, const char *id, const char *events, struct error *error);

/* From now on the new secret signs, and the one before too for LIMIT_WEBHOOK_OUT_ROTATION_MS. ERROR_NOT_FOUND. */
enum error_code webhooks_out_rotate(struct webhooks_out *webhooks, const char *id, const char *secret, struct error *error);

/* Parked deliveries are tried again (of callback_urls with the id "callbacks"): the one of this event, or (0) all. *count is how many.
 * ERROR_NOT_FOUND. */
enum error_code webhooks_out_replay(
	struct webhooks_out *webhooks, const char *id, int64_t event, int *count, struct error *error);

/* Appends a JSON array of all webhooks with their state, without secrets; or the one with this id as an object. ERROR_NOT_FOUND: there is none. ERROR_BUSY,
 * ERROR_IO: it cannot be read what other hosts deliver. */
enum error_code webhooks_out_write(struct webhooks_out *webhooks, struct buffer *out, struct error *error);
enum error_code webhooks_out_write_one(struct webhooks_out *webhooks, const char *id, struct buffer *out, struct error *error);

/* The same of its last LIMIT_WEBHOOK_OUT_PAST_ATTEMPTS attempts since the start, the newest first, as an array. */
enum error_code webhooks_out_write_attempts(
	struct webhooks_out *webhooks, const char *id, struct buffer *out, struct error *error);

/* A job with a callback_url is about to be stored (WEBHOOK_CALLBACK, and WEBHOOK_PUT of WEBHOOK_CALLBACKS): its events are looked for from now
 * on. Before it is handed to the store. Returns who is to be the owner of WEBHOOK_CALLBACKS if it is new. Any thread. */
int64_t webhooks_out_expect_callback(struct webhooks_out *webhooks);

/* Deliveries of this host that wait, and those that are parked: for metrics. */
void webhooks_out_backlog(struct webhooks_out *webhooks, int *waiting, int *parked);
