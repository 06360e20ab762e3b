/* micro_usd.h - dollars become micro-dollars, and the other way round: whoever reads an amount reads it here, so that equal amounts stay equal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MICRO_USD_MOST 1000000000LL /* dollars of one amount: sums of many stay within 64 bits */

/* The nearest micro-dollar. False: negative, not a number, infinite, or more than `most` dollars (MICRO_USD_MOST at the highest); *micro is left
 * alone then. Pure. */
bool micro_usd_from(double dollars, int64_t most, int64_t *micro);

/* For a text of six decimals, a metric, a script. */
double micro_usd_dollars(int64_t micro);
