/* transfer_guard.c - what no transfer may do, whatever its request says: the one list of refusals for all that leaves the host.
 *
 * Refuses redirects, proxies, other protocols, addresses that are not public, and the host's own. A request that may cost something, or is no GET or
 * HEAD, gets a connection of its own: curl sends a request again when a reused connection turns out dead, and a paid submit must never go out twice.
 * HTTP/1.1 only: curl 7.88 may take a broken HTTP/2 answer for a complete one. */
#include <string.h>

#include "base/limits.h"
#include "base/network.h"
#include "base/test_setting.h"
#include "net/internal.h"

bool transfer_guard_destination(struct transfer *transfer)
{
	const struct outgoing *outgoing = transfer->outgoing;
	size_t length;
	const char *host = destination_host(outgoing->url.data, &length);

	if (!outgoing->shared_host || !outgoing_has_credential(outgoing) ||
		config_lists_host(transfer->view->config, transfer->subject->provider, host, length))
		return true;
	response_fail(&transfer->response, "unlisted",
		"others can have names on this host, and live.providers.ID.hosts does not have it: it gets no credential");
	return false;
}

/* ---- asked by curl on the way ---- */

/* The name is resolved: may this address be connected to? */
static curl_socket_t guard_on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = context;

	(void)purpose;
	transfer->own |= network_is_own(&address->addr);
	if (!transfer->own && (transfer->named_by_operator || network_is_allowed(&address->addr, transfer->loopback_allowed))) {
		transfer->tried = true;
		return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	}
	transfer->blocked = true;
	return CURL_SOCKET_BAD;
}

/* The connection stands, TLS too, and curl is about to write the request. */
static int guard_on_request(void *context, char *address, char *local_address, int port, int local_port)
{
	struct transfer *transfer = context;

	(void)address;
	(void)local_address;
	(void)port;
	(void)local_port;
	if (transfer->may_leave != NULL && !transfer->may_leave(transfer)) {
		transfer->held = true;
		return CURL_PREREQFUNC_ABORT;
	}
	transfer->requested = true;
	return CURL_PREREQFUNC_OK;
}

/* ---- set beforehand ---- */

static void guard_connection(CURL *easy, struct transfer *transfer)
{
	const struct outgoing *outgoing = transfer->outgoing;
	bool reads = outgoing->repeatable || strcmp(outgoing->method, "GET") == 0 || strcmp(outgoing->method, "HEAD") == 0;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, transfer->loopback_allowed ? "http,https" : "https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "providerd/" PROVIDERD_VERSION);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, 600L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, reads && !outgoing_may_cost(outgoing) ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, guard_on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, guard_on_request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

static void guard_time(CURL *easy, const struct transfer *transfer)
{
	double asked = transfer->outgoing->timeout_seconds;
	double seconds = asked > 0 && asked <= LIMIT_TRANSFER_SECONDS_MAX ? asked : LIMIT_TRANSFER_SECONDS;

	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, LIMIT_CONNECT_SECONDS * 1000L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(seconds * 1000));
	if (transfer->sink == NULL && transfer->outgoing->body_kind != BODY_FILE)
		return;
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, transfer->least_per_second > 0 ? transfer->least_per_second : 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
		transfer->silence_seconds > 0 ? transfer->silence_seconds
					      : (long)test_setting(TEST_SILENCE_SECONDS, LIMIT_TRANSFER_SILENCE_SECONDS));
}

void transfer_guard(struct transfer *transfer, CURLSH *share)
{
	guard_connection(transfer->easy, transfer);
	guard_time(transfer->easy, transfer);
	curl_easy_setopt(transfer->easy, CURLOPT_SHARE, share);
}

/* ---- afterwards ---- */

/* resolve, connect, tls, blocked, own and held mean that nothing reached the vendor. That is decided by whether there was a connection to send the
 * request on, never by how it ended. */
const char *transfer_failure(const struct transfer *transfer, CURLcode code)
{
	if (!transfer->requested) {
		if (transfer->held)
			return "held";
		if (transfer->blocked && !transfer->tried)
			return transfer->own ? "own" : "blocked";
		return code == CURLE_COULDNT_RESOLVE_HOST					   ? "resolve"
		       : code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ? "tls"
												   : "connect";
	}
	switch (code) {
	case CURLE_WRITE_ERROR:
		return transfer->response.body.starved || transfer->response.headers.starved ? "transport" : "too_large";
	case CURLE_OPERATION_TIMEDOUT: return "timeout";
	default: return "transport";
	}
}
