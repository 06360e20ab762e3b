/* removal.c - notes that a job's outputs were taken away. HTTP threads. */
#include "registry/store.h"

#include <stdlib.h>

#include "base/memory.h"
#include "registry/awaited_write.h"
#include "registry/reads.h"

static void removal_forget(struct awaited_write *awaited)
{
	free(awaited);
}

enum error_code task_store_remove_outputs(struct task_store *store, const struct id *id, struct error *error)
{
	struct awaited_write *awaited = memory_new(sizeof *awaited);
	enum store_outcome outcome;

	store_settle(store);
	awaited->write = (struct store_write){ .kind = STORE_REMOVE, .task.id = *id, .durable = true };
	awaited->forget = removal_forget;
	return awaited_write_run(awaited, store, &outcome, error);
}
