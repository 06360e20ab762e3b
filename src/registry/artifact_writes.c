/* artifact_writes.c - notes which outputs a job has. Store thread only. */
#include "registry/writes.h"

#include "base/json_span.h"
#include "registry/artifact_media.h"
#include "registry/database.h"

int writer_index_artifacts(struct writer *writer, int64_t sequence, int source, const char *caller, const char *result)
{
	sqlite3_stmt *statement = writer->statements[WRITE_ARTIFACT];
	struct json_span list = json_span_member(json_span_of(result), "artifacts"), entry = { 0 };
	const struct source *from = sources_get(writer->sources, source);
	int code = SQLITE_OK;

	for (int n = 0; n < LIMIT_ARTIFACTS && code == SQLITE_OK && from != NULL && json_span_next(list, &entry); n++) {
		sqlite3_bind_int64(statement, 1, sequence);
		sqlite3_bind_int(statement, 2, n);
		sqlite3_bind_int(statement, 3, source);
		sqlite3_bind_int(statement, 4, (int)artifact_media_of(entry, from->kind));
		writer_bind_text(statement, 5, caller);
		code = database_run(statement);
	}
	return code;
}
