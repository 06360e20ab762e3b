/* kept_rows.c - into the ring, and the ring's life with its database. Carrying is in kept_carry.c. */
#include "registry/kept_rows.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "registry/kept_row.h"

#define SUFFIX "-ring"
#define PRESS_ROWS (KEPT_GROUP / 2)

/* ---- keeping ---- */

/* What hangs on a row beside its event is decided in the transaction that writes it. */
static bool is_plain(const struct store_write *write)
{
	const struct task *task = &write->task;

	return write->kind == STORE_INSERT && !write->durable && write->idempotency.key == NULL &&
	       write->webhook_change_count == 0 && write->event_count == 1 && write->limits == NULL && !write->ties.quote.tied &&
	       !write->ties.wished && task->dry_run && task->live == NULL && task->money == NULL && task->upstream == NULL &&
	       task->kind != NULL && task->provider != NULL;
}

bool kept_rows_add(struct kept_rows *kept, const struct writer *writer, const struct store_write *write)
{
	struct kept_texts texts;
	struct ring_space space;
	bool kept_now;
	int source;

	if (kept->ring == NULL || atomic_load_explicit(&kept->failing, memory_order_relaxed) || !is_plain(write))
		return false;
	source = sources_number(writer->sources, write->task.kind, write->task.provider);
	if (source == 0)
		return false;
	kept_now = kept_texts_gather(&texts, write, &writer->cleaner) &&
		   ring_reserve(kept->ring, texts.bytes, kept_row_tag(&write->task.id), &space);
	if (kept_now) {
		kept_row_write(space.bytes, write, &texts, source);
		ring_publish(kept->ring, &space);
	}
	kept_texts_free(&texts);
	return kept_now;
}

void kept_rows_stop(struct kept_rows *kept)
{
	if (kept->ring != NULL)
		ring_refuse(kept->ring);
}

uint64_t kept_rows_count(const struct kept_rows *kept)
{
	return kept->ring != NULL ? ring_count(kept->ring) : 0;
}

uint64_t kept_rows_carried(const struct kept_rows *kept)
{
	return kept->ring != NULL ? ring_carried(kept->ring) : 0;
}

bool kept_rows_press(const struct kept_rows *kept)
{
	return ring_used(kept->ring) > ring_size(kept->ring) / 2 ||
	       ring_count(kept->ring) - ring_carried(kept->ring) > PRESS_ROWS;
}

/* ---- reading ---- */

static bool has_id(const void *context, const char *bytes, size_t length)
{
	return kept_row_has_id(bytes, length, context);
}

bool kept_rows_find(
	struct kept_rows *kept, const struct id *id, void (*visit)(void *context, const struct task *task), void *context)
{
	struct kept_row row;
	size_t length;
	bool found;
	char *copy;

	if (kept->ring == NULL)
		return false;
	copy = ring_find(kept->ring, kept_row_tag(id), has_id, id, &length);
	found = copy != NULL && kept_row_read(copy, length, &row);
	if (found)
		visit(context, &row.task);
	free(copy);
	return found;
}

/* ---- opening and closing ---- */

/* The table `ring`. */
struct ring_row {
	int64_t identity, carried, used;
};

static bool read_ring_row(struct writer *writer, struct ring_row *row)
{
	static const struct sql texts[] = { { .sqlite = "SELECT identity FROM ring" }, { .sqlite = "SELECT carried FROM ring" },
		{ .sqlite = "SELECT used FROM ring" } };

	return database_query(writer->db, texts[0], &row->identity) == DATABASE_OK &&
	       database_query(writer->db, texts[1], &row->carried) == DATABASE_OK &&
	       database_query(writer->db, texts[2], &row->used) == DATABASE_OK;
}

static bool write_ring_row(struct writer *writer, int64_t identity, bool used)
{
	struct statement *statement = writer->statements[WRITE_RING];

	if (!writer_begin(writer, false))
		return false;
	statement_bind_integer(statement, 1, identity);
	statement_bind_integer(statement, 2, used);
	if (statement_run(statement) != DATABASE_OK)
		return writer_fail(writer, "note the ring");
	return writer_commit(writer);
}

static void tell_found(const char *path, const struct ring_row *row, const struct ring_found *found)
{
	if (found->aside != NULL && found->strange > 0)
		log_message(LOG_WARN, "registry.ring",
			"%s is of another registry, and has %zu dry runs that may not be in that one yet; it was moved to %s. To "
			"have "
			"them, put that registry back, rename this file to its name with -ring behind it, and start; else remove "
			"it",
			path, found->strange, found->aside);
	else if (found->aside != NULL)
		log_message(LOG_WARN, "registry.ring", "%s cannot be read; it was moved to %s, and can be removed", path,
			found->aside);
	if (found->made && row->used != 0)
		log_message(LOG_WARN, "registry.ring",
			"the host did not end by itself, or the registry is a copy of one in use, and %s is not there: dry runs "
			"of "
			"the last moments may be missing",
			path);
	if (found->records > 0)
		log_message(LOG_INFO, "registry.ring", "%zu dry runs stand in %s and are carried over", found->records, path);
}

/* Ids go on behind those that wait, too, and they are found by theirs. */
static void note_ids(const struct kept_rows *kept)
{
	struct kept_row row;

	for (uint64_t number = 0; number < ring_count(kept->ring); number++)
		if (kept_rows_read(kept, number, &row)) {
			id_continue_after(id_sequence(&row.task.id));
			ring_set_tag(kept->ring, number, kept_row_tag(&row.task.id));
		}
}

static bool open_ring(struct kept_rows *kept, struct writer *writer, const char *path)
{
	size_t size = (size_t)test_setting(TEST_RING_BYTES, LIMIT_RING_BYTES);
	struct ring_row row = { 0 };
	struct ring_found found;
	struct error error;
	struct ring_owner owner;

	if (!read_ring_row(writer, &row)) {
		database_error(writer->db, "read where the ring is", &writer->failure);
		return false;
	}
	owner = (struct ring_owner){ .identity = (uint64_t)row.identity, .carried = (uint64_t)row.carried };
	while (owner.identity == 0 && getrandom(&owner.identity, sizeof owner.identity, 0) == sizeof owner.identity)
		owner.identity >>= 1;
	if (ring_open(path, &owner, size, &kept->ring, &found, &error) != ERROR_NONE) {
		writer->failure = error;
		return false;
	}
	tell_found(path, &row, &found);
	free(found.aside);
	return ((int64_t)owner.identity == row.identity && row.used != 0) ||
	       write_ring_row(writer, (int64_t)owner.identity, true);
}

void kept_rows_open(struct kept_rows *kept, struct writer *writer)
{
	char *path;

	if (writer->path == NULL)
		return;
	path = memory_format("%s" SUFFIX, writer->path);
	if (!open_ring(kept, writer, path)) {
		log_message(LOG_WARN, "registry.ring", "dry runs are committed one by one until the next start: %s: %s", path,
			writer->failure.message);
		ring_close(kept->ring, false);
		kept->ring = NULL;
	}
	free(path);
	if (kept->ring == NULL)
		return;
	note_ids(kept);
	atomic_store(&kept->failing, ring_count(kept->ring) > 0); /* until they are carried */
	while (ring_carried(kept->ring) < ring_count(kept->ring) && kept_rows_carry(kept, writer))
		;
}

void kept_rows_close(struct kept_rows *kept, struct writer *writer)
{
	struct ring_row row = { 0 };
	bool remove;

	if (kept->ring == NULL)
		return;
	remove = ring_carried(kept->ring) == ring_count(kept->ring) && read_ring_row(writer, &row) &&
		 write_ring_row(writer, row.identity, false);
	ring_close(kept->ring, remove);
	kept->ring = NULL;
}

static enum error_code settle_writer(
	struct writer *writer, const struct database_place *place, struct sources *sources, struct error *error)
{
	struct kept_rows *kept = memory_new(sizeof *kept);
	enum error_code code = writer_open(writer, place, sources, error);

	if (code == ERROR_NONE) {
		kept_rows_open(kept, writer);
		if (kept->ring == NULL || ring_carried(kept->ring) < ring_count(kept->ring)) {
			*error = writer->failure;
			code = error->code;
		}
		kept_rows_close(kept, writer);
	}
	writer_close(writer);
	free(kept);
	return code;
}

enum error_code kept_rows_settle(const struct database_place *place, struct error *error)
{
	char *path = database_path(place) != NULL ? memory_format("%s" SUFFIX, database_path(place)) : NULL;
	enum error_code code = ERROR_NONE;
	struct sources *sources;
	struct writer *writer;

	if (path != NULL && file_exists(path)) {
		writer = memory_new(sizeof *writer);
		sources = memory_new(sizeof *sources);
		sources_init(sources);
		code = settle_writer(writer, place, sources, error);
		sources_free(sources);
		free(sources);
		free(writer);
	}
	free(path);
	return code;
}
