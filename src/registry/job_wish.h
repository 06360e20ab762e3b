/* job_wish.h - what live jobs were made for: the digest of a request whose client may send it again without a word that it is a repeat.
 *
 * A wish is written in the commit that registers its job, so whoever knows of the job after a crash knows what it was made for. Whether its client
 * has the answer is noted later, without a sync: after a power loss a wish may count as unanswered that was answered, never the other way round. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "registry/store.h"

struct wish_row {
	struct id job;
	bool answered;
	int64_t takes;	    /* how often it was taken over */
	int64_t touched_ms; /* when it was made, answered or left last */
	bool overtook;	    /* it was made for a repeat whose first attempt was not seen yet */
};

/* The jobs that were made for this digest, those that nobody was answered from first, at most `room` of them: touched since `since_ms`; unanswered ones
 * also when they have ended since, or not at all. Without `with_answered` only unanswered ones. ERROR_IO, ERROR_BUSY as task_store_list(). Any thread. */
enum error_code task_store_wishes(struct task_store *store, const unsigned char digest[32], int64_t since_ms, bool with_answered,
	struct wish_row *rows, size_t room, size_t *count, struct error *error);
