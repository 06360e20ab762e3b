/* door.h - a part of the API: its routes, and how its clients are told of problems.
 *
 * The REST API is one; the others (openai/, mcp/) stand above this folder, translate, and ask it (inner_call.h). */
#pragma once

#include <stdbool.h>

#include "api/access.h"

struct host;
struct http_request;
struct http_problem;

/* What answers: one of these. */
struct handler {
	void (*plain)(struct host *host, struct http_request *request);
	void (*named)(struct host *host, struct http_request *request, const char *name);
	void (*parted)(struct host *host, struct http_request *request, const char *name, const char *part);
	void (*provider)(struct host *host, struct http_request *request, const char *kind, const char *name);
};

/* A pattern's * takes any one segment of the path, and ** at its end all that follow. One without a role or scope does not compile
 * (-Wmissing-field-initializers). ROLE_NOBODYS: probes, logins, the page's own files, the description of the API, and vendors' webhooks, which have a token
 * in their path. */
struct route {
	const char *method;
	const char *pattern;
	const char *kind; /* of providers, or NULL */
	struct handler answer;
	enum role may;
	enum scope scope;
};

struct door {
	const struct route *routes;
	int route_count;
	/* Is this path, which may be raw, one of this door's, whether or not it has a route? Or NULL: none is. */
	bool (*owns)(const char *path);
	/* Sends a problem as its clients know them, by http_send(); the request may have been refused before it had a view, or a body. */
	void (*tell)(struct http_request *request, const struct http_problem *problem);
};
