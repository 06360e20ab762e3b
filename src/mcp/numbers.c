/* numbers.c - makes them. Any thread; no state. */
#include "mcp/numbers.h"

#include <math.h>

#include "base/micro_usd.h"

#define EXACT 1e15

json_t *mcp_number(double value)
{
	return value == floor(value) && fabs(value) < EXACT ? json_integer((json_int_t)value) : json_real(value);
}

json_t *mcp_usd(int64_t micro_usd)
{
	return micro_usd < 0 ? json_null() : mcp_number(micro_usd_dollars(micro_usd));
}
