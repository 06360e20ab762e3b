/* guard.c - what every request must pass before anything of it is acted upon.
 *
 * Runs on HTTP threads, without state. Order: overload and draining, the head's form, the path, Host, Origin, API key or session. The Host
 * and Origin checks keep web pages away from a host on loopback: a foreign page (Origin, Sec-Fetch-Site) and a foreign name that
 * resolves here (DNS rebinding). Knows no route but /healthz, /readyz, the page and the inbound webhooks. */
#include "http/internal.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "http/origin.h"

#define IPV4_TEXT 16

static bool check_load(struct http_exchange *x)
{
	if (x->probe)
		return true;
	if (atomic_load_explicit(&x->server->draining, memory_order_relaxed)) {
		x->close = true;
		return reply_refuse(x, 503, "Retry-After: 5\r\n", "the host is stopping");
	}
	if (atomic_load_explicit(&x->server->in_flight, memory_order_relaxed) > x->server->overload_mark) {
		x->close = true;
		return reply_refuse(x, 503, "Retry-After: 1\r\n", "too many requests at once");
	}
	return true;
}

/* ---- Host ---- */

/* The length of the host in "host", "host:port", "[::1]:port"; 0 when it is neither. */
static size_t host_length(const char *text, size_t length)
{
	const char *bracket = length > 0 && *text == '[' ? memchr(text, ']', length) : NULL;
	size_t host = bracket != NULL ? (size_t)(bracket - text) + 1 : 0;

	while (bracket == NULL && host < length && text[host] != ':')
		host++;
	if (host == length)
		return host;
	return text[host] == ':' && host + 1 + strspn(text + host + 1, "0123456789") >= length ? host : 0;
}

/* As RFC 3986 writes a host and a port. */
static bool host_is_wellformed(const char *text)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=";
	size_t length = strlen(text), host = host_length(text, length);

	if (length == 0)
		return true; /* an empty one is a name that nobody has */
	if (host == 0 || length - host > sizeof ":65535" - 1)
		return false;
	if (*text == '[')
		return host > 2 && 1 + strspn(text + 1, "0123456789abcdefABCDEF:.") == host - 1;
	return strspn(text, name) == host;
}

static bool same(const char *expected, const char *text, size_t length)
{
	return strlen(expected) == length && strncasecmp(expected, text, length) == 0;
}

static bool is_ipv4(const char *text, size_t length)
{
	char copy[IPV4_TEXT];
	struct in_addr address;

	if (length >= sizeof copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return inet_pton(AF_INET, copy, &address) == 1;
}

/* An entry of server.allowed_hosts with a port means that port only. */
static bool host_is_listed(char *const *list, const char *text, size_t length, size_t host)
{
	for (; list != NULL && *list != NULL; list++)
		if (same(*list, text, host) || same(*list, text, length))
			return true;
	return false;
}

static bool host_is_ours(const struct http_exchange *x, const char *text, size_t length)
{
	const struct http_server *server = x->server;
	size_t host = host_length(text, length);

	if (host == 0)
		return false;
	if (same(server->host, text, host))
		return true;
	if (server->loopback && (same("127.0.0.1", text, host) || same("[::1]", text, host)))
		return true;
	if ((server->loopback || server->any_address) && same("localhost", text, host))
		return true;
	if (server->any_address && is_ipv4(text, host))
		return true;
	return host_is_listed(x->request.view->config->server.allowed_hosts, text, length, host);
}

/* Vendors call the host by live.public_url, and signed URLs begin with it: that name opens these, and nothing else. */
static bool host_is_public_url(const struct http_exchange *x, const char *text, size_t length)
{
	const char *url = x->request.view->config->live.public_url;
	const char *name = url != NULL ? strstr(url, "://") + 3 : NULL;

	if (name == NULL)
		return false;
	length = host_length(text, length);
	return length > 0 && host_length(name, strcspn(name, "/")) == length && strncasecmp(name, text, length) == 0 &&
	       (strncmp(x->request.path, WEBHOOKS, sizeof WEBHOOKS - 1) == 0 || auth_is_signed(x));
}

/* /healthz is answered by any name: whoever asks for it may know the host by its address only. */
static bool check_host(struct http_exchange *x)
{
	const char *host = x->head[HEAD_HOST];
	char quoted[QUOTE_BYTES];
	size_t length;

	if (host == NULL && strcmp(x->info->http_version, "1.0") != 0)
		return reply_refuse(x, 400, NULL, "the header Host is missing");
	if (host != NULL && !host_is_wellformed(host))
		return reply_refuse(x, 400, NULL, "the header Host is malformed: a name or an address, and a port");
	if (host == NULL || x->server->gate == NULL || strcmp(x->request.path, "/healthz") == 0)
		return true;
	length = strlen(host);
	if (host_is_ours(x, host, length) || host_is_public_url(x, host, length))
		return true;
	return reply_refuse(x, 421, NULL, "this host is not known by the name \"%s\": add it to server.allowed_hosts in %s",
		reply_quote(host, quoted), x->request.view->config->file);
}

/* ---- Origin ---- */

/* What the browser says of the page goes before its origin: that may be the same text over plain HTTP, where somebody in between wrote the page. */
static bool is_own_page(const struct http_exchange *x)
{
	const char *site = x->head[HEAD_SEC_FETCH_SITE], *origin = x->head[HEAD_ORIGIN];

	if (site != NULL && strcasecmp(site, "none") != 0)
		return strcasecmp(site, "same-origin") == 0;
	return origin != NULL && origin_is_host(origin, x->head[HEAD_HOST]);
}

/* A link on a foreign page may lead to ours, which holds no data: what that asks for then comes from itself. And a signed URL is made to be handed on: no
 * page knows one that it was not given. */
static bool opens_page(const struct http_exchange *x)
{
	return (x->request.path[1] == '\0' && strcmp(x->request.method, "GET") == 0) || auth_is_signed(x);
}

static bool origin_is_listed(char *const *list, const char *origin)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcasecmp(*list, origin) == 0)
			return true;
	return false;
}

static bool check_origin(struct http_exchange *x)
{
	const char *origin = x->head[HEAD_ORIGIN];
	const char *site = x->head[HEAD_SEC_FETCH_SITE];
	const struct config *config = x->request.view->config;
	char quoted[QUOTE_BYTES];

	if (origin == NULL && site == NULL)
		return true;
	x->own_page = is_own_page(x);
	if (origin != NULL && origin_is_listed(config->server.allowed_origins, origin))
		x->origin = origin;
	if (x->origin != NULL || x->own_page)
		return true;
	if (origin != NULL)
		return reply_refuse(x, 403, NULL,
			"web pages of the origin \"%s\" may not call this host: add it to server.allowed_origins in %s",
			reply_quote(origin, quoted), config->file);
	if (strcasecmp(site, "cross-site") == 0 && !opens_page(x))
		return reply_refuse(x, 403, NULL,
			"web pages of other sites may not call this host: see server.allowed_origins in %s", config->file);
	return true;
}

/* A browser's question before the request proper. It carries no key, and needs none. */
static bool answer_preflight(struct http_exchange *x)
{
	static const char headers[] =
		"Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE\r\n"
		"Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, If-Modified-Since, If-None-Match, "
		"If-Range, Last-Event-ID, Mcp-Method, Mcp-Name, MCP-Protocol-Version, Prefer, Range, traceparent, X-API-Key, "
		"X-Providerd-Dry-Run, X-Providerd-Max-Cost-Usd, X-Request-ID, "
		/* what OpenAI's SDK says of itself, in a page too */
		"OpenAI-Beta, OpenAI-Organization, OpenAI-Project, X-Stainless-Arch, X-Stainless-Lang, X-Stainless-OS, "
		"X-Stainless-Package-Version, X-Stainless-Poll-Helper, X-Stainless-Retry-Count, X-Stainless-Runtime, "
		"X-Stainless-Runtime-Version, X-Stainless-Timeout\r\n"
		"Access-Control-Max-Age: 600\r\n";

	if (x->origin == NULL || x->head[HEAD_PREFLIGHT_METHOD] == NULL || strcmp(x->info->request_method, "OPTIONS") != 0)
		return false;
	x->close = x->close || x->unread;
	http_send(&x->request, &(struct http_reply){ .status = 204, .headers = headers });
	return true;
}

/* ---- all of it ---- */

bool http_is_from_here(const struct http_request *request)
{
	const struct http_exchange *x = (const struct http_exchange *)request;

	return x->own_page || (x->head[HEAD_ORIGIN] == NULL && x->head[HEAD_SEC_FETCH_SITE] == NULL);
}

bool guard_check(struct http_exchange *x)
{
	const char *raw = x->info->local_uri_raw;

	x->probe = raw != NULL && (strcmp(raw, "/healthz") == 0 || strcmp(raw, "/readyz") == 0);
	if (!request_read_head(x))
		return false;
	x->close = x->close || !request_keeps_alive(x);
	request_choose_id(x);
	request_read_trace(x);
	if (!check_load(x) || !request_read_target(x) || !check_host(x))
		return false;
	if (x->server->gate == NULL)
		return true;
	return check_origin(x) && !answer_preflight(x) && auth_check(x);
}
