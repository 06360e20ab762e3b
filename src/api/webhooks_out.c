/* webhooks_out.c - registers, shows and removes outgoing webhooks, sends parked deliveries again, and tests. HTTP threads.
 *
 * Nothing is registered while hooks.enabled is off. A secret is in the answer that made it, and in no other. */
#include "api/webhooks_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/query.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "gate/mask.h"
#include "webhook_out/webhook_out.h"
#include "registry/store.h"
#include "event/host_event.h"

#define ANSWER_BYTES (16 * 1024 * 1024)

/* ---- in and out ---- */

static void send(struct http_request *request, int status, struct buffer *out)
{
	if (out->failed)
		query_problem(request, 503, NULL, "out of memory");
	else
		http_send(request, &(struct http_reply){ .status = status, .body = out->data, .body_length = out->length });
	buffer_free(out);
}

static void send_error(struct http_request *request, const struct error *error)
{
	const char *path = error->path[0] != '\0' ? error->path : NULL;
	int status = error->code == ERROR_INVALID     ? 400
		     : error->code == ERROR_NOT_FOUND ? 404
		     : error->code == ERROR_LIMIT     ? 409
		     : error->code == ERROR_PENDING   ? 504
						      : 503;

	query_problem(request, status, status == 400 ? path : NULL, error->message);
}

static bool refuse_member(struct http_request *request, const char *name, const char *const *known)
{
	const char *nearest = text_nearest(name, known);
	char detail[160];

	snprintf(detail, sizeof detail, "is not a member of this request%s%s%s", nearest != NULL ? "; did you mean \"" : "",
		nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
	query_problem(request, 400, name, detail);
	return false;
}

/* The body's object with these members only; no body, and null, are an empty one. NULL: a problem was sent. */
static json_t *read_body(struct http_request *request, const char *const *known)
{
	struct error error;
	json_t *body, *value;
	const char *name;
	bool good = true;

	error_memory(&error);
	body = request->body_length > 0 ? http_read_json(request, &error) : json_object();
	if (body == NULL) {
		query_problem(request, error.code == ERROR_MEMORY ? 503 : 400, error.path, error.message);
		return NULL;
	}
	if (json_is_null(body))
		body = json_object();
	if (!json_is_object(body)) {
		query_problem(request, 400, "", "must be a JSON object");
		good = false;
	}
	json_object_foreach(body, name, value) {
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], name) != 0)
			i++;
		if (good && known[i] == NULL)
			good = refuse_member(request, name, known);
	}
	if (good)
		return body;
	json_decref(body);
	return NULL;
}

/* A text, or NULL when it is absent. False: a problem was sent. */
static bool read_text(struct http_request *request, const json_t *body, const char *name, const char **text)
{
	const json_t *value = json_object_get(body, name);

	*text = json_text_value(value);
	if (value == NULL || json_is_null(value) || (*text != NULL && strlen(*text) == json_string_length(value)))
		return true;
	query_problem(request, 400, name, "must be text");
	return false;
}

static bool is_given(const json_t *body, const char *name)
{
	const json_t *value = json_object_get(body, name);

	return value != NULL && !json_is_null(value);
}

/* ["public.image.*", ...] or one text, as patterns separated by commas; `event` is the name that modders' tools have for one. */
static bool read_events(struct http_request *request, const json_t *body, struct buffer *events)
{
	const char *member = is_given(body, "event") ? "event" : "events";
	const json_t *value = json_object_get(body, member), *item;
	bool good = true;
	size_t i;

	buffer_text(events, "");
	if (is_given(body, "event") && is_given(body, "events")) {
		query_problem(request, 400, "event", "is given beside events: give one of them");
		return false;
	}
	if (json_text_value(value) != NULL)
		buffer_text(events, json_text_value(value));
	else if (value != NULL && !json_is_null(value) && !json_is_array(value))
		good = false;
	json_array_foreach(value, i, item) {
		good = good && json_text_value(item) != NULL;
		if (i > 0)
			buffer_char(events, ',');
		if (good)
			buffer_text(events, json_string_value(item));
	}
	if (good && !events->failed && (events->length > 0 || !is_given(body, member)))
		return true;
	query_problem(request, 400, member,
		events->failed ? "is longer than 1024 bytes"
		: good	       ? "is empty: leave it out to be told of everything"
			       : "must be a list of patterns of event types, such as [\"public.image.*\"]");
	return false;
}

static bool check_enabled(struct http_request *request)
{
	char detail[200];

	if (request->view->config->hooks.enabled)
		return true;
	snprintf(detail, sizeof detail, "outgoing webhooks are switched off: set hooks.enabled in %s",
		request->view->config->file);
	query_problem(request, 403, NULL, detail);
	return false;
}

/* ---- showing ---- */

void webhooks_out_list_handle(struct host *host, struct http_request *request)
{
	struct buffer out;

	buffer_init(&out, ANSWER_BYTES);
	buffer_text(&out, "{\"ok\":true,\"enabled\":");
	json_write_bool(&out, request->view->config->hooks.enabled);
	buffer_text(&out, ",\"webhooks\":");
	webhooks_out_write(host->webhooks_out, &out);
	buffer_text(&out, ",\"callbacks\":");
	if (!webhooks_out_write_one(host->webhooks_out, "callbacks", &out))
		buffer_text(&out, "null");
	buffer_char(&out, '}');
	send(request, 200, &out);
}

void webhooks_out_show_handle(struct host *host, struct http_request *request, const char *id)
{
	struct buffer out;

	buffer_init(&out, ANSWER_BYTES);
	buffer_text(&out, "{\"ok\":true,\"webhook\":");
	if (webhooks_out_write_one(host->webhooks_out, id, &out)) {
		buffer_char(&out, '}');
		send(request, 200, &out);
		return;
	}
	buffer_free(&out);
	query_problem(request, 404, NULL, "there is no webhook with this id");
}

/* ---- registering ---- */

/* The client's secret, or a new one. False: a problem was sent. */
static bool choose_secret(struct http_request *request, const json_t *body, char secret[LIMIT_WEBHOOK_OUT_SECRET_BYTES])
{
	struct error error;
	const char *given;

	if (!read_text(request, body, "secret", &given))
		return false;
	if (given == NULL) {
		if (webhooks_out_make_secret(secret))
			return true;
		query_problem(request, 503, NULL, "no secret can be made now");
		return false;
	}
	if (webhooks_out_check_secret(given, &error) != ERROR_NONE) {
		send_error(request, &error);
		return false;
	}
	snprintf(secret, LIMIT_WEBHOOK_OUT_SECRET_BYTES, "%s", given);
	return true;
}

static void send_secret(struct http_request *request, int status, const char *id, const char *secret)
{
	struct buffer out;

	buffer_init(&out, ANSWER_BYTES);
	buffer_format(&out, "{\"ok\":true,\"id\":\"%s\",\"secret\":", id);
	json_write_text(&out, secret);
	buffer_char(&out, '}');
	send(request, status, &out);
}

static void add(struct host *host, struct http_request *request, const json_t *body, struct buffer *events)
{
	struct webhook_order order = { .caller = request->api_key != NULL ? request->api_key->name : NULL };
	char secret[LIMIT_WEBHOOK_OUT_SECRET_BYTES], id[WEBHOOK_ID_BYTES];
	struct error error;

	if (!read_text(request, body, "url", &order.url) || !read_events(request, body, events))
		return;
	if (order.url == NULL) {
		query_problem(request, 400, "url", "is missing: where events are to be delivered");
		return;
	}
	if (webhooks_out_check_url(request->view->config, order.url, &error) != ERROR_NONE) {
		send_error(request, &error);
		return;
	}
	if (mask_holds_known(request->view, order.url)) { /* it is kept and shown */
		query_problem(request, 400, "url", "must not carry a secret of the host's");
		return;
	}
	if (mask_holds_known(request->view, events->data)) {
		query_problem(request, 400, "events", "must not carry a secret of the host's");
		return;
	}
	if (!choose_secret(request, body, secret))
		return;
	order.events = events->data;
	order.secret = secret;
	if (webhooks_out_add(host->webhooks_out, &order, id, &error) == ERROR_NONE)
		send_secret(request, 201, id, secret);
	else
		send_error(request, &error);
	explicit_bzero(secret, sizeof secret);
}

void webhooks_out_add_handle(struct host *host, struct http_request *request)
{
	static const char *const known[] = { "url", "events", "event", "secret", NULL };
	struct buffer events;
	json_t *body;

	if (!check_enabled(request) || (body = read_body(request, known)) == NULL)
		return;
	buffer_init(&events, LIMIT_WEBHOOK_OUT_EVENTS_BYTES);
	add(host, request, body, &events);
	buffer_free(&events);
	json_decref(body);
}

/* ---- removing, changing the secret, sending again ---- */

void webhooks_out_remove_handle(struct host *host, struct http_request *request, const char *id)
{
	static const char *const known[] = { "id", "url", "event", NULL };
	char text[LIMIT_WEBHOOK_OUT_URL_BYTES + 2]; /* one more than a URL may have: what is cut off is none of them */
	const char *url = NULL, *event = NULL;
	struct error error;
	json_t *body = read_body(request, known);

	if (body == NULL)
		return;
	if (id == NULL && (http_query(request, "id", text, sizeof text) || http_query(request, "url", text, sizeof text)))
		id = text;
	if (id == NULL && (!read_text(request, body, "id", &id) || !read_text(request, body, "url", &url) ||
				  !read_text(request, body, "event", &event))) {
		json_decref(body);
		return;
	}
	id = id != NULL ? id : url;
	if (id == NULL)
		query_problem(request, 400, "id", "is missing: the webhook's id, or its url");
	else if (webhooks_out_remove(host->webhooks_out, id, event, &error) == ERROR_NONE)
		http_send(request, &(struct http_reply){ .status = 200, .body = "{\"ok\":true}", .body_length = 11 });
	else
		send_error(request, &error);
	json_decref(body);
}

void webhooks_out_rotate_handle(struct host *host, struct http_request *request, const char *id)
{
	static const char *const known[] = { "secret", NULL };
	char secret[LIMIT_WEBHOOK_OUT_SECRET_BYTES];
	struct error error;
	json_t *body = read_body(request, known);

	if (body == NULL)
		return;
	if (choose_secret(request, body, secret)) {
		if (webhooks_out_rotate(host->webhooks_out, id, secret, &error) == ERROR_NONE)
			send_secret(request, 200, id, secret);
		else
			send_error(request, &error);
	}
	explicit_bzero(secret, sizeof secret);
	json_decref(body);
}

/* The event's number, which is text in every answer. */
static bool read_event(struct http_request *request, const json_t *body, int64_t *event)
{
	const char *text;
	char *end;

	*event = 0;
	if (!read_text(request, body, "event", &text) || text == NULL)
		return json_object_get(body, "event") == NULL || json_is_null(json_object_get(body, "event"));
	*event = strtoll(text, &end, 10);
	if (*event > 0 && *end == '\0')
		return true;
	query_problem(request, 400, "event", "must be an event's number as text, as parked shows it");
	return false;
}

void webhooks_out_replay_handle(struct host *host, struct http_request *request, const char *id)
{
	static const char *const known[] = { "event", NULL };
	char answer[64];
	struct error error;
	int64_t event;
	int count;
	json_t *body = read_body(request, known);

	if (body == NULL)
		return;
	if (read_event(request, body, &event)) {
		if (webhooks_out_replay(host->webhooks_out, id, event, &count, &error) == ERROR_NONE) {
			snprintf(answer, sizeof answer, "{\"ok\":true,\"replayed\":%d}", count);
			http_send(request, &(struct http_reply){ .status = 202, .body = answer, .body_length = strlen(answer) });
		} else {
			send_error(request, &error);
		}
	}
	json_decref(body);
}

/* ---- testing ---- */

/* For one webhook, or (NULL) for all. */
static bool test(struct host *host, struct http_request *request, const char *id)
{
	struct buffer data;
	bool emitted;

	buffer_init(&data, LIMIT_HOST_EVENT_BYTES);
	buffer_text(&data, "{\"message\":\"a test\",\"webhook\":");
	json_write_text(&data, id);
	buffer_text(&data, ",\"asked_by\":");
	json_write_text(&data, request->api_key != NULL ? request->api_key->name : NULL);
	buffer_char(&data, '}');
	emitted = !data.failed && host_event_emit(host->store, WEBHOOK_TEST_TYPE, data.data);
	buffer_free(&data);
	return emitted;
}

void webhooks_out_test_handle(struct host *host, struct http_request *request)
{
	static const char *const known[] = { "id", NULL };
	static const char answer[] = "{\"ok\":true,\"type\":\"" WEBHOOK_TEST_TYPE "\"}";
	struct buffer out;
	const char *id;
	json_t *body = read_body(request, known);

	if (body == NULL)
		return;
	buffer_init(&out, ANSWER_BYTES);
	if (read_text(request, body, "id", &id)) {
		if (id != NULL && (strncmp(id, "hook_", 5) != 0 || !webhooks_out_write_one(host->webhooks_out, id, &out)))
			query_problem(request, 404, NULL, "there is no webhook with this id");
		else if (!test(host, request, id))
			query_problem(request, 503, NULL, "the registry takes no event now");
		else
			http_send(
				request, &(struct http_reply){ .status = 202, .body = answer, .body_length = sizeof answer - 1 });
	}
	buffer_free(&out);
	json_decref(body);
}
