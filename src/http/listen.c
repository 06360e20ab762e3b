/* listen.c - reads ADDRESS:PORT, and finds out why it cannot be had. At start. */
#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_BYTES 16

enum error_code listen_parse(const char *listen, struct sockaddr_in *address, struct error *error)
{
	const char *colon = strrchr(listen, ':');
	size_t length = colon != NULL ? (size_t)(colon - listen) : 0;
	char host[HOST_BYTES], *end;
	unsigned long port;

	if (listen[0] == '[')
		return error_set(error, ERROR_INVALID, "listen",
			"cannot listen on \"%s\": IPv6 is not available here, put a proxy in front", listen);
	if (colon == NULL || length == 0 || length >= sizeof host)
		return error_set(error, ERROR_INVALID, "listen",
			"cannot listen on \"%s\": expected ADDRESS:PORT, as in 127.0.0.1:8001", listen);
	memcpy(host, listen, length);
	host[length] = '\0';
	if (strcmp(host, "localhost") == 0)
		memcpy(host, "127.0.0.1", sizeof "127.0.0.1");
	*address = (struct sockaddr_in){ .sin_family = AF_INET };
	if (inet_pton(AF_INET, host, &address->sin_addr) != 1)
		return error_set(
			error, ERROR_INVALID, "listen", "cannot listen on \"%s\": \"%s\" is not an IPv4 address", listen, host);
	port = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port > 65535)
		return error_set(error, ERROR_INVALID, "listen", "cannot listen on \"%s\": the port must be 0 to 65535", listen);
	address->sin_port = htons((uint16_t)port);
	return ERROR_NONE;
}

/* The same bind() says why. 0 when it succeeds. */
static int try_address(const struct sockaddr_in *address)
{
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1, problem = 0;

	if (descriptor == -1)
		return errno;
	setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(descriptor, (const struct sockaddr *)address, sizeof *address) == -1 || listen(descriptor, 1) == -1)
		problem = errno;
	close(descriptor);
	return problem;
}

enum error_code listen_explain(const char *listen, const struct sockaddr_in *address, const char *otherwise, struct error *error)
{
	int problem = try_address(address);

	if (problem == EADDRINUSE)
		return error_set(error, ERROR_CONFLICT, "listen", "%s is already in use; choose another with --listen", listen);
	if (problem == EADDRNOTAVAIL)
		return error_set(
			error, ERROR_INVALID, "listen", "cannot listen on %s: this machine does not have that address", listen);
	if (problem == EACCES)
		return error_set(
			error, ERROR_IO, "listen", "cannot listen on %s: not permitted (ports below 1024 are reserved)", listen);
	if (problem != 0)
		return error_set(error, ERROR_IO, "listen", "cannot listen on %s: %s", listen, strerror(problem));
	return error_set(error, ERROR_IO, "listen", "the HTTP server did not start on %s %s", listen, otherwise);
}
