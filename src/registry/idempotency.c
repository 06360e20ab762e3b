/* idempotency.c - the keys of submits with the answers that they got: written with their task, looked up before and again in its commit. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "registry/database.h"
#include "registry/reads.h"
#include "registry/writes.h"

/* Compares the row (status, body_sha256, answer) that a statement is on, and copies the answer. */
static enum store_outcome compare_key(
	sqlite3_stmt *row, const struct idempotency *idempotency, struct stored_answer *answer, struct error *error)
{
	int size = sqlite3_column_bytes(row, 2);
	const void *bytes = sqlite3_column_blob(row, 2);

	if (sqlite3_column_bytes(row, 1) != (int)sizeof idempotency->body_sha256 ||
		memcmp(sqlite3_column_blob(row, 1), idempotency->body_sha256, sizeof idempotency->body_sha256) != 0)
		return STORE_KEY_CLASH;
	answer->text = bytes != NULL || size == 0 ? malloc((size_t)size + 1) : NULL;
	if (answer->text == NULL) {
		error_memory(error); /* the size of an answer is its client's doing */
		return STORE_FAILED;
	}
	if (size > 0)
		memcpy(answer->text, bytes, (size_t)size);
	answer->text[size] = '\0';
	answer->length = (size_t)size;
	answer->status = sqlite3_column_int(row, 0);
	return STORE_REPLAY;
}

/* ---- on the store thread ---- */

/* The stored answer, or the clash. SQLITE_DONE when the key is new. */
int writer_find_key(struct writer *writer, struct store_write *write)
{
	sqlite3_stmt *statement = writer->statements[WRITE_FIND_KEY];
	int code;

	writer_bind_text(statement, 1, write->idempotency.key);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		write->outcome = compare_key(statement, &write->idempotency, &write->replay, &write->error);
	sqlite3_reset(statement);
	return code;
}

/* The answer as it was sent, which is masked on its way out. */
static void bind_answer(struct writer *writer, sqlite3_stmt *statement, int index, const struct idempotency *idempotency)
{
	const char *answer = idempotency->answer != NULL ? idempotency->answer : "";
	size_t length = idempotency->answer != NULL ? idempotency->answer_length : 0;
	struct buffer out;

	buffer_init(&out, 2 * length + 64);
	if (writer->cleaner.clean == NULL || !writer->cleaner.clean(writer->cleaner.context, true, answer, length, &out))
		sqlite3_bind_blob64(statement, index, answer, length, SQLITE_STATIC);
	else
		sqlite3_bind_blob64(statement, index, out.data != NULL ? out.data : "", out.length, SQLITE_TRANSIENT);
	buffer_free(&out);
}

int writer_insert_key(struct writer *writer, const struct idempotency *idempotency)
{
	sqlite3_stmt *statement = writer->statements[WRITE_KEY];

	writer_bind_text(statement, 1, idempotency->key);
	sqlite3_bind_int64(statement, 2, clock_unix_ms());
	sqlite3_bind_int(statement, 3, idempotency->status);
	sqlite3_bind_blob(statement, 4, idempotency->body_sha256, sizeof idempotency->body_sha256, SQLITE_STATIC);
	bind_answer(writer, statement, 5, idempotency);
	return database_run(statement);
}

/* ---- on any other ---- */

enum store_outcome task_store_replay(
	struct task_store *store, const struct idempotency *idempotency, struct stored_answer *answer, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum store_outcome outcome = STORE_WRITTEN;
	sqlite3_stmt *row;
	int code;

	if (reader == NULL)
		return STORE_FAILED;
	row = reader->statements[READ_KEY];
	sqlite3_bind_text(row, 1, idempotency->key, -1, SQLITE_STATIC);
	code = sqlite3_step(row);
	if (code == SQLITE_ROW) {
		outcome = compare_key(row, idempotency, answer, error);
	} else if (code != SQLITE_DONE) {
		reads_refuse(reads, reader, error);
		outcome = STORE_FAILED;
	}
	sqlite3_reset(row);
	reads_give_back(reads, reader);
	return outcome;
}
