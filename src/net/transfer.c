/* transfer.c - starts, drives and ends transfers. Engine thread only; nothing here resumes Lua.
 *
 * Refuses redirects, proxies, other protocols, addresses that are not public, and answers beyond LIMIT_RESPONSE_BYTES. A request that is not
 * a GET or HEAD gets a connection of its own: curl sends a request again when a reused connection turns out dead, and a paid submit must
 * never go out twice (design 2.2). HTTP/1.1, for the reasons in tech 2.4. */
#include "net/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "net/curl.h"
#include "base/limits.h"
#include "base/network.h"
#include "base/test_setting.h"
#include "gate/mask_known.h"
#include "net/destination.h"

struct transfers {
	CURLM *multi;
	CURLSH *share; /* TLS sessions; one thread, so no locks */
	int epoll;
	int timer;
	uint32_t tag;
	int running;
	struct transfer *under_way;
	struct transfer *unstarted; /* ended before they were under way, or by us, and not told */
};

/* ---- epoll and timer, as curl asks for them ---- */

static uint64_t event_data(const struct transfers *transfers, int descriptor)
{
	return (uint64_t)transfers->tag << 32 | (uint32_t)descriptor;
}

static int on_socket(CURL *easy, curl_socket_t descriptor, int what, void *context, void *known)
{
	struct transfers *transfers = context;
	struct transfer *transfer = NULL;
	struct epoll_event event = { .data.u64 = event_data(transfers, descriptor) };

	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(transfers->epoll, EPOLL_CTL_DEL, descriptor, NULL);
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	if (epoll_ctl(transfers->epoll, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) == -1)
		epoll_ctl(transfers->epoll, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event);
	curl_multi_assign(transfers->multi, descriptor, transfers);
	if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer) == CURLE_OK && transfer != NULL)
		transfer->watched = true;
	return 0;
}

static int on_timer(CURLM *multi, long wait_ms, void *context)
{
	struct transfers *transfers = context;
	struct itimerspec when = { 0 };

	(void)multi;
	if (wait_ms == 0 || transfers->unstarted != NULL)
		when.it_value.tv_nsec = 1; /* now, but from the loop: curl must not be called from its own callback */
	else if (wait_ms > 0)
		when.it_value = (struct timespec){ .tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000L };
	timerfd_settime(transfers->timer, 0, &when, NULL);
	return 0;
}

enum error_code transfers_open(int epoll, uint32_t tag, struct transfers **transfers, struct error *error)
{
	struct transfers *made = calloc(1, sizeof *made);
	struct epoll_event event = { .events = EPOLLIN };

	if (!curl_load()) {
		free(made);
		return error_set(error, ERROR_IO, NULL, "libcurl (libcurl4) cannot be loaded: is it installed?");
	}
	if (made == NULL)
		return error_memory(error);
	made->epoll = epoll;
	made->tag = tag;
	made->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	made->multi = curl_multi_init();
	made->share = curl_share_init();
	event.data.u64 = event_data(made, made->timer);
	if (made->timer == -1 || made->multi == NULL || made->share == NULL ||
		epoll_ctl(epoll, EPOLL_CTL_ADD, made->timer, &event) == -1) {
		transfers_close(made);
		return error_set(error, ERROR_IO, NULL, "cannot prepare outgoing transfers: %s", strerror(errno));
	}
	curl_share_setopt(made->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_multi_setopt(made->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(made->multi, CURLMOPT_SOCKETDATA, made);
	curl_multi_setopt(made->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(made->multi, CURLMOPT_TIMERDATA, made);
	*transfers = made;
	return ERROR_NONE;
}

void transfers_close(struct transfers *transfers)
{
	if (transfers == NULL)
		return;
	curl_multi_cleanup(transfers->multi);
	curl_share_cleanup(transfers->share);
	if (transfers->timer != -1)
		close(transfers->timer);
	free(transfers);
}

int transfers_running(const struct transfers *transfers)
{
	return transfers->running;
}

/* ---- one transfer: callbacks ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	long status = 0;

	if (transfer->sink != NULL) {
		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
		transfer->response.status = (int)status;
		return transfer->sink(transfer, bytes, size * count) ? size * count : 0;
	}
	buffer_append(&transfer->response.body, bytes, size * count);
	return transfer->response.body.failed ? 0 : size * count;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	return response_add_line(&transfer->response, line, size * count) ? size * count : 0;
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = context;

	(void)purpose;
	transfer->own |= network_is_own(&address->addr);
	if (!transfer->own && network_is_allowed(&address->addr, transfer->loopback_allowed)) {
		transfer->tried = true;
		return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	}
	transfer->blocked = true;
	return CURL_SOCKET_BAD;
}

/* The connection stands, TLS too, and curl is about to write the request. */
static int on_request(void *context, char *address, char *local_address, int port, int local_port)
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

/* ---- one transfer: building ---- */

static void end_early(struct transfers *transfers, struct transfer *transfer, const char *kind, const char *message)
{
	response_fail(&transfer->response, kind, message);
	transfer->next = transfers->unstarted;
	transfers->unstarted = transfer;
	on_timer(transfers->multi, 0, transfers); /* the loop is to look, though no descriptor tells it to */
}

/* "Bearer {api_key}" with the value in it. False when a credential is not there (`missing`), or there is no memory. */
static bool fill_credentials(struct transfer *transfer, const char *text, struct buffer *out, bool *missing)
{
	char name[64];
	const char *place, *value;
	size_t length;

	while ((place = credential_placeholder(text, &length)) != NULL) {
		buffer_append(out, text, (size_t)(place - 1 - text));
		snprintf(name, sizeof name, "%.*s", (int)length, place);
		value = length < sizeof name ? gate_credential_named(transfer->view, transfer->subject, name) : NULL;
		*missing = value == NULL;
		if (value == NULL)
			return false;
		buffer_text(out, value);
		text = place + length + 1;
	}
	buffer_text(out, text);
	return !out->failed;
}

/* A user's value may hold braces too: only what the script's auth says is filled. */
static bool write_value(struct transfer *transfer, const struct outgoing_header *header, struct buffer *out, bool *missing)
{
	if (header->credential)
		return fill_credentials(transfer, header->value, out, missing);
	buffer_text(out, header->value);
	return !out->failed;
}

static bool add_header(struct transfer *transfer, const struct outgoing_header *header, bool *missing)
{
	struct curl_slist *grown = NULL;
	struct buffer line;
	bool filled;

	if (transfer->outgoing->body_kind == BODY_FORM && strcasecmp(header->name, "Content-Type") == 0)
		return true; /* curl writes it, with its boundary */
	buffer_init(&line, LIMIT_REQUEST_HEAD_BYTES);
	buffer_text(&line, header->name);
	buffer_text(&line, ": ");
	filled = write_value(transfer, header, &line, missing);
	*missing |= filled && strpbrk(line.data, "\r\n") != NULL; /* as good as none */
	if (filled && !*missing)
		grown = curl_slist_append(transfer->headers, line.data);
	if (grown != NULL)
		transfer->headers = grown;
	if (line.data != NULL)
		explicit_bzero(line.data, line.length);
	buffer_free(&line);
	return grown != NULL;
}

static bool add_part(struct transfer *transfer, const struct outgoing_part *part)
{
	curl_mimepart *mime = curl_mime_addpart(transfer->form);
	CURLcode code;

	if (mime == NULL || curl_mime_name(mime, part->name) != CURLE_OK)
		return false;
	if (part->value != NULL)
		return curl_mime_data(mime, part->value, part->value_length) == CURLE_OK;
	if (part->base64) {
		struct buffer bytes;

		buffer_init(&bytes, LIMIT_SCRIPT_MEMORY_BYTES);
		outgoing_decode_base64(part, &bytes);
		code = bytes.failed ? CURLE_OUT_OF_MEMORY : curl_mime_data(mime, bytes.data, bytes.length);
		buffer_free(&bytes);
	} else {
		code = curl_mime_data(mime, part->data, part->data_length);
	}
	if (code != CURLE_OK || curl_mime_filename(mime, part->filename) != CURLE_OK)
		return false;
	return part->content_type == NULL || curl_mime_type(mime, part->content_type) == CURLE_OK;
}

static bool set_body(CURL *easy, struct transfer *transfer)
{
	const struct outgoing *outgoing = transfer->outgoing;

	switch (outgoing->body_kind) {
	case BODY_NONE: return true;
	case BODY_JSON:
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)outgoing->body.length);
		return curl_easy_setopt(easy, CURLOPT_POSTFIELDS, outgoing->body.data) == CURLE_OK;
	case BODY_TEXT:
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)outgoing->text_length);
		return curl_easy_setopt(easy, CURLOPT_POSTFIELDS, outgoing->text) == CURLE_OK;
	case BODY_FORM: break;
	}
	transfer->form = curl_mime_init(easy);
	for (size_t i = 0; transfer->form != NULL && i < outgoing->part_count; i++)
		if (!add_part(transfer, &outgoing->parts[i]))
			return false;
	return transfer->form != NULL && curl_easy_setopt(easy, CURLOPT_MIMEPOST, transfer->form) == CURLE_OK;
}

static bool is_named(const void *context, const char *name)
{
	return outgoing_names_credential(context, name);
}

/* Where it really goes. A credential is put in only for who gets it in a header anyway. */
static bool write_url(const struct transfer *transfer, struct buffer *url)
{
	struct buffer whole;
	bool written;

	buffer_init(&whole, LIMIT_SCRIPT_MEMORY_BYTES);
	if (transfer->references && transfer->view != NULL)
		written = mask_known_fill(
			transfer->view, transfer->subject, is_named, transfer->outgoing, transfer->outgoing->url.data, &whole);
	else
		written = (buffer_text(&whole, transfer->outgoing->url.data), !whole.failed);
	if (written)
		destination_write(whole.data, &transfer->detour, url);
	if (whole.data != NULL)
		explicit_bzero(whole.data, whole.length);
	buffer_free(&whole);
	return written && !url->failed;
}

/* Plain HTTP was checked to name loopback when the configuration and the script's request were read. What leads back to the host itself is left to
 * on_open() to refuse, but for its address outside, which another program answers. */
static bool set_url(CURL *easy, struct transfer *transfer)
{
	const char *public_url = transfer->view != NULL ? transfer->view->config->live.public_url : NULL;
	struct buffer url;
	bool set;

	buffer_init(&url, LIMIT_SCRIPT_MEMORY_BYTES);
	set = write_url(transfer, &url);
	transfer->loopback_allowed = set && strncmp(url.data, "http://", 7) == 0;
	transfer->own = set && destination_is_this_host(url.data, public_url);
	set = set && curl_easy_setopt(easy, CURLOPT_URL, url.data) == CURLE_OK;
	buffer_free(&url);
	return set;
}

/* False: out of memory for a text. Without its own a transfer would go by a proxy, or with another method. */
static bool set_guards(struct transfers *transfers, CURL *easy, struct transfer *transfer)
{
	double asked = transfer->outgoing->timeout_seconds;
	double seconds = asked > 0 && asked <= LIMIT_TRANSFER_SECONDS_MAX ? asked : LIMIT_TRANSFER_SECONDS;
	bool reads = strcmp(transfer->outgoing->method, "GET") == 0 || strcmp(transfer->outgoing->method, "HEAD") == 0;
	bool safe = reads && !outgoing_may_cost(transfer->outgoing);

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, transfer->loopback_allowed ? "http,https" : "https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, LIMIT_CONNECT_SECONDS * 1000L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(seconds * 1000));
	curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, 600L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, safe ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_SHARE, transfers->share);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	if (curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request) != CURLE_OK) /* nobody could tell what was sent */
		return false;
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	if (transfer->sink != NULL) {
		curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, transfer->least_per_second > 0 ? transfer->least_per_second : 1L);
		curl_easy_setopt(
			easy, CURLOPT_LOW_SPEED_TIME, (long)test_setting(TEST_SILENCE_SECONDS, LIMIT_TRANSFER_SILENCE_SECONDS));
	}
	return curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, "providerd/" PROVIDERD_VERSION) == CURLE_OK;
}

static bool set_method(CURL *easy, const struct transfer *transfer)
{
	const char *method = transfer->outgoing->method;

	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) != CURLE_OK)
		return false;
	if (transfer->outgoing->body_kind == BODY_NONE && strcmp(method, "POST") == 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
	}
	return true;
}

static void release(struct transfer *transfer)
{
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	curl_mime_free(transfer->form);
	transfer->easy = transfer->headers = transfer->form = NULL;
}

static void link_under_way(struct transfers *transfers, struct transfer *transfer)
{
	transfer->previous = NULL;
	transfer->next = transfers->under_way;
	if (transfer->next != NULL)
		transfer->next->previous = transfer;
	transfers->under_way = transfer;
	transfers->running++;
}

static void unlink_under_way(struct transfers *transfers, struct transfer *transfer)
{
	if (transfer->previous != NULL)
		transfer->previous->next = transfer->next;
	else
		transfers->under_way = transfer->next;
	if (transfer->next != NULL)
		transfer->next->previous = transfer->previous;
	transfers->running--;
}

/* Why this request does not leave, or NULL: a host on which strangers have names gets no credential unless the operator lists it. */
static const char *refuse_destination(const struct transfer *transfer)
{
	const struct outgoing *outgoing = transfer->outgoing;
	size_t length;
	const char *host = destination_host(outgoing->url.data, &length);

	if (outgoing->shared_host && outgoing_has_credential(outgoing) &&
		!config_lists_host(transfer->view->config, transfer->subject->provider, host, length))
		return "others can have names on this host, and live.providers.ID.hosts does not have it: it gets no credential";
	return NULL;
}

void transfers_start(struct transfers *transfers, struct transfer *transfer)
{
	const char *refusal = refuse_destination(transfer);
	CURL *easy;
	bool built, missing = false;

	if (refusal != NULL) {
		transfer->easy = transfer->headers = transfer->form = NULL;
		end_early(transfers, transfer, "unlisted", refusal);
		return;
	}
	easy = curl_easy_init();
	transfer->easy = easy;
	transfer->headers = transfer->form = NULL;
	transfer->blocked = transfer->own = transfer->tried = transfer->held = transfer->requested = transfer->watched = false;
	built = easy != NULL && set_url(easy, transfer) && set_guards(transfers, easy, transfer) && set_method(easy, transfer);
	if (!built) {
		release(transfer);
		end_early(transfers, transfer, "connect", "out of memory");
		return;
	}
	for (size_t i = 0; built && i < transfer->outgoing->header_count; i++)
		built = add_header(transfer, &transfer->outgoing->headers[i], &missing);
	if (!built) {
		release(transfer);
		end_early(transfers, transfer, missing ? "credential" : "connect",
			missing ? "a credential that the request needs is not there" : "out of memory");
		return;
	}
	if (!set_body(easy, transfer) || curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers) != CURLE_OK ||
		curl_multi_add_handle(transfers->multi, easy) != CURLM_OK) {
		release(transfer);
		end_early(transfers, transfer, "connect", "out of memory");
		return;
	}
	link_under_way(transfers, transfer);
}

/* ---- one transfer: its end ---- */

/* The kind of failure says whether the request may have reached the vendor: resolve, connect, tls and blocked mean that it has not. That is
 * decided by whether there was a connection to send it on, never by how it ended. */
static const char *failure_kind(const struct transfer *transfer, CURLcode code)
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

static void close_transfer(struct transfers *transfers, struct transfer *transfer, CURLcode code)
{
	struct response *response = &transfer->response;
	const char *kind = failure_kind(transfer, code);
	long status = 0;

	unlink_under_way(transfers, transfer);
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	response->status = (int)status;
	if (code != CURLE_OK)
		response_fail(response, kind,
			strcmp(kind, "held") == 0      ? "it was held back when the connection stood"
			: strcmp(kind, "own") == 0     ? "the address is this host's own: it does not call itself"
			: strcmp(kind, "blocked") == 0 ? "the host's address is private: requests go to public addresses only"
						       : curl_easy_strerror(code));
	curl_multi_remove_handle(transfers->multi, transfer->easy);
	release(transfer);
	if (transfer->view != NULL)
		response_mask(response, transfer->view, transfer->subject, transfer->token);
}

static void end_transfer(struct transfers *transfers, struct transfer *transfer, CURLcode code)
{
	close_transfer(transfers, transfer, code);
	transfer->done(transfer);
}

/* Without memory curl leaves a new socket unwatched: its transfer would hang until its time is over, and curl 7.88 divides by zero when it comes to the
 * socket again. */
static void end_unwatched(struct transfers *transfers)
{
	struct transfer *transfer, *next;

	for (transfer = transfers->under_way; transfer != NULL; transfer = next) {
		next = transfer->next;
		if (transfer->watched)
			continue;
		close_transfer(transfers, transfer, CURLE_OUT_OF_MEMORY);
		transfer->next = transfers->unstarted; /* told by transfers_finish() */
		transfers->unstarted = transfer;
	}
}

static void act(struct transfers *transfers, curl_socket_t descriptor, int events)
{
	int running;

	if (curl_multi_socket_action(transfers->multi, descriptor, events, &running) != CURLM_OK)
		end_unwatched(transfers);
}

void transfers_ready(struct transfers *transfers, int descriptor, uint32_t events)
{
	uint64_t expirations;

	if (descriptor == transfers->timer) {
		if (read(transfers->timer, &expirations, sizeof expirations) > 0)
			act(transfers, CURL_SOCKET_TIMEOUT, 0);
		return;
	}
	act(transfers, descriptor,
		(events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			(events & EPOLLERR ? CURL_CSELECT_ERR : 0));
}

void transfers_finish(struct transfers *transfers)
{
	struct transfer *transfer;
	CURLMsg *message;
	int left;

	while ((transfer = transfers->unstarted) != NULL) {
		transfers->unstarted = transfer->next;
		transfer->done(transfer);
	}
	while ((message = curl_multi_info_read(transfers->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		end_transfer(transfers, transfer, message->data.result);
	}
}

void transfers_abort(struct transfers *transfers)
{
	while (transfers->under_way != NULL)
		end_transfer(transfers, transfers->under_way, CURLE_ABORTED_BY_CALLBACK);
}
