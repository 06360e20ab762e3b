/* postgres.h - what the files of PostgreSQL's driver share. */
#pragma once

#include "database/driver.h"
#include "database/postgres_library.h"

#define POSTGRES_CONNECT_SECONDS 3     /* for each server that the URL names */
#define POSTGRES_ANSWER_MS 10000       /* a server that has not answered by then is given up, the connection with it */
#define POSTGRES_READ_MS 6000	       /* the same of one that only reads: more than its statement_timeout */
#define POSTGRES_LONG_MS (3600 * 1000) /* the same while tables are made or changed */

/* The last failure, said in words that database_error() passes on. */
#define POSTGRES_LATER 4 /* so many numbers can be waited for at a time */

struct postgres_failure {
	enum error_code code;
	bool lost; /* the connection is gone with it */
	char text[360];
};

struct postgres {
	struct database base;
	enum database_use use;
	PGconn *connection;		       /* NULL: there is none */
	struct postgres_statement *statements; /* all that are prepared again on another connection */
	unsigned names;			       /* given out */
	unsigned *spare;		       /* names of statements that were finalized, but the server has them still */
	size_t spares;
	bool introduced; /* some were, since the last sync */
	int64_t schema;	 /* its oid: the first half of the lock's key */
	struct postgres_failure failure;
	/* what was sent since the last sync: */
	int64_t queued;		   /* how much of it is answered one by one */
	int64_t lock_at, fence_at; /* the places of these in it; -1: not in it */
	struct {
		int64_t at;
		int64_t *value; /* where the number goes that it is answered with */
	} later[POSTGRES_LATER];
	int laters;
	/* the transaction that is under way: */
	bool writing, failed;
	int readings;		  /* how many want one that only reads */
	int64_t id;		  /* the writing one's, as the server calls it; 0: not told yet */
	bool held;		  /* the lock was not to be had in time */
	bool fenced;		  /* this host is declared dead */
	bool unsettled;		  /* how one ended is not known */
	int64_t doubtful;	  /* its id; 0: that was not told */
	int64_t host, generation; /* who writes, by which connection; 0: nobody is to be fenced off */
	bool has_fence;		  /* it is prepared on this connection */
};

struct postgres_statement {
	struct statement base;
	struct postgres_statement *next, **link;
	unsigned number;						       /* its cursor's name */
	unsigned name_number;						       /* what it was last introduced as */
	char name[16];							       /* the same as text */
	enum { STATEMENT_UNKNOWN = 0, STATEMENT_SENT, STATEMENT_KNOWN } state; /* to the server */
	char *text;  /* in PostgreSQL's words, a cursor's if it walks; NULL: nothing to do */
	char *fetch; /* of one that walks: its next rows */
	int count;   /* of its parameters */
	const char **values;
	int *lengths, *formats;
	char **owned;	     /* by the parameter */
	char (*numbers)[32]; /* a number's text */
	PGresult *rows;
	int row;     /* of them, which it is on */
	bool open;   /* a cursor is, */
	bool ended;  /* and has no more rows */
	int fetched; /* at a time */
};

static inline struct postgres *postgres_of(struct database *database)
{
	return (struct postgres *)(void *)database;
}

static inline struct postgres_statement *postgres_statement_of(struct statement *statement)
{
	return (struct postgres_statement *)(void *)statement;
}

/* ---- postgres_failure.c: what a failure means ---- */

/* Notes what the server said of a statement. */
void postgres_note_result(struct postgres *database, const PGresult *result);
/* Notes that this host may not write any more. */
void postgres_note_fenced(struct postgres *database);
/* Notes that there is no connection any more, and why; closes what is left of it. */
void postgres_lose(struct postgres *database, const char *why);
enum error_code postgres_say(struct database *database, const char *action, struct error *error);
/* Why a connection could not be made, by what libpq says. ERROR_BUSY: trying again may help; else it has to be mended. */
enum error_code postgres_refuse_connection(struct postgres *database, const char *said, struct error *error);

/* ---- postgres_pipeline.c: what is sent and what comes back. False: postgres_failure says why ---- */

bool postgres_send_prepare(struct postgres *database, const char *name, const char *text);
bool postgres_send(struct postgres *database, const char *name, int count, const char *const *values, const int *lengths,
	const int *formats);
/* A text without parameters that is sent once. */
bool postgres_send_text(struct postgres *database, const char *text);
/* The number that the next one is answered with goes to *value. */
void postgres_await_later(struct postgres *database, int64_t *value);
/* Waits for the answers to all that was sent; *last, unless NULL, is the last one's rows, to be cleared. */
bool postgres_sync(struct postgres *database, int milliseconds, PGresult **last);
/* Several statements in one text, without rows. */
bool postgres_run_text(struct postgres *database, const char *text, int milliseconds);

/* ---- postgres_transaction.c ---- */

/* Prepares what begins and ends transactions; on each new connection. */
bool postgres_send_brackets(struct postgres *database);
/* A new connection: the host's former one is fenced off. */
bool postgres_raise_generation(struct postgres *database);
enum database_result postgres_begin(struct database *database, bool synced);
enum database_result postgres_commit(struct database *database);
void postgres_rollback(struct database *database);
bool postgres_in_transaction(struct database *database);
enum database_result postgres_settle(struct database *database);
enum database_result postgres_begin_reading(struct database *database);
void postgres_end_reading(struct database *database);
void postgres_fence(struct database *database, int64_t host);
bool postgres_is_fenced(struct database *database);

/* ---- postgres_statement.c ---- */

enum error_code postgres_prepare(
	struct database *database, const struct sql *text, struct statement **statement, struct error *error);
enum error_code postgres_prepared(struct database *database, struct error *error);
void postgres_finalize(struct statement *statement);
void postgres_bind_integer(struct statement *statement, int index, int64_t value);
void postgres_bind_real(struct statement *statement, int index, double value);
void postgres_bind_text(struct statement *statement, int index, const char *text);
void postgres_bind_bytes(struct statement *statement, int index, const void *bytes, size_t length);
void postgres_bind_null(struct statement *statement, int index);
void postgres_bind_owned(struct statement *statement, int index, char *text);
void postgres_bind_copy(struct statement *statement, int index, const void *bytes, size_t length);
enum database_result postgres_step(struct statement *statement);
void postgres_reset(struct statement *statement);
enum database_result postgres_run(struct statement *statement);
enum database_result postgres_find_later(struct statement *statement, int64_t *value);
enum database_result postgres_change(struct statement *statement, int64_t *changed);
/* What was introduced since the last sync is known to the server; or, if that failed, it is not. */
void postgres_note_introduced(struct postgres *database, bool worked);
/* The statements of a connection that is gone know nothing of it any more. */
void postgres_forget_rows(struct postgres *database);

/* ---- postgres_value.c: columns of the row that a statement is on ---- */

/* A value of a result, as an integer. */
int64_t postgres_result_integer(const PGresult *rows, int row, int column);
int64_t postgres_integer(struct statement *statement, int column);
double postgres_real(struct statement *statement, int column);
const char *postgres_text(struct statement *statement, int column);
const void *postgres_bytes(struct statement *statement, int column, size_t *length);
bool postgres_is_null(struct statement *statement, int column);
