/* event_feed.h - what the hub of followers reads the log with. */
#pragma once

#include "event/hub.h"
#include "registry/store.h"

/* The `read` of struct event_hub_options; its context is the store. The hub's thread. */
enum error_code event_feed_read(void *store, struct event_hub *hub, int64_t *reached, struct error *error);
