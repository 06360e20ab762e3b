/* delivery.c - has the client what it was sent? HTTP threads; asks the kernel.
 *
 * An answer that was written is in this machine's memory, no more. What the client's kernel has acknowledged it has; if the program closes its socket without
 * having read that, its kernel sends a reset, which comes at once or a little later: for a moment the thread waits for it, then it goes on and is told
 * by the connection (tap.c). */
#include "http/internal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include "base/clock.h"
#include "base/limits.h"

#define NS_PER_MS INT64_C(1000000)
#define LONGEST_NAP_MS 50

/* Bytes that were written and not acknowledged; -1: the socket cannot tell. */
static int bytes_on_the_way(int socket)
{
	int bytes = 0;

	return ioctl(socket, SIOCOUTQ, &bytes) == 0 ? bytes : -1;
}

/* What has come of these events within so many milliseconds; what is always told, an error or a reset, among it. */
static int look_at(int socket, short events, int timeout_ms)
{
	struct pollfd wanted = { .fd = socket, .events = events };

	return poll(&wanted, 1, timeout_ms) > 0 ? wanted.revents : 0;
}

static bool has_time(const struct http_exchange *x)
{
	return !server_is_short(x->server) && !atomic_load_explicit(&x->server->draining, memory_order_relaxed);
}

/* A client that ends its side before it has everything will not take the rest. */
static bool await_acknowledgement(const struct http_exchange *x, int socket)
{
	int64_t now = clock_monotonic_ns(), until = now + LIMIT_DELIVERY_MS * NS_PER_MS, since = now;
	int before = bytes_on_the_way(socket), left = before, nap = 1;

	while (left > 0 && now < until && now - since < LIMIT_DELIVERY_PAUSE_MS * NS_PER_MS && has_time(x)) {
		if ((look_at(socket, POLLRDHUP, nap) & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0)
			return bytes_on_the_way(socket) == 0;
		nap = nap < LONGEST_NAP_MS ? 2 * nap : LONGEST_NAP_MS;
		now = clock_monotonic_ns();
		left = bytes_on_the_way(socket);
		if (left < before) {
			before = left;
			since = now;
		}
	}
	return left == 0;
}

/* The next request, or an end in order, says that it was read; nothing at all says nothing against it. */
static bool is_kept(const struct http_exchange *x, int socket)
{
	int timeout_ms = !has_time(x) ? 0 : x->close ? LIMIT_DELIVERY_CLOSING_LOOK_MS : LIMIT_DELIVERY_LOOK_MS;

	return (look_at(socket, POLLIN | POLLRDHUP, timeout_ms) & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

bool http_is_delivered(struct http_request *request)
{
	const struct http_exchange *x = (const struct http_exchange *)request;
	int socket = x->worker->socket;

	if (x->lost || x->status == 0 || socket == -1)
		return false;
	return await_acknowledgement(x, socket) && is_kept(x, socket);
}

/* ---- afterwards ---- */

void http_watch(struct http_request *request, struct http_aftermath *aftermath)
{
	struct worker *worker = ((struct http_exchange *)request)->worker;

	delivery_settle(worker, false);
	aftermath->until_ns = clock_monotonic_ns() + LIMIT_DELIVERY_RESET_MS * NS_PER_MS;
	worker->aftermath = aftermath;
}

void delivery_settle(struct worker *worker, bool reset)
{
	struct http_aftermath *aftermath = worker->aftermath;

	worker->aftermath = NULL;
	if (aftermath != NULL)
		aftermath->end(aftermath, reset && clock_monotonic_ns() < aftermath->until_ns);
}
