/* manifest.c - what a provider's table may say: validates it field by field and copies it into C. Loader thread (or lint) only.
 *
 * Nothing is accepted that is not known. How a value is taken and a complaint worded is reading.c's; fields with more than a line of their own
 * are read by manifest_*.c. */
#include "script/manifest_parts.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/limits.h"
#include "base/memory.h"

static const char *const known_keys[] = { "id", "name", "kind", "kinds", "aliases", "feature_flag", "docs_url", "pricing_url",
	"dashboard_url", "last_checked", "tags", "modes", "reviews", "credentials", "base_url", "hosts", "shared_hosts",
	"outputs", "auth", "auth_forms", "capabilities", "pricing", "prepare", "estimate", "health", "submit", "poll", "cancel",
	"webhook", "webhook_signature", "reconcile", "paid_requests", "inputs", "directory", "models", "describe", "prices",
	"quantity", NULL };

static const char *const function_names[FUNCTION_COUNT] = { "prepare", "estimate", "health", "submit", "poll", "cancel",
	"webhook", "reconcile", "models", "describe", "prices", "quantity" };

const char *manifest_function_name(enum manifest_function function)
{
	return function_names[function];
}

bool manifest_function_is_of_directory(enum manifest_function function)
{
	return function == FUNCTION_MODELS || function == FUNCTION_DESCRIBE || function == FUNCTION_PRICES;
}

static void check_id(struct reading *reading)
{
	const char *id = reading->manifest->id;

	if (id == NULL)
		return;
	if (*id == '\0' || strlen(id) > MANIFEST_ID_BYTES || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(id))
		reading_complain(
			reading, "id", "expected 1 to %d lower-case letters, digits and _, got '%s'", MANIFEST_ID_BYTES, id);
}

static bool is_web_url(const char *url)
{
	return strncmp(url, "https://", strlen("https://")) == 0 || strncmp(url, "http://", strlen("http://")) == 0;
}

static void check_manifest_url(struct reading *reading, const char *key, const char *url)
{
	if (url != NULL && !is_web_url(url))
		reading_complain(reading, key, "expected a URL that begins with https://, got '%s'", url);
}

/* Pages link to it. */
static void check_dashboard(struct reading *reading)
{
	const char *url = reading->manifest->dashboard_url;

	if (url == NULL)
		return;
	if (strncmp(url, "https://", strlen("https://")) != 0 || url[strlen("https://")] == '\0')
		reading_complain(reading, "dashboard_url", "expected a URL that begins with https://, got '%s'", url);
	for (; *url != '\0'; url++) {
		if ((unsigned char)*url <= ' ' || *url == 0x7f) {
			reading_complain(reading, "dashboard_url", "there is a blank in it");
			return;
		}
	}
}

static void check_functions(struct reading *reading)
{
	for (int i = 0; i < FUNCTION_COUNT; i++) {
		int type = lua_getfield(reading->L, reading->table, function_names[i]);
		bool required = i == FUNCTION_HEALTH || i == FUNCTION_SUBMIT || i == FUNCTION_POLL;

		reading->manifest->has[i] = type == LUA_TFUNCTION;
		if (type != LUA_TFUNCTION && (type != LUA_TNIL || required))
			reading_complain(
				reading, function_names[i], "expected a function, got %s", lua_typename(reading->L, type));
		lua_pop(reading->L, 1);
	}
}

/* How many requests that may cost one job sends; each is reserved. */
static void read_paid_requests(struct reading *reading)
{
	lua_State *L = reading->L;
	lua_Integer number = 1;
	int whole = 1, type = lua_getfield(L, reading->table, "paid_requests");

	if (type != LUA_TNIL)
		number = lua_tointegerx(L, -1, &whole);
	if (type == LUA_TSTRING || !whole || number < 1 || number > LIMIT_PAID_REQUESTS)
		reading_complain(reading, "paid_requests", "expected a whole number from 1 to %d", LIMIT_PAID_REQUESTS);
	else
		reading->manifest->paid_requests = (int)number;
	lua_pop(L, 1);
}

enum error_code manifest_read(lua_State *L, const char *file, const char *source, struct manifest *manifest, struct error *error)
{
	struct reading reading = {
		.L = L, .table = lua_gettop(L), .file = file, .source = source, .manifest = manifest, .error = error
	};

	if (!lua_istable(L, -1))
		return error_set(error, ERROR_SCRIPT, "", "%s:1: expected the script to return a table, got %s", file,
			luaL_typename(L, -1));
	reading_check_keys(&reading, reading.table, "", known_keys);
	manifest->id = reading_text(&reading, "id", true);
	check_id(&reading);
	snprintf(manifest->dry_id, sizeof manifest->dry_id, "mock-%s-1", manifest->id != NULL ? manifest->id : "");
	manifest_read_kinds(&reading);
	manifest->name = reading_text(&reading, "name", false);
	if (manifest->name == NULL)
		manifest->name = memory_copy_text(manifest->id);
	lua_getfield(L, reading.table, "aliases");
	manifest->aliases = reading_take_list(&reading, "aliases", 0);
	manifest->docs_url = reading_text(&reading, "docs_url", false);
	check_manifest_url(&reading, "docs_url", manifest->docs_url);
	manifest->pricing_url = reading_text(&reading, "pricing_url", false);
	check_manifest_url(&reading, "pricing_url", manifest->pricing_url);
	manifest->dashboard_url = reading_text(&reading, "dashboard_url", false);
	check_dashboard(&reading);
	manifest->last_checked = reading_text(&reading, "last_checked", false);
	manifest->base_url = reading_text(&reading, "base_url", false);
	check_manifest_url(&reading, "base_url", manifest->base_url);
	manifest_read_hosts(&reading);
	manifest_read_outputs(&reading);
	manifest_read_auth(&reading);
	manifest_read_credentials(&reading);
	manifest_check_auth(&reading);
	manifest->capabilities = reading_json(&reading, "capabilities", true);
	manifest->pricing = reading_json(&reading, "pricing", true);
	manifest->tags = reading_json(&reading, "tags", false);
	manifest->modes = reading_json(&reading, "modes", false);
	manifest_check_modes(&reading);
	manifest->reviews = reading_json(&reading, "reviews", false);
	manifest_read_inputs(&reading);
	read_paid_requests(&reading);
	check_functions(&reading);
	manifest_read_directory(&reading);
	manifest_read_signature(&reading);
	return reading.failed ? ERROR_SCRIPT : ERROR_NONE;
}

void manifest_free(struct manifest *manifest)
{
	char *texts[] = { manifest->id, manifest->name, manifest->kind, manifest->feature_flag, manifest->docs_url,
		manifest->pricing_url, manifest->dashboard_url, manifest->last_checked, manifest->base_url,
		manifest->capabilities, manifest->pricing, manifest->tags, manifest->modes, manifest->reviews,
		manifest->signature.secret_path, manifest->signature.secret_field, manifest->signature.jwks_url };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	reading_free_list(manifest->aliases);
	reading_free_list(manifest->output_hosts);
	reading_free_list(manifest->hosts);
	manifest_free_directory(manifest);
	manifest_free_auth(manifest);
	manifest_free_inputs(manifest);
	manifest_free_credentials(manifest);
	*manifest = (struct manifest){ 0 };
}
