/* transfers.c - starts, drives and ends the transfers of one loop. Nothing here resumes Lua: `done` is called outside of curl.
 *
 * curl is loaded at the first transfer: it and its TLS library cost 7 MB, and a host that makes dry runs only never pays for them. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/internal.h"

/* ---- epoll and time, as curl asks for them ---- */

static int transfers_on_socket(CURL *easy, curl_socket_t descriptor, int what, void *context, void *known)
{
	const struct transfers *transfers = context;
	struct epoll_event event = { .data.fd = descriptor };

	(void)easy;
	(void)known;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(transfers->epoll, EPOLL_CTL_DEL, descriptor, NULL);
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	if (epoll_ctl(transfers->epoll, EPOLL_CTL_MOD, descriptor, &event) == -1 && errno == ENOENT)
		epoll_ctl(transfers->epoll, EPOLL_CTL_ADD, descriptor, &event);
	return 0;
}

static int transfers_on_timer(CURLM *multi, long wait_ms, void *context)
{
	struct transfers *transfers = context;

	(void)multi;
	transfers->due_ns = wait_ms >= 0 ? clock_monotonic_ns() + wait_ms * 1000000LL : INT64_MAX;
	return 0;
}

void transfers_init(struct transfers *transfers, int epoll)
{
	*transfers = (struct transfers){ .epoll = epoll, .due_ns = INT64_MAX };
}

/* False: curl is not there. */
static bool transfers_open(struct transfers *transfers)
{
	if (transfers->multi != NULL)
		return true;
	if (!curl_load()) {
		log_message(LOG_ERROR, "net.curl", "libcurl (libcurl4) cannot be loaded: is it installed?");
		return false;
	}
	transfers->multi = curl_multi_init();
	transfers->share = curl_share_init();
	curl_share_setopt(transfers->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETFUNCTION, transfers_on_socket);
	curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETDATA, transfers);
	curl_multi_setopt(transfers->multi, CURLMOPT_TIMERFUNCTION, transfers_on_timer);
	curl_multi_setopt(transfers->multi, CURLMOPT_TIMERDATA, transfers);
	return true;
}

void transfers_close(struct transfers *transfers)
{
	if (transfers->multi == NULL)
		return;
	curl_multi_cleanup(transfers->multi);
	curl_share_cleanup(transfers->share);
}

int transfers_running(const struct loop *loop)
{
	return loop->transfers.running;
}

/* ---- beginning and end of one ---- */

static void transfer_link(struct transfers *transfers, struct transfer *transfer)
{
	transfer->previous = NULL;
	transfer->next = transfers->under_way;
	if (transfer->next != NULL)
		transfer->next->previous = transfer;
	transfers->under_way = transfer;
}

static void transfer_unlink(struct transfers *transfers, struct transfer *transfer)
{
	if (transfer->previous != NULL)
		transfer->previous->next = transfer->next;
	else
		transfers->under_way = transfer->next;
	if (transfer->next != NULL)
		transfer->next->previous = transfer->previous;
}

static void transfer_release(struct transfer *transfer)
{
	if (transfer->easy == NULL)
		return;
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	curl_mime_free(transfer->form);
	transfer->easy = transfer->headers = transfer->form = NULL;
}

static void transfer_reset(struct transfer *transfer)
{
	transfer->easy = transfer->headers = transfer->form = NULL;
	transfer->blocked = transfer->own = transfer->tried = transfer->held = transfer->requested = false;
}

/* False: transfer->response says why. */
static bool transfer_begin(struct transfers *transfers, struct transfer *transfer)
{
	transfer_reset(transfer);
	if (!transfer_guard_destination(transfer))
		return false;
	if (!transfers_open(transfers)) {
		response_fail(&transfer->response, "connect", "libcurl (libcurl4) cannot be loaded");
		return false;
	}
	transfer->easy = curl_easy_init();
	curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
	if (!transfer_write_request(transfer))
		return false;
	transfer_guard(transfer, transfers->share);
	transfer_take_answer(transfer);
	if (curl_multi_add_handle(transfers->multi, transfer->easy) == CURLM_OK)
		return true;
	response_fail(&transfer->response, "connect", "curl does not take it");
	return false;
}

void transfer_start(struct loop *loop, struct transfer *transfer)
{
	struct transfers *transfers = &loop->transfers;

	transfers->running++;
	if (transfer_begin(transfers, transfer)) {
		transfer_link(transfers, transfer);
		return;
	}
	transfer_release(transfer);
	transfer->next = transfers->refused;
	transfers->refused = transfer;
}

static void transfer_end(struct transfers *transfers, struct transfer *transfer, CURLcode code)
{
	transfer_unlink(transfers, transfer);
	transfer_end_answer(transfer, code);
	curl_multi_remove_handle(transfers->multi, transfer->easy);
	transfer_release(transfer);
	transfers->running--;
	transfer->done(transfer);
}

/* ---- driving them ---- */

int64_t transfers_due(const struct transfers *transfers)
{
	return transfers->refused != NULL ? 0 : transfers->due_ns;
}

void transfers_ready(struct transfers *transfers, int descriptor, uint32_t events)
{
	int running, ready = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			     (events & EPOLLERR ? CURL_CSELECT_ERR : 0);

	curl_multi_socket_action(transfers->multi, descriptor, ready, &running);
}

static void transfers_tell_refused(struct transfers *transfers)
{
	struct transfer *transfer;

	while ((transfer = transfers->refused) != NULL) {
		transfers->refused = transfer->next;
		transfers->running--;
		transfer->done(transfer);
	}
}

void transfers_run(struct transfers *transfers)
{
	struct transfer *transfer;
	CURLMsg *message;
	int left;

	transfers_tell_refused(transfers);
	if (transfers->multi == NULL)
		return;
	if (transfers->due_ns != INT64_MAX && clock_monotonic_ns() >= transfers->due_ns) {
		transfers->due_ns = INT64_MAX; /* unless curl sets another */
		curl_multi_socket_action(transfers->multi, CURL_SOCKET_TIMEOUT, 0, &left);
	}
	while ((message = curl_multi_info_read(transfers->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		transfer_end(transfers, transfer, message->data.result);
	}
}

void transfers_dispense(struct loop *loop)
{
	struct transfer *next;

	for (struct transfer *transfer = loop->transfers.under_way; transfer != NULL; transfer = next) {
		next = transfer->next;
		if (transfer->dispensable)
			transfer_end(&loop->transfers, transfer, CURLE_ABORTED_BY_CALLBACK);
	}
}

void transfers_abort(struct loop *loop)
{
	while (loop->transfers.under_way != NULL)
		transfer_end(&loop->transfers, loop->transfers.under_way, CURLE_ABORTED_BY_CALLBACK);
	transfers_tell_refused(&loop->transfers);
}
