/* kept_carry.c - from the ring to the database, each row once. Store thread.
 *
 * The transaction that inserts rows and events also notes the position behind them: what a start finds before that position is there. Numbers of events are
 * given out there, too. Two statements insert all rows of a group, and all their events; a row whose id is there already (an older copy of the database
 * was put back, with rows that it had) makes them fail, and then each row is inserted by itself, and that one is passed over. */
#include "registry/kept_rows.h"

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/test_setting.h"
#include "registry/kept_row.h"

#define EVENT_SLACK_MS 1000 /* an event may be told so much later than it was; half of what event_reads.c allows for */

bool kept_rows_ready(const struct kept_rows *kept)
{
	struct ring_record first;

	return kept->ring != NULL && ring_read(kept->ring, ring_carried(kept->ring), &first);
}

bool kept_rows_read(const struct kept_rows *kept, uint64_t number, struct kept_row *row)
{
	struct ring_record record;

	return ring_read(kept->ring, number, &record) && kept_row_read(record.bytes, record.length, row);
}

/* ---- sources ---- */

static bool is_source(const struct sources *sources, int number, const struct task *task)
{
	const struct source *source = sources_get(sources, number);

	return source != NULL && strcmp(source->provider, task->provider) == 0 && strcmp(source->kind, task->kind) == 0;
}

/* The number of a row's kind and provider; an older copy of the database may number them otherwise. 0: it is not known. */
static int source_of(const struct sources *sources, const struct kept_row *row)
{
	return is_source(sources, row->source, &row->task) ? row->source
							   : sources_number(sources, row->task.kind, row->task.provider);
}

/* Of those that were kept by this run all sources are known; what an earlier one left may be put into an older copy of the database. */
static bool add_sources(const struct kept_rows *kept, struct writer *writer)
{
	struct kept_row row;

	if (!atomic_load(&kept->failing))
		return true;
	for (uint64_t number = ring_carried(kept->ring); number < ring_count(kept->ring); number++)
		if (kept_rows_read(kept, number, &row) && source_of(writer->sources, &row) == 0 &&
			sources_count(writer->sources) < LIMIT_STORE_SOURCES &&
			!writer_add_source(writer, row.task.kind, row.task.provider))
			return false;
	return true;
}

/* ---- a group ---- */

struct carrying {
	struct kept_rows *kept;
	struct writer *writer;
	uint64_t first; /* number of its first row */
	size_t count;
	uint64_t end; /* position behind its last row */
	size_t fresh; /* rows that upkeep.c will put into the index; */
	bool late;    /* there are others: its batch is there already */
	/* the row that a statement is on: */
	size_t next;
	struct kept_row row;
	int64_t event;	   /* number of its event */
	int64_t at_ms;	   /* its time, and */
	int64_t latest_ms; /* of those so far */
};

/* A record that was written by another program, or a source that there is no room for, must not hold up all that come after it. */
static void note_lost(uint64_t number)
{
	log_message(LOG_ERROR, "registry.ring", "record %llu of the ring cannot be read: the dry run in it is lost",
		(unsigned long long)number);
}

/* Finds out what there is, and what each row will be. */
static void take_group(struct carrying *carrying)
{
	const struct writer *writer = carrying->writer;
	struct kept_rows *kept = carrying->kept;
	struct ring_record record;
	struct kept_row row;
	size_t i = 0;

	for (; i < KEPT_GROUP && ring_read(kept->ring, carrying->first + i, &record); i++) {
		carrying->end = record.end;
		kept->sources[i] = 0;
		if (kept_row_read(record.bytes, record.length, &row))
			kept->sources[i] = (uint16_t)source_of(writer->sources, &row);
		if (kept->sources[i] == 0) {
			note_lost(carrying->first + i);
			continue;
		}
		kept->statuses[i] = (uint8_t)row.task.status;
		if (id_sequence(&row.task.id) > writer->indexed)
			carrying->fresh++;
		else
			carrying->late = true;
	}
	carrying->count = i;
}

/* Events are looked for by their times, which hardly ever go back: a row may have waited for its thread before it came into the ring. */
static void time_event(struct carrying *carrying)
{
	int64_t at_ms = carrying->row.task.created_ms;

	carrying->at_ms = at_ms < carrying->latest_ms - EVENT_SLACK_MS ? carrying->latest_ms : at_ms;
	if (carrying->latest_ms < carrying->at_ms)
		carrying->latest_ms = carrying->at_ms;
}

/* ---- all at once ---- */

static void begin_rows(void *context)
{
	struct carrying *carrying = context;

	carrying->next = 0;
	carrying->event = carrying->writer->newest_event;
	carrying->latest_ms = carrying->writer->event_ms;
}

static bool next_row(void *context)
{
	struct carrying *carrying = context;
	const struct kept_rows *kept = carrying->kept;

	while (carrying->next < carrying->count && kept->sources[carrying->next] == 0)
		carrying->next++;
	if (carrying->next == carrying->count)
		return false;
	carrying->event++;
	if (!kept_rows_read(kept, carrying->first + carrying->next++, &carrying->row))
		return false;
	time_event(carrying);
	return true;
}

static void give_integer(struct given_value *value, int64_t integer)
{
	*value = (struct given_value){ .kind = GIVEN_INTEGER, .integer = integer };
}

static void give_text(struct given_value *value, const char *text)
{
	if (text != NULL)
		*value = (struct given_value){ .kind = GIVEN_TEXT, .bytes = text, .length = strlen(text) };
}

/* The columns of `task`, then what its event has. */
static void give_column(void *context, int column, struct given_value *value)
{
	const struct carrying *carrying = context;
	const struct kept_row *row = &carrying->row;
	const struct task *task = &row->task;

	switch (column) {
	case 1: give_integer(value, id_sequence(&task->id)); break;
	case 2: give_integer(value, (int)task->status); break;
	case 3: give_integer(value, carrying->kept->sources[carrying->next - 1]); break;
	case 4: give_integer(value, task->dry_run); break;
	case 5: *value = (struct given_value){ .kind = GIVEN_REAL, .real = task->progress }; break;
	case 6: give_integer(value, task->created_ms); break;
	case 7: give_integer(value, task->updated_ms); break;
	case 8: *value = (struct given_value){ .kind = GIVEN_BYTES, .bytes = &task->id, .length = sizeof task->id }; break;
	case 9: give_text(value, task->vendor_id); break;
	case 10: give_text(value, task->request_id); break;
	case 11: give_text(value, task->payload); break;
	case 12: give_text(value, task->estimates); break;
	case 13: give_text(value, task->result); break;
	case 14: give_text(value, task->caller); break;
	case 15: give_text(value, task->asked); break;
	case 16: give_integer(value, carrying->event); break;
	case 17: give_integer(value, carrying->at_ms); break;
	case 18: give_text(value, row->event.verb); break;
	case 19: give_text(value, row->event.data); break;
	default: break;
	}
}

static int index_late(struct carrying *carrying)
{
	struct writer *writer = carrying->writer;
	int code = DATABASE_OK;

	begin_rows(carrying);
	while (code == DATABASE_OK && next_row(carrying)) {
		int64_t sequence = id_sequence(&carrying->row.task.id);
		int source = carrying->kept->sources[carrying->next - 1];

		if (sequence <= writer->indexed)
			code = writer_index(writer, (int)carrying->row.task.status, source, sequence);
	}
	return code;
}

/* What writer_insert_event() would have noted. */
static void note_events(struct carrying *carrying)
{
	struct writer *writer = carrying->writer;

	writer->newest_event = carrying->event;
	writer->trace.told = true;
	writer->trace.at_ms = carrying->at_ms;
	writer->trace.sequence = id_sequence(&carrying->row.task.id);
	writer->event_ms = carrying->latest_ms;
}

static int insert_group(struct carrying *carrying)
{
	const struct given_rows rows = { .context = carrying, .begin = begin_rows, .next = next_row, .column = give_column };
	struct writer *writer = carrying->writer;
	int code;

	database_give(writer->db, &rows);
	code = writer_run(writer, WRITE_GIVEN_TASKS);
	if (code == DATABASE_OK)
		code = writer_run(writer, WRITE_GIVEN_EVENTS);
	database_give(writer->db, NULL);
	if (code == DATABASE_OK && carrying->event > writer->newest_event)
		note_events(carrying);
	if (code == DATABASE_OK && carrying->late)
		code = index_late(carrying);
	writer->unindexed += carrying->fresh;
	return code;
}

/* ---- row by row ---- */

static bool is_known_already(struct writer *writer)
{
	struct error error;

	return !database_is_lost(writer->db) && database_error(writer->db, "store the job", &error) == ERROR_CONFLICT;
}

static int insert_row(struct carrying *carrying)
{
	struct writer *writer = carrying->writer;
	const struct kept_row *row = &carrying->row;
	uint16_t *source = &carrying->kept->sources[carrying->next - 1];
	int code = writer_insert_task(writer, &row->task, *source, true);

	if (code == DATABASE_OK)
		return writer_insert_event(writer, id_sequence(&row->task.id), carrying->at_ms, &row->event, true);
	if (!is_known_already(writer))
		return code;
	*source = 0;
	return DATABASE_OK;
}

static int insert_singly(struct carrying *carrying)
{
	int code = DATABASE_OK;

	begin_rows(carrying);
	while (code == DATABASE_OK && next_row(carrying))
		code = insert_row(carrying);
	return code;
}

/* ---- the transaction ---- */

static int note_carried(struct writer *writer, uint64_t end)
{
	struct statement *statement = writer->statements[WRITE_RING_CARRIED];

	test_stall("ring", "carry");
	statement_bind_integer(statement, 1, (int64_t)end);
	return statement_run(statement);
}

/* False: nothing is written, and why is in writer->failure. */
static bool commit_group(struct carrying *carrying, int (*insert)(struct carrying *carrying))
{
	struct writer *writer = carrying->writer;
	size_t unindexed = writer->unindexed;
	int64_t newest_event = writer->newest_event;

	if (writer_begin(writer, false)) {
		if (insert(carrying) != DATABASE_OK)
			writer_fail(writer, "store the job");
		else if (note_carried(writer, carrying->end) != DATABASE_OK)
			writer_fail(writer, "note how far the ring was carried over");
		else if (writer_commit(writer))
			return true;
	}
	writer->unindexed = unindexed;
	writer->newest_event = newest_event;
	return false;
}

static void note_failing(struct kept_rows *kept, const struct writer *writer)
{
	atomic_store(&kept->failing, true);
	if (!kept->told)
		log_message(LOG_ERROR, "registry.ring", "%llu dry runs wait in the ring, and no other is taken into it: %s",
			(unsigned long long)(ring_count(kept->ring) - ring_carried(kept->ring)), writer->failure.message);
	kept->told = true;
}

static void note_working(struct kept_rows *kept)
{
	if (kept->told)
		log_message(LOG_WARN, "registry.ring", "dry runs are carried over again");
	kept->told = false;
	atomic_store(&kept->failing, false);
}

bool kept_rows_carry(struct kept_rows *kept, struct writer *writer)
{
	struct carrying carrying = { .kept = kept, .writer = writer, .first = ring_carried(kept->ring) };
	bool known = add_sources(kept, writer);

	if (known)
		take_group(&carrying);
	if (!known || (!commit_group(&carrying, insert_group) &&
			      (writer->failure.code != ERROR_CONFLICT || !commit_group(&carrying, insert_singly)))) {
		note_failing(kept, writer);
		return false;
	}
	for (size_t i = 0; i < carrying.count; i++)
		if (kept->sources[i] != 0)
			writer_count(writer, kept->sources[i], (enum task_status)kept->statuses[i], 1);
	ring_release(kept->ring, carrying.first + carrying.count);
	note_working(kept);
	return true;
}
