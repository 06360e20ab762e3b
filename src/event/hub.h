/* hub.h - who follows the log of events right now, and the thread that brings each new one to them.
 *
 * An event is read and rendered once, however many follow it. Who waits is given it at once, by a write that cannot wait; who is busy, or whose
 * client takes no more now, finds it in a queue. Nobody who writes to the log waits for anybody who reads it: a queue has room for
 * LIMIT_STREAM_QUEUE events; one that is full has fallen behind, and reads on from the log itself. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/error.h"
#include "event/event_json.h"
#include "registry/event_filter.h"

struct event_hub;
struct event_subscription;

/* A rendered event: one event of an event stream, in the forms that somebody follows. Shared; never changed. */
struct event_item {
	_Atomic int holders; /* the hub's */
	int64_t number;
	int64_t sequence; /* of its job; 0: of the host */
	char type[LIMIT_EVENT_TYPE_BYTES + 1];
	char provider[64];			   /* "": of the host */
	char caller[LIMIT_API_KEY_NAME_BYTES + 1]; /* "": none */
	const char *texts[EVENT_FORMS];		   /* within `space`; NULL: nobody wanted it so */
	size_t lengths[EVENT_FORMS];
	char space[];
};

/* What the hub reads the log with: renders events after a number, in order, at most LIMIT_EVENT_BATCH of them, hands each to event_hub_add(), and
 * moves *reached to the last number that it looked at. An error is tried again. Called on the hub's thread. */
struct event_hub_options {
	enum error_code (*read)(void *context, struct event_hub *hub, int64_t *reached, struct error *error);
	void *context;
	/* Or NULL: told when somebody begins to follow and when nobody does any more, so that news of other hosts come faster meanwhile. Must not block, nor
	 * come back to the hub. */
	void (*follow)(void *follow_context, bool some);
	void *follow_context;
	int64_t newest; /* number of the newest event at start */
};

/* Starts the thread. */
enum error_code event_hub_open(const struct event_hub_options *options, struct event_hub **hub, struct error *error);

/* Ends every subscription, and the thread. */
void event_hub_stop(struct event_hub *hub);

/* After event_hub_stop(), when every subscription is gone. */
void event_hub_free(struct event_hub *hub);

/* The log has grown up to this number: by this host's own commit, or as another's was heard of. An older number than one before is nothing new. Any
 * thread; costs two atomic operations when nobody follows. */
void event_hub_notify(void *hub, int64_t newest);

/* For `read`: does somebody follow in this form? */
bool event_hub_wants(struct event_hub *hub, enum event_form form);

/* For `read`: what of an event is shown to filters, and its texts by form, empty ones where nobody wants it so; all is copied, and delivered when
 * `read` returns. False: no memory, or it is one too many; the event was not taken. */
bool event_hub_add(
	struct event_hub *hub, const struct event_subject *subject, int64_t number, const struct buffer texts[EVENT_FORMS]);

/* Follows the log: every event after *from that passes will be offered, by its number's order, but for some that the log had before: read it from *from
 * on first. ERROR_BUSY when `maximum` follow already, or
 * when the hub ends. The filter is copied. */
enum error_code event_subscribe(struct event_hub *hub, const struct event_filter *filter, enum event_form form, int maximum,
	struct event_subscription **subscription, int64_t *from, struct error *error);
void event_unsubscribe(struct event_subscription *subscription);

enum event_news {
	EVENT_NEWS = 0, /* `item` is the next one: event_item_release() it */
	EVENT_SILENCE,	/* nothing that has to be done came in time */
	EVENT_MISSED,	/* it fell behind, and its queue was emptied: read the log after what was sent last, then go on */
	EVENT_END,	/* the host stops */
};

struct event_wait {
	int timeout_ms; /* 0: only look */
	/* Or NULL: writes what it can without waiting and returns how many bytes. Called on the hub's thread, only while the subscription's waits. */
	size_t (*push)(void *context, const struct iovec *parts, int count);
	void *context;
	int64_t last;	/* in and out: what was sent last; older ones are left out of what is pushed */
	int64_t pushed; /* out: how many events were pushed, all bytes of them */
	struct event_item *item;
	size_t begun; /* out: so many bytes of `item` were pushed */
};

/* Waits. The subscription's thread. */
enum event_news event_await(struct event_subscription *subscription, struct event_wait *wait);
void event_item_release(struct event_item *item);

/* Subscriptions now. */
int event_hub_subscriptions(const struct event_hub *hub);
