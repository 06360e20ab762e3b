/* gate.c - the view in force: configuration, secrets and environment, and their exchange when a file changes.
 *
 * Owns the two files' last good contents. gate_reload() belongs to the loader thread; views are taken from any thread under a
 * mutex that is held for two additions, and are never changed once published. A broken file keeps the last good one; a file that
 * vanished means defaults. A view that a thread still holds keeps its secrets alive: hold it for one request, not longer. */
#include "gate/gate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_line.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "gate/config_excerpt.h"
#include "gate/config_read.h"
#include "gate/document.h"
#include "gate/environment.h"
#include "gate/mask_index.h"
#include "gate/mask_known.h"
#include "gate/secrets_read.h"

/* Views come and go while only one of the two files changes, so each part is counted by itself. */
struct part {
	atomic_uint references;
	struct config *config;
	struct secrets *secrets;
};

struct held_view {
	struct gate_view view; /* first: what callers see is this */
	atomic_uint references;
	struct part *config;
	struct part *secrets;
	struct mask_index *known;
	struct file_problem *config_problem;
	struct file_problem *secrets_problem;
	struct part *retired[LIMIT_RETIRED_SECRETS]; /* the files before, newest first; NULL: no more */
};

struct gate {
	pthread_mutex_t lock; /* guards `current` against release while it is being taken */
	struct held_view *current;
	char *home;
	struct environment *environment;
	atomic_bool exposed;
	uint64_t config_digest;
	uint64_t secrets_digest;
};

/* One reading of one file. */
struct reading {
	struct part *part; /* the new contents, or NULL: keep the last good ones */
	bool changed;	   /* since the last reading */
	bool found;
	struct error error;	      /* why there is no part, when it changed */
	struct file_problem *problem; /* the same, held; NULL: nothing is wrong */
	const char *file;
};

/* ---- parts and views ---- */

static struct part *part_make(struct config *config, struct secrets *secrets)
{
	struct part *part = memory_new(sizeof *part);

	atomic_init(&part->references, 1);
	part->config = config;
	part->secrets = secrets;
	return part;
}

static struct part *part_share(struct part *part)
{
	atomic_fetch_add(&part->references, 1);
	return part;
}

static void part_release(struct part *part)
{
	if (part == NULL || atomic_fetch_sub(&part->references, 1) != 1)
		return;
	config_free(part->config);
	secrets_free(part->secrets);
	free(part);
}

static void view_release(struct held_view *held)
{
	if (held == NULL || atomic_fetch_sub(&held->references, 1) != 1)
		return;
	part_release(held->config);
	part_release(held->secrets);
	for (size_t i = 0; i < LIMIT_RETIRED_SECRETS; i++)
		part_release(held->retired[i]);
	mask_index_free(held->known);
	file_problem_release(held->config_problem);
	file_problem_release(held->secrets_problem);
	free(held);
}

static void add_known(void *index, const char *value)
{
	mask_index_add(index, value);
}

/* What is never to be shown. NULL: out of memory. */
static struct mask_index *known_make(
	const struct secrets *secrets, struct part *const *retired, const struct environment *environment)
{
	struct mask_index *index = mask_index_new();

	if (index == NULL)
		return NULL;
	index->coded = true;
	secrets_each(secrets, add_known, index);
	for (size_t i = 0; i < LIMIT_RETIRED_SECRETS && retired[i] != NULL; i++)
		secrets_each(retired[i]->secrets, add_known, index);
	environment_each_credential(environment, add_known, index);
	environment_each_password(environment, add_known, index);
	if (mask_index_close(index, true))
		return index;
	mask_index_free(index);
	return NULL;
}

/* A value that was exchanged may be good for a while yet, and jobs that were sent with it go on: it stays masked. */
static void retire(struct held_view *held, const struct held_view *before)
{
	size_t count = 0;

	if (before == NULL)
		return;
	if (before->secrets != held->secrets)
		held->retired[count++] = part_share(before->secrets);
	for (size_t i = 0; i < LIMIT_RETIRED_SECRETS && count < LIMIT_RETIRED_SECRETS && before->retired[i] != NULL; i++)
		held->retired[count++] = part_share(before->retired[i]);
}

/* Takes the parts and the problems over. */
static struct held_view *view_make(const struct gate *gate, struct part *config, struct part *secrets,
	struct file_problem *config_problem, struct file_problem *secrets_problem)
{
	struct held_view *held = memory_new(sizeof *held);

	atomic_init(&held->references, 1);
	held->config = config;
	held->secrets = secrets;
	retire(held, gate->current);
	held->known = known_make(secrets->secrets, held->retired, gate->environment);
	held->config_problem = config_problem;
	held->secrets_problem = secrets_problem;
	held->view = (struct gate_view){ .config = config->config,
		.secrets = secrets->secrets,
		.environment = gate->environment,
		.known = held->known,
		.config_problem = held->config_problem,
		.secrets_problem = held->secrets_problem,
		.generation = gate->current != NULL ? gate->current->view.generation + 1 : 1 };
	return held;
}

const struct gate_view *gate_acquire(struct gate *gate)
{
	struct held_view *held;

	pthread_mutex_lock(&gate->lock);
	held = gate->current;
	atomic_fetch_add(&held->references, 1);
	pthread_mutex_unlock(&gate->lock);
	return &held->view;
}

const struct gate_view *gate_hold(const struct gate_view *view)
{
	atomic_fetch_add(&((struct held_view *)(uintptr_t)view)->references, 1);
	return view;
}

void gate_release(struct gate *gate, const struct gate_view *view)
{
	(void)gate;
	view_release((struct held_view *)(uintptr_t)view);
}

static bool clean(void *context, bool json, const char *text, size_t length, struct buffer *out)
{
	struct gate *gate = context;
	const struct gate_view *view = gate_acquire(gate);
	enum mask_outcome outcome = mask_known_text(&(struct mask_known){ .index = view->known }, json, text, length, out);

	gate_release(gate, view);
	if (outcome == MASK_STARVED)
		out->failed = true;
	return outcome != MASK_CLEAN;
}

struct cleaner gate_cleaner(struct gate *gate)
{
	return (struct cleaner){ .clean = clean, .context = gate };
}

static void publish(struct gate *gate, struct held_view *held)
{
	struct held_view *before;

	pthread_mutex_lock(&gate->lock);
	before = gate->current;
	gate->current = held;
	pthread_mutex_unlock(&gate->lock);
	view_release(before);
}

/* ---- reading the files ---- */

/* False: the file is as it was at the last reading. */
static bool is_news(const struct document *document, uint64_t *digest)
{
	bool news = document->digest != *digest;

	*digest = document->digest;
	return news;
}

static enum error_code refuse_exposure(const struct gate *gate, const struct config *config, struct error *error)
{
	if (!atomic_load(&gate->exposed) || config->server.api_key_count > 0)
		return ERROR_NONE;
	return error_set(error, ERROR_INVALID, "server.api_keys",
		"%s: server.api_keys: the host listens beyond loopback, so at least one key must stay", config->file);
}

/* Tells in the message what the trouble leads to. */
static void add_consequence(struct reading *reading, const char *consequence)
{
	size_t length = strlen(reading->error.message);

	snprintf(reading->error.message + length, sizeof reading->error.message - length, "; %s", consequence);
}

/* What is wrong, for the next view. `quoted`: the document's lines may be shown, as config_excerpt.h shows them. */
static void keep_problem(struct reading *reading, const char *consequence, const struct document *document, bool quoted)
{
	if (!reading->changed || reading->part != NULL || consequence == NULL)
		return;
	add_consequence(reading, consequence);
	reading->problem = file_problem_new(reading->error.message, reading->file, reading->error.line,
		file_problem_message(reading->error.message, reading->file));
	if (quoted && document->text != NULL)
		file_problem_quote(reading->problem, document->text, document->length, config_excerpt_line);
}

/* A field's complaint names its path; this is where that stands. */
static void find_field_line(const struct document *document, struct error *error)
{
	if (error->code == ERROR_INVALID && error->line == 0 && document->text != NULL)
		error->line = json_line_of(document->text, document->length, error->path);
}

/* `consequence` is what it leads to that there is no part; NULL: nobody will ask for the problem. */
static void read_config(struct gate *gate, const char *consequence, struct reading *reading)
{
	struct document document;
	struct config *config = NULL;
	enum error_code code = document_read(gate->home, config_names, false, &document, &reading->error);

	reading->changed = is_news(&document, &gate->config_digest);
	reading->found = document.path != NULL;
	reading->file = document.name;
	if (reading->changed && code == ERROR_NONE)
		code = config_from_document(&document, &config, &reading->error);
	if (config != NULL)
		code = refuse_exposure(gate, config, &reading->error);
	if (config != NULL && code == ERROR_NONE) {
		reading->part = part_make(config, NULL);
	} else {
		config_free(config);
		find_field_line(&document, &reading->error);
	}
	keep_problem(reading, consequence, &document, true);
	document_free(&document);
}

static void read_secrets(struct gate *gate, const char *consequence, struct reading *reading)
{
	struct document document;
	struct secrets *secrets = NULL;
	enum error_code code = document_read(gate->home, secrets_names, true, &document, &reading->error);

	reading->changed = is_news(&document, &gate->secrets_digest);
	reading->found = document.path != NULL;
	reading->file = document.name;
	if (reading->changed && code == ERROR_NONE)
		code = secrets_from_document(&document, &secrets, &reading->error);
	if (secrets != NULL)
		reading->part = part_make(NULL, secrets);
	keep_problem(reading, consequence, &document, false);
	document_free(&document);
}

static void log_rejected(const char *event, const char *file, const char *reason)
{
	struct log_line line;

	log_begin(&line, LOG_WARN, event);
	log_text(&line, "file", file);
	log_text(&line, "reason", reason);
	log_end(&line);
}

static void log_reloaded(const char *event, const struct reading *reading)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, event);
	log_text(&line, "file", reading->file);
	log_text(&line, "reason", reading->found ? "the file changed" : "there is no such file now");
	log_end(&line);
}

/* ---- open, reload, close ---- */

/* The first view. A broken secrets file counts as empty, a broken configuration is an error. */
static enum error_code open_view(struct gate *gate, struct error *error)
{
	struct reading config = { .part = NULL }, secrets = { .part = NULL };

	read_config(gate, NULL, &config);
	if (config.part == NULL) {
		if (error != NULL)
			*error = config.error;
		return config.error.code;
	}
	read_secrets(gate, "until it is put right, the file counts as empty", &secrets);
	if (secrets.part == NULL)
		secrets.part = part_make(NULL, secrets_empty());
	gate->current = view_make(gate, config.part, secrets.part, NULL, secrets.problem);
	return ERROR_NONE;
}

enum error_code gate_open(const char *home, struct gate **gate, struct error *error)
{
	struct gate *made = memory_new(sizeof *made);
	enum error_code code;

	pthread_mutex_init(&made->lock, NULL);
	made->home = memory_copy_text(home);
	made->environment = environment_read();
	code = open_view(made, error);
	if (code != ERROR_NONE) {
		gate_close(made);
		return code;
	}
	*gate = made;
	return ERROR_NONE;
}

void gate_close(struct gate *gate)
{
	if (gate == NULL)
		return;
	view_release(gate->current);
	environment_free(gate->environment);
	free(gate->home);
	pthread_mutex_destroy(&gate->lock);
	free(gate);
}

void gate_report(struct gate *gate)
{
	const struct gate_view *view = gate_acquire(gate);

	if (view->config_problem != NULL)
		log_rejected("config.rejected", view->config->file, view->config_problem->text);
	if (view->secrets_problem != NULL)
		log_rejected("secrets.rejected", secrets_file(view->secrets), view->secrets_problem->text);
	gate_release(gate, view);
}

void gate_listens_on(struct gate *gate, const char *listen)
{
	atomic_store(&gate->exposed, !config_listen_is_loopback(listen));
}

/* What is wrong with the newest file now, held: nothing after a good reading, as before without news. */
static struct file_problem *problem_after(const struct reading *reading, struct file_problem *before)
{
	return reading->changed ? reading->problem : file_problem_hold(before);
}

static void log_reading(const struct reading *reading, const char *reloaded, const char *rejected)
{
	if (reading->changed && reading->part != NULL)
		log_reloaded(reloaded, reading);
	else if (reading->changed)
		log_rejected(rejected, reading->file, reading->error.message);
}

void gate_reload(struct gate *gate)
{
	struct reading config = { .part = NULL }, secrets = { .part = NULL };
	const struct held_view *before = gate->current; /* only this thread replaces it */
	struct held_view *after;

	read_config(gate, "the last good version stays in force", &config);
	read_secrets(gate, "the last good version stays in force", &secrets);
	if (!config.changed && !secrets.changed)
		return;
	log_reading(&config, "config.reloaded", "config.rejected");
	log_reading(&secrets, "secrets.reloaded", "secrets.rejected");
	after = view_make(gate, config.part != NULL ? config.part : part_share(before->config),
		secrets.part != NULL ? secrets.part : part_share(before->secrets), problem_after(&config, before->config_problem),
		problem_after(&secrets, before->secrets_problem));
	publish(gate, after);
}
