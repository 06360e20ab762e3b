/* sim_journal.c - every request that the simulator saw, so that a test can count submits.
 *
 * Any thread; one lock. An entry is JSON text from the moment it is made. Credentials never come here: of a header only its
 * scheme is told, of a query only the values of names that are known to be harmless (a webhook's URL holds a token). Entries
 * beyond LIMIT_SIM_JOURNAL are counted, not kept. */
#include "sim/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"

#define ENTRY_BYTES 16384

struct kept {
	char *text;
	const char *provider; /* of the scripts, or "" */
	bool paid;
};

struct list {
	struct kept *items;
	size_t count, room;
};

struct sim_journal {
	pthread_mutex_t lock;
	struct list requests, deliveries;
	uint64_t seen, paid;
	FILE *file;
};

static const char *const harmless[] = { "endpoint_id", "logs", "wait", "limit", "offset", "expand", "cursor", "ttl",
	"storage_type", "__modal_function_call_id", "q", "query", "search", "category", "status", "expand[]", "expand%5B%5D",
	"inference_provider", "pipeline_tag", "sort_by", "sort_direction", "include", "product", NULL };

static bool is_harmless(const char *name, size_t length)
{
	for (int i = 0; harmless[i] != NULL; i++)
		if (strlen(harmless[i]) == length && memcmp(harmless[i], name, length) == 0)
			return true;
	return false;
}

/* "endpoint_id=a&fal_webhook=***" */
static void write_query(struct buffer *out, const char *query)
{
	while (*query != '\0') {
		size_t length = strcspn(query, "&"), name = strcspn(query, "=&");
		bool shown = name == length || is_harmless(query, name);
		buffer_append(out, query, shown ? length : name);
		if (!shown)
			buffer_text(out, "=***");
		query += length;
		if (*query == '&')
			buffer_char(out, *query++);
	}
}

static void write_text_member(struct buffer *out, const char *name, const char *text)
{
	buffer_format(out, ",\"%s\":", name);
	json_write_text(out, text);
}

static void write_now(struct buffer *out)
{
	char text[CLOCK_TEXT_BYTES];

	clock_format(clock_unix_ms(), text);
	write_text_member(out, "time", text);
}

static void write_seen(struct buffer *out, uint64_t number, const struct sim_entry *entry)
{
	struct buffer path;

	buffer_init(&path, ENTRY_BYTES / 4);
	buffer_text(&path, entry->path);
	if (entry->query[0] != '\0') {
		buffer_char(&path, '?');
		write_query(&path, entry->query);
	}
	buffer_format(out, "{\"n\":%llu", (unsigned long long)number);
	write_now(out);
	write_text_member(out, "provider", entry->provider);
	write_text_member(out, "method", entry->method);
	write_text_member(out, "host", entry->host);
	write_text_member(out, "path", path.failed ? "" : path.data);
	write_text_member(out, "credential", entry->scheme);
	write_text_member(out, "traceparent", entry->trace);
	buffer_format(out, ",\"status\":");
	if (entry->status == 0)
		buffer_text(out, "null");
	else
		buffer_integer(out, entry->status);
	write_text_member(out, "fault", entry->fault);
	write_text_member(out, "job", entry->job);
	write_text_member(out, "prompt", entry->prompt);
	buffer_format(out, ",\"paid\":%s}", entry->paid ? "true" : "false");
	buffer_free(&path);
}

/* Takes `text` over. Called with the lock. */
static void keep_entry(struct list *list, char *text, const char *provider, bool paid)
{
	if (text != NULL && list->count == list->room && list->room < LIMIT_SIM_JOURNAL) {
		list->room = list->room == 0 ? 1024 : list->room * 2;
		list->items = memory_resize(list->items, list->room * sizeof *list->items);
	}
	if (text == NULL || list->count == list->room)
		free(text);
	else
		list->items[list->count++] = (struct kept){ text, provider, paid };
}

void sim_journal_add(struct sim_journal *journal, const struct sim_entry *entry)
{
	struct buffer out;

	buffer_init(&out, ENTRY_BYTES);
	pthread_mutex_lock(&journal->lock);
	journal->seen++;
	journal->paid += entry->paid;
	write_seen(&out, journal->seen, entry);
	if (journal->file != NULL && !out.failed) {
		fprintf(journal->file, "%s\n", out.data);
		fflush(journal->file);
	}
	keep_entry(&journal->requests, buffer_take(&out), entry->provider != NULL ? entry->provider : "", entry->paid);
	pthread_mutex_unlock(&journal->lock);
}

void sim_journal_delivery(struct sim_journal *journal, const char *provider, const char *job, int attempt, int status)
{
	struct buffer out;

	buffer_init(&out, ENTRY_BYTES);
	buffer_format(&out, "{\"attempt\":%d", attempt);
	write_now(&out);
	write_text_member(&out, "provider", provider);
	write_text_member(&out, "job", job);
	buffer_text(&out, ",\"status\":");
	if (status == 0)
		buffer_text(&out, "null}");
	else
		buffer_format(&out, "%d}", status);
	pthread_mutex_lock(&journal->lock);
	keep_entry(&journal->deliveries, buffer_take(&out), "", false);
	pthread_mutex_unlock(&journal->lock);
}

static void clear_list(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].text);
	free(list->items);
	*list = (struct list){ 0 };
}

void sim_journal_clear(struct sim_journal *journal)
{
	pthread_mutex_lock(&journal->lock);
	clear_list(&journal->requests);
	clear_list(&journal->deliveries);
	journal->seen = journal->paid = 0;
	pthread_mutex_unlock(&journal->lock);
}

static void write_list(const struct list *list, const char *provider, bool paid_only, struct buffer *out)
{
	const char *between = "";

	for (size_t i = 0; i < list->count; i++) {
		const struct kept *kept = &list->items[i];
		if ((paid_only && !kept->paid) || (provider != NULL && strcmp(provider, kept->provider) != 0))
			continue;
		buffer_text(out, between);
		buffer_text(out, kept->text);
		between = ",\n";
	}
}

void sim_journal_write(struct sim_journal *journal, const char *provider, bool paid_only, struct buffer *out)
{
	pthread_mutex_lock(&journal->lock);
	buffer_format(out, "{\"seen\":%llu,\"paid\":%llu,\"requests\":[", (unsigned long long)journal->seen,
		(unsigned long long)journal->paid);
	write_list(&journal->requests, provider, paid_only, out);
	buffer_text(out, "],\"deliveries\":[");
	if (provider == NULL && !paid_only)
		write_list(&journal->deliveries, NULL, false, out);
	buffer_text(out, "]}\n");
	pthread_mutex_unlock(&journal->lock);
}

enum error_code sim_journal_open(const char *file, struct sim_journal **journal, struct error *error)
{
	struct sim_journal *made = memory_new(sizeof *made);

	if (file != NULL) {
		made->file = fopen(file, "ae");
		if (made->file == NULL) {
			free(made);
			return error_set(error, ERROR_IO, file, "cannot write the journal \"%s\": %s", file, strerror(errno));
		}
	}
	pthread_mutex_init(&made->lock, NULL);
	*journal = made;
	return ERROR_NONE;
}

void sim_journal_close(struct sim_journal *journal)
{
	if (journal == NULL)
		return;
	clear_list(&journal->requests);
	clear_list(&journal->deliveries);
	if (journal->file != NULL)
		fclose(journal->file);
	pthread_mutex_destroy(&journal->lock);
	free(journal);
}
