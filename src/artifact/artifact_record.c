/* artifact_record.c - says what was kept, what was not, and where it came from: for the job's row, and beside the file. The artifacts thread. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/limits.h"
#include "gate/mask.h"
#include "artifact/internal.h"

#define URL_BYTES 4096

void artifact_record_url(struct buffer *out, const char *url)
{
	const char *host = strstr(url, "://");
	const char *at;
	size_t authority;

	host = host != NULL ? host + 3 : url;
	authority = strcspn(host, "/?#");
	at = memchr(host, '@', authority);
	buffer_append(out, url, (size_t)(host - url));
	host = at != NULL ? at + 1 : host;
	buffer_append(out, host, strcspn(host, "?#"));
}

static const char *job_of(const struct artifact_item *item)
{
	const char *job = json_text(item->work->copy->provenance, "job_id");

	return job != NULL ? job : "";
}

/* Sets a member when there is a value; a failure to do so makes *ok false. */
static void put(json_t *object, const char *name, json_t *value, bool *ok)
{
	if (value != NULL && json_object_set_new(object, name, value) != 0)
		*ok = false;
}

/* The source, for people and for another try: never its query, which may hold a signature. */
static void put_source(json_t *object, const struct artifact_item *item, bool *ok)
{
	const char *url = json_text(item->output, "url");
	const char *named = item->url.data != NULL && !item->url.failed ? item->url.data : url;
	struct buffer text;

	if (named == NULL)
		return;
	buffer_init(&text, URL_BYTES);
	artifact_record_url(&text, named);
	if (!text.failed) {
		const char *host = strstr(text.data, "://");

		put(object, "source_url", json_stringn(text.data, text.length), ok);
		if (host != NULL)
			put(object, "source_host", json_stringn(host + 3, strcspn(host + 3, ":/")), ok);
	}
	buffer_free(&text);
}

static void put_known(json_t *object, const struct artifact_item *item, bool *ok)
{
	static const char *const names[] = { "width", "height", "seed" };
	uint64_t wide;
	json_t *value;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		value = json_object_get(item->output, names[i]);
		if (json_is_number(value) || json_wide(value, &wide))
			put(object, names[i], json_incref(value), ok);
	}
}

/* ---- a file that was kept ---- */

static void put_file(json_t *object, const struct artifact_item *item, bool *ok)
{
	char name[LIMIT_ARTIFACT_NAME_BYTES];
	json_t *text;

	put(object, "content_type", json_string(item->type), ok);
	put(object, "bytes", json_integer(item->file.bytes), ok);
	put(object, "sha256", json_string(item->file.sha256), ok);
	artifact_type_name(json_text(item->output, "filename"), json_text(item->output, "url"), item->n, item->type, name);
	text = json_string(name);
	if (text == NULL) { /* not UTF-8 */
		artifact_type_name(NULL, NULL, item->n, item->type, name);
		text = json_string(name);
	}
	put(object, "filename", text, ok);
	put_known(object, item, ok);
	put_source(object, item, ok);
}

static json_t *provenance_of(const struct artifact_item *item)
{
	json_t *object = json_copy_whole(item->work->copy->provenance);
	char now[CLOCK_TEXT_BYTES];
	bool ok = object != NULL;

	if (!ok)
		return NULL;
	clock_format(clock_unix_ms(), now);
	put(object, "n", json_integer(item->n), &ok);
	put(object, "stored_at", json_string(now), &ok);
	put_file(object, item, &ok);
	if (ok)
		return object;
	json_decref(object);
	return NULL;
}

void artifact_record_provenance(struct artifact_item *item)
{
	json_t *object = provenance_of(item);
	struct buffer text;
	char name[ID_TEXT_BYTES + 16];

	buffer_init(&text, LIMIT_REPLY_BYTES);
	if (object != NULL)
		json_write(&text, object);
	buffer_char(&text, '\n');
	snprintf(name, sizeof name, "%s-%d", job_of(item), item->n);
	if (object == NULL || text.failed)
		error_memory(&item->file.error);
	item->failed = object == NULL || text.failed || !artifact_file_describe(&item->file, name, text.data, text.length);
	if (item->failed)
		item->error = item->file.error;
	buffer_free(&text);
	json_decref(object);
}

/* ---- the job's row ---- */

/* Short text and JSON are shown where they are listed: what a text model said needs no second request. Masked, like all that goes into a row:
 * a vendor may echo what it was sent. */
static void put_inline(json_t *object, const struct artifact_item *item, bool *ok)
{
	static const char *const names[] = { "text", "json" };
	json_t *value;
	bool changed;

	for (size_t i = 0; item->file.bytes <= LIMIT_ARTIFACT_INLINE_BYTES && i < 2; i++) {
		value = json_object_get(item->output, names[i]);
		if (value != NULL)
			put(object, names[i], mask_json(item->work->copy->view, value, &changed), ok);
	}
}

static json_t *entry_of(const struct artifact_item *item)
{
	json_t *object = json_object();
	bool ok = object != NULL;

	if (!ok)
		return NULL;
	put(object, "n", json_integer(item->n), &ok);
	if (item->failed) {
		put(object, "error", json_string(item->error.message), &ok);
		put_source(object, item, &ok);
	} else {
		put(object, "url", json_sprintf("/api/jobs/%s/artifacts/%d", job_of(item), item->n), &ok);
		put_file(object, item, &ok);
		json_object_del(object, "source_url"); /* beside the file; after a while it leads nowhere */
		put_inline(object, item, &ok);
	}
	if (ok)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *warning_of(const struct artifact_item *item)
{
	const struct artifact_copy *copy = item->work->copy;
	const char *vendor_id = json_text(copy->provenance, "vendor_id");

	return json_sprintf("artifacts[%d] was not kept: %s; the vendor may still have it for a while%s%s", item->n,
		item->error.message, vendor_id != NULL ? ", as job " : "", vendor_id != NULL ? vendor_id : "");
}

static bool append(json_t *array, json_t *value)
{
	return value != NULL && json_array_append_new(array, value) == 0;
}

void artifact_record_results(struct artifact_work *work)
{
	struct artifact_copy *copy = work->copy;
	size_t outputs = json_array_size(copy->outputs);
	bool ok;

	copy->artifacts = json_array();
	copy->warnings = json_array();
	copy->kept = copy->lost = 0;
	ok = copy->artifacts != NULL && copy->warnings != NULL;
	for (int i = 0; ok && i < work->count; i++) {
		const struct artifact_item *item = &work->items[i];

		ok = append(copy->artifacts, entry_of(item));
		if (ok && item->failed)
			ok = append(copy->warnings, warning_of(item));
		*(item->failed ? &copy->lost : &copy->kept) += 1;
	}
	if (ok && outputs > (size_t)work->count)
		ok = append(copy->warnings, json_sprintf("only the first %d of %zu outputs were kept", work->count, outputs));
	if (ok)
		return;
	json_decref(copy->artifacts);
	json_decref(copy->warnings);
	copy->artifacts = copy->warnings = NULL;
}
