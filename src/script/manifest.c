/* manifest.c - what a provider's table may say: validates it field by field and copies it into C. Loader thread (or lint) only.
 *
 * Nothing is accepted that is not known. How a value is taken and a complaint worded is reading.c's. */
#include "script/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/limits.h"
#include "gate/credential.h"
#include "script/isolation.h"
#include "script/reading.h"

#define HTTPS "https://"
#define HTTP "http://"

static const char *const known_keys[] = { "id", "name", "kind", "aliases", "feature_flag", "docs_url", "pricing_url",
	"last_checked", "tags", "modes", "reviews", "credentials", "base_url", "hosts", "shared_hosts", "outputs", "auth",
	"auth_forms", "capabilities", "pricing", "prepare", "estimate", "health", "submit", "poll", "cancel", "webhook",
	"webhook_signature", "reconcile", "paid_requests", NULL };

static const char *const function_names[FUNCTION_COUNT] = { "prepare", "estimate", "health", "submit", "poll", "cancel",
	"webhook", "reconcile" };

static const char *const schemes[] = { [WEBHOOK_STANDARD - 1] = "standard-webhooks", [WEBHOOK_FAL - 1] = "fal-ed25519", NULL };

static const char *const signature_keys[] = { "scheme", "secret", "jwks_url", NULL };

static const char *const secret_keys[] = { "path", "field", NULL };

static const char *const credential_keys[] = { "env", "secret", "pattern", "hint", "optional", NULL };

const char *manifest_function_name(enum manifest_function function)
{
	return function_names[function];
}

/* ---- single fields ---- */

static void check_id(struct reading *reading)
{
	const char *id = reading->manifest->id;

	if (id == NULL)
		return;
	if (*id == '\0' || strlen(id) > 31 || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(id))
		reading_complain(reading, "id", "expected 1 to 31 lower-case letters, digits and _, got '%s'", id);
}

static void check_kind(struct reading *reading)
{
	static const char *const flags[][2] = {
		{ "gpu", "enable_public_gpu" },
		{ "image", "enable_public_image_providers" },
		{ "video", "enable_public_video_providers" },
	};
	struct manifest *manifest = reading->manifest;

	if (manifest->kind == NULL)
		return;
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(manifest->kind, flags[i][0]) != 0)
			continue;
		if (manifest->feature_flag == NULL && (manifest->feature_flag = strdup(flags[i][1])) == NULL)
			reading_out_of_memory(reading);
		return;
	}
	reading_complain(reading, "kind", "expected 'gpu', 'image' or 'video', got '%s'", manifest->kind);
}

static void free_list(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static bool is_web_url(const char *url)
{
	return strncmp(url, HTTPS, strlen(HTTPS)) == 0 || strncmp(url, HTTP, strlen(HTTP)) == 0;
}

static void check_url(struct reading *reading, const char *key, const char *url)
{
	if (url != NULL && !is_web_url(url))
		reading_complain(reading, key, "expected a URL that begins with https://, got '%s'", url);
}

static size_t list_length(char *const *list)
{
	size_t length = 0;

	while (list != NULL && list[length] != NULL)
		length++;
	return length;
}

/* Puts what strangers can have names on behind the script's own hosts. */
static void add_shared_hosts(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	char **shared, **grown;
	size_t count;

	lua_getfield(reading->L, reading->table, "shared_hosts");
	shared = reading_take_list(reading, "shared_hosts", 0);
	count = list_length(shared);
	grown = shared != NULL && count > 0 ? realloc(manifest->hosts, (manifest->own_hosts + count + 1) * sizeof *grown) : NULL;
	if (grown != NULL) {
		memcpy(grown + manifest->own_hosts, shared, (count + 1) * sizeof *grown);
		manifest->hosts = grown;
		free(shared);
		return;
	}
	if (count > 0)
		reading_out_of_memory(reading);
	free_list(shared);
}

/* The host of base_url is the first of the hosts, with its port if it names one. */
static void read_hosts(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	const char *start = NULL;

	if (manifest->base_url != NULL) {
		size_t length = strlen(manifest->base_url);

		while (length > 0 && manifest->base_url[length - 1] == '/')
			manifest->base_url[--length] = '\0';
		start = strstr(manifest->base_url, "://");
	}
	lua_getfield(reading->L, reading->table, "hosts");
	manifest->hosts = reading_take_list(reading, "hosts", start != NULL);
	if (manifest->hosts == NULL)
		return;
	if (start != NULL && (manifest->hosts[0] = strndup(start + 3, strcspn(start + 3, "/?#"))) == NULL) {
		for (char **host = manifest->hosts + 1; *host != NULL; host++)
			free(*host);
		free(manifest->hosts);
		manifest->hosts = NULL;
		reading_out_of_memory(reading);
		return;
	}
	manifest->own_hosts = list_length(manifest->hosts);
	add_shared_hosts(reading);
}

/* Where a vendor's outputs lie beside its hosts: a list, or wherever the user's own worker puts them. */
static void read_outputs(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	int type = lua_getfield(reading->L, reading->table, "outputs");

	if (type == LUA_TSTRING && strcmp(lua_tostring(reading->L, -1), "any") == 0) {
		manifest->outputs_anywhere = true;
		lua_pop(reading->L, 1);
	} else if (type != LUA_TNIL && type != LUA_TTABLE) {
		reading_complain(reading, "outputs", "expected a list of hosts or 'any', got %s",
			type == LUA_TSTRING ? lua_tostring(reading->L, -1) : lua_typename(reading->L, type));
		lua_pop(reading->L, 1);
	} else {
		manifest->output_hosts = reading_take_list(reading, "outputs", 0);
	}
}

/* ---- the headers that carry credentials ---- */

static int compare_headers(const void *a, const void *b)
{
	return strcasecmp(((const struct manifest_header *)a)->name, ((const struct manifest_header *)b)->name);
}

/* The table of headers on top of the stack. */
static void read_form(struct reading *reading, const char *path, struct manifest_auth *form)
{
	lua_State *L = reading->L;
	struct manifest_header *grown;

	isolation_plain(L, -1);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (reading->failed)
			continue;
		if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING || form->count == LIMIT_AUTH_HEADERS) {
			reading_complain(
				reading, path, "expected header = \"value with {credential}\", at most %d", LIMIT_AUTH_HEADERS);
			continue;
		}
		grown = realloc(form->headers, (form->count + 1) * sizeof *grown);
		if (grown == NULL) {
			reading_out_of_memory(reading);
			continue;
		}
		form->headers = grown;
		grown[form->count].name = reading_copy(reading, path, -2);
		grown[form->count++].value = reading_copy(reading, path, -1);
	}
	if (!reading->failed && form->count > 1)
		qsort(form->headers, form->count, sizeof *form->headers, compare_headers);
}

static void read_auth(struct reading *reading)
{
	int type = lua_getfield(reading->L, reading->table, "auth");

	if (type == LUA_TTABLE)
		read_form(reading, "auth", &reading->manifest->auth);
	else if (type != LUA_TNIL)
		reading_complain(reading, "auth", "expected a table of headers, got %s", lua_typename(reading->L, type));
	lua_pop(reading->L, 1);
}

static void read_auth_forms(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	lua_State *L = reading->L;
	int type = lua_getfield(L, reading->table, "auth_forms");
	struct manifest_auth *grown;

	if (type != LUA_TTABLE && type != LUA_TNIL)
		reading_complain(reading, "auth_forms", "expected a table, got %s", lua_typename(L, type));
	isolation_plain(L, -1);
	for (lua_pushnil(L); type == LUA_TTABLE && lua_next(L, -2); lua_pop(L, 1)) {
		if (reading->failed)
			continue;
		if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TTABLE ||
			manifest->auth_form_count == LIMIT_AUTH_HEADERS) {
			reading_complain(reading, "auth_forms",
				"expected name = { header = \"value with {credential}\" }, at most %d", LIMIT_AUTH_HEADERS);
			continue;
		}
		grown = realloc(manifest->auth_forms, (manifest->auth_form_count + 1) * sizeof *grown);
		if (grown == NULL) {
			reading_out_of_memory(reading);
			continue;
		}
		manifest->auth_forms = grown;
		grown[manifest->auth_form_count] = (struct manifest_auth){ .form = reading_copy(reading, "auth_forms", -2) };
		read_form(reading, "auth_forms", &grown[manifest->auth_form_count++]);
	}
	lua_pop(L, 1);
}

static bool is_declared(const struct manifest *manifest, const char *name, size_t length)
{
	for (size_t i = 0; i < manifest->credential_count; i++)
		if (strlen(manifest->credentials[i].name) == length && memcmp(manifest->credentials[i].name, name, length) == 0)
			return true;
	return false;
}

/* A name in braces that is no credential would never be filled, and the request never be sent; of the longest credentials so many fit into a line
 * of the head. */
static void check_form(struct reading *reading, const char *path, const struct manifest_auth *form)
{
	const char *text, *name;
	size_t length;
	int count;

	for (size_t i = 0; i < form->count; i++) {
		if (form->headers[i].name == NULL || form->headers[i].value == NULL)
			return; /* a complaint was made */
		count = 0;
		for (text = form->headers[i].value; (name = credential_placeholder(text, &length)) != NULL; text = name + length)
			if (++count > LIMIT_OUTGOING_HEADER_CREDENTIALS)
				reading_complain(reading, path, "%s: names more than %d credentials", form->headers[i].name,
					LIMIT_OUTGOING_HEADER_CREDENTIALS);
			else if (!is_declared(reading->manifest, name, length))
				reading_complain(reading, path, "%s: {%.*s} is none of this provider's credentials",
					form->headers[i].name, (int)length, name);
	}
}

static void check_auth(struct reading *reading)
{
	const struct manifest *manifest = reading->manifest;

	if (reading->failed)
		return;
	check_form(reading, "auth", &manifest->auth);
	for (size_t i = 0; i < manifest->auth_form_count; i++)
		check_form(reading, "auth_forms", &manifest->auth_forms[i]);
}

const struct manifest_auth *manifest_auth(const struct manifest *manifest, const char *form)
{
	if (form == NULL)
		return &manifest->auth;
	for (size_t i = 0; i < manifest->auth_form_count; i++)
		if (strcmp(manifest->auth_forms[i].form, form) == 0)
			return &manifest->auth_forms[i];
	return NULL;
}

/* ---- credentials ---- */

#define PATTERN_GRAMMAR "bytes . [sets] * + ? {m,n} ^ $ (groups) | and \\ before punctuation, at most 256 bytes"

static void read_pattern(struct reading *reading, const char *path, struct credential_spec *spec)
{
	struct credential_pattern_problem problem;
	int type = lua_getfield(reading->L, -1, "pattern");
	const char *pattern;
	size_t length;

	if (type == LUA_TSTRING) {
		pattern = lua_tolstring(reading->L, -1, &length);
		spec->compiled = credential_pattern_compile(pattern, length, &problem);
		if (spec->compiled != NULL)
			spec->pattern = reading_copy(reading, path, -1);
		else if (problem.text == NULL)
			reading_out_of_memory(reading);
		else
			reading_complain(reading, path, "pattern: at byte %zu of '%.60s': %s; allowed are " PATTERN_GRAMMAR,
				problem.at + 1, pattern, problem.text);
	} else if (type != LUA_TNIL) {
		reading_complain(reading, path, "pattern: expected text, got %s", luaL_typename(reading->L, -1));
	}
	lua_pop(reading->L, 1);
}

/* One entry of `credentials`: its name at -2, its table at -1. */
static void read_credential(struct reading *reading, struct credential_spec *spec)
{
	lua_State *L = reading->L;
	char path[96];

	snprintf(path, sizeof path, "credentials.%s", lua_tostring(L, -2));
	if (!lua_istable(L, -1)) {
		reading_complain(reading, path, "expected a table, got %s", luaL_typename(L, -1));
		return;
	}
	reading_check_keys(reading, lua_gettop(L), path, credential_keys);
	spec->name = reading_copy(reading, "credentials", -2);
	lua_getfield(L, -1, "env");
	spec->env = reading_take_list(reading, path, 0);
	lua_getfield(L, -1, "secret");
	spec->secret = reading_take_list(reading, path, 0);
	read_pattern(reading, path, spec);
	if (lua_getfield(L, -1, "hint") == LUA_TSTRING)
		spec->hint = reading_copy(reading, path, -1);
	else if (!lua_isnil(L, -1))
		reading_complain(reading, path, "hint: expected text, got %s", luaL_typename(L, -1));
	lua_pop(L, 1);
	if (lua_getfield(L, -1, "optional") != LUA_TBOOLEAN && !lua_isnil(L, -1))
		reading_complain(reading, path, "optional: expected true or false, got %s", luaL_typename(L, -1));
	spec->optional = lua_toboolean(L, -1);
	lua_pop(L, 1);
}

static int compare_credentials(const void *a, const void *b)
{
	return strcmp(((const struct credential_spec *)a)->name, ((const struct credential_spec *)b)->name);
}

static void read_credentials(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	lua_State *L = reading->L;
	int type = lua_getfield(L, reading->table, "credentials");
	struct credential_spec *grown;

	if (type != LUA_TTABLE && type != LUA_TNIL)
		reading_complain(reading, "credentials", "expected a table, got %s", lua_typename(L, type));
	isolation_plain(L, -1);
	for (lua_pushnil(L); type == LUA_TTABLE && lua_next(L, -2); lua_pop(L, 1)) {
		if (reading->failed)
			continue;
		if (lua_type(L, -2) != LUA_TSTRING || manifest->credential_count == LIMIT_CREDENTIALS) {
			reading_complain(reading, "credentials", "expected name = { ... }, at most %d", LIMIT_CREDENTIALS);
			continue;
		}
		grown = realloc(manifest->credentials, (manifest->credential_count + 1) * sizeof *grown);
		if (grown == NULL) {
			reading_out_of_memory(reading);
			continue;
		}
		manifest->credentials = grown;
		grown[manifest->credential_count] = (struct credential_spec){ 0 };
		read_credential(reading, &grown[manifest->credential_count++]);
	}
	lua_pop(L, 1);
	if (!reading->failed && manifest->credential_count > 1)
		qsort(manifest->credentials, manifest->credential_count, sizeof *manifest->credentials, compare_credentials);
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

/* ---- signatures of webhooks ---- */

#define SIGNATURE "webhook_signature"

static enum webhook_scheme read_scheme(struct reading *reading)
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
static void read_secret(struct reading *reading, struct manifest_signature *signature)
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

static void read_signature(struct reading *reading)
{
	struct manifest_signature *signature = &reading->manifest->signature;
	lua_State *L = reading->L;
	int type = lua_getfield(L, reading->table, SIGNATURE);

	if (type == LUA_TTABLE) {
		reading_check_keys(reading, lua_gettop(L), SIGNATURE, signature_keys);
		signature->scheme = read_scheme(reading);
		if (signature->scheme == WEBHOOK_STANDARD) {
			read_secret(reading, signature);
			check_absent(reading, "jwks_url", SIGNATURE ".jwks_url");
		} else if (signature->scheme == WEBHOOK_FAL) {
			signature->jwks_url = reading_member(reading, SIGNATURE ".jwks_url", "jwks_url");
			if (signature->jwks_url != NULL && strncmp(signature->jwks_url, HTTPS, strlen(HTTPS)) != 0)
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
	manifest->kind = reading_text(&reading, "kind", true);
	manifest->feature_flag = reading_text(&reading, "feature_flag", false);
	check_kind(&reading);
	manifest->name = reading_text(&reading, "name", false);
	if (manifest->name == NULL && manifest->id != NULL && (manifest->name = strdup(manifest->id)) == NULL)
		reading_out_of_memory(&reading);
	lua_getfield(L, reading.table, "aliases");
	manifest->aliases = reading_take_list(&reading, "aliases", 0);
	manifest->docs_url = reading_text(&reading, "docs_url", false);
	check_url(&reading, "docs_url", manifest->docs_url);
	manifest->pricing_url = reading_text(&reading, "pricing_url", false);
	check_url(&reading, "pricing_url", manifest->pricing_url);
	manifest->last_checked = reading_text(&reading, "last_checked", false);
	manifest->base_url = reading_text(&reading, "base_url", false);
	check_url(&reading, "base_url", manifest->base_url);
	read_hosts(&reading);
	read_outputs(&reading);
	read_auth(&reading);
	read_auth_forms(&reading);
	read_credentials(&reading);
	check_auth(&reading);
	manifest->capabilities = reading_json(&reading, "capabilities", true);
	manifest->pricing = reading_json(&reading, "pricing", true);
	manifest->tags = reading_json(&reading, "tags", false);
	manifest->modes = reading_json(&reading, "modes", false);
	manifest->reviews = reading_json(&reading, "reviews", false);
	read_paid_requests(&reading);
	check_functions(&reading);
	read_signature(&reading);
	return reading.failed ? ERROR_SCRIPT : ERROR_NONE;
}

static void free_auth(struct manifest_auth *auth)
{
	for (size_t i = 0; i < auth->count; i++) {
		free(auth->headers[i].name);
		free(auth->headers[i].value);
	}
	free(auth->headers);
	free(auth->form);
}

static void free_credential(struct credential_spec *spec)
{
	credential_pattern_free(spec->compiled);
	free(spec->name);
	free(spec->pattern);
	free(spec->hint);
	free_list(spec->env);
	free_list(spec->secret);
}

void manifest_free(struct manifest *manifest)
{
	char *texts[] = { manifest->id, manifest->name, manifest->kind, manifest->feature_flag, manifest->docs_url,
		manifest->pricing_url, manifest->last_checked, manifest->base_url, manifest->capabilities, manifest->pricing,
		manifest->tags, manifest->modes, manifest->reviews, manifest->signature.secret_path,
		manifest->signature.secret_field, manifest->signature.jwks_url };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	free_list(manifest->aliases);
	free_list(manifest->output_hosts);
	free_list(manifest->hosts);
	free_auth(&manifest->auth);
	for (size_t i = 0; i < manifest->auth_form_count; i++)
		free_auth(&manifest->auth_forms[i]);
	free(manifest->auth_forms);
	for (size_t i = 0; i < manifest->credential_count; i++)
		free_credential(&manifest->credentials[i]);
	free(manifest->credentials);
	*manifest = (struct manifest){ 0 };
}
