/* numbers.h - numbers as an agent reads them: exact, and short. Pure. */
#pragma once

#include <stdint.h>

#include <jansson.h>

/* Micro-dollars in dollars, exact; null below 0. */
json_t *mcp_usd(int64_t micro_usd);

/* A number without a fraction where it has none. */
json_t *mcp_number(double value);
