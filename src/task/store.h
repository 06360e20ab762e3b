/* store.h - the registry's durable store (design 4, "Store thread"; design 2.5).
 *
 * One thread writes, in groups: one commit for all writes that are waiting. Reads run on a small pool of read-only
 * connections, on the caller's thread, never waiting for a writer (SQLite WAL). */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "task/task.h"

struct task_store;

/* Opens or makes the database named by `url` ("sqlite:data/registry.db", relative to `home`), migrates an older schema, refuses a
 * newer one, and starts the store thread. Rows older than `keep_days` go (open and unknown ones never); idempotency records are
 * kept as long, and at least a week. */
enum error_code task_store_open(const char *home, const char *url, int keep_days, struct task_store **store, struct error *error);

/* Commits what is waiting, stops the thread, closes. */
void task_store_close(struct task_store *store);

void task_store_set_keep_days(struct task_store *store, int keep_days);

/* ---- writing ---- */

enum store_outcome {
	STORE_WRITTEN = 0,
	STORE_REPLAY,	 /* the idempotency key is known with the same body: nothing written, `replay` holds the stored answer */
	STORE_KEY_CLASH, /* the key is known with another body: nothing written */
	STORE_FAILED,	 /* the database refused; `error` says why; nothing written */
};

struct idempotency {
	const char *key; /* scoped by API key name and route: "name\nroute\nkey"; NULL: none */
	unsigned char body_sha256[32];
	const char *answer; /* the whole answer body to replay */
	size_t answer_length;
	int status; /* its HTTP status */
};

/* One task to insert. The caller keeps the struct and all texts alive until `done` was called, on the store thread. */
struct store_write {
	struct task task;
	struct idempotency idempotency;
	bool durable; /* true: synced to disk before done (live); false: survives kill -9, not power loss (dry run) */
	void (*done)(struct store_write *write);
	enum store_outcome outcome;
	struct error error;
	char *replay; /* STORE_REPLAY: the stored answer; free() it */
	size_t replay_length;
	int replay_status;
	struct store_write *next; /* the store's */
};

/* Queues the write; never blocks on the disk. ERROR_BUSY when LIMIT_STORE_QUEUE writes are waiting (then `done` is not called). Any thread. */
enum error_code task_store_put(struct task_store *store, struct store_write *write);

/* Looks an idempotency key up without writing. STORE_WRITTEN means "not known". *answer is the caller's. Blocks on the disk briefly. */
enum store_outcome task_store_replay(struct task_store *store, const struct idempotency *idempotency, char **answer,
	size_t *length, int *status, struct error *error);

/* Cancels a queued or running task: waits for the commit. ERROR_NOT_FOUND, ERROR_CONFLICT (ended already, `*status` says how). */
enum error_code task_store_cancel(struct task_store *store, const struct id *id, enum task_status *status, struct error *error);

/* ---- reading ---- */

struct task_filter {
	int status;	      /* enum task_status, or -1 for any */
	const char *kind;     /* "image", or NULL */
	const char *provider; /* id, or NULL */
	int64_t since_ms;     /* created at or after; 0 for any. created_ms is at most a second later than its id */
	int64_t before;	      /* cursor: only rows with a smaller id_sequence; 0 for the newest */
	int limit;
};

/* Calls `visit` for each row, newest first; texts are valid during the call. A visitor that returns false ends the listing.
 * ERROR_IO, or ERROR_BUSY when all readers are busy for LIMIT_STORE_READER_WAIT_MS. A visitor must not call the store. Any thread. */
enum error_code task_store_list(struct task_store *store, const struct task_filter *filter,
	bool (*visit)(void *context, const struct task *task), void *context, struct error *error);

/* One row. ERROR_NOT_FOUND when there is none (the whole id must match). */
enum error_code task_store_get(struct task_store *store, const struct id *id,
	void (*visit)(void *context, const struct task *task), void *context, struct error *error);

/* Writes waiting now. */
size_t task_store_backlog(struct task_store *store);
