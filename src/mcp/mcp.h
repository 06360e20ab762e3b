/* mcp.h - the door for agents: the Model Context Protocol at /mcp (docs/mcp.md). */
#pragma once

#include "api/door.h"

extern const struct door mcp_door;
