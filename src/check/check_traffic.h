/* check_traffic.h - does the host under test talk to anybody beyond this machine? Answered from /proc, where that is possible. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "check/check_report.h"

#define TRAFFIC_SEEN 32 /* connections that are remembered, so that each is told once */

struct traffic_connection {
	unsigned long long inode;
	bool early; /* there at the first look */
	char remote[80];
};

struct traffic {
	int pid; /* of the host; 0: not visible from here */
	int port;
	int looks;
	char why_not[160];
	struct traffic_connection seen[TRAFFIC_SEEN];
	int seen_count;
};

/* Looks for the process that listens on this address, and at the connections that it has now. */
void traffic_open(struct traffic *traffic, const char *address, int port);

/* Looks again: a request that is not left waiting for its answer for long is over before the run is. */
void traffic_look(struct traffic *traffic);

/* What was seen. Connections that were there before the run are a problem only if the host cannot have had live jobs of others.
 */
void traffic_report(const struct traffic *traffic, bool live_possible, struct findings *findings);
