/* sim_server.c - the simulator's HTTP door: a civetweb server on loopback, and nothing else.
 *
 * HTTP threads read whole bodies, have the vendor's script answer, wait as long as the vendor would take, and write the answer,
 * or do to the connection what the fault says. Control paths (/healthz, /journal, /jobs) have no fault and are in no journal.
 * Refuses to listen anywhere but on 127.0.0.0/8. Never calls civetweb's form parser (tech 1.7). */
#include "sim/internal.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

#define OPTION_BYTES 32
#define NAP_MS 50
#define HEAD_BYTES "32768"
#define PAUSE_MS "30000" /* between two packets */
#define IDLE_MS "60000"	 /* a kept connection; longer than a client would keep it, so that none is closed under a request */
#define BROKEN_JSON "{\"id\": \"trunc"
#define STRANGE_JSON "{\"unexpected\":[1,2,3]}"

struct sim_server {
	struct sim_server_options options;
	struct mg_context *context;
	char host[INET_ADDRSTRLEN];
	atomic_int port; /* known once civetweb's threads run */
	atomic_bool stopping;
	atomic_int connections;
};

/* ---- the connection ---- */

static bool is_connection(const struct sim_server *server, const struct mg_request_info *info, int descriptor)
{
	struct sockaddr_in peer, own;
	socklen_t peer_size = sizeof peer, own_size = sizeof own;

	return getpeername(descriptor, (struct sockaddr *)&peer, &peer_size) == 0 && peer.sin_family == AF_INET &&
	       ntohs(peer.sin_port) == info->remote_port && getsockname(descriptor, (struct sockaddr *)&own, &own_size) == 0 &&
	       ntohs(own.sin_port) == atomic_load(&server->port);
}

/* civetweb does not tell its socket: of those that are open it is the one whose other end is the client's. */
static int find_socket(const struct sim_server *server, const struct mg_request_info *info)
{
	DIR *open = opendir("/proc/self/fd");
	const struct dirent *entry;
	int found = -1;

	if (open == NULL)
		return -1;
	while (found == -1 && (entry = readdir(open)) != NULL) {
		long descriptor = strtol(entry->d_name, NULL, 10);
		if (descriptor > STDERR_FILENO && descriptor != dirfd(open) && is_connection(server, info, (int)descriptor))
			found = (int)descriptor;
	}
	closedir(open);
	return found;
}

/* The client gets a reset (RST), not an orderly end: dissolving a TCP connection sends one. */
static void reset_connection(const struct sim_server *server, struct mg_connection *connection)
{
	int descriptor = find_socket(server, mg_get_request_info(connection));

	mg_disable_connection_keep_alive(connection);
	if (descriptor != -1)
		connect(descriptor, &(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr));
}

static void nap(const struct sim_server *server, int64_t ms)
{
	int64_t until = clock_monotonic_ns() + ms * 1000000;

	while (!atomic_load(&server->stopping)) {
		int64_t left = until - clock_monotonic_ns();
		if (left <= 0)
			return;
		if (left > NAP_MS * 1000000LL)
			left = NAP_MS * 1000000LL;
		nanosleep(&(struct timespec){ .tv_nsec = left }, NULL);
	}
}

/* ---- bodies ---- */

static void go_on_if_asked(struct mg_connection *connection)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const char *expect = mg_get_header(connection, "Expect");

	if (expect != NULL && strcasecmp(expect, "100-continue") == 0)
		mg_write(connection, go_on, sizeof go_on - 1);
}

/* False when it is too large, does not come, or does not fit in memory. */
static bool read_body(struct mg_connection *connection, struct buffer *body)
{
	long long declared = mg_get_request_info(connection)->content_length;
	int64_t deadline = clock_monotonic_ns() + LIMIT_SIM_BODY_SECONDS * 1000000000LL;

	if (declared > LIMIT_SIM_BODY_BYTES)
		return false;
	if (declared != 0)
		go_on_if_asked(connection);
	while (declared < 0 || body->length < (size_t)declared) {
		size_t want = LIMIT_BODY_SLICE_BYTES;
		char *to;
		int got;
		if (declared > 0 && want > (size_t)declared - body->length)
			want = (size_t)declared - body->length;
		to = buffer_reserve(body, want);
		if (to == NULL || clock_monotonic_ns() > deadline)
			return false;
		got = mg_read(connection, to, want);
		if (got <= 0)
			return declared < 0 && got == 0;
		body->length += (size_t)got;
	}
	return true;
}

/* ---- answers ---- */

static bool must_close(const struct sim_server *server)
{
	return atomic_load(&server->connections) * 5 > LIMIT_SIM_THREADS * 4 || atomic_load(&server->stopping);
}

static void write_all(struct mg_connection *connection, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t slice = length < LIMIT_BODY_SLICE_BYTES ? length : LIMIT_BODY_SLICE_BYTES;
		if (mg_write(connection, bytes, slice) != (int)slice)
			return;
		bytes += slice;
		length -= slice;
	}
}

/* Sends `sent` bytes of a body that is announced whole. */
static void reply(struct sim_server *server, struct mg_connection *connection, int status, const char *headers,
	const struct buffer *body, size_t sent)
{
	bool close_after = must_close(server) || sent < body->length;
	bool no_body = strcmp(mg_get_request_info(connection)->request_method, "HEAD") == 0 || status == 204 || status == 304;
	struct buffer head;

	buffer_init(&head, LIMIT_SIM_HEAD_BYTES + LIMIT_REPLY_ONE_WRITE_BYTES);
	buffer_format(&head, "HTTP/1.1 %d %s\r\n%s", status, mg_get_response_code_text(connection, status), headers);
	if (status != 204 && status != 304)
		buffer_format(&head, "Content-Length: %zu\r\n", body->length);
	buffer_format(&head, "Connection: %s\r\n\r\n", close_after ? "close" : "keep-alive");
	if (no_body)
		sent = 0;
	if (sent > 0 && sent <= LIMIT_REPLY_ONE_WRITE_BYTES / 2) {
		buffer_append(&head, body->data, sent);
		sent = 0;
	}
	if (close_after)
		mg_disable_connection_keep_alive(connection);
	write_all(connection, head.data, head.length);
	write_all(connection, body->data, sent);
	buffer_free(&head);
}

static int reply_json(struct sim_server *server, struct mg_connection *connection, int status, const char *text)
{
	struct buffer body;

	buffer_init(&body, LIMIT_REPLY_BYTES);
	buffer_text(&body, text);
	reply(server, connection, status, "Content-Type: application/json\r\n", &body, body.length);
	buffer_free(&body);
	return status;
}

/* ---- one request to a vendor ---- */

/* "Bearer", "Key", or the name of the header that holds the credential. */
static const char *credential_scheme(struct mg_connection *connection, char *text, size_t size)
{
	static const char *const others[] = { "X-API-KEY", "Modal-Key", NULL };
	const char *value = mg_get_header(connection, "Authorization");
	size_t length = value != NULL ? strcspn(value, " ") : 0;

	if (value != NULL) {
		bool has_scheme = value[length] == ' ' && length < 12;
		snprintf(text, size, "%.*s***", has_scheme ? (int)length + 1 : 0, value);
		return text;
	}
	for (int i = 0; others[i] != NULL; i++) {
		if (mg_get_header(connection, others[i]) != NULL) {
			snprintf(text, size, "%s ***", others[i]);
			return text;
		}
	}
	return NULL;
}

static void note(struct sim_server *server, struct mg_connection *connection, const struct sim_exchange *x, bool shown)
{
	char scheme[32];
	bool made = x->fault < SIM_RATE_LIMIT || (x->fault >= SIM_SLOW && x->fault <= SIM_ECHO_REFUSAL) || x->fault_used;
	const struct sim_entry entry = {
		.provider = x->provider,
		.method = x->method,
		.host = x->host,
		.path = x->path,
		.query = x->query,
		.fault = made ? sim_fault_name(x->fault) : NULL,
		.job = x->job[0] != '\0' ? x->job : NULL,
		.prompt = x->prompt[0] != '\0' ? x->prompt : NULL,
		.scheme = credential_scheme(connection, scheme, sizeof scheme),
		.trace = mg_get_header(connection, "traceparent"),
		.status = shown ? x->status : 0,
		.paid = x->paid,
	};

	sim_journal_add(server->options.journal, &entry);
}

static void spoil_json(struct sim_exchange *x)
{
	bool strange = x->answer.length % 2 == 0;

	if (!x->is_json)
		return;
	buffer_clear(&x->answer);
	buffer_text(&x->answer, strange ? STRANGE_JSON : BROKEN_JSON);
}

static void run_script(struct sim_server *server, struct sim_exchange *x)
{
	sim_script_run(server->options.script, x);
	if (x->error.code == ERROR_NONE && !x->answer.failed && !x->headers.failed && x->status >= 200)
		return;
	fprintf(stderr, "providerd simulate: %s %s%s: %s\n", x->method, x->host, x->path,
		x->error.code != ERROR_NONE ? x->error.message : "the script's answer is not usable");
	x->status = 500;
	buffer_clear(&x->headers);
	buffer_clear(&x->answer);
	buffer_text(&x->headers, "Content-Type: application/json\r\n");
	buffer_text(&x->answer, "{\"simulator\":\"the vendor's script failed; see its standard error\"}");
}

/* What came as credentials, as a JSON text. Vendors do echo it: some proxies dump the head of what they refuse. */
static void write_credentials(struct mg_connection *connection, struct buffer *out)
{
	static const char *const names[] = { "Authorization", "X-API-KEY", "Modal-Key", "Modal-Secret", NULL };
	struct buffer all;

	buffer_init(&all, LIMIT_SIM_HEAD_BYTES);
	buffer_text(&all, "seen:");
	for (int i = 0; names[i] != NULL; i++) {
		const char *value = mg_get_header(connection, names[i]);
		if (value != NULL) {
			buffer_char(&all, ' ');
			buffer_text(&all, value);
		}
	}
	json_write_text(out, all.failed ? "" : all.data);
	buffer_free(&all);
}

/* A member more in an answer that is an object. */
static void echo_in_answer(struct mg_connection *connection, struct sim_exchange *x)
{
	struct buffer echoed;

	if (!x->is_json || x->answer.length < 2 || x->answer.data[0] != '{')
		return;
	buffer_init(&echoed, LIMIT_SIM_ANSWER_BYTES);
	buffer_text(&echoed, "{\"echo\":");
	write_credentials(connection, &echoed);
	if (x->answer.data[1] != '}')
		buffer_char(&echoed, ',');
	buffer_append(&echoed, x->answer.data + 1, x->answer.length - 1);
	buffer_free(&x->answer);
	x->answer = echoed;
}

static int refuse_with_echo(struct sim_server *server, struct mg_connection *connection, struct sim_exchange *x)
{
	static const char *const members[] = { "id", "detail", "message", "error", "title", "failure_reason" };

	x->status = 400;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		buffer_format(&x->answer, "%s\"%s\":", i == 0 ? "{" : ",", members[i]);
		write_credentials(connection, &x->answer);
	}
	buffer_char(&x->answer, '}');
	note(server, connection, x, true);
	reply(server, connection, x->status, "Content-Type: application/json\r\n", &x->answer, x->answer.length);
	return x->status;
}

static int answer_vendor(struct sim_server *server, struct mg_connection *connection, struct sim_exchange *x)
{
	size_t sent;
	bool lost = x->fault == SIM_RESET_AFTER;

	if (x->fault == SIM_ECHO_REFUSAL)
		return refuse_with_echo(server, connection, x);
	run_script(server, x);
	note(server, connection, x, !lost);
	nap(server, server->options.latency_ms + x->delay_ms + (x->fault == SIM_SLOW ? server->options.slow_ms : 0));
	if (lost) {
		reset_connection(server, connection);
		return x->status;
	}
	if (x->fault == SIM_WRONG_JSON)
		spoil_json(x);
	if (x->fault == SIM_ECHO)
		echo_in_answer(connection, x);
	sent = x->fault == SIM_TRUNCATED ? x->answer.length / 2 : x->answer.length;
	reply(server, connection, x->status, x->headers.data != NULL ? x->headers.data : "", &x->answer, sent);
	return x->status;
}

static int serve_vendor(struct sim_server *server, struct mg_connection *connection, struct sim_exchange *x)
{
	struct buffer body;
	int status;

	x->fault = sim_faults_next(server->options.faults, x->provider, x->method);
	if (x->fault == SIM_RESET_BEFORE) {
		note(server, connection, x, false);
		reset_connection(server, connection);
		return 500;
	}
	buffer_init(&body, LIMIT_SIM_BODY_BYTES + LIMIT_BODY_SLICE_BYTES);
	buffer_init(&x->headers, LIMIT_SIM_HEAD_BYTES);
	buffer_init(&x->answer, LIMIT_SIM_ANSWER_BYTES);
	if (!read_body(connection, &body) || body.length > LIMIT_SIM_BODY_BYTES) {
		mg_disable_connection_keep_alive(connection);
		status = reply_json(server, connection, 413, "{\"simulator\":\"the body is too large, or did not come\"}");
	} else {
		x->body = body.data != NULL ? body.data : "";
		x->body_length = body.length;
		status = answer_vendor(server, connection, x);
	}
	buffer_free(&body);
	buffer_free(&x->headers);
	buffer_free(&x->answer);
	return status;
}

/* ---- control paths ---- */

static bool query_value(const char *query, const char *name, char *value, size_t size)
{
	return mg_get_var(query, strlen(query), name, value, size) > 0;
}

static int serve_journal(struct sim_server *server, struct mg_connection *connection, const struct sim_exchange *x)
{
	char provider[64], paid[8];
	bool one = query_value(x->query, "provider", provider, sizeof provider);
	bool paid_only = query_value(x->query, "paid", paid, sizeof paid);
	struct buffer out;

	if (strcmp(x->method, "DELETE") == 0) {
		sim_journal_clear(server->options.journal);
		return reply_json(server, connection, 200, "{\"ok\":true}\n");
	}
	buffer_init(&out, LIMIT_SIM_JOURNAL_BYTES);
	sim_journal_write(server->options.journal, one ? provider : NULL, paid_only, &out);
	if (out.failed) {
		buffer_free(&out);
		return reply_json(server, connection, 507,
			"{\"simulator\":\"the journal is too large: ask with ?paid=1 or ?provider=\"}\n");
	}
	reply(server, connection, 200, "Content-Type: application/json\r\n", &out, out.length);
	buffer_free(&out);
	return 200;
}

/* The jobs that the scripts hold: their answer to a request of no provider. */
static int serve_jobs(struct sim_server *server, struct mg_connection *connection, struct sim_exchange *x)
{
	x->body = "";
	buffer_init(&x->headers, LIMIT_SIM_HEAD_BYTES);
	buffer_init(&x->answer, LIMIT_REPLY_BYTES);
	run_script(server, x);
	reply(server, connection, x->status, "Content-Type: application/json\r\n", &x->answer, x->answer.length);
	buffer_free(&x->headers);
	buffer_free(&x->answer);
	return x->status;
}

static int serve_control(struct sim_server *server, struct mg_connection *connection, struct sim_exchange *x)
{
	if (strcmp(x->host, "healthz") == 0)
		return reply_json(server, connection, 200, "{\"ok\":true}\n");
	if (strcmp(x->host, "journal") == 0)
		return serve_journal(server, connection, x);
	if (strcmp(x->host, "jobs") == 0)
		return serve_jobs(server, connection, x);
	return reply_json(server, connection, 404,
		"{\"simulator\":\"no vendor has this host; the first segment of the path is the host, as in "
		"/api.replicate.com/v1/predictions\"}\n");
}

/* ---- civetweb ---- */

/* What returned URLs begin with: the address that the client used, if it is one. */
static void write_base(const struct sim_server *server, struct mg_connection *connection, struct sim_exchange *x)
{
	const char *host = mg_get_header(connection, "Host");

	if (host == NULL || host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_")] != '\0' ||
		strlen(host) > 255)
		snprintf(x->base, sizeof x->base, "http://%s:%d", server->host, atomic_load(&server->port));
	else
		snprintf(x->base, sizeof x->base, "http://%s", host);
}

static int begin_request(struct mg_connection *connection)
{
	struct sim_server *server = mg_get_user_data(mg_get_context(connection));
	const struct mg_request_info *info = mg_get_request_info(connection);
	const char *uri = info->request_uri[0] == '/' ? info->request_uri + 1 : info->request_uri;
	size_t length = strcspn(uri, "/");
	struct sim_exchange x = { .info = info, .method = info->request_method };

	if (length >= sizeof x.host)
		return reply_json(server, connection, 414, "{\"simulator\":\"no host has such a name\"}\n");
	for (size_t i = 0; i < length; i++)
		x.host[i] = (char)(uri[i] >= 'A' && uri[i] <= 'Z' ? uri[i] + 32 : uri[i]);
	x.path = uri[length] == '/' ? uri + length : "/";
	x.query = info->query_string != NULL ? info->query_string : "";
	x.content_type = mg_get_header(connection, "Content-Type");
	write_base(server, connection, &x);
	x.provider = sim_script_provider(server->options.script, x.host, x.path);
	if (x.provider == NULL)
		return serve_control(server, connection, &x);
	return serve_vendor(server, connection, &x);
}

static int init_connection(const struct mg_connection *connection, void **data)
{
	struct sim_server *server = mg_get_user_data(mg_get_context(connection));

	*data = NULL;
	atomic_fetch_add(&server->connections, 1);
	return 0;
}

static void connection_closed(const struct mg_connection *connection)
{
	struct sim_server *server = mg_get_user_data(mg_get_context(connection));

	atomic_fetch_sub(&server->connections, 1);
}

static int civetweb_says(const struct mg_connection *connection, const char *message)
{
	(void)connection;
	(void)message;
	return 1;
}

static struct mg_context *start_civetweb(struct sim_server *server, int port)
{
	char listen[OPTION_BYTES], threads[OPTION_BYTES], backlog[OPTION_BYTES];
	const struct mg_callbacks callbacks = {
		.begin_request = begin_request,
		.log_message = civetweb_says,
		.init_connection = init_connection,
		.connection_closed = connection_closed,
	};
	/* clang-format off */
	const char *options[] = {
		"listening_ports", listen, "listen_backlog", backlog,
		"num_threads", threads, "connection_queue", threads,
		"enable_keep_alive", "yes", "keep_alive_timeout_ms", IDLE_MS,
		"max_request_size", HEAD_BYTES, "request_timeout_ms", PAUSE_MS,
		"tcp_nodelay", "1", "decode_url", "no", "enable_auth_domain_check", "no",
		"access_control_allow_origin", "", "access_control_allow_methods", "", "access_control_allow_headers", "",
		"enable_directory_listing", "no", "cgi_pattern", "",
		NULL,
	};
	/* clang-format on */

	snprintf(listen, sizeof listen, "%s:%d", server->host, port);
	snprintf(threads, sizeof threads, "%d", LIMIT_SIM_THREADS);
	snprintf(backlog, sizeof backlog, "%d", LIMIT_LISTEN_BACKLOG);
	return mg_start(&callbacks, server, options);
}

/* "127.0.0.1:9101"; any other than a loopback address is refused. */
static enum error_code parse_listen(struct sim_server *server, const char *listen, int *port, struct error *error)
{
	const char *colon = strrchr(listen, ':');
	size_t length = colon != NULL ? (size_t)(colon - listen) : 0;
	struct in_addr address;
	char *end;
	unsigned long number;

	if (length == 0 || length >= sizeof server->host)
		return error_set(error, ERROR_INVALID, "listen", "\"%s\": expected ADDRESS:PORT, as in 127.0.0.1:9101", listen);
	memcpy(server->host, listen, length);
	server->host[length] = '\0';
	if (strcmp(server->host, "localhost") == 0)
		snprintf(server->host, sizeof server->host, "127.0.0.1");
	if (inet_pton(AF_INET, server->host, &address) != 1 || ntohl(address.s_addr) >> 24 != 127)
		return error_set(
			error, ERROR_INVALID, "listen", "\"%s\": the simulator listens on loopback only (127.0.0.1)", listen);
	number = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || number > 65535)
		return error_set(error, ERROR_INVALID, "listen", "\"%s\": the port must be 0 to 65535", listen);
	*port = (int)number;
	return ERROR_NONE;
}

enum error_code sim_server_open(const struct sim_server_options *options, struct sim_server **server, struct error *error)
{
	struct sim_server *made = calloc(1, sizeof *made);
	struct mg_server_port ports[1];
	enum error_code code;
	int port = 0;

	if (made == NULL)
		return error_memory(error);
	made->options = *options;
	code = parse_listen(made, options->listen, &port, error);
	if (code == ERROR_NONE) {
		atomic_store(&made->port, port);
		made->context = start_civetweb(made, port);
		if (made->context == NULL || mg_get_server_ports(made->context, 1, ports) != 1)
			code = error_set(error, ERROR_IO, "listen", "cannot listen on %s: is it in use?", options->listen);
		else
			atomic_store(&made->port, ports[0].port);
	}
	if (code != ERROR_NONE) {
		sim_server_close(made);
		return code;
	}
	*server = made;
	return ERROR_NONE;
}

int sim_server_port(const struct sim_server *server)
{
	return atomic_load(&server->port);
}

const char *sim_server_host(const struct sim_server *server)
{
	return server->host;
}

void sim_server_close(struct sim_server *server)
{
	if (server == NULL)
		return;
	atomic_store(&server->stopping, true);
	if (server->context != NULL)
		mg_stop(server->context);
	free(server);
}
