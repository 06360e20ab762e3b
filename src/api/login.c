/* login.c - exchanges an API key for a cookie, and tells what the caller's key may do. HTTP threads; no state.
 *
 * The cookie has no Path: a browser takes the folder of this request, so it goes to api/ below whatever prefix a proxy has put in front, and nowhere else.
 * The key is never quoted or logged. */
#include "api/login.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/answer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "gate/api_key.h"
#include "gate/session.h"
#include "registry/setting.h"

#define COOKIE_BYTES 256

/* Who asks from now on. */
struct identity {
	const struct config_api_key *key; /* or NULL */
	int64_t expires;		  /* of a session, in seconds since 1970, or 0 */
	const char *headers;		  /* or NULL */
};

static void write_roles(struct buffer *out, unsigned may)
{
	const char *comma = "";

	buffer_text(out, "\"may\":[");
	for (unsigned role = 1; role <= ROLE_ALL; role <<= 1) {
		if ((may & role) == 0)
			continue;
		buffer_text(out, comma);
		json_write_text(out, config_role_name((enum role)role));
		comma = ",";
	}
	buffer_text(out, "],");
}

/* Without API keys everybody may do all; with them nobody without one may do anything. */
static void send_identity(struct http_request *request, const struct identity *identity)
{
	bool required = request->view->config->server.api_key_count > 0;
	const struct config_api_key *key = identity->key;
	struct buffer out;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_text(&out, "{\"ok\":true,\"required\":");
	json_write_bool(&out, required);
	buffer_char(&out, ',');
	json_member_text(&out, "key", key != NULL ? key->name : NULL);
	write_roles(&out, key != NULL ? key->may : required ? 0 : ROLE_ALL);
	json_member_text(&out, "sees", required && (key == NULL || key->sees_own) ? "own" : "all");
	json_member_time(&out, "expires_at", identity->expires * 1000);
	buffer_text(&out, "\"version\":\"" PROVIDERD_VERSION "\"}");
	answer_json(request, 200, identity->headers, &out);
	buffer_free(&out);
}

void login_show_handle(struct host *host, struct http_request *request)
{
	(void)host;
	send_identity(request, &(struct identity){ .key = request->api_key, .expires = request->session_expires });
}

/* A form of another page can be sent here by anybody's browser. */
static bool comes_from_here(struct http_request *request)
{
	if (http_is_from_here(request))
		return true;
	answer_problem(request, 403, NULL,
		"only the page of this host logs in and out here; behind a proxy, let it pass on Host. Other pages send an API "
		"key in a "
		"header");
	return false;
}

static void write_cookie(
	const struct host *host, const struct http_request *request, const char *token, int seconds, char text[COOKIE_BYTES])
{
	const char *origin = http_header(request, "Origin");
	bool secure = origin != NULL && strncasecmp(origin, "https://", 8) == 0;

	snprintf(text, COOKIE_BYTES, "Set-Cookie: %s=%s; HttpOnly; SameSite=Strict; Max-Age=%d%s\r\n",
		sessions_cookie(host->sessions), token, seconds, secure ? "; Secure" : "");
}

static void log_session(const char *event, const struct http_request *request, const struct config_api_key *key)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, event);
	log_text(&line, "key", key->name);
	log_text(&line, "request_id", request->request_id);
	log_end(&line);
}

static void begin_session(struct host *host, struct http_request *request, const struct config_api_key *key)
{
	char token[SESSION_TOKEN_BYTES], cookie[COOKIE_BYTES];
	struct identity identity = { .key = key, .expires = clock_unix_ms() / 1000 + SESSION_SECONDS, .headers = cookie };

	if (!sessions_issue(host->sessions, key, identity.expires, token)) {
		answer_problem(request, 503, NULL, "nobody can log in now: GET /readyz says why");
		return;
	}
	write_cookie(host, request, token, SESSION_SECONDS, cookie);
	explicit_bzero(token, sizeof token);
	log_session("session.opened", request, key);
	send_identity(request, &identity);
	explicit_bzero(cookie, sizeof cookie);
}

/* The key that the body presents. NULL: answered. */
static const struct config_api_key *presented_by_body(struct http_request *request)
{
	const struct config_api_key *key = NULL;
	json_t *body = answer_read_body(request);
	const char *text = NULL;

	if (body != NULL && !json_optional_text(body, "key", &text))
		text = NULL;
	if (text != NULL)
		key = api_key_find(&request->view->config->server, text, strlen(text));
	if (body != NULL && text == NULL)
		answer_problem(request, 400, "key", "is required: one of the keys whose SHA-256 stands in server.api_keys");
	else if (body != NULL && key == NULL)
		http_send_problem(request, &(struct http_problem){ .status = 401,
						   .detail = "this API key is not one of server.api_keys",
						   .path = "key",
						   .headers = "WWW-Authenticate: Bearer\r\n" });
	json_decref(body);
	return key;
}

void login_begin_handle(struct host *host, struct http_request *request)
{
	const struct config_api_key *key;

	if (!comes_from_here(request))
		return;
	if (request->view->config->server.api_key_count == 0) {
		send_identity(request, &(struct identity){ .key = NULL });
		return;
	}
	key = presented_by_body(request);
	if (key != NULL)
		begin_session(host, request, key);
}

void login_end_handle(struct host *host, struct http_request *request)
{
	char cookie[COOKIE_BYTES];

	if (!comes_from_here(request))
		return;
	write_cookie(host, request, "", 0, cookie);
	if (request->session_expires != 0)
		log_session("session.closed", request, request->api_key);
	send_identity(request, &(struct identity){ .headers = cookie });
}

/* The caller's own ends too, if it came by one. */
void login_end_all_handle(struct host *host, struct http_request *request)
{
	unsigned char key[SETTING_KEY_BYTES];
	struct error error;
	struct buffer out;

	if (setting_key_renew(host->store, SETTING_SESSION_KEY, key, &error) != ERROR_NONE) {
		answer_problem(request, 503, NULL, error.message);
		return;
	}
	sessions_set_key(host->sessions, key);
	explicit_bzero(key, sizeof key);
	log_message(LOG_WARN, "session.ended", "all sessions, by request");
	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_text(&out, "{\"ok\":true}");
	answer_json(request, 200, NULL, &out);
	buffer_free(&out);
}
