/* client.c - requests by libcurl, for the commands only: the host itself sends nothing from here.
 *
 * Owns one easy handle, whose connection is kept between requests. Runs on the command's only thread. Follows no redirect, uses
 * no proxy and no netrc, speaks http and https only, and has a maximum for each wait and each answer. The key goes to the base
 * and nowhere else. */
#include "cli/client.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "net/curl.h"

struct client {
	CURL *curl;
	struct curl_slist *headers; /* of a request with a body */
	char *base;
	struct buffer received;
	struct buffer sent;
	char problem[CURL_ERROR_SIZE];
	int silences;				/* requests without an answer, in a row */
	const struct client_follower *follower; /* of the stream under way, or NULL */
};

/* ---- opening ---- */

static const char *refuse_parts(CURLU *url)
{
	static const struct {
		CURLUPart part;
		const char *refusal;
	} unwanted[] = {
		{ CURLUPART_USER, "must not hold a user or password" },
		{ CURLUPART_PASSWORD, "must not hold a user or password" },
		{ CURLUPART_QUERY, "must not have a query" },
		{ CURLUPART_FRAGMENT, "must not have a fragment" },
	};
	char *text;

	for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++) {
		if (curl_url_get(url, unwanted[i].part, &text, 0) != CURLUE_OK)
			continue;
		curl_free(text);
		return unwanted[i].refusal;
	}
	return NULL;
}

static enum error_code read_base(struct client *client, const char *base, struct error *error)
{
	CURLU *url = curl_url();
	const char *refusal = NULL;
	char *text = NULL;

	if (url == NULL)
		return error_memory(error);
	if ((strncasecmp(base, "http://", 7) != 0 && strncasecmp(base, "https://", 8) != 0) ||
		curl_url_set(url, CURLUPART_URL, base, 0) != CURLUE_OK)
		refusal = "must be an address such as http://127.0.0.1:8001";
	else
		refusal = refuse_parts(url);
	if (refusal == NULL && curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK)
		client->base = memory_copy_text(text);
	curl_free(text);
	curl_url_cleanup(url);
	if (refusal != NULL)
		return error_set(error, ERROR_INVALID, "--base", "%s", refusal);
	if (client->base == NULL)
		return error_memory(error);
	for (size_t length = strlen(client->base); length > 0 && client->base[length - 1] == '/'; length--)
		client->base[length - 1] = '\0';
	return ERROR_NONE;
}

/* Plain http beyond this machine: the key can be read on the way. */
static bool is_in_clear(const char *base)
{
	static const char *const loopback[] = { "localhost", "[::1]", NULL };
	const char *host = base + strlen("http://");
	size_t length;

	if (strncasecmp(base, "http://", strlen("http://")) != 0)
		return false;
	length = strcspn(host, ":/");
	if (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length)
		return false;
	for (const char *const *one = loopback; *one != NULL; one++)
		if (strncasecmp(host, *one, strlen(*one)) == 0 && strchr(":/", host[strlen(*one)]) != NULL)
			return false;
	return true;
}

bool client_is_in_clear(const struct client *client)
{
	return is_in_clear(client->base);
}

static bool keep_header(struct client *client, const char *header)
{
	struct curl_slist *longer = curl_slist_append(client->headers, header);

	if (longer != NULL)
		client->headers = longer;
	return longer != NULL;
}

static enum error_code add_headers(struct client *client, const char *key, struct error *error)
{
	char header[LIMIT_CREDENTIAL_BYTES + 16];

	if (!keep_header(client, "Accept: application/json") || !keep_header(client, "Content-Type: application/json") ||
		!keep_header(client, "Expect:"))
		return error_memory(error);
	if (key == NULL)
		return ERROR_NONE;
	if (*key == '\0' || strlen(key) > LIMIT_CREDENTIAL_BYTES)
		return error_set(error, ERROR_INVALID, "--key", "must have 1 to %d characters", LIMIT_CREDENTIAL_BYTES);
	for (const char *byte = key; *byte != '\0'; byte++)
		if (!isgraph((unsigned char)*byte))
			return error_set(error, ERROR_INVALID, "--key", "must be plain text without spaces");
	snprintf(header, sizeof header, "X-API-Key: %s", key);
	return keep_header(client, header) ? ERROR_NONE : error_memory(error);
}

static size_t receive_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct client *client = context;
	long status = 0;

	if (client->follower != NULL && curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
		status == 200) {
		client->follower->take(client->follower->context, bytes, size * count);
		return size * count;
	}
	buffer_append(&client->received, bytes, size * count);
	return client->received.failed ? 0 : size * count;
}

/* curl calls it about once a second while it waits. */
static int tick_follower(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	const struct client *client = context;

	(void)down_total, (void)down, (void)up_total, (void)up;
	if (client->follower != NULL && client->follower->tick != NULL)
		client->follower->tick(client->follower->context);
	return 0;
}

void client_guard(void *handle)
{
	CURL *curl = handle;

	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)LIMIT_CHECK_CONNECT_MS);
}

static enum error_code set_up_curl(struct client *client, struct error *error)
{
	CURL *curl = client->curl = curl_easy_init();

	if (curl == NULL)
		return error_memory(error);
	client_guard(curl);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)LIMIT_CHECK_ANSWER_MS);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "providerd/" PROVIDERD_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tick_follower);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->problem);
	return ERROR_NONE;
}

enum error_code client_open(const char *base, const char *key, struct client **client, struct error *error)
{
	struct client *made = memory_new(sizeof *made);
	enum error_code code;

	buffer_init(&made->received, LIMIT_CHECK_ANSWER_BYTES);
	buffer_init(&made->sent, LIMIT_CHECK_ANSWER_BYTES);
	code = read_base(made, base, error);
	if (code == ERROR_NONE)
		code = add_headers(made, key, error);
	if (code == ERROR_NONE)
		code = set_up_curl(made, error);
	if (code == ERROR_NONE)
		*client = made;
	else
		client_close(made);
	return code;
}

void client_close(struct client *client)
{
	if (client == NULL)
		return;
	curl_easy_cleanup(client->curl);
	curl_slist_free_all(client->headers);
	buffer_free(&client->received);
	buffer_free(&client->sent);
	free(client->base);
	free(client);
}

const char *client_base(const struct client *client)
{
	return client->base;
}

/* ---- one request ---- */

static enum error_code prepare_request(
	struct client *client, const char *method, const char *path, const json_t *body, struct error *error)
{
	char url[LIMIT_PATH_BYTES];

	if ((size_t)snprintf(url, sizeof url, "%s%s", client->base, path) >= sizeof url)
		return error_set(error, ERROR_LIMIT, "", "the address is too long");
	buffer_clear(&client->received);
	buffer_clear(&client->sent);
	if (body != NULL)
		json_write(&client->sent, body);
	client->problem[0] = '\0';
	if (curl_easy_setopt(client->curl, CURLOPT_URL, url) != CURLE_OK)
		return error_memory(error);
	if (body != NULL) {
		curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE, (long)client->sent.length);
		curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, client->sent.data);
	} else {
		curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, method);
	return ERROR_NONE;
}

static enum error_code say_no_answer(struct client *client, CURLcode code, struct error *error)
{
	client->silences++;
	if (code == CURLE_WRITE_ERROR && client->received.failed)
		return error_set(error, ERROR_IO, "", "the answer is larger than %d bytes", LIMIT_CHECK_ANSWER_BYTES);
	return error_set(error, ERROR_IO, "", "%s", client->problem[0] != '\0' ? client->problem : curl_easy_strerror(code));
}

enum error_code client_send(struct client *client, const char *method, const char *path, const json_t *body,
	struct client_answer *answer, struct error *error)
{
	long status = 0;
	CURLcode code;

	*answer = (struct client_answer){ 0 };
	if (client_gave_up(client))
		return error_set(error, ERROR_IO, "", "not tried: %d requests in a row got no answer", client->silences);
	if (prepare_request(client, method, path, body, error) != ERROR_NONE)
		return error->code;
	code = curl_easy_perform(client->curl);
	if (code != CURLE_OK)
		return say_no_answer(client, code, error);
	client->silences = 0;
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	answer->status = (int)status;
	if (client->received.length > 0)
		answer->json = json_read(client->received.data, client->received.length, NULL);
	return ERROR_NONE;
}

void client_answer_free(struct client_answer *answer)
{
	json_decref(answer->json);
	answer->json = NULL;
}

/* The headers of a stream, to be freed. NULL: no memory. */
static struct curl_slist *stream_headers(const struct client *client, const char *last_id)
{
	char header[64];
	struct curl_slist *headers, *longer;

	snprintf(header, sizeof header, "Last-Event-ID: %.40s", last_id);
	headers = curl_slist_append(NULL, *last_id != '\0' ? header : "Accept: text/event-stream");
	for (const struct curl_slist *one = client->headers; one != NULL && headers != NULL; one = one->next) {
		longer = curl_slist_append(headers, one->data);
		if (longer == NULL)
			curl_slist_free_all(headers);
		headers = longer;
	}
	return headers;
}

enum error_code client_follow(struct client *client, const char *path, const char *last_id,
	const struct client_follower *follower, struct client_answer *answer, struct error *error)
{
	struct curl_slist *headers = stream_headers(client, last_id);
	enum error_code code;

	if (headers == NULL)
		return error_memory(error);
	client->follower = follower;
	client->silences = 0;
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, 0L);
	curl_easy_setopt(client->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(client->curl, CURLOPT_LOW_SPEED_TIME, 3L * LIMIT_STREAM_HEARTBEAT_MS / 1000);
	code = client_send(client, "GET", path, NULL, answer, error);
	curl_easy_setopt(client->curl, CURLOPT_LOW_SPEED_TIME, 0L);
	curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, (long)LIMIT_CHECK_ANSWER_MS);
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, client->headers);
	curl_slist_free_all(headers);
	client->follower = NULL;
	return code;
}

bool client_gave_up(const struct client *client)
{
	return client->silences >= LIMIT_CHECK_SILENCES;
}

bool client_peer(const struct client *client, const char **address, int *port)
{
	char *text = NULL;
	long number = 0;

	if (curl_easy_getinfo(client->curl, CURLINFO_PRIMARY_IP, &text) != CURLE_OK || text == NULL || *text == '\0' ||
		curl_easy_getinfo(client->curl, CURLINFO_PRIMARY_PORT, &number) != CURLE_OK)
		return false;
	*address = text;
	*port = (int)number;
	return true;
}
