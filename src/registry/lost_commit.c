/* lost_commit.c - a commit whose answer was lost: it is found out whether it was one, never guessed. Store thread only.
 *
 * It is asked for as long as it takes, while the host runs: nobody is told that something was not stored which may be there. Those who wait for it have
 * their own patience, and are told that it is not known.
 *
 * The database is asked how the transaction ended. A server that crashed may have given its number to another one since, so a "yes" counts only together
 * with a row that the transaction wrote. */
#include "registry/writes.h"

#include <time.h>

#include "base/log.h"

#define PAUSE_NS 100000000L

static void pause_for_a_while(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
}

/* Is its row there? DATABASE_OK, DATABASE_DONE: it is not, DATABASE_FAILED. */
static enum database_result find_trace(struct writer *writer)
{
	const struct writer_trace *trace = &writer->trace;
	struct statement *statement;
	int64_t found = 0;

	if (!trace->told && trace->sequence == 0)
		return DATABASE_OK;
	if (!database_is_connected(writer->db) && database_connect(writer->db, NULL) != ERROR_NONE)
		return DATABASE_FAILED;
	statement = writer->statements[trace->told ? WRITE_FIND_EVENT : WRITE_FIND_CHANGE];
	if (trace->told) {
		statement_bind_integer(statement, 1, trace->newest);
		statement_bind_integer(statement, 2, trace->at_ms);
		statement_bind_integer(statement, 3, trace->sequence);
	} else {
		statement_bind_integer(statement, 1, trace->sequence);
		statement_bind_integer(statement, 2, trace->updated_ms);
	}
	return statement_find(statement, &found);
}

enum database_result writer_settle(struct writer *writer)
{
	enum database_result ended = DATABASE_FAILED, result = DATABASE_FAILED;

	while (result == DATABASE_FAILED) {
		if (ended == DATABASE_FAILED)
			ended = database_settle(writer->db);
		result = ended == DATABASE_OK || ended == DATABASE_UNKNOWN ? find_trace(writer) : ended;
		if (result == DATABASE_FAILED && atomic_load(&writer->leaving))
			return DATABASE_UNKNOWN;
		if (result == DATABASE_FAILED)
			pause_for_a_while();
	}
	log_message(LOG_WARN, "registry.settled", "the answer to a commit was lost; it was %s",
		result == DATABASE_OK ? "written" : "not written");
	return result;
}
