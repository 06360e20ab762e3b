/* outgoing_read.c - reads and checks a request of a script: method, headers and body. Engine thread, inside the coroutine's protected run. */
#include "script/outgoing_parts.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "base/limits.h"
#include "script/bridge.h"
#include "script/isolation.h"
#include "script/manifest.h"

static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY", NULL };

void outgoing_add_auth(struct outgoing *outgoing, const struct manifest_auth *auth)
{
	for (size_t i = 0; i < auth->count && outgoing->header_count < OUTGOING_HEADERS; i++)
		outgoing->headers[outgoing->header_count++] = (struct outgoing_header){
			.name = auth->headers[i].name, .value = auth->headers[i].value, .credential = true
		};
}

const char *outgoing_borrow(lua_State *L, int anchor, int index, size_t *length)
{
	lua_pushvalue(L, index);
	lua_rawseti(L, anchor, (lua_Integer)lua_rawlen(L, anchor) + 1);
	return lua_tolstring(L, index, length);
}

static size_t line_length(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && (unsigned char)text[i] != 0x7f && ((unsigned char)text[i] >= 0x20 || text[i] == '\t'))
		i++;
	return i;
}

void outgoing_check_line(lua_State *L, const char *text, size_t length, size_t most, const char *what, const char *name)
{
	if (length <= most && line_length(text, length) == length)
		return;
	what = lua_pushfstring(L, what, name);
	if (length > most)
		luaL_error(L, "ctx.request: %s has %d bytes, at most %d are possible", what, (int)length, (int)most);
	luaL_error(L, "ctx.request: %s has a control character", what);
}

/* ---- headers ---- */

/* Without regard to letter case. Most names differ in their first letter. */
static int compare_names(const char *a, const char *b)
{
	int first = tolower((unsigned char)*a) - tolower((unsigned char)*b);

	return first != 0 ? first : strcasecmp(a, b);
}

/* What belongs to the connection is the host's: with these a script could say one thing and send another. */
static bool header_is_ours(const char *name)
{
	static const char *const ours[] = { "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade",
		"expect", "te", "trailer", "proxy-authorization", "proxy-connection", NULL };
	char first = (char)(*name | 0x20);

	for (const char *const *at = ours; *at != NULL; at++)
		if (**at == first && strcasecmp(*at, name) == 0)
			return true;
	return false;
}

/* A token (RFC 9110, 5.6.2). */
static bool is_header_name(const char *name)
{
	const char *at = name;

	while (*at == '-' || isalnum((unsigned char)*at) || (*at != '\0' && strchr("!#$%&'*+.^_`|~", *at) != NULL))
		at++;
	return at > name && *at == '\0';
}

static void check_header(lua_State *L, const char *name, const char *value)
{
	if (!is_header_name(name))
		luaL_error(L, "ctx.request: '%s' is not a header name", name);
	if (strlen(name) > LIMIT_OUTGOING_NAME_BYTES) /* a token has no control character */
		outgoing_check_line(L, name, strlen(name), LIMIT_OUTGOING_NAME_BYTES, "the name of a header", NULL);
	if (header_is_ours(name))
		luaL_error(L, "ctx.request: the header '%s' is the host's", name);
	outgoing_check_line(L, value, strlen(value), LIMIT_OUTGOING_HEADER_BYTES, "the value of header '%s'", name);
}

/* Keeps the headers sorted by name. */
static void put_header(lua_State *L, struct outgoing *outgoing, struct outgoing_header header)
{
	const char *name = header.name, *value = header.value;
	size_t i = outgoing->header_count;
	int order = -1;

	check_header(L, name, value);
	while (i > 0 && (order = compare_names(outgoing->headers[i - 1].name, name)) > 0)
		i--;
	if (i > 0 && order == 0) { /* a later one takes the place of an earlier */
		i--;
	} else {
		if (outgoing->header_count == OUTGOING_HEADERS)
			luaL_error(L, "ctx.request: more than %d headers", OUTGOING_HEADERS);
		memmove(outgoing->headers + i + 1, outgoing->headers + i,
			(outgoing->header_count++ - i) * sizeof *outgoing->headers);
	}
	outgoing->headers[i] = header;
}

static void put_text_header(lua_State *L, struct outgoing *outgoing, const char *name, const char *value)
{
	put_header(L, outgoing, (struct outgoing_header){ .name = name, .value = value });
}

/* auth = false: none; auth = "name": that of auth_forms; else the manifest's auth. */
static void put_auth(lua_State *L, int index, const struct manifest *manifest, struct outgoing *outgoing)
{
	int type = lua_getfield(L, index, "auth");
	const struct manifest_auth *auth = &manifest->auth;

	if (type == LUA_TSTRING && (auth = manifest_auth(manifest, lua_tostring(L, -1))) == NULL)
		luaL_error(L, "ctx.request: auth: auth_forms has no '%s'", lua_tostring(L, -1));
	if (type != LUA_TSTRING && type != LUA_TBOOLEAN && type != LUA_TNIL)
		luaL_error(L, "ctx.request: auth must be false, or the name of one of auth_forms");
	for (size_t i = 0; (type != LUA_TBOOLEAN || lua_toboolean(L, -1)) && i < auth->count; i++)
		put_header(L, outgoing,
			(struct outgoing_header){
				.name = auth->headers[i].name, .value = auth->headers[i].value, .credential = true });
	lua_pop(L, 1);
}

/* A host that is not the script's own gets none. */
static void forbid_auth(lua_State *L, const struct outgoing *outgoing)
{
	if (outgoing_has_credential(outgoing))
		luaL_error(L, "ctx.request: %s is a host of `directory` only, so no credential goes there: say auth = false",
			outgoing->url.data);
}

/* The name and the value on top of the stack. */
static void put_script_header(lua_State *L, int anchor, struct outgoing *outgoing)
{
	const char *name, *value;
	size_t name_length, value_length;

	if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "ctx.request: headers: names and values must be text");
	name = outgoing_borrow(L, anchor, -2, &name_length);
	value = outgoing_borrow(L, anchor, -1, &value_length);
	if (strlen(name) != name_length || strlen(value) != value_length)
		luaL_error(L, "ctx.request: the header '%s' has a control character in it", name);
	put_text_header(L, outgoing, name, value);
}

static void check_head(lua_State *L, const struct outgoing *outgoing)
{
	size_t bytes = 0;

	for (size_t i = 0; i < outgoing->header_count; i++)
		bytes += strlen(outgoing->headers[i].name) + strlen(outgoing->headers[i].value);
	if (bytes > LIMIT_OUTGOING_HEAD_BYTES)
		luaL_error(L, "ctx.request: all headers together have %d bytes, at most %d are possible", (int)bytes,
			LIMIT_OUTGOING_HEAD_BYTES);
}

static void read_request_headers(lua_State *L, int index, int anchor, const struct manifest *manifest, struct outgoing *outgoing)
{
	put_auth(L, index, manifest, outgoing);
	if (outgoing->body_kind == BODY_JSON)
		put_text_header(L, outgoing, "Content-Type", "application/json");
	else if (outgoing->body_kind == BODY_FORM)
		put_text_header(L, outgoing, "Content-Type", "multipart/form-data");
	if (lua_getfield(L, index, "headers") == LUA_TTABLE) {
		isolation_plain(L, -1);
		for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
			put_script_header(L, anchor, outgoing);
	}
	lua_pop(L, 1);
	if (outgoing->trace != NULL)
		put_text_header(L, outgoing, "traceparent", outgoing->trace);
	check_head(L, outgoing);
}

/* ---- body ---- */

static void read_request_body(lua_State *L, int index, int anchor, struct outgoing *outgoing)
{
	if (lua_getfield(L, index, "json") != LUA_TNIL) {
		outgoing->body_kind = BODY_JSON;
		bridge_write(L, -1, &outgoing->body);
	} else if (lua_getfield(L, index, "form") == LUA_TTABLE) {
		outgoing->body_kind = BODY_FORM;
		outgoing_read_form(L, anchor, outgoing);
	} else if (lua_getfield(L, index, "body") == LUA_TSTRING) {
		outgoing->body_kind = BODY_TEXT;
		outgoing->text = outgoing_borrow(L, anchor, -1, &outgoing->text_length);
	}
}

static void read_method(lua_State *L, int index, struct outgoing *outgoing)
{
	const char *method = NULL;

	if (lua_getfield(L, index, "method") == LUA_TSTRING)
		method = lua_tostring(L, -1);
	lua_pop(L, 1);
	if (method == NULL)
		method = outgoing->body_kind == BODY_NONE ? "GET" : "POST";
	for (size_t i = 0; methods[i] != NULL && outgoing->method == NULL; i++)
		if (strcmp(methods[i], method) == 0)
			outgoing->method = methods[i];
	if (outgoing->method == NULL)
		luaL_error(L, "ctx.request: method '%s' is not known", method);
}

void outgoing_read(lua_State *L, int index, const struct manifest *manifest, char *const *more_hosts, struct outgoing *outgoing)
{
	bool foreign;
	int anchor;

	luaL_checktype(L, index, LUA_TTABLE);
	index = lua_absindex(L, index);
	luaL_checkstack(L, 16, NULL);
	lua_createtable(L, 8, 0);
	anchor = lua_gettop(L);
	read_request_body(L, index, anchor, outgoing);
	lua_settop(L, anchor);
	read_method(L, index, outgoing);
	foreign = outgoing_read_url(L, index, manifest, more_hosts, outgoing);
	read_request_headers(L, index, anchor, manifest, outgoing);
	if (foreign)
		forbid_auth(L, outgoing);
	if (lua_getfield(L, index, "timeout") != LUA_TNIL) {
		outgoing->timeout_seconds = lua_tonumber(L, -1); /* bounded where it is used */
		if (lua_type(L, -1) != LUA_TNUMBER || isnan(outgoing->timeout_seconds))
			luaL_error(L, "ctx.request: timeout must be a number of seconds");
	}
	if (lua_getfield(L, index, "free") == LUA_TBOOLEAN)
		outgoing->costs = !lua_toboolean(L, -1);
	else
		outgoing->costs = strcmp(outgoing->method, "GET") != 0 && strcmp(outgoing->method, "HEAD") != 0;
	lua_settop(L, anchor);
}
