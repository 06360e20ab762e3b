/* internal.h - what the files of outgoing HTTP share. For this folder only; all of it belongs to the thread that owns the loop. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/curl.h"
#include "net/loop.h"
#include "net/transfer.h"

/* ---- transfers.c: curl's multi interface on a loop's epoll instance ---- */

struct transfers {
	int epoll;
	CURLM *multi;		    /* NULL until the first transfer */
	CURLSH *share;		    /* TLS sessions; one thread, so no locks */
	int64_t due_ns;		    /* when curl wants to be called; INT64_MAX: it does not */
	int running;		    /* all of the following */
	struct transfer *under_way; /* doubly linked */
	struct transfer *refused;   /* ended before they were under way, and their owners are not told yet */
};

struct loop {
	int epoll, wake;
	_Atomic int state;
	struct pulse *pulse; /* or NULL */
	struct transfers transfers;
};

void transfers_init(struct transfers *transfers, int epoll);
void transfers_close(struct transfers *transfers);

/* When transfers_run() has something to do though no descriptor is ready: monotonic; 0: now; INT64_MAX: never. */
int64_t transfers_due(const struct transfers *transfers);

/* A descriptor of theirs is ready for these events of epoll. */
void transfers_ready(struct transfers *transfers, int descriptor, uint32_t events);

/* Does what is due, and calls `done` for everything that has ended. Never called from inside curl. */
void transfers_run(struct transfers *transfers);

/* ---- one transfer; each works on `transfer->easy` ---- */

/* transfer_request.c: method, URL, headers with credentials, body. False: it cannot be sent, transfer->response says why. What curl does not copy is
 * the transfer's until transfer_release(). */
bool transfer_write_request(struct transfer *transfer);

/* transfer_guard.c */

/* May it go where its request says? False: transfer->response says why not. */
bool transfer_guard_destination(struct transfer *transfer);

/* Sets what holds for every transfer, and has its addresses looked at. After transfer_write_request(), which says where it goes. */
void transfer_guard(struct transfer *transfer, CURLSH *share);

/* The kind of failure (response.h) of a transfer that curl ended so. */
const char *transfer_failure(const struct transfer *transfer, CURLcode code);

/* transfer_answer.c */

/* Has head and body of the answer brought to transfer->response, or its sink. */
void transfer_take_answer(struct transfer *transfer);

/* Curl has ended it: transfer->response is complete afterwards, masked, or says why there is none. */
void transfer_end_answer(struct transfer *transfer, CURLcode code);
