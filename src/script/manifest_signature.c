/* manifest_signature.c - how a provider's vendor signs its webhooks. Loader thread (or lint) only. */
#include "script/manifest_parts.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

static const char *const schemes[] = { [WEBHOOK_STANDARD - 1] = "standard-webhooks", [WEBHOOK_FAL - 1] = "fal-ed25519", NULL };

static const char *const signature_keys[] = { "scheme", "secret", "jwks_url", NULL };

static const char *const secret_keys[] = { "path", "field", NULL };

#define SIGNATURE "webhook_signature"

static enum webhook_scheme read_signature_scheme(struct reading *reading)
{
	char *text = reading_member(reading, SIGNATURE ".scheme", "scheme");
	enum webhook_scheme scheme = WEBHOOK_UNSIGNED;

	for (size_t i = 0; text != NULL && schemes[i] != NULL; i++)
		if (strcmp(schemes[i], text) == 0)
			scheme = (enum webhook_scheme)(i + 1);
	if (text != NULL && scheme == WEBHOOK_UNSIGNED)
		reading_complain(reading, SIGNATURE ".scheme", "expected '%s' or '%s', got '%s'", schemes[0], schemes[1], text);
	free(text);
	return scheme;
}

/* secret = { path =, field = } of the signature table on top of the stack. */
static void read_signature_secret(struct reading *reading, struct manifest_signature *signature)
{
	lua_State *L = reading->L;

	if (lua_getfield(L, -1, "secret") != LUA_TTABLE) {
		reading_complain(reading, SIGNATURE ".secret", "expected { path = \"/...\", field = \"...\" }, got %s",
			luaL_typename(L, -1));
	} else {
		reading_check_keys(reading, lua_gettop(L), SIGNATURE ".secret", secret_keys);
		signature->secret_path = reading_member(reading, SIGNATURE ".secret.path", "path");
		signature->secret_field = reading_member(reading, SIGNATURE ".secret.field", "field");
		if (signature->secret_path != NULL && signature->secret_path[0] != '/')
			reading_complain(reading, SIGNATURE ".secret.path", "expected a path that begins with /, got '%s'",
				signature->secret_path);
	}
	lua_pop(L, 1);
	if (reading->manifest->base_url == NULL)
		reading_complain(reading, SIGNATURE ".secret", "is fetched from base_url, which is missing");
}

static void check_absent(struct reading *reading, const char *key, const char *path)
{
	if (lua_getfield(reading->L, -1, key) != LUA_TNIL)
		reading_complain(reading, path, "does not belong to this scheme");
	lua_pop(reading->L, 1);
}

void manifest_read_signature(struct reading *reading)
{
	struct manifest_signature *signature = &reading->manifest->signature;
	lua_State *L = reading->L;
	int type = lua_getfield(L, reading->table, SIGNATURE);

	if (type == LUA_TTABLE) {
		reading_check_keys(reading, lua_gettop(L), SIGNATURE, signature_keys);
		signature->scheme = read_signature_scheme(reading);
		if (signature->scheme == WEBHOOK_STANDARD) {
			read_signature_secret(reading, signature);
			check_absent(reading, "jwks_url", SIGNATURE ".jwks_url");
		} else if (signature->scheme == WEBHOOK_FAL) {
			signature->jwks_url = reading_member(reading, SIGNATURE ".jwks_url", "jwks_url");
			if (signature->jwks_url != NULL && strncmp(signature->jwks_url, "https://", strlen("https://")) != 0)
				reading_complain(reading, SIGNATURE ".jwks_url",
					"expected a URL that begins with https://, got '%s'", signature->jwks_url);
			check_absent(reading, "secret", SIGNATURE ".secret");
		}
		if (!reading->manifest->has[FUNCTION_WEBHOOK])
			reading_complain(reading, SIGNATURE, "is of no use without the function webhook");
	} else if (type != LUA_TNIL) {
		reading_complain(reading, SIGNATURE, "expected a table, got %s", lua_typename(L, type));
	}
	lua_pop(L, 1);
}
