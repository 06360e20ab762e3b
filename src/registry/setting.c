/* setting.c - one setting: written on the store's thread, read and waited for on any other. */
#include "registry/setting.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "registry/awaited_write.h"
#include "registry/reads.h"
#include "registry/writes.h"

/* ---- on the store thread ---- */

bool writer_set(struct writer *writer, struct store_write *write)
{
	const struct setting *setting = write->setting;
	struct statement *statement = writer->statements[setting->once ? WRITE_SETTING_ONCE : WRITE_SETTING];
	enum database_result result;
	int64_t revision;

	writer_bind_text(statement, 1, setting->name);
	writer_bind_text(statement, 2, setting->value);
	result = statement_find(statement, &revision);
	if (result != DATABASE_OK && result != DATABASE_DONE)
		return writer_fail(writer, "store the setting");
	write->outcome = result == DATABASE_OK ? STORE_WRITTEN : STORE_UNCHANGED;
	return true;
}

/* ---- on any other ---- */

struct awaited_setting {
	struct awaited_write awaited; /* first */
	struct setting setting;
	char *name, *value, *event;
};

static void forget_setting(struct awaited_write *awaited)
{
	struct awaited_setting *made = (struct awaited_setting *)(void *)awaited;

	explicit_bzero(made->value, strlen(made->value)); /* it may be a key */
	free(made->name);
	free(made->value);
	free(made->event);
	free(made);
}

enum error_code task_store_set(struct task_store *store, const struct setting *setting, struct error *error)
{
	struct awaited_setting *made = memory_new(sizeof *made);
	struct store_write *write = &made->awaited.write;
	enum store_outcome outcome;

	made->name = memory_copy_text(setting->name);
	made->value = memory_copy_text(setting->value);
	made->event = memory_copy_text(setting->event);
	made->setting = (struct setting){ .name = made->name, .value = made->value, .once = setting->once };
	made->awaited.forget = forget_setting;
	*write = (struct store_write){ .kind = STORE_SETTING, .setting = &made->setting, .durable = true };
	if (made->event != NULL)
		write->events[write->event_count++] = (struct store_event){ .verb = made->event };
	return awaited_write_run(&made->awaited, store, &outcome, error);
}

enum error_code task_store_setting(
	struct task_store *store, const char *name, char **value, int64_t *revision, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	struct statement *row;
	int code;

	if (reader == NULL)
		return ERROR_BUSY;
	row = reader->statements[READ_SETTING];
	statement_bind_text(row, 1, name);
	code = statement_step(row);
	if (code == DATABASE_DONE)
		result = error_set(error, ERROR_NOT_FOUND, "", "the registry has no setting \"%s\"", name);
	if (code == DATABASE_ROW) {
		*value = memory_copy_text(reads_text(row, 0));
		*revision = statement_integer(row, 1);
		if (*value == NULL)
			result = reads_refuse_row(reads, reader, error);
	}
	result = reads_end(reader, row, code, result, error);
	reads_give_back(reads, reader);
	return result;
}

enum error_code task_store_settings(struct task_store *store, int64_t revision,
	void (*visit)(void *context, const char *name, const char *value, int64_t revision), void *context, struct error *error)
{
	struct reads *reads = store_reads(store);
	struct reader *reader = reads_borrow(reads, error);
	enum error_code result = ERROR_NONE;
	const char *name, *value;
	struct statement *rows;
	int code = DATABASE_DONE;

	if (reader == NULL)
		return ERROR_BUSY;
	rows = reader->statements[READ_SETTINGS];
	statement_bind_integer(rows, 1, revision);
	while (result == ERROR_NONE && (code = statement_step(rows)) == DATABASE_ROW) {
		name = reads_text(rows, 0);
		value = reads_text(rows, 1);
		if (name != NULL && value != NULL)
			visit(context, name, value, statement_integer(rows, 2));
		else
			result = reads_refuse_row(reads, reader, error);
	}
	result = reads_end(reader, rows, code, result, error);
	reads_give_back(reads, reader);
	return result;
}

enum error_code setting_once(struct task_store *store, const char *name, const char *mine, char **value, struct error *error)
{
	int64_t revision;
	enum error_code code = task_store_setting(store, name, value, &revision, error);

	if (code != ERROR_NOT_FOUND)
		return code;
	code = task_store_set(store, &(struct setting){ .name = name, .value = mine, .once = true }, error);
	/* another host may have been first */
	return code == ERROR_NONE ? task_store_setting(store, name, value, &revision, error) : code;
}
