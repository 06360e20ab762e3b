/* told_job.c - makes a row of the registry into what an agent is told. HTTP threads; reads only.
 *
 * What it costs is words: an agent's context is paid for by them. So no envelope, no request, no row as REST has it; and nothing of what vendors say
 * goes in without its mark (mcp_vendor_text()), for it is read by a model that follows what it reads. */
#include "mcp/told_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/access.h"
#include "api/artifact_entry.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/machine.h"
#include "directory/model_text.h"
#include "gate/signed_url.h"

#define CODE_BYTES 60
#define URL_PATH_BYTES 96

/* ---- its parts ---- */

/* What is settled is not reserved any more. */
static json_t *tell_money(const struct task_money *money)
{
	bool settled = money == NULL || money->spent >= 0;

	return json_pack("{s:o, s:o, s:s?}", "reserved_usd", mcp_usd(settled ? 0 : money->reserved), "spent_usd",
		mcp_usd(money != NULL ? money->spent : 0), "basis", money != NULL ? money->basis : NULL);
}

static void copy_members(json_t *to, const json_t *from, const char *const *names)
{
	json_t *value;

	for (; *names != NULL; names++) {
		value = json_object_get(from, *names);
		if (value != NULL && !json_is_null(value))
			json_object_set(to, *names, value);
	}
}

json_t *mcp_output_url(const struct mcp_job_reader *reader, const struct id *id, int n)
{
	struct config_api_key key = { .name = NULL };
	char path[URL_PATH_BYTES], query[SIGNED_URL_BYTES], job[ID_TEXT_BYTES];
	int64_t expires = clock_unix_ms() / 1000 + LIMIT_MCP_URL_SECONDS;

	id_format(id, job);
	snprintf(path, sizeof path, "/api/jobs/%s/artifacts/%d", job, n);
	memcpy(key.sha256, reader->key_sha256, sizeof key.sha256);
	if (reader->keyed && signed_url_make(reader->host->sessions, &key, path, expires, query))
		return json_sprintf("%s%s?%s", reader->url, path, query);
	return json_sprintf("%s%s", reader->url, path);
}

/* Names are bytes to a file system: one that is no text is not told. */
static void tell_file(const struct mcp_job_reader *reader, const json_t *entry, json_t *told)
{
	char *path =
		json_text(entry, "sha256") != NULL ? artifacts_path(reader->host->artifacts, json_text(entry, "sha256")) : NULL;
	json_t *text = path != NULL ? json_string(path) : NULL;

	if (text != NULL)
		json_object_set_new(told, "file", text);
	free(path);
}

/* One that was not kept has an error in place of its addresses. */
static json_t *tell_artifact(const struct mcp_job_reader *reader, const struct id *id, const json_t *entry)
{
	static const char *const names[] = { "bytes", "width", "height", "filename", NULL };
	int n = (int)json_integer_value(json_object_get(entry, "n"));
	char uri[ARTIFACT_URI_BYTES], space[ARTIFACT_TYPE_BYTES];
	json_t *told = json_pack("{s:i}", "n", n);

	if (json_text(entry, "error") != NULL) {
		json_object_set_new(told, "error", mcp_vendor_text(json_text(entry, "error")));
		return told;
	}
	artifact_uri_format(id, n, uri);
	json_object_set_new(told, "uri", json_string(uri));
	json_object_set_new(told, "url", mcp_output_url(reader, id, n));
	if (reader->files)
		tell_file(reader, entry, told);
	json_object_set_new(told, "content_type", json_string(artifact_entry_type(entry, space)));
	copy_members(told, entry, names);
	if (json_text(entry, "text") != NULL)
		json_object_set_new(told, "text", mcp_vendor_text(json_text(entry, "text")));
	return told;
}

static void count_artifacts(struct mcp_job *job)
{
	size_t all = json_array_size(job->artifacts);

	if (json_array_size(json_object_get(job->structured, "artifacts")) < all)
		json_object_set_new(job->structured, "artifacts_in_all", json_integer((json_int_t)all));
}

static void tell_artifacts(const struct mcp_job_reader *reader, struct mcp_job *job)
{
	json_t *list = json_array(), *entry;
	size_t i;

	json_array_foreach(job->artifacts, i, entry) {
		if (i < MCP_SHOWN_ARTIFACTS)
			json_array_append_new(list, tell_artifact(reader, &job->id, entry));
	}
	json_object_set_new(job->structured, "artifacts", list);
	count_artifacts(job);
}

/* Its message is the vendor's; its code a word of the script, which may have it from the vendor. */
static json_t *tell_error(const json_t *error)
{
	if (!json_is_object(error))
		return json_null();
	return json_pack("{s:o*, s:o}", "code", model_text_clean(json_object_get(error, "code"), CODE_BYTES), "message",
		mcp_vendor_text(json_text(error, "message")));
}

/* Until it was tried, it is the host's own word why a job waits. */
static json_t *tell_reason(const struct task *task, const json_t *error)
{
	const char *reason = task->live != NULL ? task->live->reason : NULL, *message = json_text(error, "message");

	if (reason == NULL || (message != NULL && strcmp(reason, message) == 0))
		return json_null();
	return task->live->attempts == 0 ? json_string_nocheck(reason) : mcp_vendor_text(reason);
}

static json_t *tell_next(const struct mcp_job *job, const char *id)
{
	if (job->dry_run)
		return json_string("finished: a dry run; nothing was sent, made or paid");
	switch (job->status) {
	case TASK_DONE: return json_string("finished");
	case TASK_ERROR: return json_string("ended in error; money says what was billed. To try anew, quote again");
	case TASK_CANCELED: return json_string("canceled; money says what was billed");
	case TASK_UNKNOWN: return json_string("it may have been billed; do not submit it again; the operator resolves it");
	default: break;
	}
	return json_sprintf("call get_job with job_id %s and wait_seconds 50", id);
}

/* ---- the whole ---- */

static int64_t eta_of(const struct mcp_job_reader *reader, const struct task *task, bool open)
{
	int64_t p50 = 0, p90 = 0, left;

	if (!open)
		return 0;
	if (task->live == NULL || live_history(reader->host->live, task->provider, task->kind, &p50, &p90) == 0)
		return -1;
	left = task->live->submitted_ms > 0 ? p50 - (clock_unix_ms() - task->live->submitted_ms) : p50;
	return left > 0 ? left : 0;
}

static void tell_job(const struct mcp_job_reader *reader, const struct task *task, struct mcp_job *job)
{
	json_t *result = json_read_stored(task->result);
	const json_t *error = json_object_get(result, "error");
	char id[ID_TEXT_BYTES];

	id_format(&task->id, id);
	job->artifacts = json_incref(json_object_get(result, "artifacts"));
	job->structured = json_pack("{s:s, s:s, s:o, s:o, s:o, s:b, s:s, s:o}", "job_id", id, "status",
		task_status_name(task->status), "progress", mcp_number(task->progress), "eta_seconds",
		job->eta_ms < 0 ? json_null() : json_integer((job->eta_ms + 999) / 1000), "reason", tell_reason(task, error),
		"dry_run", (int)task->dry_run, "provider", task->provider, "money", tell_money(task->money));
	tell_artifacts(reader, job);
	json_object_set_new(job->structured, "error", tell_error(error));
	json_object_set_new(job->structured, "next", tell_next(job, id));
	json_decref(result);
}

struct reading {
	const struct mcp_job_reader *reader;
	struct mcp_job *job;
	bool seen;
};

static void read_job(void *context, const struct task *task)
{
	struct reading *reading = context;
	const char *owner = reading->reader->owner;
	struct mcp_job *job = reading->job;

	if (*owner != '\0' && (task->caller == NULL || strcmp(task->caller, owner) != 0))
		return;
	reading->seen = true;
	job->id = task->id;
	job->status = task->status;
	job->dry_run = task->dry_run;
	job->open = task->status == TASK_QUEUED || task->status == TASK_RUNNING;
	job->progress = task->progress;
	job->eta_ms = eta_of(reading->reader, task, job->open);
	tell_job(reading->reader, task, job);
}

static bool is_on_this_machine(const struct http_request *request)
{
	const char *theirs = http_header(request, MACHINE_HEADER);
	char own[MACHINE_BYTES];

	return theirs != NULL && machine_text(own) && strcmp(own, theirs) == 0;
}

/* As the client reaches the host. Of TLS in front of it only the operator knows, who says it with live.public_url. */
static void note_url(const struct http_request *request, char url[MCP_HOST_URL_BYTES])
{
	const char *host = http_header(request, "Host"), *public_url = request->view->config->live.public_url;
	const char *name = public_url != NULL ? strstr(public_url, "://") : NULL;
	size_t length = host != NULL ? strlen(host) : 0;

	if (name != NULL && length > 0 && strncasecmp(name + 3, host, length) == 0 && strchr("/", name[3 + length]) != NULL)
		snprintf(url, MCP_HOST_URL_BYTES, "%.*s", (int)(strlen(public_url) - (public_url[strlen(public_url) - 1] == '/')),
			public_url);
	else
		snprintf(url, MCP_HOST_URL_BYTES, "http://%.*s", MCP_HOST_URL_BYTES - 8, host != NULL ? host : "");
}

void mcp_job_reader_open(const struct mcp_call *call, struct mcp_job_reader *reader)
{
	const char *owner = access_owner(call->request);
	const struct config_api_key *key = call->request->api_key;

	*reader = (struct mcp_job_reader){ .host = call->host,
		.links = call->request->view->config->mcp.resource_links,
		.files = is_on_this_machine(call->request),
		.keyed = key != NULL };
	if (key != NULL)
		memcpy(reader->key_sha256, key->sha256, sizeof reader->key_sha256);
	snprintf(reader->owner, sizeof reader->owner, "%s", owner != NULL ? owner : "");
	note_url(call->request, reader->url);
}

enum error_code mcp_job_read(const struct mcp_job_reader *reader, const struct id *id, struct mcp_job *job, struct error *error)
{
	struct reading reading = { .reader = reader, .job = job };
	enum error_code code;

	*job = (struct mcp_job){ .eta_ms = -1 };
	code = task_store_get(reader->host->store, id, read_job, &reading, error);
	return code == ERROR_NONE && !reading.seen ? error_set(error, ERROR_NOT_FOUND, NULL, "there is no such job") : code;
}

void mcp_job_close(struct mcp_job *job)
{
	json_decref(job->artifacts);
	json_decref(job->structured);
	job->artifacts = job->structured = NULL;
}

void mcp_job_answer(struct mcp_call *call, struct mcp_job *job)
{
	json_t *structured = job->structured, *list = json_object_get(structured, "artifacts");

	while (json_array_size(list) > 0 && !mcp_call_fits(call, structured)) {
		json_array_remove(list, json_array_size(list) - 1);
		count_artifacts(job);
	}
	job->structured = NULL;
	mcp_call_answer(call, structured);
}

void mcp_job_refuse(struct mcp_call *call, const struct error *error)
{
	if (error->code == ERROR_NOT_FOUND)
		mcp_call_refuse(
			call, "not_found", "there is no such job, or it is not yours to see; list_jobs names those that are");
	else
		mcp_call_refuse(call, "busy", "the jobs cannot be read now (%s): call again in some seconds", error->message);
}

bool mcp_job_named(struct mcp_call *call, const struct mcp_job_reader *reader, struct mcp_job *job)
{
	struct error error = { .code = ERROR_NOT_FOUND };
	struct id id;

	*job = (struct mcp_job){ .eta_ms = -1 };
	if (id_parse(mcp_argument_text(call, "job_id"), &id) && mcp_job_read(reader, &id, job, &error) == ERROR_NONE)
		return true;
	mcp_job_refuse(call, &error);
	return false;
}
