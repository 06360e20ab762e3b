/* webhooks_out.c - registers, shows and removes outgoing webhooks, sends parked deliveries again, and tests. HTTP threads.
 *
 * Nothing is registered while hooks.enabled is off. A secret is in the answer that made it, and in no other. */
#include "api/webhooks_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "gate/mask.h"
#include "webhook_out/webhook_out.h"
#include "registry/store.h"
#include "event/host_event.h"

#define ANSWER_BYTES (16 * 1024 * 1024)

/* ---- in and out ---- */

static void send_webhook_error(struct http_request *request, const struct error *error)
{
	const char *path = error->path[0] != '\0' ? error->path : NULL;
	int status = error->code == ERROR_INVALID     ? 400
		     : error->code == ERROR_NOT_FOUND ? 404
		     : error->code == ERROR_LIMIT     ? 409
		     : error->code == ERROR_PENDING   ? 504
						      : 503;

	answer_problem(request, status, status == 400 ? path : NULL, error->message);
}

/* A text, or NULL when it is absent. False: a problem was sent. */
static bool read_text_member(struct http_request *request, const json_t *body, const char *name, const char **text)
{
	if (json_optional_text(body, name, text))
		return true;
	answer_problem(request, 400, name, "must be text");
	return false;
}

static bool is_member_given(const json_t *body, const char *name)
{
	const json_t *value = json_object_get(body, name);

	return value != NULL && !json_is_null(value);
}

/* ["public.image.*", ...] or one text, as patterns separated by commas; `event` is the name that modders' tools have for one. */
static bool read_patterns(struct http_request *request, const json_t *body, struct buffer *events)
{
	const char *member = is_member_given(body, "event") ? "event" : "events";
	const json_t *value = json_object_get(body, member), *item;
	bool good = true;
	size_t i;

	buffer_text(events, "");
	if (is_member_given(body, "event") && is_member_given(body, "events")) {
		answer_problem(request, 400, "event", "is given beside events: give one of them");
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
	if (good && !events->failed && (events->length > 0 || !is_member_given(body, member)))
		return true;
	answer_problem(request, 400, member,
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
	answer_problem(request, 403, NULL, detail);
	return false;
}

/* ---- showing ---- */

/* The callbacks' webhook, or null before there was any. */
static enum error_code write_callbacks(struct host *host, struct buffer *out, struct error *error)
{
	enum error_code code = webhooks_out_write_one(host->webhooks_out, "callbacks", out, error);

	if (code != ERROR_NOT_FOUND)
		return code;
	buffer_text(out, "null");
	return ERROR_NONE;
}

void webhooks_out_list_handle(struct host *host, struct http_request *request)
{
	struct buffer out;
	struct error error;
	enum error_code code;

	buffer_init(&out, ANSWER_BYTES);
	buffer_text(&out, "{\"ok\":true,\"enabled\":");
	json_write_bool(&out, request->view->config->hooks.enabled);
	buffer_text(&out, ",\"webhooks\":");
	code = webhooks_out_write(host->webhooks_out, &out, &error);
	buffer_text(&out, ",\"callbacks\":");
	if (code == ERROR_NONE)
		code = write_callbacks(host, &out, &error);
	buffer_char(&out, '}');
	if (code == ERROR_NONE)
		answer_json(request, 200, NULL, &out);
	else
		send_webhook_error(request, &error);
	buffer_free(&out);
}

/* One webhook as `member`. */
static void send_one(struct host *host, struct http_request *request, const char *id, const char *member,
	enum error_code (*write)(struct webhooks_out *webhooks, const char *id, struct buffer *out, struct error *error))
{
	struct buffer out;
	struct error error;

	buffer_init(&out, ANSWER_BYTES);
	buffer_format(&out, "{\"ok\":true,\"%s\":", member);
	switch (write(host->webhooks_out, id, &out, &error)) {
	case ERROR_NONE:
		buffer_char(&out, '}');
		answer_json(request, 200, NULL, &out);
		break;
	case ERROR_NOT_FOUND: answer_problem(request, 404, NULL, "there is no webhook with this id"); break;
	default: send_webhook_error(request, &error); break;
	}
	buffer_free(&out);
}

void webhooks_out_show_handle(struct host *host, struct http_request *request, const char *id)
{
	send_one(host, request, id, "webhook", webhooks_out_write_one);
}

void webhooks_out_deliveries_handle(struct host *host, struct http_request *request, const char *id)
{
	send_one(host, request, id, "deliveries", webhooks_out_write_attempts);
}

/* ---- registering ---- */

/* The client's secret, or a new one. False: a problem was sent. */
static bool choose_secret(struct http_request *request, const json_t *body, char secret[LIMIT_WEBHOOK_OUT_SECRET_BYTES])
{
	struct error error;
	const char *given;

	if (!read_text_member(request, body, "secret", &given))
		return false;
	if (given == NULL) {
		if (webhooks_out_make_secret(secret))
			return true;
		answer_problem(request, 503, NULL, "no secret can be made now");
		return false;
	}
	if (webhooks_out_check_secret(given, &error) != ERROR_NONE) {
		send_webhook_error(request, &error);
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
	answer_json(request, status, NULL, &out);
	buffer_free(&out);
}

static void order_webhook(struct host *host, struct http_request *request, const json_t *body, struct buffer *events)
{
	struct webhook_order order = { .caller = request->api_key != NULL ? request->api_key->name : NULL };
	char secret[LIMIT_WEBHOOK_OUT_SECRET_BYTES], id[WEBHOOK_ID_BYTES];
	struct error error;

	if (!read_text_member(request, body, "url", &order.url) || !read_patterns(request, body, events))
		return;
	if (order.url == NULL) {
		answer_problem(request, 400, "url", "is missing: where events are to be delivered");
		return;
	}
	if (webhooks_out_check_url(request->view->config, order.url, &error) != ERROR_NONE) {
		send_webhook_error(request, &error);
		return;
	}
	if (mask_holds_known(request->view, order.url)) { /* it is kept and shown */
		answer_problem(request, 400, "url", "must not carry a secret of the host's");
		return;
	}
	if (mask_holds_known(request->view, events->data)) {
		answer_problem(request, 400, "events", "must not carry a secret of the host's");
		return;
	}
	if (!choose_secret(request, body, secret))
		return;
	order.events = events->data;
	order.secret = secret;
	if (webhooks_out_add(host->webhooks_out, &order, id, &error) == ERROR_NONE)
		send_secret(request, 201, id, secret);
	else
		send_webhook_error(request, &error);
	explicit_bzero(secret, sizeof secret);
}

void webhooks_out_add_handle(struct host *host, struct http_request *request)
{
	static const char *const known[] = { "url", "events", "event", "secret", NULL };
	struct buffer events;
	json_t *body;

	if (!check_enabled(request) || (body = answer_read_members(request, known)) == NULL)
		return;
	buffer_init(&events, LIMIT_WEBHOOK_OUT_EVENTS_BYTES);
	order_webhook(host, request, body, &events);
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
	json_t *body = answer_read_members(request, known);

	if (body == NULL)
		return;
	id = *id != '\0' ? id : NULL;
	if (id == NULL && (http_query(request, "id", text, sizeof text) || http_query(request, "url", text, sizeof text)))
		id = text;
	if (id == NULL && (!read_text_member(request, body, "id", &id) || !read_text_member(request, body, "url", &url) ||
				  !read_text_member(request, body, "event", &event))) {
		json_decref(body);
		return;
	}
	id = id != NULL ? id : url;
	if (id == NULL)
		answer_problem(request, 400, "id", "is missing: the webhook's id, or its url");
	else if (webhooks_out_remove(host->webhooks_out, id, event, &error) == ERROR_NONE)
		answer_ok(request);
	else
		send_webhook_error(request, &error);
	json_decref(body);
}

void webhooks_out_rotate_handle(struct host *host, struct http_request *request, const char *id)
{
	static const char *const known[] = { "secret", NULL };
	char secret[LIMIT_WEBHOOK_OUT_SECRET_BYTES];
	struct error error;
	json_t *body = answer_read_members(request, known);

	if (body == NULL)
		return;
	if (choose_secret(request, body, secret)) {
		if (webhooks_out_rotate(host->webhooks_out, id, secret, &error) == ERROR_NONE)
			send_secret(request, 200, id, secret);
		else
			send_webhook_error(request, &error);
	}
	explicit_bzero(secret, sizeof secret);
	json_decref(body);
}

/* The event's number, which is text in every answer. */
static bool read_event_number(struct http_request *request, const json_t *body, int64_t *event)
{
	const char *text;
	char *end;

	*event = 0;
	if (!read_text_member(request, body, "event", &text) || text == NULL)
		return json_object_get(body, "event") == NULL || json_is_null(json_object_get(body, "event"));
	*event = strtoll(text, &end, 10);
	if (*event > 0 && *end == '\0')
		return true;
	answer_problem(request, 400, "event", "must be an event's number as text, as parked shows it");
	return false;
}

void webhooks_out_replay_handle(struct host *host, struct http_request *request, const char *id)
{
	static const char *const known[] = { "event", NULL };
	char answer[64];
	struct error error;
	int64_t event;
	int count;
	json_t *body = answer_read_members(request, known);

	if (body == NULL)
		return;
	if (read_event_number(request, body, &event)) {
		if (webhooks_out_replay(host->webhooks_out, id, event, &count, &error) == ERROR_NONE) {
			snprintf(answer, sizeof answer, "{\"ok\":true,\"replayed\":%d}", count);
			http_send(request, &(struct http_reply){ .status = 202, .body = answer, .body_length = strlen(answer) });
		} else {
			send_webhook_error(request, &error);
		}
	}
	json_decref(body);
}

/* ---- testing ---- */

/* For one webhook, or (NULL) for all. */
static bool emit_test(struct host *host, struct http_request *request, const char *id)
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

/* False: a problem was sent. */
static bool check_tested(struct host *host, struct http_request *request, const char *id)
{
	enum error_code code = ERROR_NOT_FOUND;
	struct error error;
	struct buffer out;

	buffer_init(&out, ANSWER_BYTES);
	if (strncmp(id, "hook_", 5) == 0)
		code = webhooks_out_write_one(host->webhooks_out, id, &out, &error);
	buffer_free(&out);
	if (code == ERROR_NOT_FOUND)
		answer_problem(request, 404, NULL, "there is no webhook with this id");
	else if (code != ERROR_NONE)
		send_webhook_error(request, &error);
	return code == ERROR_NONE;
}

void webhooks_out_test_handle(struct host *host, struct http_request *request)
{
	static const char *const known[] = { "id", NULL };
	static const char answer[] = "{\"ok\":true,\"type\":\"" WEBHOOK_TEST_TYPE "\"}";
	const char *id;
	json_t *body = answer_read_members(request, known);

	if (body == NULL)
		return;
	if (read_text_member(request, body, "id", &id) && (id == NULL || check_tested(host, request, id))) {
		if (emit_test(host, request, id))
			http_send(
				request, &(struct http_reply){ .status = 202, .body = answer, .body_length = sizeof answer - 1 });
		else
			answer_problem(request, 503, NULL, "the registry takes no event now");
	}
	json_decref(body);
}
