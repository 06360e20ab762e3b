/* models.c - pages of models, and one model. HTTP threads; reads snapshots, and waits only for a model that was never seen.
 *
 * Rows of the script come first, but for those that the directory has: of these the directory's is shown, and says that the script knows it too. */
#include "api/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/model_rows.h"
#include "api/query.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "directory/directory.h"

#define NEAREST 5
#define TAG_BYTES 32
#define MOST_SKIPPED 1000000

static const char *const model_kinds[] = { "image", "video", "audio", "text", "3d", "json", "other", NULL };
static const char *const model_states[] = { "active", "deprecated", "staging", "offline", "gone", NULL };

/* What the query asks for; "" is not asked for. */
struct asked_models {
	char words[LIMIT_MODEL_SEARCH_BYTES + 2];  /* one byte more than may be, to see that it is too long */
	char folded[LIMIT_MODEL_SEARCH_BYTES + 2]; /* in lower case, without blanks at its ends */
	char kind[16], status[16];
	char id[MODEL_ID_BYTES + 2];
	int64_t limit, skip;
};

struct models_page {
	struct incoming *incoming;
	struct directory *directory;
	const char *provider;
	struct directory_snapshot *snapshot; /* held, or NULL */
	struct model_rows rows;
	struct asked_models asked;
};

static const char *or_none(const char *text)
{
	return *text != '\0' ? text : NULL;
}

/* ---- the query ---- */

static bool refuse_models(struct incoming *incoming, const char *path, const char *detail)
{
	incoming_problem(incoming, 400, path, detail);
	return false;
}

static bool read_word(struct incoming *incoming, const char *name, const char *const *known, char *value, size_t size)
{
	char detail[160] = "must be one of ";

	if (!http_query(incoming->http, name, value, size))
		value[0] = '\0';
	for (size_t i = 0; known[i] != NULL; i++) {
		size_t used = strlen(detail);

		if (*value == '\0' || strcmp(value, known[i]) == 0)
			return true;
		snprintf(detail + used, sizeof detail - used, "%s%s", i > 0 ? ", " : "", known[i]);
	}
	return refuse_models(incoming, name, detail);
}

static bool read_page_number(struct incoming *incoming, const char *name, int64_t lowest, int64_t highest, int64_t *value)
{
	char detail[QUERY_DETAIL_BYTES];

	return query_read_number(incoming->http, name, lowest, highest, value, detail) || refuse_models(incoming, name, detail);
}

static bool read_models_query(struct incoming *incoming, struct asked_models *asked)
{
	*asked = (struct asked_models){ .limit = LIMIT_PAGE_DEFAULT };
	if (http_query(incoming->http, "id", asked->id, sizeof asked->id) && strlen(asked->id) > MODEL_ID_BYTES)
		return refuse_models(incoming, "id", "no model has so long an id");
	if (http_query(incoming->http, "q", asked->words, sizeof asked->words) && strlen(asked->words) > LIMIT_MODEL_SEARCH_BYTES)
		return refuse_models(incoming, "q", "is too long: some words of an id or a name are enough");
	(void)text_fold(asked->words, asked->folded, sizeof asked->folded); /* it fits */
	return read_word(incoming, "kind", model_kinds, asked->kind, sizeof asked->kind) &&
	       read_word(incoming, "status", model_states, asked->status, sizeof asked->status) &&
	       read_page_number(incoming, "limit", 1, LIMIT_PAGE_MAX, &asked->limit) &&
	       read_page_number(incoming, "cursor", 0, MOST_SKIPPED, &asked->skip);
}

/* ---- answers ---- */

static void write_models_head(const struct models_page *page, struct buffer *out)
{
	const struct manifest *manifest = &page->incoming->provider->manifest;

	buffer_text(out, "{\"ok\":true,");
	json_member_text(out, "provider", manifest->id);
	json_member_text(out, "name", manifest->name);
	json_member_text(out, "kind", page->incoming->kind);
	buffer_text(out, "\"directory\":");
	directory_write_state(page->directory, page->provider, out);
}

/* The end of a model's object is where a member more goes. */
static void write_known_model(const struct models_page *page, const struct directory_model *model, bool whole, struct buffer *out)
{
	const struct model_row *row = model_rows_find(&page->rows, model->id);

	directory_write_model(model, whole, row != NULL ? model_row_price(row) : NULL, out);
	out->length--;
	buffer_format(out, ",\"script\":%s}", row != NULL ? "true" : "false");
}

static void digest_text(uint64_t *digest, const char *text)
{
	*digest = *digest * 31 + (text != NULL ? text_digest(text, strlen(text)) : 7);
}

static void digest_number(uint64_t *digest, int64_t number)
{
	*digest = *digest * 31 + text_digest(&number, sizeof number);
}

static void digest_model(uint64_t *digest, const struct directory_model *model)
{
	digest_text(digest, model->id);
	digest_text(digest, model->status);
	digest_text(digest, model->failure);
	digest_text(digest, model->price_failure);
	digest_number(digest, model->text_ms);
	digest_number(digest, model->price_ms);
}

/* What changes the answer, but for ages, which grow each second: as_of says the same. */
static uint64_t digest_page(const struct models_page *page)
{
	const struct directory_snapshot *snapshot = page->snapshot;
	const char *query = page->incoming->http->query;
	uint64_t digest = page->incoming->provider->generation;

	digest_text(&digest, query);
	digest_text(&digest, page->incoming->kind);
	digest_text(&digest, directory_state(page->directory, page->provider));
	if (snapshot != NULL) {
		digest_text(&digest, snapshot->failure);
		digest_number(&digest, snapshot->as_of_ms);
		digest_number(&digest, (int64_t)snapshot->shown);
		digest_number(&digest, snapshot->complete);
	}
	return digest;
}

static void tag_of(uint64_t digest, char tag[TAG_BYTES])
{
	snprintf(tag, TAG_BYTES, "\"%016llx\"", (unsigned long long)digest);
}

/* `out` NULL: the client has it. */
static void send_models(struct incoming *incoming, const char *tag, const struct buffer *out)
{
	char headers[TAG_BYTES + 16];
	struct http_reply reply = { .status = 304, .headers = headers, .body = "", .revalidate = true };

	snprintf(headers, sizeof headers, "ETag: W/%s\r\n", tag);
	if (out != NULL && out->failed) {
		incoming_no_memory(incoming);
		return;
	}
	if (out != NULL) {
		reply.status = 200;
		reply.body = out->data;
		reply.body_length = out->length;
	}
	http_send(incoming->http, &reply);
}

/* ---- a page ---- */

static bool is_own_row(const struct models_page *page, const struct model_row *row)
{
	const struct asked_models *asked = &page->asked;

	return directory_find(page->snapshot, row->id) == NULL &&
	       (*asked->status == '\0' || strcmp(asked->status, "active") == 0) &&
	       model_row_fits(row, asked->folded, or_none(asked->kind));
}

struct page_rows {
	const struct model_row *own[LIMIT_PAGE_MAX];
	const struct directory_model *known[LIMIT_PAGE_MAX];
	size_t own_count, known_count;
	size_t total, next;
};

static void choose_rows(const struct models_page *page, struct page_rows *chosen)
{
	const struct asked_models *asked = &page->asked;
	size_t skip = (size_t)asked->skip, limit = (size_t)asked->limit, own = 0, total;
	struct directory_query query = { .text = asked->words, .kind = or_none(asked->kind), .status = or_none(asked->status) };

	for (size_t i = 0; i < page->rows.count; i++) {
		if (!is_own_row(page, &page->rows.list[i]))
			continue;
		if (own++ >= skip && chosen->own_count < limit)
			chosen->own[chosen->own_count++] = &page->rows.list[i];
	}
	query.limit = limit - chosen->own_count;
	query.skip = skip > own ? skip - own : 0;
	chosen->known_count = directory_search(page->snapshot, &query, chosen->known, &chosen->next, &total);
	chosen->total = own + total;
	skip += chosen->own_count + chosen->known_count;
	chosen->next = chosen->own_count + chosen->known_count > 0 && skip < chosen->total ? skip : 0;
}

static void write_models_page(const struct models_page *page, const struct page_rows *chosen, struct buffer *out)
{
	write_models_head(page, out);
	buffer_format(out, ",\"total\":%zu,\"next\":", chosen->total);
	if (chosen->next > 0)
		buffer_format(out, "\"%zu\"", chosen->next);
	else
		buffer_text(out, "null");
	buffer_text(out, ",\"models\":[");
	for (size_t i = 0; i < chosen->own_count; i++) {
		buffer_text(out, i > 0 ? "," : "");
		model_row_write(chosen->own[i], false, out);
	}
	for (size_t i = 0; i < chosen->known_count; i++) {
		buffer_text(out, i + chosen->own_count > 0 ? "," : "");
		write_known_model(page, chosen->known[i], false, out);
	}
	buffer_text(out, "]}");
}

static void answer_page(struct models_page *page)
{
	struct page_rows *chosen = memory_new(sizeof *chosen); /* 8 KB: the stack is small */
	struct buffer out;
	uint64_t digest;
	char tag[TAG_BYTES];

	page->snapshot = directory_acquire(page->directory, page->provider);
	digest = digest_page(page);
	if (*page->asked.folded != '\0')
		directory_ask_search(page->directory, page->provider, page->asked.folded);
	choose_rows(page, chosen);
	for (size_t i = 0; i < chosen->known_count; i++)
		digest_model(&digest, chosen->known[i]);
	tag_of(digest, tag);
	if (http_client_has(page->incoming->http, tag)) {
		send_models(page->incoming, tag, NULL);
	} else {
		buffer_init(&out, LIMIT_REPLY_BYTES);
		write_models_page(page, chosen, &out);
		send_models(page->incoming, tag, &out);
		buffer_free(&out);
	}
	free(chosen);
}

/* ---- one ---- */

static bool client_is_gone(void *context)
{
	return http_client_left(*(int *)context);
}

void models_ask(struct incoming *incoming, const char *id)
{
	struct directory *directory = incoming->host->directory;
	const struct model_source *source = directory_source(directory);
	const char *provider = incoming->provider->manifest.id;
	int socket = http_socket(incoming->http);
	bool unseen;

	json_decref(source->model(source->context, provider, id, false, &unseen));
	json_decref(source->price(source->context, provider, id));
	if (unseen && !http_is_short(incoming->http))
		(void)directory_await_model(directory, provider, id, LIMIT_DIRECTORY_WAIT_MS, client_is_gone, &socket);
}

static void answer_no_model(const struct models_page *page)
{
	const char *near[NEAREST];
	size_t count = directory_nearest(page->snapshot, page->asked.id, near, NEAREST);
	struct buffer members;

	buffer_init(&members, LIMIT_PAGE_BYTES);
	buffer_text(&members, "\"directory\":");
	directory_write_state(page->directory, page->provider, &members);
	buffer_text(&members, ",\"nearest\":[");
	for (size_t i = 0; i < count; i++) {
		buffer_text(&members, i > 0 ? "," : "");
		json_write_text(&members, near[i]);
	}
	buffer_text(&members, "],");
	incoming_problem_with(page->incoming, 404,
		directory_is_on(page->directory, page->provider)
			? "neither the script nor the directory knows this model; it may be submitted all the same"
			: "the script does not describe this model, and the directory is off; it may be submitted all the same",
		NULL, members.failed ? NULL : members.data);
	buffer_free(&members);
}

static void write_one_model(
	const struct models_page *page, const struct directory_model *model, const struct model_row *row, struct buffer *out)
{
	write_models_head(page, out);
	buffer_text(out, ",\"model\":");
	if (model != NULL)
		write_known_model(page, model, true, out);
	else
		model_row_write(row, true, out);
	buffer_char(out, '}');
}

static void answer_one(struct models_page *page)
{
	const struct directory_model *model;
	const struct model_row *row;
	struct buffer out;
	uint64_t digest;
	char tag[TAG_BYTES];

	models_ask(page->incoming, page->asked.id);
	page->snapshot = directory_acquire(page->directory, page->provider);
	model = directory_find(page->snapshot, page->asked.id);
	row = model_rows_find(&page->rows, page->asked.id);
	if (model == NULL && row == NULL) {
		answer_no_model(page);
		return;
	}
	digest = digest_page(page);
	if (model != NULL)
		digest_model(&digest, model);
	tag_of(digest, tag);
	if (http_client_has(page->incoming->http, tag)) {
		send_models(page->incoming, tag, NULL);
		return;
	}
	buffer_init(&out, LIMIT_REPLY_BYTES);
	write_one_model(page, model, row, &out);
	send_models(page->incoming, tag, &out);
	buffer_free(&out);
}

void models_handle(struct incoming *incoming)
{
	struct models_page page = {
		.incoming = incoming, .directory = incoming->host->directory, .provider = incoming->provider->manifest.id
	};

	if (!read_models_query(incoming, &page.asked))
		return;
	model_rows_open(&page.rows, &incoming->provider->manifest);
	if (*page.asked.id != '\0')
		answer_one(&page);
	else
		answer_page(&page);
	directory_release(page.snapshot);
	model_rows_close(&page.rows);
}
