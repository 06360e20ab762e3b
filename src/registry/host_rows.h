/* host_rows.h - the table `host`: which hosts use the registry, and whether they live. A row is one run of one host; its id is random, and what a job's owner
 * is (a fencing token: whoever is declared dead writes nothing any more).
 *
 * Has a connection of its own, so that a writer which waits does not look dead. One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "database/database.h"

#define HOST_NAME_BYTES 128
#define HOST_PLACE_BYTES 96 /* of what names a home, or where it is */

struct host_row {
	int64_t id;
	int slot; /* in the ids that it makes: 0 to ID_SLOTS - 1, one host at a time each */
	char name[HOST_NAME_BYTES];
	char program[32]; /* its version */
	int64_t knows;	  /* the newest schema that it can use */
	unsigned char config_sha256[32];
	char home[HOST_PLACE_BYTES], machine[HOST_PLACE_BYTES]; /* which home, and which folder of which running system it is */
	int64_t lease_ms;
	int64_t beat; /* grows while it lives */
	int64_t started_ms;
};

struct host_rows;

/* Connects. host_rows_close() it; NULL is allowed. */
enum error_code host_rows_open(const struct database_place *place, struct host_rows **rows, struct error *error);
void host_rows_close(struct host_rows *rows);

/* Connects again, if the connection was lost. All below do nothing but fail while there is none. */
enum error_code host_rows_connect(struct host_rows *rows, struct error *error);

/* A new run: takes the lowest free slot for it. Rows of hosts that are dead and have no open job go. ERROR_LIMIT: all slots are taken. */
enum error_code host_rows_add(struct host_rows *rows, struct host_row *row, struct error *error);

/* A sign of life. *alive is false when the row is dead, or gone. *server_ms: the database's clock; 0: it is this machine's. */
enum error_code host_rows_beat(struct host_rows *rows, int64_t id, bool *alive, int64_t *server_ms, struct error *error);

/* The configuration of the run is another. */
enum error_code host_rows_configure(
	struct host_rows *rows, int64_t id, const unsigned char config_sha256[32], struct error *error);

/* Those that are not dead, by slot. */
enum error_code host_rows_list(
	struct host_rows *rows, void (*visit)(void *context, const struct host_row *row), void *context, struct error *error);

/* Declares it dead if its beat is still this one. *declared: it was, by this call. */
enum error_code host_rows_declare_dead(struct host_rows *rows, int64_t id, int64_t beat, bool *declared, struct error *error);

/* What is new in the registry. */
struct host_pulse {
	int64_t newest_event;
	int64_t settings; /* their revision */
	bool has_asks;	  /* jobs of this host are asked for something */
	bool has_answers; /* something that this host asked is answered */
	bool has_orphans; /* open jobs are nobody's */
};

enum error_code host_rows_pulse(struct host_rows *rows, int64_t id, struct host_pulse *pulse, struct error *error);

/* How many open jobs each host owns. */
enum error_code host_rows_owned(
	struct host_rows *rows, void (*visit)(void *context, int64_t owner, int64_t jobs), void *context, struct error *error);

/* Drops what nobody asks for any more: answers that were not fetched, and webhooks that were seen long ago. */
enum error_code host_rows_tidy(struct host_rows *rows, int64_t now_ms, struct error *error);
