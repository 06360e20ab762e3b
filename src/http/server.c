/* server.c - civetweb's life: start, threads, connections, requests, drain, stop.
 *
 * Owns the server and its threads' state. begin_request takes every request (no handler is registered and no document root set,
 * so civetweb never looks at a file), guards it, reads its body, hands it on and sees that exactly one answer was sent.
 * Keep-alive, and how many requests one connection may hold a thread for, is decided here. Does not route. */
#include "http/internal.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "http/listen.h"

/* Malloc arenas: 512 threads would spread over 8 per core, each with free memory of its own. Four cost no speed. */
#define ARENAS 4
#define STOP_POLL_NS 5000000L
#define START_POLL_NS 500000L
#define START_SECONDS 5
#define LISTENER_FDS 256
#define OPTION_TEXT 32

/* ---- one request ---- */

bool server_is_short(const struct http_server *server)
{
	return atomic_load_explicit(&server->connections, memory_order_relaxed) * 5 > server->threads * 4;
}

/* One thread serves one connection at a time: when most are taken, nobody keeps one between requests. */
static bool must_close(const struct http_exchange *x)
{
	const struct http_server *server = x->server;

	return x->worker->requests >= LIMIT_REQUESTS_PER_CONNECTION || server_is_short(server) ||
	       atomic_load_explicit(&server->draining, memory_order_relaxed);
}

static void serve_request(struct http_exchange *x)
{
	if (!guard_check(x) || !body_read(x))
		return;
	x->server->handle(x->server->handle_context, &x->request);
	if (x->status == 0)
		reply_refuse(x, 500, NULL, "the request was not answered");
}

static void give_back_large(struct buffer *buffer)
{
	if (buffer->capacity > LIMIT_KEPT_BUFFER_BYTES)
		buffer_free(buffer);
}

static void notify_answered(const struct http_exchange *x)
{
	const struct http_server *server = x->server;

	if (server->answered != NULL)
		server->answered(server->handle_context, &x->request, x->status, (clock_monotonic_ns() - x->began_ns) / 1000);
}

static int begin_request(struct mg_connection *connection)
{
	struct worker *worker = mg_get_thread_pointer(connection);
	const struct mg_request_info *info = mg_get_request_info(connection);
	struct http_exchange x = { .worker = worker, .server = worker->server, .info = info };
	bool late;

	late = deadline_disarm(worker);
	delivery_settle(worker, false);
	x.began_ns = clock_monotonic_ns();
	x.request = (struct http_request){ .method = info->request_method, .body = "", .connection = connection, .route = -1 };
	x.head_only = strcmp(info->request_method, "HEAD") == 0;
	if (x.head_only)
		x.request.method = "GET";
	worker->requests++;
	atomic_fetch_add_explicit(&x.server->in_flight, 1, memory_order_relaxed);
	x.close = late || must_close(&x);
	if (x.server->gate != NULL)
		x.request.view = gate_acquire(x.server->gate);
	serve_request(&x);
	notify_answered(&x);
	if (x.server->gate != NULL)
		gate_release(x.server->gate, x.request.view);
	if (x.close)
		mg_disable_connection_keep_alive(connection); /* and so civetweb will not read what is left of the body */
	if (x.unread)
		body_drain(&x);
	give_back_large(&worker->out);
	give_back_large(&worker->body);
	buffer_budget_give(&worker->held, x.parsed_bytes);
	atomic_fetch_sub_explicit(&x.server->in_flight, 1, memory_order_release);
	if (!x.close)
		deadline_arm_head(worker);
	return x.status;
}

static void refuse_head(struct http_exchange *x, int status, const char *message, bool late)
{
	const struct framing *framing = &x->worker->framing;

	if (framing->problem != NULL)
		reply_refuse(x, framing->status, NULL, "%s", framing->problem);
	else if (status == 505)
		reply_refuse(x, status, NULL, "HTTP/1.1 or HTTP/1.0 is spoken here");
	else if (late)
		reply_refuse(
			x, 503, "Retry-After: 1\r\n", "there are more connections than threads: send a request's head at once");
	else if (status == 400)
		reply_refuse(x, status, NULL, "the request is malformed, or its head did not arrive within %d seconds",
			LIMIT_HEAD_MS / 1000);
	else
		reply_refuse(x, status, NULL, "%s", message);
}

/* Errors that are found before begin_request. Of the request nothing can be relied on. */
static int http_error(struct mg_connection *connection, int status, const char *message)
{
	struct worker *worker = mg_get_thread_pointer(connection);
	struct http_exchange x = { .worker = worker, .server = worker->server, .close = true };
	bool late = deadline_disarm(worker);

	x.began_ns = clock_monotonic_ns();
	x.request = (struct http_request){ .method = "GET", .path = "/", .body = "", .connection = connection, .route = -1 };
	refuse_head(&x, status, message, late);
	notify_answered(&x);
	mg_disable_connection_keep_alive(connection);
	give_back_large(&worker->out);
	return 0;
}

/* ---- threads and connections ---- */

/* Where it finds no memory for an option, civetweb takes its own default: another port, on all addresses, more threads. Called before it starts
 * any. */
static void check_options(const struct mg_context *context)
{
	const struct http_server *server = mg_get_user_data(context);

	for (const char *const *option = server->options; *option != NULL; option += 2)
		if (strcmp(mg_get_option(context, option[0]), option[1]) != 0)
			memory_exhausted();
}

static void *init_thread(const struct mg_context *context, int type)
{
	struct http_server *server = mg_get_user_data(context);
	int index;

	deadline_enter_thread();
	if (type == 0)
		atomic_store(&server->listening, true);
	if (type != 1)
		return NULL;
	index = atomic_load(&server->worker_count);
	while (!atomic_compare_exchange_weak(&server->worker_count, &index, index + 1))
		;
	if (index >= server->threads)
		abort(); /* civetweb started more threads than it was told to */
	server->workers[index].thread = pthread_self();
	tap_enter_thread(&server->workers[index]);
	return &server->workers[index];
}

static void exit_thread(const struct mg_context *context, int type, void *pointer)
{
	struct worker *worker = pointer;

	(void)context;
	if (type != 1)
		return;
	tap_enter_thread(NULL);
	buffer_free(&worker->out);
	buffer_free(&worker->body);
	free(worker->path);
	worker->path = NULL;
}

static int init_connection(const struct mg_connection *connection, void **data)
{
	struct worker *worker = mg_get_thread_pointer(connection);

	*data = NULL;
	worker->requests = 0;
	worker->socket = -1;
	worker->connected = true;
	framing_begin(&worker->framing);
	atomic_fetch_add_explicit(&worker->server->connections, 1, memory_order_relaxed);
	deadline_arm_head(worker);
	return 0;
}

static void connection_closed(const struct mg_connection *connection)
{
	struct worker *worker = mg_get_thread_pointer(connection);

	deadline_disarm(worker);
	delivery_settle(worker, false);
	worker->connected = false;
	worker->socket = -1;
	atomic_fetch_sub_explicit(&worker->server->connections, 1, memory_order_relaxed);
}

/* civetweb's own words: rarely of use to an operator, except for why it did not start. */
static int civetweb_says(const struct mg_connection *connection, const char *message)
{
	struct http_server *server = mg_get_user_data(mg_get_context(connection));

	if (server != NULL && atomic_load(&server->starting)) {
		pthread_mutex_lock(&server->late_lock);
		snprintf(server->start_problem, sizeof server->start_problem, "%s", message);
		pthread_mutex_unlock(&server->late_lock);
	}
	log_message(LOG_DEBUG, "http.civetweb", "%s", message);
	return 1;
}

/* ---- start ---- */

static struct mg_context *start_civetweb(struct http_server *server, const struct sockaddr_in *address)
{
	struct mg_context *context;
	char listen[OPTION_TEXT], threads[OPTION_TEXT], backlog[OPTION_TEXT], head_bytes[OPTION_TEXT], head_ms[OPTION_TEXT];
	const struct mg_callbacks callbacks = {
		.begin_request = begin_request,
		.http_error = http_error,
		.log_message = civetweb_says,
		.init_context = check_options,
		.init_thread = init_thread,
		.exit_thread = exit_thread,
		.init_connection = init_connection,
		.connection_closed = connection_closed,
	};
	/* clang-format off */
	const char *options[] = {
		"listening_ports", listen, "listen_backlog", backlog,
		"num_threads", threads, "connection_queue", threads,
		"enable_keep_alive", "yes", "keep_alive_timeout_ms", head_ms,
		"max_request_size", head_bytes, "request_timeout_ms", head_ms,
		"tcp_nodelay", "1", "decode_url", "no",
		"enable_auth_domain_check", "no", /* its answer to a wrong one is to hang up; the guard checks */
		"access_control_allow_origin", "", "access_control_allow_methods", "", "access_control_allow_headers", "",
		"enable_directory_listing", "no", "cgi_pattern", "",
		NULL,
	};
	/* clang-format on */

	snprintf(listen, sizeof listen, "%s:%u", server->host, (unsigned)ntohs(address->sin_port));
	snprintf(threads, sizeof threads, "%d", server->threads);
	snprintf(backlog, sizeof backlog, "%d", LIMIT_LISTEN_BACKLOG);
	snprintf(head_bytes, sizeof head_bytes, "%d", LIMIT_REQUEST_HEAD_BYTES);
	snprintf(head_ms, sizeof head_ms, "%d", LIMIT_HEAD_MS);
	server->options = options;
	context = mg_start(&callbacks, server, options);
	server->options = NULL;
	return context;
}

static struct http_server *make_server(const struct http_options *options)
{
	struct http_server *made = memory_new(sizeof *made);
	uint64_t random;

	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		random = (uint64_t)clock_unix_ms();
	made->workers = memory_new_aligned(WORKER_ALIGNMENT, (size_t)options->threads * sizeof *made->workers);
	made->gate = options->gate;
	made->sessions = options->sessions;
	made->max_body_bytes = options->max_body_bytes;
	made->handle = options->handle;
	made->handle_context = options->context;
	made->answered = options->answered;
	made->tell = options->tell;
	made->threads = options->threads;
	made->reply_seconds = (int)test_setting(TEST_REPLY_SECONDS, LIMIT_REPLY_SECONDS);
	made->overload_mark = options->gate == NULL || options->threads < 2 ? options->threads : options->threads * 7 / 8;
	for (int i = 0; i < made->threads; i++) {
		made->workers[i].server = made;
		made->workers[i].next_id = random + ((uint64_t)i << 40);
		buffer_init(&made->workers[i].out, 0);
		body_init(&made->workers[i]);
	}
	return made;
}

static void free_server(struct http_server *server)
{
	free(server->workers);
	free(server);
}

static bool all_threads(const struct http_server *server)
{
	return atomic_load(&server->worker_count) == server->threads && atomic_load(&server->listening);
}

/* civetweb goes on with fewer threads when it cannot have all, even without the one that listens; the limits here count on them. */
static enum error_code await_threads(struct http_server *server, struct error *error)
{
	int64_t deadline = clock_monotonic_ns() + START_SECONDS * 1000000000LL;

	while (!all_threads(server) && clock_monotonic_ns() < deadline)
		nanosleep(&(struct timespec){ .tv_nsec = START_POLL_NS }, NULL);
	if (all_threads(server))
		return ERROR_NONE;
	if (!atomic_load(&server->listening))
		return error_set(error, ERROR_LIMIT, "threads", "the thread that listens could not be started: is there memory?");
	return error_set(error, ERROR_LIMIT, "threads", "only %d of %d HTTP threads could be started: lower server.threads",
		atomic_load(&server->worker_count), server->threads);
}

static enum error_code explain_start(
	struct http_server *server, const char *listen, const struct sockaddr_in *address, struct error *error)
{
	char otherwise[sizeof server->start_problem + 32];

	snprintf(otherwise, sizeof otherwise, "with %d threads: %s", server->threads, server->start_problem);
	return listen_explain(listen, address, otherwise, error);
}

static enum error_code start_server(
	struct http_server *server, const char *listen, const struct sockaddr_in *address, struct error *error)
{
	struct mg_server_port port;

	if (deadline_start(server, error) != ERROR_NONE)
		return ERROR_IO;
	atomic_store(&server->starting, true);
	server->context = start_civetweb(server, address);
	atomic_store(&server->starting, false);
	if (server->context == NULL)
		return explain_start(server, listen, address, error);
	if (mg_get_server_ports(server->context, 1, &port) != 1) {
		mg_stop(server->context);
		return error_set(error, ERROR_IO, "listen", "the HTTP server did not start on %s", listen);
	}
	server->port = port.port;
	if (await_threads(server, error) != ERROR_NONE) {
		if (atomic_load(&server->listening)) /* it stops the others; without it mg_stop() waits for ever */
			mg_stop(server->context);
		return ERROR_LIMIT;
	}
	return ERROR_NONE;
}

static void note_address(struct http_server *server, const struct sockaddr_in *address)
{
	inet_ntop(AF_INET, &address->sin_addr, server->host, sizeof server->host);
	server->loopback = ntohl(address->sin_addr.s_addr) >> 24 == 127;
	server->any_address = address->sin_addr.s_addr == htonl(INADDR_ANY);
}

enum error_code http_start(const struct http_options *options, struct http_server **server, struct error *error)
{
	struct http_server *made;
	struct sockaddr_in address;
	enum error_code code;

	if (options->threads < 1)
		return error_set(error, ERROR_INVALID, "threads", "at least one HTTP thread is needed");
	code = tap_check(error);
	if (code == ERROR_NONE)
		code = listen_parse(options->listen, &address, error);
	if (code != ERROR_NONE)
		return code;
	framing_prepare();
	body_set_total();
	signal(SIGPIPE, SIG_IGN);
	mallopt(M_ARENA_MAX, ARENAS);
	made = make_server(options);
	note_address(made, &address);
	code = start_server(made, options->listen, &address, error);
	if (code == ERROR_NONE) {
		*server = made;
		return ERROR_NONE;
	}
	deadline_stop(made);
	free_server(made);
	return code;
}

/* ---- stop ---- */

const char *http_address(const struct http_server *server)
{
	return server->host;
}

int http_port(const struct http_server *server)
{
	return server->port;
}

void http_drain(struct http_server *server)
{
	atomic_store(&server->draining, true);
}

/* civetweb's listening thread looks up every 2 s, and mg_stop() waits for it: a listening socket that is shut down wakes it. civetweb
 * does not show the socket; it was opened at start, when there were few. */
static void wake_listener(const struct http_server *server)
{
	for (int fd = 0; fd < LISTENER_FDS; fd++) {
		struct sockaddr_in address = { .sin_port = 0 };
		socklen_t size = sizeof address, flag_size = sizeof(int);
		int listening = 0;

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &flag_size) == 0 && listening != 0 &&
			getsockname(fd, (struct sockaddr *)&address, &size) == 0 && ntohs(address.sin_port) == server->port)
			shutdown(fd, SHUT_RDWR);
	}
}

/* Answers first, then mg_stop(): it cuts off whatever is still being written. */
void http_stop(struct http_server *server, int timeout_ms)
{
	int64_t deadline = clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;

	if (server == NULL)
		return;
	http_drain(server);
	while (atomic_load(&server->in_flight) > 0 && clock_monotonic_ns() < deadline)
		nanosleep(&(struct timespec){ .tv_nsec = STOP_POLL_NS }, NULL);
	atomic_store(&server->stopping, true);
	wake_listener(server);
	mg_stop(server->context);
	deadline_stop(server);
	free_server(server);
}
