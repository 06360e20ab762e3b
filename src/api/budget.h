/* budget.h - GET /api/budget: limits, reserved and spent, by host, provider, API key and day. HTTP threads. */
#pragma once

#include "api/host.h"
#include "base/buffer.h"

void budget_handle(struct host *host, struct http_request *request);

/* The member "today" of an answer: limit, reserved, spent and left of the host's day (UTC), in dollars; for a key that sees its own jobs only, of its own.
 * null: it cannot be read now. */
void budget_write_today(struct buffer *out, struct host *host, const struct http_request *request);
