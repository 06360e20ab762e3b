/* transfer_probe.c - one POST by the host's own transfers, and what is said of it: "<kind or ok> <unsent|sent>".
 *
 *   transfer-probe v4|v6|all|none URL SECONDS
 *
 * Stands in for base/network.c: the first argument says which addresses may be reached, so that a name of this machine ("localhost", two
 * addresses) can have one that may and one that may not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/network.h"
#include "net/transfer.h"

static const char *reachable = "all";
static bool ended;

bool network_is_allowed(const struct sockaddr *address, bool loopback_allowed)
{
	(void)loopback_allowed;
	return strcmp(reachable, "all") == 0 || strcmp(reachable, address->sa_family == AF_INET6 ? "v6" : "v4") == 0;
}

bool network_is_own(const struct sockaddr *address)
{
	(void)address;
	return false;
}

bool network_is_own_port(int port)
{
	(void)port;
	return false;
}

bool network_names_loopback(const char *host, size_t length)
{
	return length == 9 && strncmp(host, "localhost", 9) == 0;
}

void network_listen_on(int port, int probe_port)
{
	(void)port;
	(void)probe_port;
}

static void done(struct transfer *transfer)
{
	const struct response *response = &transfer->response;

	printf("%s %s\n", response->failed ? response->kind : "ok", response_was_never_sent(response) ? "unsent" : "sent");
	ended = true;
}

static void run(struct transfers *transfers, int epoll)
{
	struct epoll_event events[8];
	int ready;

	while (!ended) {
		ready = epoll_wait(epoll, events, 8, 50);
		for (int i = 0; i < ready; i++)
			transfers_ready(transfers, (int)(uint32_t)events[i].data.u64, events[i].events);
		transfers_finish(transfers);
	}
}

int main(int argc, char **argv)
{
	struct transfers *transfers;
	struct outgoing outgoing;
	struct transfer transfer = { .outgoing = &outgoing, .done = done };
	struct error error;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (argc != 4 || transfers_open(epoll, 1, &transfers, &error) != ERROR_NONE)
		return 1;
	reachable = argv[1];
	outgoing_init(&outgoing);
	outgoing.method = "POST";
	outgoing.body_kind = BODY_TEXT;
	outgoing.text = "paid for";
	outgoing.text_length = strlen(outgoing.text);
	outgoing.timeout_seconds = atof(argv[3]);
	buffer_text(&outgoing.url, argv[2]);
	response_init(&transfer.response);
	transfers_start(transfers, &transfer);
	run(transfers, epoll);
	response_clear(&transfer.response);
	outgoing_clear(&outgoing, 0);
	transfers_close(transfers);
	return 0;
}
