/* manifest_auth.c - the headers that carry a provider's credentials. Loader thread (or lint) only. */
#include "script/manifest_parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/memory.h"
#include "script/isolation.h"

static int compare_auth_headers(const void *a, const void *b)
{
	return strcasecmp(((const struct manifest_header *)a)->name, ((const struct manifest_header *)b)->name);
}

/* The table of headers on top of the stack. */
static void read_auth_headers(struct reading *reading, const char *path, struct manifest_auth *form)
{
	lua_State *L = reading->L;

	isolation_plain(L, -1);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (reading->failed)
			continue;
		if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING || form->count == LIMIT_AUTH_HEADERS) {
			reading_complain(
				reading, path, "expected header = \"value with {credential}\", at most %d", LIMIT_AUTH_HEADERS);
			continue;
		}
		form->headers = memory_resize(form->headers, (form->count + 1) * sizeof *form->headers);
		form->headers[form->count++] = (struct manifest_header){ .name = reading_copy(reading, path, -2),
			.value = reading_copy(reading, path, -1) };
	}
	if (!reading->failed && form->count > 1)
		qsort(form->headers, form->count, sizeof *form->headers, compare_auth_headers);
}

static void read_plain_auth(struct reading *reading)
{
	int type = lua_getfield(reading->L, reading->table, "auth");

	if (type == LUA_TTABLE)
		read_auth_headers(reading, "auth", &reading->manifest->auth);
	else if (type != LUA_TNIL)
		reading_complain(reading, "auth", "expected a table of headers, got %s", lua_typename(reading->L, type));
	lua_pop(reading->L, 1);
}

static void read_forms(struct reading *reading)
{
	struct manifest *manifest = reading->manifest;
	lua_State *L = reading->L;
	int type = lua_getfield(L, reading->table, "auth_forms");
	struct manifest_auth *form;

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
		manifest->auth_forms =
			memory_resize(manifest->auth_forms, (manifest->auth_form_count + 1) * sizeof *manifest->auth_forms);
		form = &manifest->auth_forms[manifest->auth_form_count++];
		*form = (struct manifest_auth){ .form = reading_copy(reading, "auth_forms", -2) };
		read_auth_headers(reading, "auth_forms", form);
	}
	lua_pop(L, 1);
}

void manifest_read_auth(struct reading *reading)
{
	read_plain_auth(reading);
	read_forms(reading);
}

static bool is_declared_credential(const struct manifest *manifest, const char *name, size_t length)
{
	for (size_t i = 0; i < manifest->credential_count; i++)
		if (strlen(manifest->credentials[i].name) == length && memcmp(manifest->credentials[i].name, name, length) == 0)
			return true;
	return false;
}

/* A name in braces that is no credential would never be filled, and the request never be sent; of the longest credentials so many fit into a line
 * of the head. */
static void check_auth_headers(struct reading *reading, const char *path, const struct manifest_auth *form)
{
	const char *text, *name;
	size_t length;
	int count;

	for (size_t i = 0; i < form->count; i++) {
		count = 0;
		for (text = form->headers[i].value; (name = credential_placeholder(text, &length)) != NULL; text = name + length)
			if (++count > LIMIT_OUTGOING_HEADER_CREDENTIALS)
				reading_complain(reading, path, "%s: names more than %d credentials", form->headers[i].name,
					LIMIT_OUTGOING_HEADER_CREDENTIALS);
			else if (!is_declared_credential(reading->manifest, name, length))
				reading_complain(reading, path, "%s: {%.*s} is none of this provider's credentials",
					form->headers[i].name, (int)length, name);
	}
}

void manifest_check_auth(struct reading *reading)
{
	const struct manifest *manifest = reading->manifest;

	if (reading->failed)
		return;
	check_auth_headers(reading, "auth", &manifest->auth);
	for (size_t i = 0; i < manifest->auth_form_count; i++)
		check_auth_headers(reading, "auth_forms", &manifest->auth_forms[i]);
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

static void free_auth(struct manifest_auth *auth)
{
	for (size_t i = 0; i < auth->count; i++) {
		free(auth->headers[i].name);
		free(auth->headers[i].value);
	}
	free(auth->headers);
	free(auth->form);
}

void manifest_free_auth(struct manifest *manifest)
{
	free_auth(&manifest->auth);
	for (size_t i = 0; i < manifest->auth_form_count; i++)
		free_auth(&manifest->auth_forms[i]);
	free(manifest->auth_forms);
}
