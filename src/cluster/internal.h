/* internal.h - what the files of this folder share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "cluster/cluster.h"

/* ---- seen.c: what was seen of the others. The cluster's thread; `hosts` under the lock ---- */

struct seen_host {
	struct host_row row;
	int64_t since_ns; /* its beat has been this one since then (boot clock) */
	int64_t jobs;
	bool listed; /* by the last look */
};

struct seen {
	struct seen_host hosts[ID_SLOTS];
	int count;
	int64_t looked_ns; /* when the last look succeeded; 0: none did since the connection was lost */
	bool differs;	   /* was told */
};

struct cluster {
	struct cluster_options options;
	struct host_rows *rows;
	char home[HOST_PLACE_BYTES], machine[HOST_PLACE_BYTES];
	int64_t lease_ns;
	_Atomic int64_t run;
	_Atomic int64_t trusted_until_ns; /* boot clock */
	_Atomic int64_t beaten_ns;	  /* the beginning of the last beat that succeeded */
	_Atomic int64_t fenced;		  /* this run was refused by the registry */
	_Atomic int followers;
	_Atomic bool configured; /* config_sha256 is to be written */
	_Atomic int64_t declared, dropped, beat_failures, clock_ms, pulse_us;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	bool stopping;
	struct seen seen;
	struct cluster_listener listeners[CLUSTER_LISTENERS];
	struct {
		int64_t newest_event, settings;
	} told[CLUSTER_LISTENERS];
	int listener_count;
	unsigned char config_sha256[32];
};

/* place.c: which home this is, and where: `data`'s file host.id, made if need be. */
enum error_code place_find(const char *data, char home[HOST_PLACE_BYTES], char machine[HOST_PLACE_BYTES], struct error *error);

/* seen.c */

/* Looks at all hosts, and declares those dead whose beat has been the same for their whole lease, while this host could see it. */
enum error_code seen_look(struct cluster *cluster, struct error *error);

/* What was not seen says nothing: the waiting for beats begins anew. */
void seen_forget(struct cluster *cluster);

/* register.c */

/* Of former runs of this home: dead at once, or waited for. */
enum error_code register_alone(struct cluster *cluster, struct error *error);

/* A new run. */
enum error_code register_run(struct cluster *cluster, struct error *error);

/* The clock of the registry is so far ahead, by a beat that took so long. */
void register_clock(struct cluster *cluster, int64_t ahead_ms, int64_t took_ms);

/* A beat that began then has succeeded. */
void register_trust(struct cluster *cluster, int64_t began_ns);
