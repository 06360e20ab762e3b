/* micro_usd.c - the one conversion of dollars. Pure; any thread. Rounds: 2.01 dollars are 2009999.9999999998 micro-dollars as a product. */
#include "base/micro_usd.h"

#include <math.h>

bool micro_usd_from(double dollars, int64_t most, int64_t *micro)
{
	if (most > MICRO_USD_MOST)
		most = MICRO_USD_MOST;
	if (!isfinite(dollars) || dollars < 0 || dollars > (double)most)
		return false;
	*micro = llround(dollars * 1e6);
	return true;
}

double micro_usd_dollars(int64_t micro)
{
	return (double)micro / 1e6;
}
