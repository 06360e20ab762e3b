/* transfer.h - one outgoing request on a loop, and its answer: curl's multi interface, hardened (docs/architecture.md, "Outgoing requests").
 *
 * Credentials are written into a request here and nowhere else. For the thread that owns the loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gate/gate.h"
#include "net/destination.h"
#include "net/outgoing.h"
#include "net/response.h"

struct loop;

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
	long silence_seconds;  /* after which it has failed; 0: LIMIT_TRANSFER_SILENCE_SECONDS */
	long least_per_second; /* with a sink: bytes below which, for LIMIT_TRANSFER_SILENCE_SECONDS, it has failed; 0: 1 */
	/* Asked when the connection stands, just before the first byte, inside curl: false keeps the request from leaving (a failure of the kind
	 * "held"). NULL: it leaves. */
	bool (*may_leave)(struct transfer *transfer);
	bool named_by_operator;			 /* its host is in the configuration: a private address is meant */
	bool dispensable;			 /* nothing is lost with it: transfers_dispense() ends it */
	void (*done)(struct transfer *transfer); /* the transfer is the caller's again */
	struct response response;		 /* the caller initialises and clears it */

	/* net/'s own */
	void *easy;
	void *headers;
	void *form;
	bool blocked;	/* an address was refused after resolving */
	bool own;	/* it is the host's own, or leads there */
	bool tried;	/* one was not */
	bool held;	/* may_leave() said no */
	bool requested; /* there is a connection, and the request goes out on it: bytes of it may have left */
	bool loopback_allowed;
	int64_t file_sent;		  /* of a BODY_FILE */
	struct transfer *next, *previous; /* under way */
};

/* Starts it; `done` is called later, from loop_run_once() or transfers_abort(), also when starting failed. */
void transfer_start(struct loop *loop, struct transfer *transfer);

/* Transfers that were started, and whose `done` was not called yet. */
int transfers_running(const struct loop *loop);

/* Ends those that are dispensable, as transfers_abort() ends all. */
void transfers_dispense(struct loop *loop);

/* Ends all transfers of the loop, those under way as a failure of the kind "transport", and calls `done` for each. */
void transfers_abort(struct loop *loop);
