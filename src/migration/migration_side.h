/* migration_side.h - one of the two registries of a move: its place, its connection, and the proof that no host uses it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "database/database.h"

#define MIGRATION_LOCKS 4

/* Of homes that no host may take meanwhile: descriptors. Both sides may lie in one. */
struct migration_locks {
	int files[MIGRATION_LOCKS];
	size_t count;
};

struct migration_side {
	struct database_place *place;
	struct database *database; /* writes */
	struct database *reader;   /* reads, for as long as it takes */
	struct migration_locks *locks;
};

/* Finds it, and takes the home's lock and that beside its file. ERROR_INVALID: no such URL; ERROR_CONFLICT: a host runs there, or another program has the
 * file. migration_side_close() it in any case. */
enum error_code migration_side_find(
	struct migration_side *side, struct migration_locks *locks, const char *home, const char *url, struct error *error);
void migration_side_close(struct migration_side *side);

/* When both are closed. */
void migration_locks_free(struct migration_locks *locks);

/* Is there a registry in it? Makes nothing. ERROR_NOT_FOUND: no; ERROR_INVALID: it is another program's. */
enum error_code migration_side_expect(struct migration_side *side, struct error *error);

/* Opens it at this program's schema, as a host would. */
enum error_code migration_side_open(struct migration_side *side, struct error *error);

/* Opens the connection that reads. */
enum error_code migration_side_open_reader(struct migration_side *side, struct error *error);

/* Waits until it is known that none of the hosts that are registered lives: one whose beat goes on is ERROR_CONFLICT. `tell` says what is waited for. */
enum error_code migration_side_await_silence(
	struct migration_side *side, void (*tell)(void *context, const char *text), void *context, struct error *error);
