/* shared_settings.c - hands the registry's keys and its switch to the parts that use them. At the start, and on the thread that follows them. */
#include "cli/shared_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

_Static_assert(TOKEN_KEY_BYTES == SETTING_KEY_BYTES && SESSION_KEY_BYTES == SETTING_KEY_BYTES, "keys are the registry's");

static enum error_code open_key(
	struct task_store *store, const char *data, const char *name, unsigned char key[SETTING_KEY_BYTES], struct error *error)
{
	char *path = file_join(data, name); /* the files were called so */
	enum error_code code = setting_key_open(store, name, path, key, error);

	free(path);
	return code;
}

/* Where several hosts answer the same browsers, theirs is that of the first. */
static enum error_code find_cookie(
	struct task_store *store, const char *home, char cookie[SESSION_COOKIE_BYTES], struct error *error)
{
	enum error_code code;
	char *shared = NULL;

	session_cookie_of(home, cookie);
	if (!task_store_is_shared(store))
		return ERROR_NONE;
	code = setting_once(store, SETTING_SESSION_COOKIE, cookie, &shared, error);
	if (code == ERROR_NONE)
		snprintf(cookie, SESSION_COOKIE_BYTES, "%s", shared);
	free(shared);
	return code;
}

enum error_code shared_keys_open(
	struct task_store *store, const char *home, const char *data, struct shared_keys *keys, struct error *error)
{
	enum error_code code = open_key(store, data, SETTING_WEBHOOK_KEY, keys->webhook, error);

	if (code == ERROR_NONE)
		code = open_key(store, data, SETTING_SESSION_KEY, keys->session, error);
	return code == ERROR_NONE ? find_cookie(store, home, keys->cookie, error) : code;
}

static void on_shared_setting(void *context, const char *name, const char *value, int64_t revision)
{
	unsigned char key[SETTING_KEY_BYTES];
	struct host *host = context;

	if (strcmp(name, SETTING_STOPPED) == 0)
		live_follow_switch(host->live, strcmp(value, "false") != 0, revision);
	if (strcmp(name, SETTING_SESSION_KEY) == 0 && setting_key_read(value, key))
		sessions_set_key(host->sessions, key);
	explicit_bzero(key, sizeof key);
}

enum error_code shared_settings_follow(struct host *host, struct setting_watch **watch, struct error *error)
{
	if (!task_store_is_shared(host->store))
		return ERROR_NONE;
	return setting_watch_start(host->store, on_shared_setting, host, watch, error);
}
