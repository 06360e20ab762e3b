/* cleaner.h - what takes secrets out of a text before it leaves the process: for the log and the registry, which know no secrets themselves. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct cleaner {
	/* True: the text must not leave as it is, and `out` holds what may (or failed, for want of memory). `json`: it is a JSON text, and `out` too.
	 * Any thread; takes no lock for long. NULL: nothing is cleaned. */
	bool (*clean)(void *context, bool json, const char *text, size_t length, struct buffer *out);
	void *context;
};
