/* transfer.h - outgoing HTTP on the engine's epoll loop: curl's multi-socket interface, hardened (tech 2.7).
 *
 * A transfer is made from a script's outgoing request. Secrets are written into it here and nowhere else (design 2.4). Engine thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "gate/gate.h"
#include "net/destination.h"
#include "net/outgoing.h"
#include "net/response.h"

struct transfers;

struct transfer {
	const struct outgoing *outgoing;  /* kept by the caller until `done` */
	struct destination_detour detour; /* where it really goes */
	const struct gate_view *
		view; /* whose credentials are written in, and of whom; kept until `done`. NULL: nothing is written in or masked */
	const struct gate_subject *subject;
	bool references; /* credentials that its headers have are put into its URL where "masked-NAME-masked" stands: mask_known_fill() */
	const char *token; /* a secret of this transfer alone that must not be shown, or NULL; kept until `done` */
	/* Takes the body piece by piece in place of response.body; response.status and headers are there already. False ends the transfer as
	 * a failure of the kind "too_large". NULL: the body is collected. */
	bool (*sink)(struct transfer *transfer, const void *bytes, size_t length);
	long least_per_second; /* with a sink: bytes below which, for LIMIT_TRANSFER_SILENCE_SECONDS, it has failed; 0: 1 */
	/* Asked when the connection stands, just before the first byte: false keeps the request from leaving (a failure of the kind "held"). NULL: it
	 * leaves. */
	bool (*may_leave)(struct transfer *transfer);
	void (*done)(struct transfer *transfer);
	struct response response; /* the caller initialises and clears it */

	/* the transfers' own */
	void *easy;
	void *headers;
	void *form;
	bool blocked;	/* an address was refused after resolving */
	bool own;	/* it is the host's own, or leads there */
	bool tried;	/* one was not */
	bool held;	/* may_leave() said no */
	bool requested; /* there is a connection, and the request goes out on it: bytes of it may have left */
	bool watched;	/* it has had a socket that epoll knows */
	bool loopback_allowed;
	struct transfer *next, *previous; /* under way */
};

/* Joins the epoll instance; its events carry `tag` in the upper 32 bits and the descriptor in the lower. */
enum error_code transfers_open(int epoll, uint32_t tag, struct transfers **transfers, struct error *error);
void transfers_close(struct transfers *transfers);

/* Starts; `done` is called later, from transfers_finish(), also when starting failed. */
void transfers_start(struct transfers *transfers, struct transfer *transfer);

/* One of our descriptors is ready. */
void transfers_ready(struct transfers *transfers, int descriptor, uint32_t events);

/* Calls `done` for everything that has ended since. Never called from inside curl. */
void transfers_finish(struct transfers *transfers);

/* Ends everything under way as a failure of the kind "transport". */
void transfers_abort(struct transfers *transfers);

/* Transfers under way. */
int transfers_running(const struct transfers *transfers);
