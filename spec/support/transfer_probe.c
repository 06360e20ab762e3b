/* transfer_probe.c - one POST by the host's own transfers, and what is said of it: "<kind or ok> <unsent|sent>".
 *
 *   transfer-probe v4|v6|all|none URL SECONDS
 *
 * Stands in for base/network.c: the first argument says which addresses may be reached, so that a name of this machine ("localhost", two
 * addresses) can have one that may and one that may not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/network.h"
#include "net/loop.h"
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

int main(int argc, char **argv)
{
	struct loop *loop;
	struct outgoing outgoing;
	struct transfer transfer = { .outgoing = &outgoing, .done = done };
	struct error error;

	if (argc != 4 || loop_new(NULL, &loop, &error) != ERROR_NONE)
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
	transfer_start(loop, &transfer);
	while (!ended)
		loop_run_once(loop, INT64_MAX);
	response_clear(&transfer.response);
	outgoing_clear(&outgoing, 0);
	loop_free(loop);
	return 0;
}
