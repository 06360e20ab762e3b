/* studio.c - publishes the page's files and answers with them. The loader thread writes, HTTP threads read.
 *
 * The only lock guards the pointer to the current table, for the time of one increment. Knows no route. */
#include "studio/studio.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "studio/studio_table.h"

#define HEADERS_BYTES 1024

struct studio {
	char *folder;
	pthread_mutex_t lock;
	struct studio_table *current; /* under lock; NULL: nothing is served */
};

/* The page loads nothing from elsewhere, is shown in nobody's frame, and builds no markup from text. */
static const char page_headers[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src "
	"'self' "
	"blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for "
	"'script'\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n";

struct studio *studio_new(const char *folder)
{
	struct studio *studio = memory_new(sizeof *studio);

	studio->folder = memory_copy_text(folder);
	pthread_mutex_init(&studio->lock, NULL);
	return studio;
}

void studio_free(struct studio *studio)
{
	if (studio == NULL)
		return;
	studio_table_release(studio->current);
	pthread_mutex_destroy(&studio->lock);
	free(studio->folder);
	free(studio);
}

/* With one more holder, or NULL. */
static struct studio_table *studio_current(struct studio *studio)
{
	struct studio_table *table;

	pthread_mutex_lock(&studio->lock);
	table = studio->current != NULL ? studio_table_hold(studio->current) : NULL;
	pthread_mutex_unlock(&studio->lock);
	return table;
}

static void publish_table(struct studio *studio, struct studio_table *table)
{
	struct studio_table *old;

	pthread_mutex_lock(&studio->lock);
	old = studio->current;
	studio->current = table;
	pthread_mutex_unlock(&studio->lock);
	studio_table_release(old);
}

static void log_table(const struct studio_table *table)
{
	const struct file_problem *problem;

	log_message(LOG_INFO, "studio.loaded", "%zu files", studio_table_count(table));
	for (size_t i = 0; (problem = studio_table_problem(table, i)) != NULL; i++)
		log_message(LOG_ERROR, "studio.rejected", "%s", problem->text);
}

void studio_reload(struct studio *studio, bool wanted)
{
	struct studio_table *table;

	if (!wanted) {
		publish_table(studio, NULL);
		return;
	}
	table = studio_table_read(studio->folder);
	if (table == NULL) /* the next look tries again */
		return;
	if (studio->current != NULL && studio_table_same(studio->current, table)) {
		studio_table_release(table);
		return;
	}
	log_table(table);
	publish_table(studio, table);
}

bool studio_is_there(struct studio *studio)
{
	struct studio_table *table = studio_current(studio);
	bool there = table != NULL && studio_table_find(table, STUDIO_INDEX) != NULL;

	studio_table_release(table);
	return there;
}

struct file_problem *studio_problem(struct studio *studio, size_t index)
{
	struct studio_table *table = studio_current(studio);
	struct file_problem *problem = table != NULL ? file_problem_hold(studio_table_problem(table, index)) : NULL;

	studio_table_release(table);
	return problem;
}

static void send_found(struct http_request *request, struct studio_table *table, const struct studio_file *file)
{
	char etag[STUDIO_ETAG_BYTES], headers[HEADERS_BYTES];
	bool unchanged;

	studio_table_etag(table, file, etag);
	unchanged = *etag != '\0' && http_client_has(request, etag);
	snprintf(headers, sizeof headers, "%s%s%s%s", page_headers, *etag != '\0' ? "ETag: " : "", etag,
		*etag != '\0' ? "\r\n" : "");
	http_send(request, &(struct http_reply){ .status = unchanged ? 304 : 200,
				   .content_type = file->type,
				   .headers = headers,
				   .body = file->bytes,
				   .body_length = unchanged ? 0 : file->length,
				   .published = true });
}

bool studio_send(struct studio *studio, struct http_request *request, const char *name)
{
	struct studio_table *table = studio_current(studio);
	const struct studio_file *file = table != NULL ? studio_table_find(table, *name != '\0' ? name : STUDIO_INDEX) : NULL;

	if (file != NULL)
		send_found(request, table, file);
	studio_table_release(table);
	return file != NULL;
}
