/* shared_settings.h - what a host shares with the others of its registry beside jobs: its keys, and the switch. Read at the start, while there is a
 * registry to read; then followed, where others may change them. */
#pragma once

#include "api/host.h"
#include "gate/session.h"
#include "registry/setting_watch.h"
#include "webhook_in/token.h"

struct shared_keys {
	unsigned char webhook[TOKEN_KEY_BYTES];
	unsigned char session[SESSION_KEY_BYTES];
	char cookie[SESSION_COOKIE_BYTES];
};

/* The registry's, from the key files of earlier versions in `data` at first. Wipe them. ERROR_IO, ERROR_BUSY: the registry cannot be used. Blocks on the
 * disk. */
enum error_code shared_keys_open(
	struct task_store *store, const char *home, const char *data, struct shared_keys *keys, struct error *error);

/* What others set is in force here soon after, once `host` has its parts. *watch stays NULL where there are no others. ERROR_IO. */
enum error_code shared_settings_follow(struct host *host, struct setting_watch **watch, struct error *error);
