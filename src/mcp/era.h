/* era.h - the two protocols that go by the name of MCP, and their versions. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Modern: each request says its version, and stands alone. Legacy: `initialize` says it once; this host answers that and forgets it. */
enum mcp_era { MCP_LEGACY = 0, MCP_MODERN };

#define MCP_VERSION "2026-07-28"
#define MCP_LEGACY_VERSION "2025-11-25"	 /* the newest */
#define MCP_ASSUMED_VERSION "2025-03-26" /* of a legacy request that says none */

#define MCP_META_VERSION "io.modelcontextprotocol/protocolVersion"
#define MCP_META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define MCP_META_CLIENT "io.modelcontextprotocol/clientInfo"
#define MCP_META_SERVER "io.modelcontextprotocol/serverInfo"
#define MCP_META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

bool mcp_version_is_modern(const char *version); /* one that is served */
bool mcp_version_is_legacy(const char *version); /* the same */

/* Is this request of the modern era, whatever version it names: by its body, or by its header? */
bool mcp_is_modern(const json_t *meta, const char *header);

/* The versions of an era, as a list. */
json_t *mcp_versions(enum mcp_era era);
