/* probe.c - the thread of server.probe_listen: a handful of short connections by poll().
 *
 * Nobody can hold it up: sockets never block, a connection has a second for all, and where there is no room for a newcomer the oldest goes. */
#include "http/probe.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "http/internal.h"
#include "http/framing.h"
#include "http/listen.h"

#define STACK_BYTES (256 * 1024)
#define BACKLOG 256
#define TURN_MS 250
#define FIXED 2 /* descriptors beside the connections: the listener's, and what wakes the thread */
#define HEAD_BYTES 2048

struct visitor {
	int socket; /* -1: free */
	int64_t until_ns;
	struct framing framing;
	char head[HEAD_BYTES];
	size_t head_length;
	struct buffer out;
	size_t sent;
};

struct probe_listener {
	pthread_t thread;
	int socket, wake, port;
	probe_answer *answer;
	void *context;
	_Atomic bool stopping;
	struct visitor visitors[LIMIT_PROBE_CONNECTIONS];
};

/* ---- one visitor ---- */

static void leave_visitor(struct visitor *visitor)
{
	close(visitor->socket);
	visitor->socket = -1;
	buffer_free(&visitor->out);
}

static void write_answer(struct visitor *visitor, int status, const struct buffer *body, bool head_only)
{
	struct buffer *out = &visitor->out;

	buffer_format(out,
		"HTTP/1.1 %d %s\r\nContent-Type: application/%s\r\nContent-Length: %zu\r\nConnection: close\r\nCache-Control: "
		"no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n",
		status, reply_reason(status), status == 200 || status == 503 ? "json" : "problem+json", body->length);
	if (!head_only)
		buffer_append(out, body->data, body->length);
}

static void refuse_visitor(struct visitor *visitor, int status, const char *detail)
{
	struct buffer body;

	buffer_init(&body, HEAD_BYTES);
	buffer_format(&body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}", reply_reason(status),
		status, detail);
	write_answer(visitor, status, &body, false);
	buffer_free(&body);
}

/* The head is whole and well-formed: "METHOD /path[?query] HTTP/1.x". */
static void answer_visitor(struct probe_listener *probe, struct visitor *visitor)
{
	char method[8] = "", path[32] = "";
	struct buffer body;
	int status = 0;

	visitor->head[visitor->head_length] = '\0';
	sscanf(visitor->head, " %7[A-Z] %31[^ ?]", method, path);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		refuse_visitor(visitor, 405, "probes are GET or HEAD");
		return;
	}
	buffer_init(&body, LIMIT_REPLY_BYTES);
	status = probe->answer(probe->context, path, &body);
	if (status == 0)
		refuse_visitor(visitor, 404, "this address answers /healthz and /readyz only");
	else if (body.failed)
		refuse_visitor(visitor, 503, "out of memory");
	else
		write_answer(visitor, status, &body, strcmp(method, "HEAD") == 0);
	buffer_free(&body);
}

/* False: it is over. */
static bool hear(struct probe_listener *probe, struct visitor *visitor)
{
	size_t room = sizeof visitor->head - 1 - visitor->head_length;
	ssize_t came = recv(visitor->socket, visitor->head + visitor->head_length, room, MSG_DONTWAIT);

	if (came == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (came <= 0)
		return false;
	framing_take(&visitor->framing, visitor->head + visitor->head_length, (size_t)came);
	visitor->head_length += (size_t)came;
	if (visitor->framing.problem != NULL)
		refuse_visitor(visitor, visitor->framing.status, visitor->framing.problem);
	else if (visitor->framing.heads > 0)
		answer_visitor(probe, visitor);
	else if (visitor->head_length == sizeof visitor->head - 1)
		refuse_visitor(visitor, 431, "the head is too large for a probe");
	return true;
}

static bool send_to_visitor(struct visitor *visitor)
{
	ssize_t sent = send(visitor->socket, visitor->out.data + visitor->sent, visitor->out.length - visitor->sent,
		MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent > 0)
		visitor->sent += (size_t)sent;
	return (sent != -1 || errno == EAGAIN || errno == EINTR) && visitor->sent < visitor->out.length;
}

static void serve_visitor(struct probe_listener *probe, struct visitor *visitor, int64_t now)
{
	bool going_on = now < visitor->until_ns;

	if (going_on && visitor->out.length == 0)
		going_on = hear(probe, visitor);
	if (going_on && visitor->out.length > 0)
		going_on = send_to_visitor(visitor);
	if (!going_on)
		leave_visitor(visitor);
}

/* ---- all of them ---- */

static struct visitor *free_place(struct probe_listener *probe)
{
	struct visitor *oldest = &probe->visitors[0];

	for (int i = 0; i < LIMIT_PROBE_CONNECTIONS; i++) {
		if (probe->visitors[i].socket == -1)
			return &probe->visitors[i];
		if (probe->visitors[i].until_ns < oldest->until_ns)
			oldest = &probe->visitors[i];
	}
	leave_visitor(oldest);
	return oldest;
}

static void welcome(struct probe_listener *probe, int64_t now)
{
	int socket = accept4(probe->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct visitor *visitor;

	if (socket == -1)
		return;
	visitor = free_place(probe);
	visitor->socket = socket;
	visitor->until_ns = now + LIMIT_PROBE_MS * INT64_C(1000000);
	visitor->head_length = visitor->sent = 0;
	framing_begin(&visitor->framing);
	buffer_init(&visitor->out, LIMIT_REPLY_BYTES);
}

static void *probe_main(void *argument)
{
	struct probe_listener *probe = argument;
	struct pollfd watched[FIXED + LIMIT_PROBE_CONNECTIONS];
	int64_t now;

	while (!atomic_load(&probe->stopping)) {
		watched[0] = (struct pollfd){ .fd = probe->socket, .events = POLLIN };
		watched[1] = (struct pollfd){ .fd = probe->wake, .events = POLLIN };
		for (int i = 0; i < LIMIT_PROBE_CONNECTIONS; i++)
			watched[FIXED + i] = (struct pollfd){ .fd = probe->visitors[i].socket,
				.events = probe->visitors[i].out.length > 0 ? POLLOUT : POLLIN };
		poll(watched, FIXED + LIMIT_PROBE_CONNECTIONS, TURN_MS);
		now = clock_monotonic_ns();
		for (int i = 0; i < LIMIT_PROBE_CONNECTIONS; i++)
			if (probe->visitors[i].socket != -1 &&
				(watched[FIXED + i].revents != 0 || now >= probe->visitors[i].until_ns))
				serve_visitor(probe, &probe->visitors[i], now);
		if (watched[0].revents != 0)
			welcome(probe, now);
	}
	return NULL;
}

/* ---- start and stop ---- */

static void free_probe(struct probe_listener *probe)
{
	for (int i = 0; i < LIMIT_PROBE_CONNECTIONS; i++)
		if (probe->visitors[i].socket != -1)
			leave_visitor(&probe->visitors[i]);
	if (probe->socket != -1)
		close(probe->socket);
	if (probe->wake != -1)
		close(probe->wake);
	free(probe);
}

static bool open_sockets(struct probe_listener *probe, const struct sockaddr_in *address)
{
	struct sockaddr_in bound;
	socklen_t size = sizeof bound;
	int on = 1;

	probe->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	probe->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe->wake == -1 || probe->socket == -1)
		return false;
	setsockopt(probe->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(probe->socket, (const struct sockaddr *)address, sizeof *address) == -1 ||
		listen(probe->socket, BACKLOG) == -1 || getsockname(probe->socket, (struct sockaddr *)&bound, &size) == -1)
		return false;
	probe->port = ntohs(bound.sin_port);
	return true;
}

enum error_code probe_start(
	const char *listen, probe_answer *asked, void *context, struct probe_listener **probe, struct error *error)
{
	struct probe_listener *made;
	struct sockaddr_in address;
	enum error_code code = listen_parse(listen, &address, error);

	if (code != ERROR_NONE)
		return code;
	made = memory_new(sizeof *made);
	for (int i = 0; i < LIMIT_PROBE_CONNECTIONS; i++)
		made->visitors[i].socket = -1;
	made->socket = made->wake = -1;
	made->answer = asked;
	made->context = context;
	if (!open_sockets(made, &address)) {
		free_probe(made);
		return listen_explain(listen, &address, "for probes: its socket could not be opened", error);
	}
	if (thread_start(&made->thread, "probes", STACK_BYTES, probe_main, made, error) != ERROR_NONE) {
		free_probe(made);
		return ERROR_IO;
	}
	*probe = made;
	return ERROR_NONE;
}

int probe_port(const struct probe_listener *probe)
{
	return probe->port;
}

void probe_stop(struct probe_listener *probe)
{
	uint64_t one = 1;

	if (probe == NULL)
		return;
	atomic_store(&probe->stopping, true);
	if (write(probe->wake, &one, sizeof one) == -1)
		log_message(LOG_WARN, "http.probe", "cannot wake the thread of probes: %s", strerror(errno));
	pthread_join(probe->thread, NULL);
	free_probe(probe);
}
