/* internal.h - what the parts of the vendor simulator say to each other. Nothing else includes it.
 *
 *   simulate.c     the command: its arguments, start and stop
 *   sim_server.c   the front door, on http/: a request in, the vendor's answer or a fault out
 *   sim_fault.c    which request gets which fault, from the seed
 *   sim_hosts.c    which vendor answers for a host and a path
 *   sim_script.c   the one thread that runs lua/sim/, and its timers
 *   sim_lua.c      requests, answers and webhooks as Lua values
 *   sim_form.c     multipart bodies as Lua values
 *   sim_crypto.c   what the scripts get as require "crypto"
 *   sim_media.c    and as require "media"
 *   sim_journal.c  what was seen
 *   sim_deliver.c  webhooks out */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/limits.h"
#include "http/http.h"

/* ---- faults ---- */

enum sim_fault {
	SIM_FAULT_NONE = 0,
	SIM_RESET_BEFORE, /* the vendor did nothing */
	SIM_RESET_AFTER,  /* the vendor did it; the answer is lost */
	SIM_RATE_LIMIT,	  /* 429 as the vendor says it */
	SIM_SERVER_ERROR, /* 5xx */
	SIM_SLOW,
	SIM_TRUNCATED,	  /* done, but half of the answer's body is missing */
	SIM_WRONG_JSON,	  /* done, but the answer is no JSON, or not the vendor's */
	SIM_ECHO,	  /* done, and the answer has the caller's credential in it */
	SIM_ECHO_REFUSAL, /* nothing done: 400, with the caller's credential in every text */
	SIM_NEVER_ENDING,
	SIM_MODERATED,
	SIM_OUT_OF_CREDIT,
	SIM_FAULT_COUNT
};

struct sim_faults;

/* "fal:429:0.05", "*:reset_after:0.01", and with a method "fal:5xx:1:GET". At most LIMIT_SIM_FAULTS. ERROR_INVALID
 * says what is wrong. */
enum error_code sim_faults_open(
	const char *const *rules, size_t count, uint64_t seed, struct sim_faults **faults, struct error *error);
void sim_faults_close(struct sim_faults *faults);

/* Decides about the next request of this provider. Any thread; the n-th request of a rule always gets the same decision. */
enum sim_fault sim_faults_next(struct sim_faults *faults, const char *provider, const char *method);
const char *sim_fault_name(enum sim_fault fault);

/* ---- a request ---- */

/* One request on its way through the vendor's script. The HTTP thread owns it and waits. */
struct sim_exchange {
	/* in */
	struct http_request *request;
	const char *provider; /* lives as long as the scripts */
	char host[256];
	char base[288];	   /* "http://127.0.0.1:9101": what returned URLs begin with */
	const char *path;  /* after the host, "/" at least */
	const char *query; /* or "" */
	enum sim_fault fault;

	/* out */
	int status;
	struct buffer headers; /* lines that end in CR LF */
	struct buffer answer;
	bool is_json;
	bool fault_used; /* a fault that the script makes was made */
	bool paid;	 /* this request made a job that costs */
	bool cut;	 /* half of the answer's body is not sent */
	int64_t delay_ms;
	char job[128];
	char prompt[160];
	struct error error; /* the script failed */

	/* the scripts' thread */
	bool done;
	pthread_cond_t ended;
	struct sim_exchange *next;
};

/* ---- hosts ---- */

struct sim_host {
	char *host;   /* "*.modal.run", in lower case */
	char *prefix; /* of the path, or "" */
	const char *provider;
};

struct sim_hosts {
	char *providers[LIMIT_SIM_VENDORS];
	size_t provider_count;
	struct sim_host list[LIMIT_SIM_HOSTS];
	size_t count;
};

/* Reads the list { { provider =, hosts = { "api.fal.ai/path", ... } }, ... } on top. Raises when they are too many. [-0, +0, e] */
void sim_hosts_read(lua_State *L, struct sim_hosts *hosts);
void sim_hosts_free(struct sim_hosts *hosts);

/* Which vendor answers for this host and path; NULL when none does. Lives as long as `hosts`. */
const char *sim_hosts_provider(const struct sim_hosts *hosts, const char *host, const char *path);
bool sim_hosts_has(const struct sim_hosts *hosts, const char *provider);

/* ---- scripts ---- */

struct sim_script;
struct sim_delivery;

struct sim_script_options {
	const char *directory; /* lua/ */
	uint64_t seed;
	int64_t job_ms;			       /* how long a job takes at most */
	const char *const *directory_switches; /* "fal:html", as lua/sim/directory.lua reads them */
	size_t directory_switch_count;
	void (*deliver)(void *context, struct sim_delivery *delivery); /* takes it over */
	void *context;
};

/* Loads lua/sim/core.lua and every other file of lua/sim/ that declares hosts, and starts their thread. */
enum error_code sim_script_open(const struct sim_script_options *options, struct sim_script **script, struct error *error);
void sim_script_close(struct sim_script *script);

const struct sim_hosts *sim_script_hosts(const struct sim_script *script);

/* Has the script answer, and waits for it. `fault` is told to the script when it is one that scripts make. */
void sim_script_run(struct sim_script *script, struct sim_exchange *exchange);

/* Pushes what the script's `handle` gets. [-0, +1, m] */
void sim_lua_push_request(lua_State *L, const struct sim_exchange *exchange);

/* Fills in the "out" of the exchange from the answer on top. Returns when the script's next timer is due (wall clock, 0: none). [-0, +0, e] */
int64_t sim_lua_read_answer(lua_State *L, struct sim_exchange *exchange);

/* The webhook on top as a delivery, the caller's to send or to free. [-0, +0, e] */
struct sim_delivery *sim_lua_take_delivery(lua_State *L);

/* A copy of the text `name` of the table on top, "" when there is none; free() it. `length` may be NULL. [-0, +0, -] */
char *sim_lua_take_text(lua_State *L, const char *name, size_t *length);

/* Pushes require "crypto". [-0, +1, m] */
void sim_crypto_push(lua_State *L);

/* Pushes require "media". [-0, +1, m] */
void sim_media_push(lua_State *L);

/* Pushes the parts of a multipart body as { { name =, value = or data =, filename =, content_type = } }, or nil. [-0, +1, m] */
void sim_form_push(lua_State *L, const char *content_type, const char *body, size_t length);

/* ---- journal ---- */

struct sim_entry {
	const char *provider, *method, *host, *path, *query, *fault, *job, *prompt, *scheme, *trace;
	int status; /* 0: none was sent */
	bool paid;
};

struct sim_journal;

enum error_code sim_journal_open(const char *file, struct sim_journal **journal, struct error *error);
void sim_journal_close(struct sim_journal *journal);
void sim_journal_add(struct sim_journal *journal, const struct sim_entry *entry);
void sim_journal_delivery(struct sim_journal *journal, const char *provider, const char *job, int attempt, int status);
void sim_journal_clear(struct sim_journal *journal);

/* Appends everything as JSON. `provider` (or NULL) and `paid_only` choose. */
void sim_journal_write(struct sim_journal *journal, const char *provider, bool paid_only, struct buffer *out);

/* ---- webhooks ---- */

struct sim_delivery {
	struct sim_delivery *next;
	char *url;
	char *headers; /* lines that end in LF */
	char *body;
	size_t body_length;
	char provider[64];
	char job[128];
	int tries; /* all attempts */
	int attempt;
	int64_t pause_ms;
	int64_t due_ms; /* wall clock */
};

struct sim_deliver;

enum error_code sim_deliver_open(struct sim_journal *journal, struct sim_deliver **deliver, struct error *error);
void sim_deliver_close(struct sim_deliver *deliver);
void sim_deliver_send(void *deliver, struct sim_delivery *delivery); /* takes it over */
void sim_delivery_free(struct sim_delivery *delivery);

/* ---- server ---- */

struct sim_server_options {
	const char *listen;
	int64_t latency_ms;
	int64_t slow_ms;
	struct sim_script *script;
	struct sim_faults *faults;
	struct sim_journal *journal;
};

struct sim_server;

enum error_code sim_server_open(const struct sim_server_options *options, struct sim_server **server, struct error *error);
const struct http_server *sim_server_http(const struct sim_server *server);
void sim_server_close(struct sim_server *server);
