/* sim_server.c - the simulator's front door: the host's own HTTP server, without its gate, on loopback and nowhere else.
 *
 * HTTP threads have the vendor's script answer, wait as long as the vendor would take, and send the answer, or do to the connection what the fault
 * says. Control paths (/healthz, /journal, /jobs, /directory) have no fault and are in no journal. */
#include "sim/internal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/network.h"

#define NAP_MS 50
#define STOP_MS 2000
#define BROKEN_JSON "{\"id\": \"trunc"
#define STRANGE_JSON "{\"unexpected\":[1,2,3]}"
#define JSON_HEADER "Content-Type: application/json\r\n"

struct sim_server {
	struct sim_server_options options;
	struct http_server *http;
	atomic_bool stopping;
};

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

/* ---- answers ---- */

static void send_text(struct http_request *request, int status, const char *text)
{
	http_send(request,
		&(struct http_reply){
			.status = status, .headers = JSON_HEADER, .body = text, .body_length = strlen(text), .bare = true });
}

static void send_buffer(struct http_request *request, const struct buffer *body)
{
	http_send(request,
		&(struct http_reply){
			.status = 200, .headers = JSON_HEADER, .body = body->data, .body_length = body->length, .bare = true });
}

static void send_vendor_answer(struct sim_exchange *x)
{
	http_send(x->request, &(struct http_reply){ .status = x->status,
				      .headers = x->headers.data,
				      .body = x->answer.data,
				      .body_length = x->answer.length,
				      .bare = true,
				      .cut = x->cut || x->fault == SIM_TRUNCATED });
}

/* ---- credentials ---- */

/* "Bearer", "Key", or the name of the header that holds the credential. */
static const char *credential_scheme(const struct http_request *request, char *text, size_t size)
{
	static const char *const others[] = { "X-API-KEY", "Modal-Key", NULL };
	const char *value = http_header(request, "Authorization");
	size_t length = value != NULL ? strcspn(value, " ") : 0;

	if (value != NULL) {
		bool has_scheme = value[length] == ' ' && length < 12;
		snprintf(text, size, "%.*s***", has_scheme ? (int)length + 1 : 0, value);
		return text;
	}
	for (int i = 0; others[i] != NULL; i++) {
		if (http_header(request, others[i]) != NULL) {
			snprintf(text, size, "%s ***", others[i]);
			return text;
		}
	}
	return NULL;
}

/* What came as credentials, as a JSON text. Vendors do echo it: some proxies dump the head of what they refuse. */
static void write_echo(const struct http_request *request, struct buffer *out)
{
	static const char *const names[] = { "Authorization", "X-API-KEY", "Modal-Key", "Modal-Secret", NULL };
	struct buffer all;

	buffer_init(&all, LIMIT_REQUEST_HEAD_BYTES);
	buffer_text(&all, "seen:");
	for (int i = 0; names[i] != NULL; i++) {
		const char *value = http_header(request, names[i]);
		if (value != NULL) {
			buffer_char(&all, ' ');
			buffer_text(&all, value);
		}
	}
	json_write_text(out, all.data);
	buffer_free(&all);
}

/* ---- one request to a vendor ---- */

static void note_request(struct sim_server *server, const struct sim_exchange *x, bool shown)
{
	char scheme[32];
	bool made = x->fault < SIM_RATE_LIMIT || (x->fault >= SIM_SLOW && x->fault <= SIM_ECHO_REFUSAL) || x->fault_used;
	const struct sim_entry entry = {
		.provider = x->provider,
		.method = x->request->method,
		.host = x->host,
		.path = x->path,
		.query = x->query,
		.fault = made ? sim_fault_name(x->fault) : NULL,
		.job = x->job[0] != '\0' ? x->job : NULL,
		.prompt = x->prompt[0] != '\0' ? x->prompt : NULL,
		.scheme = credential_scheme(x->request, scheme, sizeof scheme),
		.trace = http_header(x->request, "traceparent"),
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

/* A member more in an answer that is an object. */
static void echo_in_answer(struct sim_exchange *x)
{
	struct buffer echoed;

	if (!x->is_json || x->answer.length < 2 || x->answer.data[0] != '{')
		return;
	buffer_init(&echoed, LIMIT_SIM_ANSWER_BYTES);
	buffer_text(&echoed, "{\"echo\":");
	write_echo(x->request, &echoed);
	if (x->answer.data[1] != '}')
		buffer_char(&echoed, ',');
	buffer_append(&echoed, x->answer.data + 1, x->answer.length - 1);
	buffer_free(&x->answer);
	x->answer = echoed;
}

static void refuse_with_echo(struct sim_server *server, struct sim_exchange *x)
{
	static const char *const members[] = { "id", "detail", "message", "error", "title", "failure_reason" };

	x->status = 400;
	buffer_text(&x->headers, JSON_HEADER);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		buffer_format(&x->answer, "%s\"%s\":", i == 0 ? "{" : ",", members[i]);
		write_echo(x->request, &x->answer);
	}
	buffer_char(&x->answer, '}');
	note_request(server, x, true);
	send_vendor_answer(x);
}

static void have_script_answer(struct sim_server *server, struct sim_exchange *x)
{
	sim_script_run(server->options.script, x);
	if (x->error.code == ERROR_NONE && !x->answer.failed && !x->headers.failed && x->status >= 200)
		return;
	fprintf(stderr, "providerd simulate: %s %s%s: %s\n", x->request->method, x->host, x->path,
		x->error.code != ERROR_NONE ? x->error.message : "the script's answer is not usable");
	x->status = 500;
	buffer_clear(&x->headers);
	buffer_clear(&x->answer);
	buffer_text(&x->headers, JSON_HEADER);
	buffer_text(&x->answer, "{\"simulator\":\"the vendor's script failed; see its standard error\"}");
}

static void answer_by_script(struct sim_server *server, struct sim_exchange *x)
{
	bool lost = x->fault == SIM_RESET_AFTER;

	have_script_answer(server, x);
	note_request(server, x, !lost);
	nap(server, server->options.latency_ms + x->delay_ms + (x->fault == SIM_SLOW ? server->options.slow_ms : 0));
	if (x->fault == SIM_WRONG_JSON)
		spoil_json(x);
	if (x->fault == SIM_ECHO)
		echo_in_answer(x);
	if (lost)
		http_reset(x->request);
	else
		send_vendor_answer(x);
}

static void serve_vendor(struct sim_server *server, struct sim_exchange *x)
{
	x->fault = sim_faults_next(server->options.faults, x->provider, x->request->method);
	if (x->fault == SIM_RESET_BEFORE) {
		note_request(server, x, false);
		http_reset(x->request);
	} else if (x->fault == SIM_ECHO_REFUSAL) {
		refuse_with_echo(server, x);
	} else {
		answer_by_script(server, x);
	}
}

/* ---- control paths ---- */

static void serve_journal(struct sim_server *server, struct http_request *request)
{
	char provider[64], paid[8];
	bool one = http_query(request, "provider", provider, sizeof provider);
	bool paid_only = http_query(request, "paid", paid, sizeof paid);
	struct buffer out;

	if (strcmp(request->method, "DELETE") == 0) {
		sim_journal_clear(server->options.journal);
		send_text(request, 200, "{\"ok\":true}\n");
		return;
	}
	buffer_init(&out, LIMIT_SIM_JOURNAL_BYTES);
	sim_journal_write(server->options.journal, one ? provider : NULL, paid_only, &out);
	if (out.failed)
		send_text(request, 507, "{\"simulator\":\"the journal is too large: ask with ?paid=1 or ?provider=\"}\n");
	else
		send_buffer(request, &out);
	buffer_free(&out);
}

static void serve_control(struct sim_server *server, struct sim_exchange *x)
{
	if (strcmp(x->host, "healthz") == 0) {
		send_text(x->request, 200, "{\"ok\":true}\n");
	} else if (strcmp(x->host, "journal") == 0) {
		serve_journal(server, x->request);
	} else if (strcmp(x->host, "jobs") == 0 ||
		   strcmp(x->host, "directory") == 0) { /* what the scripts answer to a request of no provider */
		have_script_answer(server, x);
		send_vendor_answer(x);
	} else {
		send_text(x->request, 404,
			"{\"simulator\":\"no vendor has this host; the first segment of the path is the host, as in "
			"/api.replicate.com/v1/predictions\"}\n");
	}
}

/* ---- any request ---- */

/* What returned URLs begin with: the address that the client used, if it named one. */
static void write_base_url(const struct sim_server *server, struct sim_exchange *x)
{
	const char *host = http_header(x->request, "Host");

	if (host == NULL || host[0] == '\0' || strlen(host) >= sizeof x->host)
		host = server->options.listen;
	snprintf(x->base, sizeof x->base, "http://%s", host);
}

static void handle_request(void *context, struct http_request *request)
{
	struct sim_server *server = context;
	struct sim_exchange x = { .request = request, .query = request->query != NULL ? request->query : "" };
	const char *name = request->path + 1;
	size_t length = strcspn(name, "/");

	if (length >= sizeof x.host) {
		send_text(request, 414, "{\"simulator\":\"no host has such a name\"}\n");
		return;
	}
	for (size_t i = 0; i < length; i++)
		x.host[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	x.path = name[length] == '/' ? name + length : "/";
	buffer_init(&x.headers, LIMIT_SIM_HEAD_BYTES);
	buffer_init(&x.answer, LIMIT_SIM_ANSWER_BYTES);
	write_base_url(server, &x);
	x.provider = sim_hosts_provider(sim_script_hosts(server->options.script), x.host, x.path);
	if (x.provider != NULL)
		serve_vendor(server, &x);
	else
		serve_control(server, &x);
	buffer_free(&x.headers);
	buffer_free(&x.answer);
}

/* ---- start and end ---- */

enum error_code sim_server_open(const struct sim_server_options *options, struct sim_server **server, struct error *error)
{
	struct sim_server *made;
	enum error_code code;

	if (!network_names_loopback(options->listen, strcspn(options->listen, ":")))
		return error_set(error, ERROR_INVALID, "listen",
			"\"%s\": the simulator listens on loopback only, as in 127.0.0.1:9101", options->listen);
	made = memory_new(sizeof *made);
	made->options = *options;
	code = http_start(&(struct http_options){ .listen = options->listen,
				  .threads = LIMIT_SIM_THREADS,
				  .max_body_bytes = LIMIT_SIM_BODY_BYTES,
				  .handle = handle_request,
				  .context = made },
		&made->http, error);
	if (code == ERROR_NONE)
		*server = made;
	else
		free(made);
	return code;
}

const struct http_server *sim_server_http(const struct sim_server *server)
{
	return server->http;
}

void sim_server_close(struct sim_server *server)
{
	if (server == NULL)
		return;
	atomic_store(&server->stopping, true);
	http_stop(server->http, STOP_MS);
	free(server);
}
