/* cluster.h - this host among those that use the same registry: it is registered, gives signs of life, sees who is dead, and hears what is new.
 *
 * A host that was declared dead writes nothing any more (its id is the fencing token of every write), and sends nothing that is paid for: it trusts itself for
 * two thirds of the lease since the beginning of its last beat that succeeded, and others wait for the whole lease. Nobody's wall clock counts.
 *
 * A registry that cannot be shared (SQLite) has one host: there is no thread then, no beat, and trust never ends. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "database/database.h"
#include "registry/host_rows.h"
#include "registry/store.h"

struct cluster;

struct cluster_options {
	struct task_store *store; /* outlives it */
	const char *data;	  /* the folder of the home whose lock is held; for cluster_open() only */
	int lease_seconds;
	unsigned char config_sha256[32]; /* of what hosts should have in common */
};

/* Registers this run, after which the store writes in its name; the former run of the same home counts as dead at once. Waits for a lease if a run on a
 * copy of this home may still live. ERROR_CONFLICT: it does; ERROR_LIMIT: too many hosts; else as the database's. After the store is open, before ids are made. */
enum error_code cluster_open(const struct cluster_options *options, struct cluster **cluster, struct error *error);

/* Signs of life and news end. Before the store is closed; what this run owned and did not give away is adopted a lease later. NULL is allowed. */
void cluster_stop(struct cluster *cluster);
void cluster_free(struct cluster *cluster);

/* ---- who hears what; on the cluster's thread, which must not be blocked for longer than a beat ---- */

struct cluster_listener {
	void *context;
	/* After a pulse in which one of them was another: the number of the newest event, and the settings' revision. */
	void (*on_pulse)(void *context, int64_t newest_event, int64_t settings);
	void (*on_turn)(void *context); /* after each pulse */
	void (*on_dropped)(
		void *context); /* this run was declared dead: what it owned is not its own any more; a new one begins after this */
	void (*on_orphans)(void *context); /* open jobs are nobody's */
	void (*on_asks)(void *context);	   /* jobs of this run are asked for something */
	void (*on_answers)(void *context); /* something that was asked here is answered */
};

#define CLUSTER_LISTENERS 8

/* Members that are NULL are not called. It hears of the present state with the next pulse. Any thread. */
void cluster_listen(struct cluster *cluster, const struct cluster_listener *listener);

/* One more (or one less) follows what is new right now: pulses come every 25 ms then, else every 250 ms. Any thread. */
void cluster_follow(struct cluster *cluster, bool begins);

/* ---- any thread ---- */

/* Do others use the registry, too? */
bool cluster_is_shared(const struct cluster *cluster);

/* This run: `owner` of its jobs. 0: it was declared dead, and no new one is registered yet. */
int64_t cluster_host(const struct cluster *cluster);

/* May a paid request leave now? `to_mark`: may one be marked, with time enough for it to leave? */
bool cluster_trusts(const struct cluster *cluster, bool to_mark);

/* The store was refused: the run with this id was declared dead. */
void cluster_fenced(void *cluster, int64_t run);

/* The configuration was read anew. */
void cluster_configure(struct cluster *cluster, const unsigned char config_sha256[32]);

/* A host that is not dead, as it was seen last. */
struct cluster_host_view {
	const struct host_row *row;
	bool is_self;
	bool differs;	     /* its configuration is not this host's */
	int64_t beat_age_ms; /* since its last beat, by this host's clock */
	int64_t jobs;	     /* open ones that it owns */
};

/* Calls `visit` for each, by slot; texts are valid during the call. Returns how many. */
int cluster_hosts(struct cluster *cluster, void (*visit)(void *context, const struct cluster_host_view *host), void *context);

struct cluster_figures {
	int hosts, differing;
	int64_t clock_ms;      /* the registry's clock is so far ahead of this machine's */
	int64_t declared;      /* hosts that this one declared dead, since the start */
	int64_t dropped;       /* how often this one was */
	int64_t beat_failures; /* since the start */
	int64_t beat_age_ms;   /* since the beginning of its last beat that succeeded */
	int64_t pulse_us;      /* what the last pulse took; 0: there was none */
};

struct cluster_figures cluster_figures(struct cluster *cluster);
