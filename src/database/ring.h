/* ring.h - records in a file beside a database, which survive the end of the process (kill -9) from the moment they are published until they are in the
 * database. It knows bytes and positions, and neither rows nor SQL.
 *
 * The file is mapped shared: what stands in it is the kernel's, as a commit without a sync is, and costs no system call. A position counts the bytes since
 * the ring began and never comes twice; a record is valid by a checksum of its bytes whose seed is its position and a random number of the file, so that no
 * text of a client can look like one. Who has carried records into the database tells it how far (ring_release()), and keeps that position there, in the same
 * transaction. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ring;

/* Whose the file is, as the database says it. */
struct ring_owner {
	uint64_t identity; /* of the database; not 0 */
	uint64_t carried;  /* what stands before this position is in it */
};

/* What was there. */
struct ring_found {
	bool made;	/* no file of this database: it is a new one */
	size_t records; /* that are not carried: they are the ring's first */
	char *aside;	/* or NULL: the file that was there, of another database or damaged, has this name now; free() it */
	size_t strange; /* records in that one; 0: it cannot be read */
};

/* Opens the file, or makes it with room for `size` bytes of records (a multiple of 4096), all of which it takes from the disk. A file of another database is
 * replaced if it has no record, else moved aside. Its lock is taken: ERROR_BUSY, another process has it. ERROR_IO. */
enum error_code ring_open(const char *path, const struct ring_owner *owner, size_t size, struct ring **ring,
	struct ring_found *found, struct error *error);

/* Closes it. `remove`: the file goes, too; all records must be carried, and the database must say so. NULL is allowed. */
void ring_close(struct ring *ring, bool remove);

/* Nothing can be reserved from now on. Any thread. */
void ring_refuse(struct ring *ring);

/* ---- writing; any thread ---- */

struct ring_space {
	char *bytes; /* aligned for anything */
	uint64_t number;
};

/* Room for a record of so many bytes, whose tag ring_find() looks for. False: there is none, or it is more than a quarter of the ring. A lock is held for some
 * instructions. What was reserved must be published soon: nothing behind it is carried before. */
bool ring_reserve(struct ring *ring, size_t length, uint32_t tag, struct ring_space *space);

/* Its bytes are written: it survives from now on. */
void ring_publish(struct ring *ring, const struct ring_space *space);

/* How many records were reserved since the ring was opened, those that were found in it among them; and how many of them are carried. Any thread. */
uint64_t ring_count(const struct ring *ring);
uint64_t ring_carried(const struct ring *ring);

/* Bytes that are taken, and that there are. Any thread. */
size_t ring_used(const struct ring *ring);
size_t ring_size(const struct ring *ring);

/* ---- carrying; one thread ---- */

struct ring_record {
	const char *bytes;
	size_t length;
	uint64_t end; /* the position behind it */
};

/* The record of this number, which is not carried. False: it is not published yet. Its bytes stay until ring_release(). */
bool ring_read(const struct ring *ring, uint64_t number, struct ring_record *record);

/* What ring_find() shall look for, of a record that was found at the start. Before another thread has the ring. */
void ring_set_tag(struct ring *ring, uint64_t number, uint32_t tag);

/* Records of smaller numbers are carried, and their room is free. */
void ring_release(struct ring *ring, uint64_t number);

/* ---- reading; any thread ---- */

/* Copies the newest published record that is not carried, has this tag and passes `matches`. NULL: there is none; else free() it. */
char *ring_find(struct ring *ring, uint32_t tag, bool (*matches)(const void *context, const char *bytes, size_t length),
	const void *context, size_t *length);
