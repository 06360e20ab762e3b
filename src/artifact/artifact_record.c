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

/* Without user name, query and fragment. */
static void write_source_url(struct buffer *out, const char *url)
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

/* ---- what both say of an output; a value that is no text (not UTF-8) is left out ---- */

/* The source, for people and for another try: never its query, which may hold a signature. */
static void put_source(json_t *object, const struct artifact_item *item)
{
	const char *url = json_text(item->output, "url"), *host;
	const char *named = item->url.data != NULL && !item->url.failed ? item->url.data : url;
	struct buffer text;

	if (named == NULL)
		return;
	buffer_init(&text, URL_BYTES);
	write_source_url(&text, named);
	if (!text.failed) {
		host = strstr(text.data, "://");
		json_object_set_new(object, "source_url", json_stringn(text.data, text.length));
		if (host != NULL)
			json_object_set_new(object, "source_host", json_stringn(host + 3, strcspn(host + 3, ":/")));
	}
	buffer_free(&text);
}

static void put_known(json_t *object, const struct artifact_item *item)
{
	static const char *const names[] = { "width", "height", "seed" };
	uint64_t wide;
	json_t *value;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		value = json_object_get(item->output, names[i]);
		if (json_is_number(value) || json_wide(value, &wide))
			json_object_set(object, names[i], value);
	}
}

static void put_file(json_t *object, const struct artifact_item *item)
{
	char name[LIMIT_ARTIFACT_NAME_BYTES];

	json_object_set_new(object, "content_type", json_string(item->type));
	json_object_set_new(object, "bytes", json_integer(item->file.bytes));
	json_object_set_new(object, "sha256", json_string(item->file.sha256));
	artifact_type_name(json_text(item->output, "filename"), json_text(item->output, "url"), item->n, item->type, name);
	if (json_object_set_new(object, "filename", json_string(name)) != 0) { /* not UTF-8 */
		artifact_type_name(NULL, NULL, item->n, item->type, name);
		json_object_set_new(object, "filename", json_string(name));
	}
	put_known(object, item);
	put_source(object, item);
}

/* ---- beside the file ---- */

static json_t *provenance_of_item(const struct artifact_item *item)
{
	json_t *object = json_copy(item->work->copy->provenance);
	char now[CLOCK_TEXT_BYTES];

	clock_format(clock_unix_ms(), now);
	json_object_set_new(object, "n", json_integer(item->n));
	json_object_set_new(object, "stored_at", json_string(now));
	put_file(object, item);
	return object;
}

void artifact_record_provenance(struct artifact_item *item)
{
	json_t *object = provenance_of_item(item);
	char name[ID_TEXT_BYTES + 16];
	struct buffer text;

	buffer_init(&text, LIMIT_REPLY_BYTES);
	json_write(&text, object);
	buffer_char(&text, '\n');
	snprintf(name, sizeof name, "%s-%d", job_of(item), item->n);
	if (text.failed)
		error_memory(&item->file.error); /* with what its client has sent */
	item->failed = text.failed || !artifact_file_describe(&item->file, name, text.data, text.length);
	item->error = item->file.error;
	buffer_free(&text);
	json_decref(object);
}

/* ---- the job's row ---- */

/* Short text and JSON are shown where they are listed: what a text model said needs no second request. Masked, like all that goes into a row:
 * a vendor may echo what it was sent. */
static void put_inline(json_t *object, const struct artifact_item *item)
{
	static const char *const names[] = { "text", "json" };
	json_t *value;
	bool changed;

	for (size_t i = 0; item->file.bytes <= LIMIT_ARTIFACT_INLINE_BYTES && i < 2; i++) {
		value = json_object_get(item->output, names[i]);
		if (value != NULL)
			json_object_set_new(object, names[i], mask_json(item->work->copy->view, value, &changed));
	}
}

static json_t *entry_of_item(const struct artifact_item *item)
{
	json_t *object = json_object();

	json_object_set_new(object, "n", json_integer(item->n));
	if (item->failed) {
		if (json_object_set_new(object, "error", json_string(item->error.message)) != 0) /* cut within a character */
			json_object_set_new(object, "error", json_string("it could not be copied"));
		put_source(object, item);
	} else {
		json_object_set_new(object, "url", json_sprintf("/api/jobs/%s/artifacts/%d", job_of(item), item->n));
		put_file(object, item);
		json_object_del(object, "source_url"); /* beside the file; after a while it leads nowhere */
		put_inline(object, item);
	}
	return object;
}

static json_t *warning_of(const struct artifact_item *item, const json_t *entry)
{
	const char *vendor_id = json_text(item->work->copy->provenance, "vendor_id");

	return json_sprintf("artifacts[%d] was not kept: %s; the vendor may still have it for a while%s%s", item->n,
		json_text(entry, "error"), vendor_id != NULL ? ", as job " : "", vendor_id != NULL ? vendor_id : "");
}

/* Kept all the same: here, for now. */
static json_t *warning_of_waiting(const struct artifact_item *item)
{
	return json_sprintf("artifacts[%d] is not in the bucket yet: %s; this host keeps it, serves it, and tries again", item->n,
		item->file.elsewhere.message);
}

void artifact_record_results(struct artifact_work *work)
{
	struct artifact_copy *copy = work->copy;
	size_t outputs = json_array_size(copy->outputs);

	copy->artifacts = json_array();
	copy->warnings = json_array();
	copy->kept = copy->lost = 0;
	for (int i = 0; i < work->count; i++) {
		const struct artifact_item *item = &work->items[i];
		json_t *entry = entry_of_item(item);

		json_array_append_new(copy->artifacts, entry);
		if (item->failed)
			json_array_append_new(copy->warnings, warning_of(item, entry));
		else if (item->file.elsewhere.code != ERROR_NONE)
			json_array_append_new(copy->warnings, warning_of_waiting(item));
		*(item->failed ? &copy->lost : &copy->kept) += 1;
	}
	if (outputs > (size_t)work->count)
		json_array_append_new(
			copy->warnings, json_sprintf("only the first %d of %zu outputs were kept", work->count, outputs));
}
