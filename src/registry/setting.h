/* setting.h - what all hosts of a registry share beside their jobs: a switch, keys. A name, a text, and a number that grows with every change of any.
 *
 * Keys are secrets: they stand in the registry, in its backups, and nowhere else; nothing lists or logs them. */
#pragma once

#include "registry/store.h"

#define SETTING_STOPPED "live.stopped"	  /* "true": nothing is sent that costs */
#define SETTING_WEBHOOK_KEY "webhook.key" /* of the addresses that vendors are given: 64 hex digits */
#define SETTING_SESSION_KEY "session.key" /* of browsers' logins, and of what is signed with a key derived from it: the same */
#define SETTING_SESSION_COOKIE "session.cookie" /* their cookie's name */

#define SETTING_KEY_BYTES 32

/* The value, free() it, and (unless NULL) which change it came with. ERROR_NOT_FOUND: there is none. Else as task_store_list(). Any thread. */
enum error_code task_store_setting(
	struct task_store *store, const char *name, char **value, int64_t *revision, struct error *error);

/* Calls `visit` for each setting that was changed after `revision`, in the order of their changes. Errors as above. Any thread. */
enum error_code task_store_settings(struct task_store *store, int64_t revision,
	void (*visit)(void *context, const char *name, const char *value, int64_t revision), void *context, struct error *error);

/* What a setting becomes; texts are copied. */
struct setting {
	const char *name, *value;
	bool once;	   /* only if there is none yet */
	const char *event; /* the type of an event of the host that is written in the same commit, or NULL */
};

/* Writes it durably, and waits for that. Errors as awaited_write_run(): ERROR_PENDING, it may be written yet. Any thread but the engine's and the
 * store's. */
enum error_code task_store_set(struct task_store *store, const struct setting *setting, struct error *error);

/* A text that is there once for all hosts of the registry: the first that asks says what it is. free() *value. Errors as above. */
enum error_code setting_once(struct task_store *store, const char *name, const char *mine, char **value, struct error *error);

/* A key: the registry's, else the one in the file `path` of earlier versions, which is removed then, else a new one. Errors as above. Blocks on the disk. */
enum error_code setting_key_open(
	struct task_store *store, const char *name, const char *path, unsigned char key[SETTING_KEY_BYTES], struct error *error);

/* A new one takes its place. Errors as above. */
enum error_code setting_key_renew(
	struct task_store *store, const char *name, unsigned char key[SETTING_KEY_BYTES], struct error *error);

/* Reads what task_store_settings() gave of a key. False: it is none. */
bool setting_key_read(const char *value, unsigned char key[SETTING_KEY_BYTES]);
