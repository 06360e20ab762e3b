/* host_change.c - waits for a change; see host_change.h. */
#include "registry/host_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "registry/awaited_write.h"

struct awaited_change {
	struct awaited_write awaited; /* first */
	struct host_change change;
	unsigned char digest[32];
	_Atomic int holders; /* who waits and reads what came of it, and the write */
};

static void change_release(struct awaited_change *made)
{
	if (atomic_fetch_sub(&made->holders, 1) > 1)
		return;
	host_change_clear(&made->change);
	free(made->change.ask.body);
	free(made->change.ask.answer);
	free(made);
}

static void change_forget(struct awaited_write *awaited)
{
	change_release((struct awaited_change *)(void *)awaited);
}

enum error_code host_change_run(
	struct task_store *store, struct host_change *change, enum store_outcome *outcome, struct error *error)
{
	struct awaited_change *made = memory_new(sizeof *made);
	enum error_code code;

	atomic_init(&made->holders, 2);
	made->change = *change;
	made->change.ask.body = memory_copy_text(change->ask.body);
	made->change.ask.answer = memory_copy_text(change->ask.answer);
	if (change->digest != NULL)
		made->change.digest = memcpy(made->digest, change->digest, sizeof made->digest);
	made->awaited.forget = change_forget;
	made->awaited.write = (struct store_write){ .kind = STORE_HOST, .durable = true, .host_change = &made->change };
	code = awaited_write_run(&made->awaited, store, outcome, error);
	if (code == ERROR_NONE) {
		change->own = made->change.own;
		change->run = made->change.run;
		change->jobs = made->change.jobs;
		change->job_count = made->change.job_count;
		change->asks = made->change.asks;
		change->ask_count = made->change.ask_count;
		made->change.jobs = NULL;
		made->change.asks = NULL;
		made->change.job_count = made->change.ask_count = 0;
	}
	change_release(made);
	return code;
}
