/* s3_client.h - requests to a bucket, signed, tried again where that may help, on the loop of the thread that owns them.
 *
 * Goes through the host's own transfers (net/transfer.h) with all their guards but one: the operator named the bucket's address, so it may be a private one.
 * Credentials are read anew for each request, and are in no text that leaves here. All but what says so is the owner's thread. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"
#include "net/loop.h"
#include "net/transfer.h"
#include "s3/s3_answer.h"
#include "s3/s3_place.h"

#define S3_QUERY_BYTES 4096
#define S3_CALL_HEADERS 8

struct s3_client;

/* One request. The caller keeps it until `done`; all zero but what is said. */
struct s3_call {
	/* In. */
	const char *method;
	enum s3_deed deed;
	char name[LIMIT_S3_KEY_BYTES + 1]; /* below the prefix; "": the bucket itself */
	char query[S3_QUERY_BYTES];	   /* encoded, every name with a "="; or "" */
	char range[64];			   /* the header, or "" */
	const char *content_type;	   /* or NULL; kept until `done` */
	struct outgoing_file file;	   /* the body, when `has_file` */
	bool has_file;
	const char *text;		  /* the body, or NULL; kept until `done` */
	char payload[S3_SIGNATURE_BYTES]; /* SHA-256 of the file's piece; of a text it is made here */
	/* Takes the body of an answer 200 or 206, piece by piece; false ends the call. NULL: it is collected. */
	bool (*sink)(struct s3_call *call, const void *bytes, size_t length);
	void (*again)(struct s3_call *call); /* before another try: what the sink took does not count; or NULL */
	void (*done)(struct s3_call *call);
	void *context;

	/* Out. */
	int status;		  /* 0: there was no answer */
	struct error error;	  /* code ERROR_NONE: 2xx. Else as s3_explain() says it */
	struct transfer transfer; /* its response */

	/* Its own. */
	struct s3_client *client;
	struct outgoing outgoing;
	struct buffer path, values;
	const struct gate_view *view;
	int tries;
	int64_t due_ns;
	struct s3_call *next;
};

/* What came of all requests so far. Any thread. */
struct s3_figures {
	_Atomic uint64_t requests, failures, bytes_sent, bytes_received;
};

/* `loop` and `gate` outlive it. */
struct s3_client *s3_client_new(struct s3_place *place, struct gate *gate, struct loop *loop);
void s3_client_free(struct s3_client *client); /* its place too; after s3_client_close() */

const struct s3_place *s3_client_place(const struct s3_client *client);
const struct s3_figures *s3_client_figures(const struct s3_client *client);

/* Begins it; `done` comes later, from s3_client_turn() or loop_run_once(). */
void s3_call_start(struct s3_client *client, struct s3_call *call);

/* Frees what the answer holds. In `done`, or after. */
void s3_call_clear(struct s3_call *call);

/* Begins tries that are due. Returns when the next one is (monotonic nanoseconds), or INT64_MAX. */
int64_t s3_client_turn(struct s3_client *client);

/* From now on nothing is tried again; what rests ends. Before transfers_abort(). */
void s3_client_close(struct s3_client *client);

/* Why the bucket did not do the last thing that was asked of it, for as long as it has done nothing since. False: all is well. Any thread. */
bool s3_client_problem(struct s3_client *client, char *text, size_t size);

/* Appends a URL that reads a file for LIMIT_S3_URL_SECONDS. It is as good as a credential for so long: it goes to who asked, and nowhere else. False: there are
 * no credentials, or no memory. `query` as of s3_presign(). Any thread. */
bool s3_client_link(struct s3_client *client, const char *name, const char *query, struct buffer *url);
