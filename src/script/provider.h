/* provider.h - one loaded version of one provider script: its instances, its manifest, and the parts of answers that never change.
 *
 * Immutable but for what is said below. Counted by holders: a call in flight ends on the version it began with. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "gate/gate.h"
#include "net/destination.h"
#include "script/instance_pool.h"
#include "script/library.h"
#include "script/manifest.h"
#include "script/provider_kind.h"

struct engine_call;

/* A script's calls that wait for the engine's thread: the engine's own (engine/run_queue.c), under its lock. */
struct script_line {
	struct engine_call *paused;		       /* begun, and the only one that may go on; or NULL */
	struct engine_call *answered, **last_answered; /* to go on with a vendor's answer */
	struct engine_call *fresh, **last_fresh;       /* not begun */
	int fresh_count;			       /* of them, those that were posted by other threads */
	bool listed;				       /* among the scripts whose turn will come */
	int64_t not_before_ns;			       /* monotonic; it held the engine for too long */
	_Atomic int64_t usual_ns;		       /* what its calls took lately */
	struct provider *next;			       /* in that list */
};

struct provider {
	_Atomic int holders;
	char *file;	     /* "providers/image_fal.lua" */
	uint64_t generation; /* grows with each version of the file */
	int64_t loaded_ms;
	uint64_t digest; /* of its text, and of what it may require */
	struct manifest manifest;
	struct gate_subject subject; /* borrows from manifest */
	char *text;		     /* and what else instances are made of: */
	size_t text_length;
	struct script_library *library;		/* held */
	struct instance_watch *watch;		/* borrowed; or NULL */
	struct instance_pool pool;		/* for calls that send nothing */
	struct script_instance *live;		/* the engine's, for those that do; NULL: there was none yet. Engine thread */
	struct script_line line;		/* the engine's */
	struct provider_kind kinds[KIND_COUNT]; /* its own first */
	size_t kind_count;

	/* Rest after repeated stops. */
	_Atomic int64_t rest_until_ns; /* monotonic; 0: working */
	_Atomic int stops;	       /* all stops of this version */
	_Atomic int instances;	       /* that there are, the engine's among them */
	_Atomic size_t memory_used;    /* by them, after their last calls */
	pthread_mutex_t rest_lock;     /* guards what follows */
	int64_t stop_times_ns[8];
	char rest_reason[256];
	bool stood_still; /* in an earlier run, which had to be ended: it rests until it is changed. Never changes once it is published */
};

/* A version of a script, to be loaded. */
struct provider_source {
	const char *file; /* "providers/image_fal.lua" */
	const char *text;
	size_t length;
	struct script_library *library;
	uint64_t digest; /* of the text, and of what it may require */
	uint64_t generation;
	struct instance_watch *watch; /* of its calls, or NULL; outlives the provider */
};

/* Compiles and runs a script's text and reads its manifest. The version has one holder. ERROR_SCRIPT and ERROR_LIMIT with "providers/x.lua:LINE: ..."
 * in the message, ERROR_MEMORY. Any thread. */
enum error_code provider_load(const struct provider_source *source, struct provider **provider, struct error *error);

/* The instance on which the engine's calls run, loaded when it is first wanted. NULL: it cannot be, and the error says why. Engine thread. */
struct script_instance *provider_live_instance(struct provider *provider, struct error *error);

/* What the instance takes now counts for its provider. On the thread that has the instance. */
void provider_count_memory(struct provider *provider, struct script_instance *instance);

/* The provider as this kind; NULL: it does not serve it. Borrowed from the provider. Any thread. */
const struct provider_kind *provider_as(const struct provider *provider, const char *kind);

struct provider *provider_hold(struct provider *provider);
void provider_release(struct provider *provider); /* NULL: does nothing */

/* Where its requests really go: live.upstream, and what the configuration has in place of its base_url. Borrows from both. Any thread. */
struct destination_detour provider_detour(const struct provider *provider, const struct gate_view *view);

/* Notes that a call was stopped for going over a limit, as `why` says; after LIMIT_SCRIPT_KILLS within LIMIT_SCRIPT_KILL_WINDOW_MS the
 * provider rests for LIMIT_SCRIPT_REST_MS, which is logged. Any thread. */
void provider_note_stop(struct provider *provider, const char *why);

/* It stood still in this step, at this time (text): it rests. Before it is published. */
void provider_stood_still(struct provider *provider, const char *step, const char *at);

/* Does it rest, for a while or until it is changed? Then it is not called. Any thread. */
bool provider_rests(struct provider *provider);

/* Milliseconds until the provider works again; 0 when it does, or when only a change helps. Any thread. */
int64_t provider_resting_ms(struct provider *provider);

/* Copies why it rests, or rested last: what the last stop said, "providers/x.lua:LINE: ...", and how many there were. Any thread. */
void provider_rest_reason(struct provider *provider, char *text, size_t size);
