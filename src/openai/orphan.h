/* orphan.h - a live create of OpenAI's API, paid for once however often its client sends it.
 *
 * Clients send a create again when they did not get its answer, most of them without a word. So a job whose answer did not arrive is an orphan: the next
 * request with the same API key, path and fields takes it over instead of making another ("Paying once" in docs/architecture.md). A request goes this way:
 *
 *   openai_create_begin()      its job: an orphan's, or a new one by the inner submit
 *   ...                        waits for the job
 *   openai_create_answering()  before the first byte of what is said about the job
 *   ...                        sends
 *   openai_create_end()        after the last: does the client have it?
 *
 * All on the request's HTTP thread, in this order, whatever happens in between: the hold that begin() makes has the client's socket. */
#pragma once

#include <stdbool.h>

#include "api/host.h"
#include "api/inner_call.h"
#include "base/id.h"

struct orphans;
struct orphan_hold;

/* What a host knows of such requests while they are open. One for each host. */
struct orphans *orphans_new(void);
void orphans_free(struct orphans *orphans); /* after the store has ended */

enum openai_created {
	OPENAI_CREATED_JOB, /* `job` is registered, and `hold` to be ended by openai_create_end() */
	OPENAI_CREATED_NONE, /* nothing is registered, and nothing will be: the inner answer says why (or is a dry run). Nothing is to be ended */
	OPENAI_CREATED_TOLD, /* an error was sent already. Nothing is to be ended */
};

struct openai_create {
	struct host *host;
	struct http_request *request;
	struct orphan_hold *hold;
	struct id job;
	bool taken_over; /* it was made by an earlier request */
};

/* `submit` is the live submit that makes the job if there is no orphan; its ties, watcher and idempotency_key are filled in. `fingerprint` is what equal
 * requests have in common. With an Idempotency-Key its own way is gone (docs/api.md): no orphan is looked for, and none is left. `answer` is the inner
 * one: to be freed in every case; empty for a job that was taken over. Waits as long as a submit does. From OPENAI_CREATED_JOB on the request
 * may_have_paid: whatever is sent, it is no status that clients repeat. */
enum openai_created openai_create_begin(struct host *host, struct http_request *request, const unsigned char fingerprint[32],
	struct inner_call *submit, struct openai_create *create, struct inner_answer *answer);

/* What is known to be free (an outcome of 429 or 503: the vendor did not take it) may be told with a status that clients repeat. Before it is sent. */
void openai_create_is_free(struct openai_create *create);

void openai_create_answering(struct openai_create *create);

enum openai_told {
	OPENAI_TOLD_ALL,     /* how the job ended, or what the call is answered with at once; whole */
	OPENAI_TOLD_RUNNING, /* that it is still running: it stays an orphan */
	OPENAI_TOLD_NOTHING, /* no whole answer: the client has left, or what was to be sent could not be read */
	OPENAI_TOLD_FREE,    /* that nothing was paid: the next request makes a job of its own */
};

/* May wait until the client's system has all of it (http_is_delivered()). */
void openai_create_end(struct openai_create *create, enum openai_told told);
