/* host_event.c - events of the host itself: a write of the store that owns its texts. Any thread; nobody waits for it. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "registry/store.h"

struct telling {
	struct store_write write; /* first: what the store gives back is this */
	char texts[];		  /* the type and the data */
};

static void told(struct store_write *write)
{
	free(write);
}

bool task_store_tell(struct task_store *store, const char *type, const char *data)
{
	size_t type_size = strlen(type) + 1, data_size = data != NULL ? strlen(data) + 1 : 0;
	struct telling *telling;

	if (type_size > LIMIT_EVENT_TYPE_BYTES || data_size > LIMIT_EVENT_TELL_BYTES)
		return false;
	telling = calloc(1, sizeof *telling + type_size + data_size);
	if (telling == NULL)
		return false;
	memcpy(telling->texts, type, type_size);
	if (data != NULL)
		memcpy(telling->texts + type_size, data, data_size);
	telling->write.kind = STORE_TELL;
	telling->write.done = told;
	telling->write.event_count = 1;
	telling->write.events[0] =
		(struct store_event){ .verb = telling->texts, .data = data != NULL ? telling->texts + type_size : NULL };
	if (task_store_put(store, &telling->write) == ERROR_NONE)
		return true;
	free(telling);
	return false;
}
