/* submission.h - submit and generate: the answer, its row in the registry, and Idempotency-Key. */
#pragma once

struct pending_call;
struct incoming;

/* Makes the answer and the row of a call that has run. Engine thread; CPU only. */
void submission_compose(struct pending_call *pending);

/* The log's line of a job that was registered. */
void submission_emit(const struct pending_call *pending);

/* Answers a submit or generate. HTTP thread. */
void submission_handle(struct incoming *incoming);
