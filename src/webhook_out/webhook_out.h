/* webhook_out.h - outgoing webhooks: who is told of events, and the thread that tells them.
 *
 * Each hook is a place in the log of events that moves on, and what is to be tried again. A delivery is one POST, signed by the Standard Webhooks
 * specification; it is made at least once, those of one job in the order of the log, until the receiver answers 2xx or a day has passed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "gate/gate.h"
#include "registry/store.h"

struct hooks;

#define HOOK_TEST_TYPE "host.hook.test" /* goes to every hook, whatever its patterns, or to the one that its data names */

/* Reads what is stored and starts the thread. Nothing is opened to the outside before there is something to deliver. */
enum error_code hooks_open(struct gate *gate, struct task_store *store, struct hooks **hooks, struct error *error);

/* Gives deliveries under way LIMIT_HOOK_STOP_MS, saves how far it has come, ends the thread. Before the store is closed. */
void hooks_stop(struct hooks *hooks);

/* After hooks_stop(). NULL is fine. */
void hooks_free(struct hooks *hooks);

/* The log has grown up to this number, or the configuration has changed (0). One thread for each of both; never blocks. */
void hooks_notify(struct hooks *hooks, int64_t newest);

/* ---- registering; HTTP threads ---- */

/* May a webhook go to this URL? ERROR_INVALID says why not: TLS to a public name, or plain HTTP to loopback where hooks.allow_loopback is on. */
enum error_code hooks_check_url(const struct config *config, const char *url, struct error *error);

/* A secret as a client may give one: "whsec_" and base64 of 24 to 64 bytes. ERROR_INVALID. */
enum error_code hooks_check_secret(const char *secret, struct error *error);

/* A new secret. False: no randomness, or no libcrypto. */
bool hooks_make_secret(char secret[LIMIT_HOOK_SECRET_BYTES]);

struct hook_order {
	const char *url;
	const char *events; /* patterns, separated by commas; "": all */
	const char *secret;
	const char *caller; /* or NULL */
};

#define HOOK_ID_BYTES 24 /* "hook_" and 16 hex digits */

/* Stores a new hook, which is told of what happens from now on. ERROR_LIMIT: there are LIMIT_HOOKS. ERROR_BUSY, ERROR_IO. */
enum error_code hooks_add(struct hooks *hooks, const struct hook_order *order, char id[HOOK_ID_BYTES], struct error *error);

/* ERROR_NOT_FOUND. `id` is a hook's id or its URL; with `events`, of that one only which has these patterns, else NULL. */
enum error_code hooks_remove(struct hooks *hooks, const char *id, const char *events, struct error *error);

/* From now on the new secret signs, and the one before too for LIMIT_HOOK_ROTATION_MS. ERROR_NOT_FOUND. */
enum error_code hooks_rotate(struct hooks *hooks, const char *id, const char *secret, struct error *error);

/* Parked deliveries are tried again (of callback_urls with the id "callbacks"): the one of this event, or (0) all. *count is how many. ERROR_NOT_FOUND. */
enum error_code hooks_replay(struct hooks *hooks, const char *id, int64_t event, int *count, struct error *error);

/* Appends a JSON array of all hooks with their state, without secrets; or the one with this id as an object. False: there is none. */
void hooks_write(struct hooks *hooks, struct buffer *out);
bool hooks_write_one(struct hooks *hooks, const char *id, struct buffer *out);

/* A job with a callback_url is about to be stored (HOOK_CALLBACK, and HOOK_PUT of HOOK_CALLBACKS): its events are looked for from now on. Before
 * it is handed to the store. ERROR_MEMORY. Any thread. */
enum error_code hooks_expect_callback(struct hooks *hooks, struct error *error);

/* Deliveries that wait, and those that are parked: for metrics. */
void hooks_backlog(struct hooks *hooks, int *waiting, int *parked);
