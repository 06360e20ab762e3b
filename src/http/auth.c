/* auth.c - who may call at all: API keys, and sessions and signed URLs that stand for one.
 *
 * Runs on HTTP threads, without state. A key in a header goes first; a signed URL is good for its own path only (request.signed_url). A browser sends a session's cookie by itself, also for a page of another port of
 * this machine, so it counts for this host's own page only. Neither is logged or quoted. */
#include "http/internal.h"

#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "gate/api_key.h"
#include "gate/session.h"
#include "gate/signed_url.h"

#define SIGNATURE_BYTES 68  /* of its text: one that is longer is none */
#define COOKIES_LOOKED_AT 4 /* of our name: one may be left from another path */

static size_t trimmed_length(const char *text)
{
	size_t length = strlen(text);

	while (length > 0 && text[length - 1] == ' ')
		length--;
	return length;
}

/* The key that the request came with, by either header. */
static const struct config_api_key *presented_key(const struct http_exchange *x, const struct config_server *server)
{
	const struct config_api_key *found = NULL;
	const char *key = x->head[HEAD_AUTHORIZATION];

	if (key != NULL && strncasecmp(key, "Bearer ", 7) == 0) {
		key += 7;
		key += strspn(key, " ");
		found = api_key_find(server, key, trimmed_length(key));
	}
	key = x->head[HEAD_X_API_KEY];
	if (found == NULL && key != NULL)
		found = api_key_find(server, key, trimmed_length(key));
	return found;
}

/* ---- sessions ---- */

/* The value of the next cookie of this name, and its length; *cookies moves behind it. NULL: there is no further one. */
static const char *next_cookie(const char **cookies, const char *name, size_t *length)
{
	size_t size = strlen(name);
	const char *at = *cookies, *value = NULL;

	while (value == NULL && *at != '\0') {
		at += strspn(at, " ;");
		*length = strcspn(at, ";");
		if (*length > size && strncmp(at, name, size) == 0 && at[size] == '=')
			value = at + size + 1;
		at += *length;
	}
	*cookies = at;
	if (value != NULL)
		*length -= size + 1;
	return value;
}

static void find_session(const struct http_exchange *x, const struct config_server *server, struct auth_caller *caller)
{
	const char *cookies = x->head[HEAD_COOKIE], *token;
	size_t length;

	for (int i = 0; i < COOKIES_LOOKED_AT && caller->key == NULL; i++) {
		token = next_cookie(&cookies, sessions_cookie(x->server->sessions), &length);
		if (token == NULL)
			return;
		caller->key = sessions_find(x->server->sessions, server, token, length, &caller->session_expires);
	}
}

/* Where the browser does not say what page it asks for, as in plain HTTP beyond this machine, the page's origin must: only reading goes without. */
static bool session_counts(const struct http_exchange *x)
{
	const char *site = x->head[HEAD_SEC_FETCH_SITE];
	bool reads = strcmp(x->request.method, "GET") == 0;

	if (x->own_page)
		return true;
	if (site != NULL)
		return reads && strcasecmp(site, "none") == 0;
	return reads && x->head[HEAD_ORIGIN] == NULL;
}

/* ---- signed URLs ---- */

static bool has_signature(const struct http_exchange *x, char signature[SIGNATURE_BYTES])
{
	return x->server->sessions != NULL && x->request.query != NULL && strcmp(x->request.method, "GET") == 0 &&
	       http_query(&x->request, "signature", signature, SIGNATURE_BYTES);
}

static bool find_signed(const struct http_exchange *x, const struct config_server *server, struct auth_caller *caller)
{
	char signature[SIGNATURE_BYTES], expires[16];

	caller->signed_url = has_signature(x, signature) && http_query(&x->request, "expires", expires, sizeof expires) &&
			     signed_url_check(x->server->sessions, server, x->request.path, expires, signature, &caller->key);
	return caller->signed_url;
}

bool auth_is_signed(const struct http_exchange *x)
{
	struct auth_caller caller = { .key = NULL };

	return find_signed(x, &x->request.view->config->server, &caller);
}

/* ---- all of them ---- */

/* Every client of MCP tries a GET once; told 401 there, those that know OAuth would send their user to log in, again and again. */
static bool is_no_mcp_method(const struct http_exchange *x)
{
	const char *path = x->request.path;
	size_t length = sizeof MCP_PATH - 1;

	return strncmp(path, MCP_PATH, length) == 0 && (path[length] == '\0' || strcmp(path + length, "/") == 0) &&
	       strcmp(x->request.method, "POST") != 0;
}

/* Vendors have a token in the path; the page's own files and the description of the API hold no data; who asks for a session has none yet. */
static bool needs_no_key(const struct http_exchange *x)
{
	const char *path = x->request.path;

	return x->probe || strncmp(path, WEBHOOKS, sizeof WEBHOOKS - 1) == 0 || path[1] == '\0' ||
	       strncmp(path, STUDIO_FILES, sizeof STUDIO_FILES - 1) == 0 || strcmp(path, SESSION_PATH) == 0 ||
	       (strcmp(path, OPENAPI_PATH) == 0 && x->request.query == NULL) || is_no_mcp_method(x);
}

/* Which of the three is wrong. */
static const char *explain_refusal(const struct http_exchange *x, bool presented)
{
	char signature[SIGNATURE_BYTES];

	if (has_signature(x, signature))
		return "this URL's signature is not this path's, its time is over, or its API key is gone";
	return presented ? "this API key is not one of server.api_keys"
			 : "an API key is needed: send Authorization: Bearer KEY, or X-API-Key: KEY";
}

const char *auth_refusal(const struct http_exchange *x, const struct config_server *server, struct auth_caller *caller)
{
	bool presented = x->head[HEAD_AUTHORIZATION] != NULL || x->head[HEAD_X_API_KEY] != NULL;

	*caller = (struct auth_caller){ .key = NULL };
	if (server->api_key_count == 0)
		return NULL;
	if (presented)
		caller->key = presented_key(x, server);
	if (caller->key == NULL && find_signed(x, server, caller))
		return NULL;
	if (presented)
		return caller->key != NULL || needs_no_key(x) ? NULL : explain_refusal(x, presented);
	if (x->head[HEAD_COOKIE] != NULL && x->server->sessions != NULL)
		find_session(x, server, caller);
	if (caller->key != NULL || needs_no_key(x))
		return NULL;
	return explain_refusal(x, presented);
}

bool auth_check(struct http_exchange *x)
{
	struct auth_caller caller;
	const char *refusal = auth_refusal(x, &x->request.view->config->server, &caller);

	if (refusal != NULL)
		return reply_refuse(x, 401, "WWW-Authenticate: Bearer\r\n", "%s", refusal);
	if (caller.session_expires != 0 && !session_counts(x)) {
		if (!needs_no_key(x))
			return reply_refuse(x, 403, NULL,
				"a session counts for the pages of this host only: send an API key in a header instead");
		caller = (struct auth_caller){ .key = NULL };
	}
	x->request.api_key = caller.key;
	x->request.session_expires = caller.session_expires;
	x->request.signed_url = caller.signed_url;
	return true;
}
