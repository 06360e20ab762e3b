/* http.h - what the rest of the host sees of HTTP: a guarded request, and a reply in one write.
 *
 * civetweb stays behind this header. A handler runs on one of its threads, which have 100 KiB of stack: no Lua, no deep
 * recursion, no wait without a deadline. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"
#include "gate/gate.h"

struct http_server;
struct mg_connection;

/* What another door of the host asks in the place of a request, on its thread: http_ask(). */
struct http_inner {
	const char *method;	     /* "POST" */
	const char *path;	     /* as in http_request */
	const char *query;	     /* or NULL */
	json_t *body;		     /* or NULL; borrowed, and not changed as long as anybody holds it */
	const char *idempotency_key; /* the header of this name, or NULL */
	const char *prefer;	     /* the same */
	const void *asker;	     /* for who asks */
};

struct http_request {
	const char *method; /* "GET" for HEAD too: http_send() leaves the body out */
	const char *path;   /* percent-decoded, without query, no NUL or control byte in it */
	const char *query;  /* as sent, or NULL */
	const char *body;   /* "" when there is none; NUL-terminated */
	size_t body_length;
	const char *request_id;		      /* the client's X-Request-ID if it is sane, else a new one; echoed in the reply */
	const char *trace;		      /* the client's traceparent (W3C Trace Context) if it is valid, or NULL */
	const struct gate_view *view;	      /* flags, secrets and switches in force for this request; NULL without a gate */
	const struct config_api_key *api_key; /* whose key it came with, or NULL */
	int64_t session_expires; /* it came with a session that stands for the key until then, in seconds since 1970; 0: with none */
	bool signed_url; /* it came by a URL that was signed for this path (gate/signed_url.h): it may read this, whatever its key may do */
	struct mg_connection *connection;
	int route;			/* the handler's, for http_options.answered; -1: it found none */
	bool streamed;			/* the answer was a stream: how long it took says nothing */
	bool may_have_paid;		/* a job that may cost is under way for it: no status that clients repeat is sent */
	const struct http_inner *inner; /* another door asks, with the request's key and client; else NULL */
};

/* A request header, or NULL. Of what another door asks: its own, and those that say who the client is and how it knows the host. */
const char *http_header(const struct http_request *request, const char *name);

/* Does the client have already what this ETag (with its quotes) names? Then 304 is the answer. */
bool http_client_has(const struct http_request *request, const char *etag);

/* Tells every request header, in the order in which they came. */
void http_each_header(
	const struct http_request *request, void (*visit)(void *context, const char *name, const char *value), void *context);

/* The decoded value of a query parameter. False when absent. A value that does not fit is cut: give room. */
bool http_query(const struct http_request *request, const char *name, char *value, size_t size);

/* The body as JSON, as json_read(), with its memory counted among that of all bodies until the request ends: beyond LIMIT_BODIES_BYTES
 * ERROR_MEMORY. json_decref() it by then. */
json_t *http_read_json(struct http_request *request, struct error *error);
bool http_has_body(const struct http_request *request);
/* The SHA-256 of the body: of its bytes, or of what another door asks with, whatever the order of its members. Needs crypto_load(). */
void http_digest_body(const struct http_request *request, unsigned char digest[32]);
/* A tree that was made of the body by other means has so many bytes, counted as those of http_read_json(). False: there is no room. */
bool http_count_json(struct http_request *request, size_t bytes);
void http_uncount_json(struct http_request *request, size_t bytes); /* so many of them are gone before the request is over */
size_t http_bodies_bytes(void);					    /* that all bodies hold now */

/* Does it ask for the head alone? */
bool http_is_head(const struct http_request *request);

/* The client's socket, for http_client_left(); -1: it is not there any more. */
int http_socket(const struct http_request *request);

/* Has the client closed its side of the connection, or all of it? Any thread; never waits. */
bool http_client_left(int socket);

/* Has the client all of the answer that was sent? Its system has acknowledged every byte, and it has not broken off. Waits for that for as long as it goes
 * on, at most LIMIT_DELIVERY_MS, unless threads are short or the host stops. What a program, or a proxy, does with what its system took cannot be seen from
 * here. Once, after the last byte; HTTP thread. */
bool http_is_delivered(struct http_request *request);

/* What a connection says of an answer after the thread has gone on: `end` is called once, and takes it back. `reset`: the connection was reset within
 * LIMIT_DELIVERY_RESET_MS, before another request came on it, so the answer was not read, or by a program that lost it. HTTP threads, without locks. */
struct http_aftermath {
	void (*end)(struct http_aftermath *aftermath, bool reset);
	int64_t until_ns; /* set by http_watch() */
};

/* Watches the connection of a request whose answer http_is_delivered(). At most one a request; the request's HTTP thread. */
void http_watch(struct http_request *request, struct http_aftermath *aftermath);

/* Are most threads taken? Then nobody should keep one for a mere wish. */
bool http_is_short(const struct http_request *request);

/* Did a program ask, or a page of this host? Not, where a browser says that it was another page. */
bool http_is_from_here(const struct http_request *request);

struct http_reply {
	int status;
	const char *content_type; /* NULL: application/json */
	const char *headers;	  /* further header lines, each ending in \r\n, or NULL */
	const char *body;
	size_t body_length;
	bool immutable;	 /* what stands at this path never changes, but may be taken away: the client may keep it for an hour */
	bool revalidate; /* the client may keep it, if it asks again with its ETag; else nobody keeps it */
	bool published; /* a file that came with the host: anybody may keep it as with `revalidate`, and no secret is looked for in it */
	/* For who plays another server: */
	bool bare; /* `headers` are all, but Content-Length and Connection: no Content-Type, nothing about caches and ids */
	bool cut;  /* only half of the body is sent; then the connection ends */
};

/* Sends head and body in one write. Call it once per request. */
void http_send(struct http_request *request, const struct http_reply *reply);

/* In place of an answer the client gets a reset (RST). */
void http_reset(struct http_request *request);

/* A file to answer with. */
struct http_file {
	int descriptor;							   /* stays the caller's; -1: `read` it */
	ssize_t (*read)(void *reading, void *to, size_t size, int64_t at); /* as pread(); may wait */
	void *reading;
	int64_t bytes;
	int64_t modified_ms;
	const char *etag; /* with its quotes */
	const char *content_type;
	const char *headers; /* as in http_reply, or NULL; at most 1 KiB */
	bool immutable;	     /* the same */
};

/* Sends a file: 200, 206 with the range that was asked for, 304 when the client has it, 416. HEAD gets the head alone. */
void http_send_file(struct http_request *request, const struct http_file *file);

/* A problem (RFC 9457): { type, title, status, detail, request_id, errors: [{path, message}] }. `path` NULL leaves `errors` out; `members` is JSON
 * text of further members ("\"provider\":\"fal\",...") or NULL; `headers` as in http_reply. Sent as application/problem+json. */
struct http_problem {
	int status;
	const char *detail;
	const char *path; /* field path of a bad body; "" is the body itself */
	const char *members;
	const char *headers;
};

void http_send_problem(struct http_request *request, const struct http_problem *problem);

/* ---- asking oneself ---- */

/* What was answered instead of being sent. */
struct http_captured {
	int status;	    /* 0: nothing was answered */
	char headers[256];  /* as in http_reply; "" : none, or too long */
	struct buffer body; /* buffer_free() it */
};

/* Has `handle` answer what `inner` asks, as part of this request: with its view, key and client. What it sends is captured. Files and streams are not, and
 * problems have the form of RFC 9457 whatever the request's own path is. */
void http_ask(struct http_request *request, const struct http_inner *inner,
	void (*handle)(void *context, struct http_request *request), void *context, struct http_captured *captured);

struct http_options {
	const char *listen; /* "127.0.0.1:8001" */
	int threads;
	/* Where each request's view comes from. NULL: there is no view and no key, any Host and Origin will do, a body may be of any type, and who
	 * comes while all threads are taken waits for one instead of being refused; streams need one. */
	struct gate *gate;
	struct sessions *sessions; /* or NULL; see gate/session.h */
	size_t max_body_bytes;	   /* without a gate; else the configuration says it */
	void (*handle)(void *context, struct http_request *request);
	/* Or NULL: called after each answer, on its thread, also after those that the handler did not see. */
	void (*answered)(void *context, const struct http_request *request, int status, int64_t microseconds);
	/* Or NULL: sends a problem in the form that clients of this path know, by http_send(). False: by that of RFC 9457. The guard's refusals
	 * too, so the request may have no view yet; its path may be raw, or "" when there is none. */
	bool (*tell)(void *context, struct http_request *request, const char *path, const struct http_problem *problem);
	void *context;
};

/* Starts listening. A taken port is ERROR_CONFLICT and says so. */
enum error_code http_start(const struct http_options *options, struct http_server **server, struct error *error);

/* The address and the port in use (also when "…:0" was asked for). The text is the server's. */
const char *http_address(const struct http_server *server);
int http_port(const struct http_server *server);

/* From now on new requests are answered 503 with Retry-After, all but /healthz and /readyz. */
void http_drain(struct http_server *server);

/* Waits until no request is in flight, at most `timeout_ms`, then stops. */
void http_stop(struct http_server *server, int timeout_ms);
