/* idempotency.c - the keys of submits with the answers that they got: written with their task, looked up before and again in its commit. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "database/database.h"
#include "registry/reads.h"
#include "registry/writes.h"

/* Compares the row (status, body_sha256, answer) that a statement is on, and copies the answer. */
static enum store_outcome compare_key(
	struct statement *row, const struct idempotency *idempotency, struct stored_answer *answer, struct error *error)
{
	size_t size = 0;
	const void *bytes = statement_bytes(row, 2, &size);

	if (!statement_equals(row, 1, idempotency->body_sha256, sizeof idempotency->body_sha256))
		return STORE_KEY_CLASH;
	answer->text = bytes != NULL || size == 0 ? malloc(size + 1) : NULL;
	if (answer->text == NULL) {
		error_memory(error); /* the size of an answer is its client's doing */
		return STORE_FAILED;
	}
	if (size > 0)
		memcpy(answer->text, bytes, size);
	answer->text[size] = '\0';
	answer->length = size;
	answer->status = (int)statement_integer(row, 0);
	return STORE_REPLAY;
}

/* ---- on the store thread ---- */

/* The stored answer, or the clash. DATABASE_DONE when the key is new. */
int writer_find_key(struct writer *writer, struct store_write *write)
{
	struct statement *statement = writer->statements[WRITE_FIND_KEY];
	int code;

	writer_bind_text(statement, 1, write->idempotency.key);
	code = statement_step(statement);
	if (code == DATABASE_ROW)
		write->outcome = compare_key(statement, &write->idempotency, &write->replay, &write->error);
	statement_reset(statement);
	return code;
}

/* The answer as it was sent, which is masked on its way out. */
static void bind_answer(struct writer *writer, struct statement *statement, int index, const struct idempotency *idempotency)
{
	const char *answer = idempotency->answer != NULL ? idempotency->answer : "";
	size_t length = idempotency->answer != NULL ? idempotency->answer_length : 0;
	struct buffer out;

	buffer_init(&out, 2 * length + 64);
	if (writer->cleaner.clean == NULL || !writer->cleaner.clean(writer->cleaner.context, true, answer, length, &out))
		statement_bind_bytes(statement, index, answer, length);
	else
		statement_bind_copy(statement, index, out.data != NULL ? out.data : "", out.length);
	buffer_free(&out);
}

int writer_insert_key(struct writer *writer, const struct idempotency *idempotency)
{
	struct statement *statement = writer->statements[WRITE_KEY];

	writer_bind_text(statement, 1, idempotency->key);
	statement_bind_integer(statement, 2, clock_unix_ms());
	statement_bind_integer(statement, 3, idempotency->status);
	statement_bind_bytes(statement, 4, idempotency->body_sha256, sizeof idempotency->body_sha256);
	bind_answer(writer, statement, 5, idempotency);
	return statement_run(statement);
}

/* ---- on any other ---- */

enum store_outcome task_store_replay(
	struct task_store *store, const struct idempotency *idempotency, struct stored_answer *answer, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum store_outcome outcome = STORE_WRITTEN;
	struct statement *row;
	int code;

	if (reader == NULL)
		return STORE_FAILED;
	row = reader->statements[READ_KEY];
	statement_bind_text(row, 1, idempotency->key);
	code = statement_step(row);
	if (code == DATABASE_ROW) {
		outcome = compare_key(row, idempotency, answer, error);
	} else if (code != DATABASE_DONE) {
		reads_refuse(reader, error);
		outcome = STORE_FAILED;
	}
	statement_reset(row);
	reads_give_back(reads, reader);
	return outcome;
}
