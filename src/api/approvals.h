/* approvals.h - what waits for a person's yes before it is paid: a quote (registry/quote.h). HTTP threads. */
#pragma once

#include "api/host.h"
#include "registry/quote.h"

/* GET /api/approvals: quotes that somebody has to approve, or has, and that have no job yet, the newest first. */
void approvals_list_handle(struct host *host, struct http_request *request);

/* POST /api/approvals/{quote_id}: it may cost what is asked for; DELETE: it may not. */
void approvals_give_handle(struct host *host, struct http_request *request, const char *id);
void approvals_refuse_handle(struct host *host, struct http_request *request, const char *id);

/* What is to be approved: micro-dollars; -1: not known before it was submitted once. */
int64_t approval_amount(const struct quote *quote);

/* Appends what the events host.approval.* carry. `by`: the name of the API key, or NULL. */
void approval_write_event(struct buffer *out, const struct quote *quote, int64_t amount, const char *by);
