/* probe.h - an address of its own for the probes of supervisors and load balancers, which must be answered when all HTTP threads are taken.
 *
 * Answers GET and HEAD of /healthz and /readyz to anybody, one request a connection, on one thread that waits for nobody. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

struct probe_listener;

/* Writes the answer's JSON and returns its status; 0: there is nothing at this path. On the listener's thread; must not wait. */
typedef int probe_answer(void *context, const char *path, struct buffer *body);

/* ERROR_CONFLICT: the port is taken. */
enum error_code probe_start(
	const char *listen, probe_answer *answer, void *context, struct probe_listener **probe, struct error *error);

int probe_port(const struct probe_listener *probe);

/* NULL is fine. */
void probe_stop(struct probe_listener *probe);
