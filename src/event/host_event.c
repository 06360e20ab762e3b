/* host_event.c - events of the host itself: a write of the store that owns its texts. Any thread; nobody waits for it. */
#include "event/host_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"

struct emission {
	struct store_write write; /* first: what the store gives back is this */
	char texts[];		  /* the type and the data */
};

static void host_event_written(struct store_write *write)
{
	free(write);
}

bool host_event_emit(struct task_store *store, const char *type, const char *data)
{
	size_t type_size = strlen(type) + 1, data_size = data != NULL ? strlen(data) + 1 : 0;
	struct emission *emission;

	if (type_size > LIMIT_EVENT_TYPE_BYTES || data_size > LIMIT_HOST_EVENT_BYTES)
		return false;
	emission = memory_new(sizeof *emission + type_size + data_size);
	memcpy(emission->texts, type, type_size);
	if (data != NULL)
		memcpy(emission->texts + type_size, data, data_size);
	emission->write.kind = STORE_EMIT;
	emission->write.done = host_event_written;
	emission->write.event_count = 1;
	emission->write.events[0] =
		(struct store_event){ .verb = emission->texts, .data = data != NULL ? emission->texts + type_size : NULL };
	if (task_store_put(store, &emission->write) == ERROR_NONE)
		return true;
	free(emission);
	return false;
}
