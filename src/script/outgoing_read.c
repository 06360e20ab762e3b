/* outgoing_read.c - reads and checks a request of a script. Engine thread, inside the coroutine's protected run. */
#include "script/outgoing_read.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "base/limits.h"
#include "net/destination.h"
#include "script/bridge.h"
#include "script/isolation.h"
#include "script/manifest.h"
#include "script/state.h"

static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY", NULL };

void outgoing_add_auth(struct outgoing *outgoing, const struct manifest_auth *auth)
{
	for (size_t i = 0; i < auth->count && outgoing->header_count < OUTGOING_HEADERS; i++)
		outgoing->headers[outgoing->header_count++] = (struct outgoing_header){
			.name = auth->headers[i].name, .value = auth->headers[i].value, .credential = true
		};
}

/* Raises { field =, message = }: the request cannot be sent, and it is the user's value that stands in the way. */
static void refuse(lua_State *L, const char *field, const char *message)
{
	lua_createtable(L, 0, 2);
	lua_pushstring(L, field);
	lua_setfield(L, -2, "field");
	lua_pushstring(L, message);
	lua_setfield(L, -2, "message");
	lua_error(L);
}

/* ---- what is borrowed ---- */

/* The string at `index`, kept by the anchor whatever becomes of where it stands now. */
static const char *borrow(lua_State *L, int anchor, int index, size_t *length)
{
	lua_pushvalue(L, index);
	lua_rawseti(L, anchor, (lua_Integer)lua_rawlen(L, anchor) + 1);
	return lua_tolstring(L, index, length);
}

/* A text that stands in a line of the head, or of a part's: it may neither end the line nor be another text to C. */
static void check_line(lua_State *L, const char *what, const char *text, size_t length, size_t most)
{
	if (length > most)
		luaL_error(L, "ctx.request: %s has %d bytes, at most %d are possible", what, (int)length, (int)most);
	for (size_t i = 0; i < length; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
			luaL_error(L, "ctx.request: %s has a control character", what);
}

/* ---- URL ---- */

static void refuse_length(lua_State *L)
{
	lua_pushfstring(L, "the URL would be too long: at most %d bytes", LIMIT_OUTGOING_URL_BYTES);
	refuse(L, "url", lua_tostring(L, -1));
}

/* ASCII only, whatever the locale. */
static bool is_alphanumeric(unsigned char byte)
{
	unsigned char lower = byte | 0x20;

	return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9');
}

/* Bytes that stand in a URL as they are; the rest is percent-encoded (RFC 3986; offline.lua does the same). */
static bool url_byte(unsigned char byte)
{
	return is_alphanumeric(byte) || (byte != '\0' && strchr("-._~:/?#[]@!$&'()*+,;=%", byte) != NULL);
}

static bool bad_percent(const char *text)
{
	return text[0] == '%' && !(isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]));
}

/* The text on top of the stack. */
static void append_url_text(lua_State *L, struct buffer *url)
{
	size_t length;
	const char *text = lua_tolstring(L, -1, &length);

	if (length > LIMIT_OUTGOING_URL_BYTES)
		refuse_length(L);
	for (const char *at = text, *end = text + length; at < end; at++) {
		const char *run = at;

		while (at < end && url_byte((unsigned char)*at) && !bad_percent(at))
			at++;
		buffer_append(url, run, (size_t)(at - run));
		if (at < end)
			buffer_format(url, "%%%02X", (unsigned char)*at);
	}
}

static void append_encoded(struct buffer *url, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (is_alphanumeric(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~')
			buffer_char(url, (char)byte);
		else
			buffer_format(url, "%%%02X", byte);
	}
}

struct name {
	const char *text;
	size_t length;
};

static int compare_query_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);

	return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static void append_query_value(lua_State *L, struct buffer *url)
{
	size_t length;
	const char *text;
	lua_Integer whole;
	int exact, type = lua_type(L, -1);

	if (type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TLIGHTUSERDATA)
		luaL_error(L, "ctx.request: query: a value must be text, a number or a boolean, not a %s", lua_typename(L, type));
	whole = lua_tointegerx(L, -1, &exact);
	if (type == LUA_TNUMBER && exact)
		lua_pushinteger(L, whole); /* 9.0 as 9 */
	else
		lua_pushvalue(L, -1);
	text = luaL_tolstring(L, -1, &length);
	if (length > LIMIT_OUTGOING_URL_BYTES)
		refuse_length(L);
	append_encoded(url, text, length);
	lua_pop(L, 2);
}

static void append_query(lua_State *L, int table, struct buffer *url)
{
	struct name names[32];
	size_t count = 0;

	isolation_plain(L, table);
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING || count == 32)
			luaL_error(L, "ctx.request: query: at most 32 named values");
		names[count].text = lua_tolstring(L, -2, &names[count].length);
		count++;
	}
	qsort(names, count, sizeof *names, compare_query_names);
	for (size_t i = 0; i < count; i++) {
		buffer_char(url, i > 0 || strchr(url->data, '?') != NULL ? '&' : '?');
		append_encoded(url, names[i].text, names[i].length);
		buffer_char(url, '=');
		lua_pushlstring(L, names[i].text, names[i].length);
		lua_gettable(L, table);
		append_query_value(L, url);
		lua_pop(L, 1);
	}
}

/* A vendor that is reached by a detour names its own URLs by it. */
static void restore_url(lua_State *L, const struct destination_detour *detour)
{
	struct buffer *url;

	if (detour == NULL || strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1)) /* with a NUL in it it is no URL of anybody's */
		return;
	url = bridge_push_buffer(L);
	destination_restore(lua_tostring(L, -2), detour, url);
	if (url->starved)
		script_stop_starved(L);
	if (!url->failed) {
		lua_pushlstring(L, url->data, url->length);
		lua_replace(L, -3);
	}
	buffer_free(url);
	lua_pop(L, 1);
}

static void read_url(lua_State *L, int index, const struct manifest *manifest, struct outgoing *outgoing)
{
	int type = lua_getfield(L, index, "url");
	struct error error;

	if (type == LUA_TSTRING) {
		restore_url(L, outgoing->detour);
		append_url_text(L, &outgoing->url);
	} else {
		if (lua_getfield(L, index, "path") != LUA_TSTRING || manifest->base_url == NULL)
			luaL_error(L, "ctx.request: path (with base_url) or url is needed");
		buffer_text(&outgoing->url, manifest->base_url);
		append_url_text(L, &outgoing->url);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	if (lua_getfield(L, index, "query") == LUA_TTABLE && outgoing->url.length > 0)
		append_query(L, lua_gettop(L), &outgoing->url);
	lua_pop(L, 1);
	if (outgoing->url.starved)
		script_stop_starved(L);
	if (outgoing->url.length == 0)
		luaL_error(L, "ctx.request: url is empty");
	if (outgoing->url.failed || outgoing->url.length > LIMIT_OUTGOING_URL_BYTES)
		refuse_length(L);
	if (destination_check(outgoing->url.data, manifest->hosts, false, &error) != ERROR_NONE)
		refuse(L, error.path, error.message);
	outgoing->shared_host = !destination_is_own(outgoing->url.data, manifest->hosts, manifest->own_hosts);
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
	static const char *const ours[] = { "Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade",
		"Expect", "TE", "Trailer", "Proxy-Authorization", "Proxy-Connection", NULL };

	for (const char *const *at = ours; *at != NULL; at++)
		if (compare_names(*at, name) == 0)
			return true;
	return false;
}

/* A token (RFC 9110, 5.6.2). */
static bool is_header_name(const char *name)
{
	const char *at = name;

	while (is_alphanumeric((unsigned char)*at) || (*at != '\0' && strchr("!#$%&'*+-.^_`|~", *at) != NULL))
		at++;
	return at > name && *at == '\0';
}

static void check_header(lua_State *L, const char *name, const char *value)
{
	if (!is_header_name(name))
		luaL_error(L, "ctx.request: '%s' is not a header name", name);
	check_line(L, "the name of a header", name, strlen(name), LIMIT_OUTGOING_NAME_BYTES);
	if (header_is_ours(name))
		luaL_error(L, "ctx.request: the header '%s' is the host's", name);
	lua_pushfstring(L, "the value of header '%s'", name);
	check_line(L, lua_tostring(L, -1), value, strlen(value), LIMIT_OUTGOING_HEADER_BYTES);
	lua_pop(L, 1);
}

/* Keeps the headers sorted by name. */
static void set_header(lua_State *L, struct outgoing *outgoing, struct outgoing_header header)
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

static void set_text_header(lua_State *L, struct outgoing *outgoing, const char *name, const char *value)
{
	set_header(L, outgoing, (struct outgoing_header){ .name = name, .value = value });
}

/* auth = false: none; auth = "name": that of auth_forms; else the manifest's auth. */
static void read_auth(lua_State *L, int index, const struct manifest *manifest, struct outgoing *outgoing)
{
	int type = lua_getfield(L, index, "auth");
	const struct manifest_auth *auth = &manifest->auth;

	if (type == LUA_TSTRING && (auth = manifest_auth(manifest, lua_tostring(L, -1))) == NULL)
		luaL_error(L, "ctx.request: auth: auth_forms has no '%s'", lua_tostring(L, -1));
	if (type != LUA_TSTRING && type != LUA_TBOOLEAN && type != LUA_TNIL)
		luaL_error(L, "ctx.request: auth must be false, or the name of one of auth_forms");
	for (size_t i = 0; (type != LUA_TBOOLEAN || lua_toboolean(L, -1)) && i < auth->count; i++)
		set_header(L, outgoing,
			(struct outgoing_header){
				.name = auth->headers[i].name, .value = auth->headers[i].value, .credential = true });
	lua_pop(L, 1);
}

/* The name and the value on top of the stack. */
static void add_script_header(lua_State *L, int anchor, struct outgoing *outgoing)
{
	const char *name, *value;
	size_t name_length, value_length;

	if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "ctx.request: headers: names and values must be text");
	name = borrow(L, anchor, -2, &name_length);
	value = borrow(L, anchor, -1, &value_length);
	if (strlen(name) != name_length || strlen(value) != value_length)
		luaL_error(L, "ctx.request: the header '%s' has a control character in it", name);
	set_text_header(L, outgoing, name, value);
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

static void read_headers(lua_State *L, int index, int anchor, const struct manifest *manifest, struct outgoing *outgoing)
{
	read_auth(L, index, manifest, outgoing);
	if (outgoing->body_kind == BODY_JSON)
		set_text_header(L, outgoing, "Content-Type", "application/json");
	else if (outgoing->body_kind == BODY_FORM)
		set_text_header(L, outgoing, "Content-Type", "multipart/form-data");
	if (lua_getfield(L, index, "headers") == LUA_TTABLE) {
		isolation_plain(L, -1);
		for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
			add_script_header(L, anchor, outgoing);
	}
	lua_pop(L, 1);
	if (outgoing->trace != NULL)
		set_text_header(L, outgoing, "traceparent", outgoing->trace);
	check_head(L, outgoing);
}

/* ---- body ---- */

/* A text field of the table on top, or NULL. */
static const char *part_text(lua_State *L, int anchor, const char *name, size_t *length)
{
	const char *text = NULL;

	if (lua_getfield(L, -1, name) == LUA_TSTRING)
		text = borrow(L, anchor, -1, length);
	lua_pop(L, 1);
	return text;
}

/* One that stands in a line of the part's head. */
static const char *part_line(lua_State *L, int anchor, const char *name)
{
	const char *text = NULL;
	size_t length;

	if (lua_getfield(L, -1, name) == LUA_TSTRING) {
		text = borrow(L, anchor, -1, &length);
		lua_pushfstring(L, "form: the %s of a part", name);
		check_line(L, lua_tostring(L, -1), text, length, LIMIT_OUTGOING_NAME_BYTES);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return text;
}

/* Quartets of the alphabet, the last with up to two = at its end: what EVP_DecodeBlock() takes and decodes to what was meant. */
static bool is_base64(const char *text, size_t length)
{
	size_t padding = 0;

	if (length % 4 != 0)
		return false;
	while (padding < 2 && padding < length && text[length - padding - 1] == '=')
		padding++;
	for (size_t i = 0; i < length - padding; i++)
		if (!is_alphanumeric((unsigned char)text[i]) && text[i] != '+' && text[i] != '/')
			return false;
	return true;
}

/* data:image/png;base64,AAAA: the type goes to content_type unless the part has one. */
static void split_data_uri(lua_State *L, int anchor, struct outgoing_part *part, const char *uri, size_t length)
{
	const char *comma = memchr(uri, ',', length < LIMIT_OUTGOING_NAME_BYTES ? length : LIMIT_OUTGOING_NAME_BYTES);
	size_t head;

	if (length < 5 || memcmp(uri, "data:", 5) != 0 || comma == NULL)
		luaL_error(L, "ctx.request: form: data_uri must be data:TYPE;base64,...");
	head = (size_t)(comma - uri);
	part->base64 = head >= 7 && memcmp(comma - 7, ";base64", 7) == 0;
	part->data = comma + 1;
	part->data_length = length - head - 1;
	if (part->base64 && !is_base64(part->data, part->data_length))
		luaL_error(L, "ctx.request: form: the data_uri of part '%s' is not base64", part->name);
	if (part->content_type == NULL && head > 5) {
		lua_pushlstring(L, uri + 5, strcspn(uri + 5, ";,"));
		part->content_type = borrow(L, anchor, -1, &length);
		check_line(L, "form: the type in data_uri", part->content_type, length, LIMIT_OUTGOING_NAME_BYTES);
		lua_pop(L, 1);
	}
}

/* What a field has: text, or what has one way to be written. */
static void read_value(lua_State *L, int anchor, struct outgoing_part *part)
{
	int type = lua_getfield(L, -1, "value");

	if (type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN) {
		luaL_tolstring(L, -1, NULL);
		part->value = borrow(L, anchor, -1, &part->value_length);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	if (part->value == NULL)
		luaL_error(L, "ctx.request: form: part '%s' needs value, data or data_uri", part->name);
}

static void read_part(lua_State *L, int anchor, struct outgoing_part *part)
{
	size_t length = 0;
	const char *uri;

	*part = (struct outgoing_part){ 0 };
	part->name = part_line(L, anchor, "name");
	if (part->name == NULL)
		luaL_error(L, "ctx.request: form: each part needs a name");
	part->filename = part_line(L, anchor, "filename");
	part->content_type = part_line(L, anchor, "content_type");
	part->data = part_text(L, anchor, "data", &part->data_length);
	uri = part_text(L, anchor, "data_uri", &length);
	if (uri != NULL)
		split_data_uri(L, anchor, part, uri, length);
	if (part->data == NULL)
		read_value(L, anchor, part);
	else if (part->filename == NULL)
		part->filename = part->name;
}

static void read_form(lua_State *L, int anchor, struct outgoing *outgoing)
{
	size_t count;

	isolation_plain(L, -1);
	count = (size_t)lua_rawlen(L, -1);
	if (count > OUTGOING_PARTS)
		luaL_error(L, "ctx.request: form: more than %d parts", OUTGOING_PARTS);
	outgoing->parts = calloc(OUTGOING_PARTS, sizeof *outgoing->parts);
	if (outgoing->parts == NULL)
		script_stop_starved(L);
	for (size_t i = 0; i < count; i++) {
		if (lua_rawgeti(L, -1, (lua_Integer)i + 1) != LUA_TTABLE)
			luaL_error(L, "ctx.request: form: a list of { name =, value = } is expected");
		read_part(L, anchor, &outgoing->parts[i]);
		lua_pop(L, 1);
	}
	outgoing->part_count = count;
}

static void read_body(lua_State *L, int index, int anchor, struct outgoing *outgoing)
{
	if (lua_getfield(L, index, "json") != LUA_TNIL) {
		outgoing->body_kind = BODY_JSON;
		bridge_write(L, -1, &outgoing->body);
	} else if (lua_getfield(L, index, "form") == LUA_TTABLE) {
		outgoing->body_kind = BODY_FORM;
		read_form(L, anchor, outgoing);
	} else if (lua_getfield(L, index, "body") == LUA_TSTRING) {
		outgoing->body_kind = BODY_TEXT;
		outgoing->text = borrow(L, anchor, -1, &outgoing->text_length);
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
	for (size_t i = 0; methods[i] != NULL; i++)
		if (strcmp(methods[i], method) == 0)
			outgoing->method = methods[i];
	if (outgoing->method == NULL)
		luaL_error(L, "ctx.request: method '%s' is not known", method);
}

void outgoing_read(lua_State *L, int index, const struct manifest *manifest, struct outgoing *outgoing)
{
	int anchor;

	luaL_checktype(L, index, LUA_TTABLE);
	index = lua_absindex(L, index);
	luaL_checkstack(L, 16, NULL);
	lua_createtable(L, 8, 0);
	anchor = lua_gettop(L);
	read_body(L, index, anchor, outgoing);
	lua_settop(L, anchor);
	read_method(L, index, outgoing);
	read_url(L, index, manifest, outgoing);
	read_headers(L, index, anchor, manifest, outgoing);
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
