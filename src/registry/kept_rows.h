/* kept_rows.h - dry runs that are answered for and not in the database yet: their rows stand in a ring beside it (database/ring.h), and are carried over in
 * groups. Only where one host alone writes a file. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "database/ring.h"
#include "registry/kept_row.h"
#include "registry/writes.h"

#define KEPT_GROUP 2048 /* rows that are carried in one transaction, at most */

struct kept_rows {
	struct ring *ring;    /* NULL: rows are not kept here */
	_Atomic bool failing; /* they cannot be carried: what comes is not kept, so that its client is told */
	bool told;	      /* the log knows: store thread */
	uint16_t sources[KEPT_GROUP];
	uint8_t statuses[KEPT_GROUP];
};

/* Opens the ring of the writer's database and carries over what an end without warning left in it. What goes wrong is logged, and no reason not to start: rows
 * are not kept then, or later. Before the store's thread runs. */
void kept_rows_open(struct kept_rows *kept, struct writer *writer);

/* The ring's file goes if all of it was carried. After the store's thread has ended. */
void kept_rows_close(struct kept_rows *kept, struct writer *writer);

/* Nothing is kept from now on. Any thread. */
void kept_rows_stop(struct kept_rows *kept);

/* Keeps a write that is nothing but a new dry run with its event: it survives from now on. False: it is more, or there is no room. Any thread. */
bool kept_rows_add(struct kept_rows *kept, const struct writer *writer, const struct store_write *write);

/* How many were kept since the start, and how many of them are in the database. Any thread. */
uint64_t kept_rows_count(const struct kept_rows *kept);
uint64_t kept_rows_carried(const struct kept_rows *kept);

/* Is there so much of it that it should be carried at once? Any thread. */
bool kept_rows_press(const struct kept_rows *kept);

/* Is the first of those that wait whole? Store thread. */
bool kept_rows_ready(const struct kept_rows *kept);

/* The row of this number, which is not carried. False: it is not whole. Store thread. */
bool kept_rows_read(const struct kept_rows *kept, uint64_t number, struct kept_row *row);

/* Carries what is there, up to KEPT_GROUP rows, in one transaction. False: the database failed, as writer_group(). Store thread. */
bool kept_rows_carry(struct kept_rows *kept, struct writer *writer);

/* Calls `visit` with the task of this id if it is kept and not carried yet. Any thread. */
bool kept_rows_find(
	struct kept_rows *kept, const struct id *id, void (*visit)(void *context, const struct task *task), void *context);

/* Carries over what an end without warning has left beside a registry that no host uses. ERROR_IO and others: it cannot be. */
enum error_code kept_rows_settle(const struct database_place *place, struct error *error);
