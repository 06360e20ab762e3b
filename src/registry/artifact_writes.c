/* artifact_writes.c - notes which outputs a job has. Store thread only. */
#include "registry/writes.h"

#include "base/json_span.h"
#include "registry/artifact_media.h"
#include "database/database.h"

int writer_index_artifacts(struct writer *writer, int64_t sequence, int source, const char *caller, const char *result)
{
	struct statement *statement = writer->statements[WRITE_ARTIFACT];
	struct json_span list = json_span_member(json_span_of(result), "artifacts"), entry = { 0 };
	const struct source *from = sources_get(writer->sources, source);
	int code = DATABASE_OK;

	for (int n = 0; n < LIMIT_ARTIFACTS && code == DATABASE_OK && from != NULL && json_span_next(list, &entry); n++) {
		statement_bind_integer(statement, 1, sequence);
		statement_bind_integer(statement, 2, n);
		statement_bind_integer(statement, 3, source);
		statement_bind_integer(statement, 4, (int)artifact_media_of(entry, from->kind));
		writer_bind_text(statement, 5, caller);
		code = statement_run(statement);
	}
	return code;
}
