/* quoted.h - a request of a tool as a request of the REST API: asked for its price, and kept as a quote. HTTP threads. */
#pragma once

#include "mcp/tool.h"
#include "script/provider_set.h"

#define MCP_PATH_BYTES 128

/* What the arguments of `quote` ask for. */
struct mcp_wanted {
	struct provider_set *set;
	const char *provider; /* its id; borrowed from the set */
	const char *kind;
	json_t *body; /* of a submit: what is to be made, without the host's own members */
};

/* Finds the provider and writes the body. False: the call was refused. mcp_wanted_close() it in either case. */
bool mcp_wanted_read(struct mcp_call *call, struct mcp_wanted *wanted);
void mcp_wanted_close(struct mcp_wanted *wanted);

/* "/api/providers/image/fal/preview" */
void mcp_provider_path(const char *kind, const char *provider, const char *verb, char path[MCP_PATH_BYTES]);

/* A copy of the body with "dry_run", and "max_cost_usd" and "expect_upstream_sha256" unless they are -1 and NULL. */
json_t *mcp_submit_body(const json_t *body, bool dry_run, int64_t max_cost, const char *sha256);
