/* postgres_statement.c - statements of PostgreSQL's driver.
 *
 * Each is prepared once on every connection, when it is first used. Rows are read whole, but for those of a statement that walks: it runs through a cursor, whose rows come in
 * pieces, a small one first, in a transaction that sees one moment. A text that PostgreSQL would refuse, for it is not UTF-8, is mended: its
 * row must not take others with it. */
#include "database/postgres.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"

#define NUMBER_BYTES 32
#define FETCH_FIRST 128 /* a page of a hundred in one turn */
#define FETCH_MOST 512
#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

static struct postgres *database_of(const struct postgres_statement *statement)
{
	return postgres_of(statement->base.database);
}

/* ---- texts ---- */

/* Copies a quoted part, and returns where it ends. */
static const char *copy_quoted(const char *from, char **to)
{
	char quote = *from;

	do
		*(*to)++ = *from++;
	while (*from != quote && *from != '\0');
	if (*from != '\0')
		*(*to)++ = *from++;
	return from;
}

/* The number behind a `?`; 0: it has none. */
static int read_place(const char **from)
{
	int number = 0;

	for (; **from >= '0' && **from <= '9'; (*from)++)
		number = 10 * number + (**from - '0');
	return number;
}

/* Writes $1, $2 ... for ? or ?1, ?2 ... into as many bytes as `to` has; returns how many there are. */
static int translate(const char *from, char *to, size_t size)
{
	const char *end = to + size;
	int count = 0, number;

	while (*from != '\0') {
		if (*from == '\'' || *from == '"') {
			from = copy_quoted(from, &to);
		} else if (*from == '?') {
			from++;
			number = read_place(&from);
			if (number == 0)
				number = count + 1;
			count = number > count ? number : count;
			to += snprintf(to, (size_t)(end - to), "$%d", number);
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return count;
}

/* A `?` becomes at most three bytes more. */
static void write_text(struct postgres_statement *statement, const struct sql *text)
{
	char head[64] = "";
	size_t begin, size;

	if (text->walks)
		begin = (size_t)snprintf(head, sizeof head, "DECLARE c%u NO SCROLL CURSOR FOR ", statement->number);
	else
		begin = 0;
	size = 3 * strlen(text->postgres) + 1;
	statement->text = memory_new(begin + size);
	memcpy(statement->text, head, begin);
	statement->count = translate(text->postgres, statement->text + begin, size);
	if (text->walks)
		statement->fetch = memory_new(64);
}

static void make_parameters(struct postgres_statement *statement)
{
	size_t count = (size_t)statement->count + 1;

	statement->values = memory_new_array(count, sizeof *statement->values);
	statement->lengths = memory_new_array(count, sizeof *statement->lengths);
	statement->formats = memory_new_array(count, sizeof *statement->formats);
	statement->owned = memory_new_array(count, sizeof *statement->owned);
	statement->numbers = memory_new_array(count, sizeof *statement->numbers);
}

enum error_code postgres_prepare(
	struct database *database, const struct sql *text, struct statement **statement, struct error *error)
{
	struct postgres *own = postgres_of(database);
	struct postgres_statement *made = memory_new(sizeof *made);

	(void)error;
	made->base = (struct statement){ .driver = database->driver, .database = database };
	*statement = &made->base;
	if (text->postgres == NULL)
		return ERROR_NONE;
	made->number = ++own->names;
	write_text(made, text);
	make_parameters(made);
	made->next = own->statements;
	made->link = &own->statements;
	if (made->next != NULL)
		made->next->link = &made->next;
	own->statements = made;
	return ERROR_NONE;
}

/* ---- what the server knows of them ---- */

/* With the next of them it forgets one that was finalized. */
static bool forget_one(struct postgres *database)
{
	char text[48];

	if (database->spares == 0)
		return true;
	snprintf(text, sizeof text, "DEALLOCATE s%u", database->spare[--database->spares]);
	return postgres_send_text(database, text);
}

/* Under a name of its own each time: whether the server took one of a transaction that failed is not known. */
static bool introduce(struct postgres_statement *statement)
{
	struct postgres *database = database_of(statement);

	if (statement->state != STATEMENT_UNKNOWN)
		return true;
	statement->name_number = ++database->names;
	snprintf(statement->name, sizeof statement->name, "s%u", statement->name_number);
	statement->state = STATEMENT_SENT;
	database->introduced = true;
	return forget_one(database) && postgres_send_prepare(database, statement->name, statement->text);
}

void postgres_note_introduced(struct postgres *database, bool worked)
{
	struct postgres_statement *statement = database->introduced ? database->statements : NULL;

	for (; statement != NULL; statement = statement->next)
		if (statement->state == STATEMENT_SENT)
			statement->state = worked ? STATEMENT_KNOWN : STATEMENT_UNKNOWN;
	database->introduced = false;
}

static void spare(struct postgres *database, const struct postgres_statement *statement)
{
	if (statement->state != STATEMENT_KNOWN || database->connection == NULL)
		return;
	database->spare = memory_resize(database->spare, (database->spares + 1) * sizeof *database->spare);
	database->spare[database->spares++] = statement->name_number;
}

/* The server is told of what reads when it is first used: each connection takes its time to learn all of them, and there are several. */
enum error_code postgres_prepared(struct database *database, struct error *error)
{
	struct postgres *own = postgres_of(database);
	bool sent = true;

	if (own->use == DATABASE_READS)
		return ERROR_NONE;
	for (struct postgres_statement *statement = own->statements; statement != NULL && sent; statement = statement->next)
		sent = introduce(statement);
	if (sent && postgres_sync(own, POSTGRES_ANSWER_MS, NULL))
		return ERROR_NONE;
	return postgres_say(database, "prepare the registry's statements", error);
}

void postgres_finalize(struct statement *statement)
{
	struct postgres_statement *own = postgres_statement_of(statement);

	if (own->link != NULL) {
		postgres_reset(statement);
		spare(database_of(own), own);
		*own->link = own->next;
		if (own->next != NULL)
			own->next->link = own->link;
	}
	for (int i = 0; own->owned != NULL && i < own->count; i++)
		free(own->owned[i]);
	free(own->values);
	free(own->lengths);
	free(own->formats);
	free(own->owned);
	free(own->numbers);
	free(own->text);
	free(own->fetch);
	free(own);
}

/* ---- parameters ---- */

static void bind(struct postgres_statement *statement, int index, const char *value, size_t length, bool binary)
{
	if (index < 1 || index > statement->count)
		return;
	free(statement->owned[index - 1]);
	statement->owned[index - 1] = NULL;
	statement->values[index - 1] = value;
	statement->lengths[index - 1] = (int)length;
	statement->formats[index - 1] = binary;
}

void postgres_bind_integer(struct statement *statement, int index, int64_t value)
{
	struct postgres_statement *own = postgres_statement_of(statement);

	if (index < 1 || index > own->count)
		return;
	snprintf(own->numbers[index - 1], NUMBER_BYTES, "%" PRId64, value);
	bind(own, index, own->numbers[index - 1], 0, false);
}

void postgres_bind_real(struct statement *statement, int index, double value)
{
	struct postgres_statement *own = postgres_statement_of(statement);

	if (index < 1 || index > own->count)
		return;
	snprintf(own->numbers[index - 1], NUMBER_BYTES, "%.17g", value);
	bind(own, index, own->numbers[index - 1], 0, false);
}

static bool is_utf8(const char *text)
{
	struct text_utf8 state = { 0 };

	for (; *text != '\0'; text++)
		if (!text_utf8_step(&state, (unsigned char)*text))
			return false;
	return state.more == 0;
}

/* What is not UTF-8 is replaced byte by byte. */
static char *mend(const char *text)
{
	size_t left = strlen(text), length;
	char *mended = memory_new(3 * left + 1), *to = mended;

	while (left > 0) {
		length = text_character_length((const unsigned char *)text, left);
		memcpy(to, length > 0 ? text : REPLACEMENT, length > 0 ? length : 3);
		to += length > 0 ? length : 3;
		length = length > 0 ? length : 1;
		text += length;
		left -= length;
	}
	return mended;
}

void postgres_bind_owned(struct statement *statement, int index, char *text)
{
	struct postgres_statement *own = postgres_statement_of(statement);
	char *mended = NULL;

	if (index < 1 || index > own->count) {
		free(text);
		return;
	}
	if (text != NULL && !is_utf8(text)) {
		mended = mend(text);
		free(text);
		text = mended;
	}
	bind(own, index, text, 0, false);
	own->owned[index - 1] = text;
}

void postgres_bind_text(struct statement *statement, int index, const char *text)
{
	if (text != NULL && !is_utf8(text))
		postgres_bind_owned(statement, index, mend(text));
	else
		bind(postgres_statement_of(statement), index, text, 0, false);
}

void postgres_bind_bytes(struct statement *statement, int index, const void *bytes, size_t length)
{
	bind(postgres_statement_of(statement), index, bytes, length, true);
}

void postgres_bind_null(struct statement *statement, int index)
{
	bind(postgres_statement_of(statement), index, NULL, 0, false);
}

void postgres_bind_copy(struct statement *statement, int index, const void *bytes, size_t length)
{
	struct postgres_statement *own = postgres_statement_of(statement);
	char *copy;

	if (index < 1 || index > own->count)
		return;
	copy = memory_copy_bytes(bytes, length);
	bind(own, index, copy, length, true);
	own->owned[index - 1] = copy;
}

/* ---- running ---- */

static bool send_statement(struct postgres_statement *statement)
{
	struct postgres *database = database_of(statement);

	return !database->failed && introduce(statement) &&
	       postgres_send(
		       database, statement->name, statement->count, statement->values, statement->lengths, statement->formats);
}

static bool fetch(struct postgres_statement *statement, int count)
{
	snprintf(statement->fetch, 64, "FETCH %d FROM c%u", count, statement->number);
	statement->fetched = count;
	return postgres_send_text(database_of(statement), statement->fetch);
}

static bool read_rows(struct postgres_statement *statement)
{
	int milliseconds = database_of(statement)->use == DATABASE_READS ? POSTGRES_READ_MS : POSTGRES_ANSWER_MS;

	PQclear(statement->rows);
	statement->rows = NULL;
	statement->row = -1;
	if (!postgres_sync(database_of(statement), milliseconds, &statement->rows))
		return false;
	statement->ended = statement->fetch == NULL || PQntuples(statement->rows) < statement->fetched;
	return true;
}

static bool start(struct postgres_statement *statement)
{
	struct postgres *database = database_of(statement);

	if (statement->fetch == NULL)
		return send_statement(statement) && read_rows(statement);
	if (postgres_begin_reading(&database->base) != DATABASE_OK)
		return false;
	statement->open = true;
	return send_statement(statement) && fetch(statement, FETCH_FIRST) && read_rows(statement);
}

static bool go_on(struct postgres_statement *statement)
{
	int count = statement->fetched < FETCH_MOST ? 2 * statement->fetched : FETCH_MOST;

	return !database_of(statement)->failed && statement->open && fetch(statement, count) && read_rows(statement);
}

enum database_result postgres_step(struct statement *statement)
{
	struct postgres_statement *own = postgres_statement_of(statement);

	if (own->text == NULL)
		return DATABASE_DONE;
	if (own->rows == NULL && !start(own))
		return DATABASE_FAILED;
	if (own->row + 1 >= PQntuples(own->rows) && own->ended)
		return DATABASE_DONE;
	if (own->row + 1 >= PQntuples(own->rows) && !go_on(own))
		return DATABASE_FAILED;
	if (own->row + 1 >= PQntuples(own->rows))
		return DATABASE_DONE;
	own->row++;
	return DATABASE_ROW;
}

/* A cursor goes with the transaction that was begun for it, or before. */
static void close_cursor(struct postgres_statement *statement)
{
	struct postgres *database = database_of(statement);
	char text[32];

	statement->open = false;
	if (database->connection != NULL && !database->failed && (database->writing || database->readings > 1)) {
		snprintf(text, sizeof text, "CLOSE c%u", statement->number);
		if (postgres_send_text(database, text))
			postgres_sync(database, POSTGRES_ANSWER_MS, NULL);
	}
	postgres_end_reading(&database->base);
}

void postgres_reset(struct statement *statement)
{
	struct postgres_statement *own = postgres_statement_of(statement);

	PQclear(own->rows);
	own->rows = NULL;
	if (own->open)
		close_cursor(own);
}

enum database_result postgres_run(struct statement *statement)
{
	struct postgres_statement *own = postgres_statement_of(statement);
	struct postgres *database = database_of(own);

	if (own->text == NULL)
		return DATABASE_OK;
	if (!send_statement(own))
		return DATABASE_FAILED;
	if (database->writing)
		return DATABASE_OK; /* its answer comes with the next one that is waited for */
	return postgres_sync(database, POSTGRES_ANSWER_MS, NULL) ? DATABASE_OK : DATABASE_FAILED;
}

enum database_result postgres_find_later(struct statement *statement, int64_t *value)
{
	struct postgres_statement *own = postgres_statement_of(statement);
	struct postgres *database = database_of(own);
	enum database_result result;

	if (own->text == NULL)
		return DATABASE_OK;
	if (!database->writing || database->laters == POSTGRES_LATER || !introduce(own)) {
		result = statement_find(statement, value);
		return result == DATABASE_DONE ? DATABASE_OK : result;
	}
	postgres_await_later(database, value);
	return send_statement(own) ? DATABASE_OK : DATABASE_FAILED;
}

enum database_result postgres_change(struct statement *statement, int64_t *changed)
{
	struct postgres_statement *own = postgres_statement_of(statement);
	struct postgres *database = database_of(own);
	PGresult *rows;

	*changed = 0;
	if (own->text == NULL)
		return DATABASE_OK;
	if (!send_statement(own) || !postgres_sync(database, POSTGRES_ANSWER_MS, &rows))
		return DATABASE_FAILED;
	*changed = atoll(PQcmdTuples(rows));
	PQclear(rows);
	return DATABASE_OK;
}

/* ---- a new connection ---- */

void postgres_forget_rows(struct postgres *database)
{
	for (struct postgres_statement *statement = database->statements; statement != NULL; statement = statement->next) {
		PQclear(statement->rows);
		statement->rows = NULL;
		statement->open = false;
		statement->state = STATEMENT_UNKNOWN;
	}
	database->spares = 0;
	database->introduced = false;
}
