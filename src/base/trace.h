/* trace.h - W3C Trace Context: the header traceparent. */
#pragma once

#include <stdbool.h>

#define TRACE_BYTES 56 /* "00-" 32 digits "-" 16 digits "-" 2 digits, and the end */

/* Reads a header's value; `trace` gets it in the form of version 00. False, and "" in `trace`, when it is not valid: it counts as absent then. */
bool trace_parse(const char *value, char trace[TRACE_BYTES]);
