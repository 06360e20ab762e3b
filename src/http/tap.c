/* tap.c - stands before libc's recv(), for the whole program: what an HTTP thread receives goes by its connection's framing first.
 *
 * civetweb parses a head where it lies and overwrites what it has read; it shows neither the bytes nor the socket. A library's call goes to
 * the program's own function where there is one (the program is linked with -rdynamic), so this is where both are seen, at no system call more.
 * Does nothing for other threads, nor for other sockets of this one: libpq reads its servers by the same function. */
#undef _FORTIFY_SOURCE /* its recv() is a macro's */
#include "http/internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static _Thread_local struct worker *served;

ssize_t recv(int socket, void *buffer, size_t length, int flags)
{
	ssize_t came = recvfrom(socket, buffer, length, flags, NULL, NULL);
	int error = errno;

	if (came == -1 && error == ECONNRESET && served != NULL && served->connected && served->socket == socket) {
		delivery_settle(served, true);
		errno = error;
	}
	if (served == NULL || !served->connected || came <= 0 || (flags & MSG_PEEK) != 0)
		return came;
	if (served->socket != -1 && served->socket != socket)
		return came; /* another library's: a connection is read first of all */
	served->socket = socket;
	framing_take(&served->framing, buffer, (size_t)came);
	return came;
}

void tap_enter_thread(struct worker *worker)
{
	served = worker;
}

enum error_code tap_check(struct error *error)
{
	ssize_t (*own)(int, void *, size_t, int) = recv, (*found)(int, void *, size_t, int);
	void *address = dlsym(RTLD_DEFAULT, "recv");

	memcpy(&found, &address, sizeof found);
	return found == own ? ERROR_NONE
			    : error_set(error, ERROR_INVALID, NULL,
				      "this program was linked without -rdynamic, or something is loaded before it: "
				      "requests cannot be checked");
}
