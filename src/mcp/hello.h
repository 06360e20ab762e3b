/* hello.h - what a client asks first: who is there, and what it speaks. HTTP threads. */
#pragma once

#include "mcp/tool.h"

void mcp_discover(struct mcp_call *call);   /* modern */
void mcp_initialize(struct mcp_call *call); /* legacy */
void mcp_ping(struct mcp_call *call);	    /* legacy */
