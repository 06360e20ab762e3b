/* internal.h - what the files of this folder share: the server, its threads, one request being answered. For this folder only. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <civetweb.h>

#include "base/buffer.h"
#include "base/trace.h"
#include "http/framing.h"
#include "http/http.h"

/* The headers that the guard looks at, collected in one pass. */
enum head {
	HEAD_HOST = 0,
	HEAD_ORIGIN,
	HEAD_COOKIE,
	HEAD_UPGRADE,
	HEAD_EXPECT,
	HEAD_X_API_KEY,
	HEAD_CONNECTION,
	HEAD_X_REQUEST_ID,
	HEAD_TRACEPARENT,
	HEAD_CONTENT_TYPE,
	HEAD_AUTHORIZATION,
	HEAD_CONTENT_LENGTH,
	HEAD_IDEMPOTENCY_KEY,
	HEAD_SEC_FETCH_SITE,
	HEAD_CONTENT_ENCODING,
	HEAD_TRANSFER_ENCODING,
	HEAD_PREFLIGHT_METHOD, /* Access-Control-Request-Method */
	HEAD_COUNT,
};

#define WORKER_ALIGNMENT 64
#define WEBHOOKS "/api/webhooks/"    /* where vendors deliver: they have no API key */
#define SESSION_PATH "/api/session"  /* where browsers log in */
#define OPENAPI_PATH "/openapi.json" /* without a query */
#define MCP_PATH "/mcp"		     /* where agents POST: for any other method the answer is 405, whoever asks */
#define STUDIO_FILES "/ui/"	     /* of the page at / */
#define OPENAI_PATHS "/v1/"	     /* of the door for programs that were made for OpenAI's API: they send forms */
#define OPENAI_LIVE_PATHS "/live/v1/"
#define REQUEST_ID_TEXT 17

/* What an HTTP thread keeps between requests. civetweb gives a connection to one thread for its whole life. */
struct worker {
	_Alignas(WORKER_ALIGNMENT) struct http_server *server;
	_Atomic int64_t deadline; /* see deadline.c */
	pthread_t thread;
	int requests; /* of the connection being served */
	int socket;   /* of it; -1 before its first byte, and between connections */
	bool connected;
	struct framing framing; /* of it */
	uint64_t next_id;
	struct buffer_budget
		held;	   /* what the request being served takes of all that bodies may: its text, and what was parsed of it */
	struct buffer out; /* head and body of an answer */
	struct buffer body;
	struct http_aftermath *aftermath; /* of the newest answer, or NULL */
	char *path;			  /* LIMIT_PATH_BYTES, once one had percent-escapes; else NULL */
};

struct http_server {
	struct mg_context *context;
	struct gate *gate;	   /* or NULL */
	struct sessions *sessions; /* or NULL: there are none */
	size_t max_body_bytes;	   /* without it */
	void (*handle)(void *context, struct http_request *request);
	void (*answered)(void *context, const struct http_request *request, int status, int64_t microseconds);
	bool (*tell)(void *context, struct http_request *request, const char *path, const struct http_problem *problem);
	void *handle_context;
	char host[16]; /* the address listened on */
	bool loopback, any_address;
	int port;
	int threads;
	int overload_mark; /* requests in flight beyond it are refused */
	int reply_seconds; /* LIMIT_REPLY_SECONDS */
	_Atomic bool draining;
	_Atomic bool stopping; /* what is not sent yet is not sent any more */
	_Atomic int in_flight;
	_Atomic int connections;
	_Atomic int worker_count; /* handed out to civetweb's threads */
	struct worker *workers;

	pthread_t late_thread;
	pthread_mutex_t late_lock;
	pthread_cond_t late_wake;
	bool late_running, late_stopping;

	_Atomic bool listening;	    /* civetweb's listening thread runs */
	const char *const *options; /* NULL but while it starts */
	_Atomic bool starting;
	char start_problem[160]; /* what civetweb said last; under late_lock */
};

struct http_exchange {
	struct http_request request; /* first: http_send() finds the rest by it */
	struct http_server *server;
	struct worker *worker;
	const struct mg_request_info *info; /* NULL when civetweb could not read the head */
	const char *head[HEAD_COUNT];
	const char *origin;  /* an allowed one, to be named in the answer */
	bool own_page;	     /* a page of this host asks */
	size_t declared;     /* Content-Length */
	size_t parsed_bytes; /* counted in worker->held for trees made of the body */
	bool chunked;
	bool unread;	/* a body is still with the client or in civetweb's buffer */
	bool head_only; /* HEAD */
	bool probe;	/* /healthz or /readyz */
	bool close;
	bool asked_to_close;		/* by any of its Connection fields */
	bool lost;			/* not all of the answer was written */
	struct http_captured *captured; /* where an answer goes instead of to the client, or NULL */
	int status;			/* of the answer sent; 0: none yet */
	size_t reply_bytes;		/* of the answer's body */
	int64_t write_until; /* when the client must have taken the answer; 0: it did not have to wait for anything yet */
	int64_t began_ns;
	char id[REQUEST_ID_TEXT];
	char trace[TRACE_BYTES];
};

/* All below runs on the exchange's own HTTP thread, unless it says otherwise. What refuses (false) has sent its answer, x->status: nothing more may
 * be sent, and the rest of the body is body_drain()'s. */

/* ---- request.c: what the head says ---- */

/* Collects the headers; sets how the body comes (declared, chunked, unread) and whether the connection must close. False: they can be read in two
 * ways; the connection will close. */
bool request_read_head(struct http_exchange *x);

/* Sets path and query, decoded and checked; the path may lie in the thread's memory until its next request. */
bool request_read_target(struct http_exchange *x);

/* Set request_id, and trace if there is a valid one. */
void request_choose_id(struct http_exchange *x);
void request_read_trace(struct http_exchange *x);

/* Do the head's fields leave the connection open? Does this method have a body that means something? */
bool request_keeps_alive(const struct http_exchange *x);
bool request_takes_body(const struct http_exchange *x);

/* ---- guard.c, auth.c: before the body is read ---- */

/* Everything that is checked before, in order; reads head and target. False: refused, or a preflight that was answered. */
bool guard_check(struct http_exchange *x);

/* Sets api_key, session_expires and signed_url. */
bool auth_check(struct http_exchange *x);

/* Is it a GET of a signed URL, by the configuration in force? */
bool auth_is_signed(const struct http_exchange *x);

struct auth_caller {
	const struct config_api_key *key; /* or NULL */
	int64_t session_expires;	  /* as in http_request */
	bool signed_url;		  /* the same */
};

/* Why this configuration does not let the request in, as a static text, or NULL; `caller` gets who asks. */
const char *auth_refusal(const struct http_exchange *x, const struct config_server *server, struct auth_caller *caller);

/* ---- body.c ---- */

void body_set_total(void);	       /* once, before the first thread */
void body_init(struct worker *worker); /* before its thread begins */

/* Reads the body to its end, into the thread's buffer: it stays there until body_drain() or the thread's next request. */
bool body_read(struct http_exchange *x);

/* After the answer, when x->unread: takes a small rest, for a short while, so that a refusal is not lost in a reset. The body is gone. */
void body_drain(struct http_exchange *x);

/* ---- reply.c ---- */

/* Sends a problem, and returns false for the caller to return; a body that is still unread closes the connection. `headers` as in http_reply. */
__attribute__((format(printf, 4, 5))) bool reply_refuse(
	struct http_exchange *x, int status, const char *headers, const char *detail, ...);

/* The steps of http_send() for a body that is not in memory: the head goes to the thread's buffer, unsent, with the length that the reply
 * says; false when that could not be done and something else was sent instead. */
bool reply_begin(struct http_exchange *x, const struct http_reply *reply);

/* Notes an answer instead of sending it. True: it is to be captured. */
bool reply_capture(struct http_exchange *x, const struct http_reply *reply);

/* Waits for the client to take all, within the time that the answer has. False: it is gone, or takes nothing; the connection must close. */
bool reply_write(struct http_exchange *x, const char *bytes, size_t length);

/* Masks the host's secrets in its body: then `out`, to be freed, holds that. Without memory for it the reply becomes a 503. */
void reply_mask(const struct http_request *request, struct http_reply *reply, struct buffer *out);

/* Writes the head of an answer that goes on until its connection ends to the thread's buffer, unsent. X-Accel-Buffering keeps proxies of nginx's
 * kind from holding it back. `headers` as in http_reply. */
void reply_write_stream_head(struct http_exchange *x, const char *content_type, const char *headers);

const char *reply_reason(int status); /* "OK"; any thread */

/* Copies what a client sent, cut and without anything but printable ASCII, to be quoted in a text. Any thread. */
#define QUOTE_BYTES 80
const char *reply_quote(const char *text, char quoted[QUOTE_BYTES]);

/* ---- delivery.c ---- */

/* What became of the newest answer is known: another request came (false), or the connection's end, by a reset or not. */
void delivery_settle(struct worker *worker, bool reset);

/* ---- tap.c: the bytes of this thread's connections go by worker->framing, and worker->socket is known ---- */

enum error_code tap_check(struct error *error); /* before the start: that civetweb will read by way of it */
void tap_enter_thread(struct worker *worker);	/* by each thread of civetweb, once; NULL: not any more */

/* ---- server.c ---- */

/* Are most threads taken? Then nobody keeps one without using it. Any thread. */
bool server_is_short(const struct http_server *server);

/* ---- deadline.c ---- */

/* Starts and ends the thread that interrupts late reads; to be stopped in either case, when civetweb's threads have ended. */
enum error_code deadline_start(struct http_server *server, struct error *error);
void deadline_stop(struct http_server *server);

void deadline_enter_thread(void);			       /* by each thread of civetweb, once */
void deadline_arm(struct worker *worker, int64_t deadline_ns); /* monotonic: until then this thread reads */
void deadline_arm_head(struct worker *worker); /* from now on a head is waited for: shortly, when threads are short */
bool deadline_disarm(struct worker *worker);   /* true: the deadline passed. No signal comes after it */
