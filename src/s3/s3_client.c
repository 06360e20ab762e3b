/* s3_client.c - builds, signs, sends and judges requests to a bucket. */
#include "s3/s3_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define NS_PER_MS INT64_C(1000000)
#define MEMORY_TEXT "there is no memory for a request to the bucket"

struct s3_client {
	struct s3_place *place;
	struct gate *gate;
	struct loop *loop;
	struct s3_call *resting;
	bool closing;
	_Atomic int64_t skew_seconds; /* of this machine's clock, as the bucket's server has said */
	struct s3_figures figures;
	pthread_mutex_t lock; /* guards the text */
	char problem[480];    /* "": there is none */
};

struct s3_client *s3_client_new(struct s3_place *place, struct gate *gate, struct loop *loop)
{
	struct s3_client *client = memory_new(sizeof *client);

	*client = (struct s3_client){ .place = place, .gate = gate, .loop = loop };
	pthread_mutex_init(&client->lock, NULL);
	return client;
}

void s3_client_free(struct s3_client *client)
{
	if (client == NULL)
		return;
	pthread_mutex_destroy(&client->lock);
	s3_place_free(client->place);
	free(client);
}

const struct s3_place *s3_client_place(const struct s3_client *client)
{
	return client->place;
}

const struct s3_figures *s3_client_figures(const struct s3_client *client)
{
	return &client->figures;
}

/* ---- how the bucket does ---- */

bool s3_client_problem(struct s3_client *client, char *text, size_t size)
{
	bool found;

	pthread_mutex_lock(&client->lock);
	found = client->problem[0] != '\0';
	if (found)
		snprintf(text, size, "%s", client->problem);
	pthread_mutex_unlock(&client->lock);
	return found;
}

/* Told once, and once when it is over: the log is no place for each try. */
static void note_problem(struct s3_client *client, const char *text)
{
	bool changed, ended;

	pthread_mutex_lock(&client->lock);
	changed = strcmp(client->problem, text) != 0;
	ended = changed && text[0] == '\0';
	snprintf(client->problem, sizeof client->problem, "%s", text);
	pthread_mutex_unlock(&client->lock);
	if (ended)
		log_message(LOG_INFO, "artifact.bucket", "the bucket %s answers again", client->place->bucket);
	else if (changed)
		log_message(LOG_WARN, "artifact.bucket", "%s", text);
}

/* The server's clock, by its answer: it counts when a request is signed. */
static void note_clock(struct s3_client *client, const struct response *response)
{
	int64_t theirs = s3_read_time(response_header(response, "date")), skew = clock_unix_ms() / 1000 - theirs;

	if (theirs == 0)
		return;
	log_message(LOG_WARN, "artifact.bucket",
		"this machine's clock is %lld minutes %s that of %s: requests are signed by the latter",
		(long long)((skew < 0 ? -skew : skew) + 30) / 60, skew < 0 ? "behind" : "ahead of", client->place->host);
	atomic_store(&client->skew_seconds, skew);
}

static int64_t signing_seconds(struct s3_client *client)
{
	return clock_unix_ms() / 1000 - atomic_load(&client->skew_seconds);
}

/* ---- a request ---- */

/* Texts of headers, one after the other, each with its NUL. */
static const char *keep_value(struct s3_call *call, const char *text)
{
	size_t at = call->values.length;

	buffer_append(&call->values, text, strlen(text) + 1);
	return call->values.failed ? "" : call->values.data + at;
}

static void hash_text(struct s3_call *call)
{
	unsigned char digest[32];

	if (call->text != NULL) {
		crypto_sha256(call->text, strlen(call->text), digest);
		text_write_hex(call->payload, digest, sizeof digest);
	} else if (!call->has_file) {
		memcpy(call->payload, S3_EMPTY_SHA256, sizeof S3_EMPTY_SHA256);
	}
}

/* In the order of their names. */
static size_t list_headers(struct s3_call *call, const struct s3_key *key, const char *time, struct s3_header headers[])
{
	size_t count = 0;

	if (call->content_type != NULL)
		headers[count++] = (struct s3_header){ "content-type", call->content_type };
	headers[count++] = (struct s3_header){ "host", call->client->place->host };
	if (call->range[0] != '\0')
		headers[count++] = (struct s3_header){ "range", call->range };
	headers[count++] = (struct s3_header){ "x-amz-content-sha256", call->payload };
	headers[count++] = (struct s3_header){ "x-amz-date", time };
	if (key->session_token != NULL)
		headers[count++] = (struct s3_header){ "x-amz-security-token", key->session_token };
	return count;
}

static void write_headers(struct s3_call *call, const struct s3_header *headers, size_t count, const char *authorization)
{
	struct outgoing *outgoing = &call->outgoing;

	outgoing->header_count = 0;
	for (size_t i = 0; i < count; i++)
		if (strcmp(headers[i].name, "host") != 0) /* curl writes it, from the URL */
			outgoing->headers[outgoing->header_count++] =
				(struct outgoing_header){ .name = headers[i].name, .value = keep_value(call, headers[i].value) };
	outgoing->headers[outgoing->header_count++] =
		(struct outgoing_header){ .name = "authorization", .value = keep_value(call, authorization) };
}

/* False: out of memory. */
static bool sign_call(struct s3_call *call, const struct s3_key *key)
{
	const struct s3_place *place = call->client->place;
	struct s3_scope scope = { signing_seconds(call->client), place->region, "s3" };
	struct s3_header headers[S3_CALL_HEADERS];
	char time[S3_TIME_BYTES];
	struct buffer authorization;
	bool whole;

	s3_time(scope.unix_seconds, time);
	buffer_init(&authorization, LIMIT_S3_REQUEST_BYTES);
	buffer_clear(&call->values);
	buffer_reserve(&call->values, LIMIT_S3_REQUEST_BYTES / 2); /* so that no text moves */
	s3_authorize(&(struct s3_signed){ .method = call->method,
			     .path = call->path.data,
			     .query = call->query,
			     .headers = headers,
			     .header_count = list_headers(call, key, time, headers),
			     .payload = call->payload },
		&scope, key, &authorization);
	write_headers(call, headers, list_headers(call, key, time, headers), buffer_begin(&authorization));
	whole = !authorization.failed && !call->values.failed;
	buffer_free(&authorization);
	return whole;
}

/* False: call->error says why. */
static bool prepare_call(struct s3_call *call)
{
	struct s3_client *client = call->client;
	struct s3_key key;

	if (!crypto_load())
		return error_set(&call->error, ERROR_IO, NULL, "libcrypto (libssl3) cannot be loaded: is it installed?") ==
		       ERROR_NONE;
	if (!s3_key_find(call->view, &key))
		return error_set(&call->error, ERROR_IO, NULL,
			       "there are no credentials for the bucket %s: write access_key_id and secret_access_key into the "
			       "section "
			       "s3 of the secrets file, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
			       client->place->bucket) == ERROR_NONE;
	hash_text(call);
	buffer_clear(&call->path);
	s3_place_write_path(client->place, call->name[0] != '\0' ? call->name : NULL, &call->path);
	if (call->path.failed || !sign_call(call, &key))
		return error_set(&call->error, ERROR_BUSY, NULL, MEMORY_TEXT) == ERROR_NONE;
	return true;
}

static void write_body(struct s3_call *call)
{
	struct outgoing *outgoing = &call->outgoing;

	if (call->has_file) {
		outgoing->body_kind = BODY_FILE;
		outgoing->file = call->file;
	} else if (call->text != NULL) {
		outgoing->body_kind = BODY_TEXT;
		outgoing->text = call->text;
		outgoing->text_length = strlen(call->text);
	}
}

/* ---- sending ---- */

/* The refusal of a HEAD has no text: what follows it tells. */
static bool says_something(const struct s3_call *call)
{
	return strcmp(call->method, "HEAD") != 0 || call->status == 0 || call->error.code == ERROR_NONE;
}

static void end_call(struct s3_call *call)
{
	struct s3_client *client = call->client;

	atomic_fetch_add_explicit(&client->figures.requests, 1, memory_order_relaxed);
	if (call->error.code == ERROR_NONE && call->has_file)
		atomic_fetch_add_explicit(&client->figures.bytes_sent, (uint64_t)call->file.length, memory_order_relaxed);
	if (call->error.code != ERROR_NONE && call->error.code != ERROR_NOT_FOUND)
		atomic_fetch_add_explicit(&client->figures.failures, 1, memory_order_relaxed);
	if (says_something(call) && !client->closing)
		note_problem(client, call->error.code != ERROR_NOT_FOUND ? call->error.message : "");
	gate_release(client->gate, call->view);
	call->view = NULL;
	call->done(call);
}

static bool is_passing(const struct s3_call *call)
{
	return call->error.code == ERROR_BUSY && !call->client->closing && call->tries < LIMIT_S3_TRIES &&
	       strcmp(call->transfer.response.kind, "timeout") !=
		       0; /* a job may be waiting for it, and a host that stops for the job */
}

static void send_call(struct s3_call *call);

static void rest_call(struct s3_call *call)
{
	int64_t pause = LIMIT_S3_PAUSE_MS;

	for (int i = 1; i < call->tries; i++)
		pause *= 4;
	call->due_ns = clock_monotonic_ns() + pause * NS_PER_MS;
	call->next = call->client->resting;
	call->client->resting = call;
}

/* A server that has taken it all may say so late that what it says is an error: only of what is put together from parts, which is looked at by who asks. */
static void on_answered(struct transfer *transfer)
{
	struct s3_call *call = (struct s3_call *)(void *)((char *)transfer - offsetof(struct s3_call, transfer));
	struct response *response = &transfer->response;

	call->status = response->failed ? 0 : response->status;
	if (call->error.code == ERROR_NONE && (call->status < 200 || call->status > 299))
		s3_explain(call->client->place, call->deed, response,
			clock_unix_ms() / 1000 - s3_read_time(response_header(response, "date")), &call->error);
	if (s3_is_skewed(response) && call->tries < LIMIT_S3_TRIES && !call->client->closing) {
		note_clock(call->client, response);
		send_call(call);
	} else if (is_passing(call)) {
		rest_call(call);
	} else {
		end_call(call);
	}
}

/* An error's text is collected, whoever takes the file. */
static bool on_piece(struct transfer *transfer, const void *bytes, size_t length)
{
	struct s3_call *call = (struct s3_call *)(void *)((char *)transfer - offsetof(struct s3_call, transfer));

	if (transfer->response.status != 200 && transfer->response.status != 206) {
		buffer_append(&transfer->response.body, bytes, length);
		return !transfer->response.body.failed;
	}
	atomic_fetch_add_explicit(&call->client->figures.bytes_received, length, memory_order_relaxed);
	return call->sink(call, bytes, length);
}

/* Of a call that fails before anything is sent: its end comes from s3_client_turn(), never from within s3_call_start(). */
static void fail_later(struct s3_call *call)
{
	call->tries = LIMIT_S3_TRIES;
	call->due_ns = 0;
	call->next = call->client->resting;
	call->client->resting = call;
}

static void send_call(struct s3_call *call)
{
	struct s3_client *client = call->client;
	struct transfer *transfer = &call->transfer;

	if (call->tries > 0 && call->again != NULL)
		call->again(call);
	call->error = (struct error){ 0 };
	call->status = 0;
	call->tries++;
	response_clear(&transfer->response);
	outgoing_clear(&call->outgoing, 0);
	if (!prepare_call(call)) {
		fail_later(call);
		return;
	}
	call->outgoing.method = call->method;
	call->outgoing.repeatable =
		true; /* each of them may be done twice; parts that nobody puts together are swept by the bucket */
	call->outgoing.timeout_seconds = call->has_file || call->sink != NULL ? LIMIT_S3_FILE_SECONDS : LIMIT_S3_SECONDS;
	buffer_format(&call->outgoing.url, "%s%s%s%s", client->place->origin, call->path.data, call->query[0] != '\0' ? "?" : "",
		call->query);
	write_body(call);
	transfer->outgoing = &call->outgoing;
	transfer->named_by_operator = true;
	transfer->silence_seconds = LIMIT_S3_SILENCE_SECONDS;
	transfer->sink = call->sink != NULL ? on_piece : NULL;
	transfer->done = on_answered;
	transfer_start(client->loop, transfer);
}

void s3_call_start(struct s3_client *client, struct s3_call *call)
{
	call->client = client;
	call->view = gate_acquire(client->gate);
	outgoing_init(&call->outgoing);
	response_init(&call->transfer.response);
	call->transfer.response.body.maximum = LIMIT_S3_ANSWER_BYTES;
	buffer_init(&call->path, LIMIT_S3_REQUEST_BYTES);
	buffer_init(&call->values, LIMIT_S3_REQUEST_BYTES);
	call->tries = 0;
	send_call(call);
}

void s3_call_clear(struct s3_call *call)
{
	if (call->values.data != NULL)
		explicit_bzero(call->values.data, call->values.length);
	buffer_free(&call->values);
	buffer_free(&call->path);
	outgoing_clear(&call->outgoing, 0);
	response_clear(&call->transfer.response);
}

/* ---- turns ---- */

/* Takes one that is due. Also tells when the next of the others is. */
static struct s3_call *take_due(struct s3_client *client, int64_t now, int64_t *next_ns)
{
	struct s3_call **at = &client->resting, *call;

	*next_ns = INT64_MAX;
	for (; (call = *at) != NULL; at = &call->next) {
		if (call->due_ns <= now || client->closing) {
			*at = call->next;
			return call;
		}
		*next_ns = call->due_ns < *next_ns ? call->due_ns : *next_ns;
	}
	return NULL;
}

int64_t s3_client_turn(struct s3_client *client)
{
	int64_t now = clock_monotonic_ns(), next_ns;
	struct s3_call *call;

	while ((call = take_due(client, now, &next_ns)) != NULL) {
		if (client->closing || call->due_ns == 0)
			end_call(call);
		else
			send_call(call);
	}
	return client->resting != NULL && next_ns == INT64_MAX ? 0 : next_ns;
}

void s3_client_close(struct s3_client *client)
{
	client->closing = true;
	s3_client_turn(client);
}

/* ---- links ---- */

bool s3_client_link(struct s3_client *client, const char *name, const char *query, struct buffer *url)
{
	const struct gate_view *view = gate_acquire(client->gate);
	const struct s3_place *place = client->place;
	struct s3_scope scope = { signing_seconds(client), place->region, "s3" };
	struct buffer path;
	struct s3_key key;
	bool whole = crypto_load() && s3_key_find(view, &key);

	buffer_init(&path, LIMIT_S3_REQUEST_BYTES);
	s3_place_write_path(place, name, &path);
	if (whole && !path.failed) {
		buffer_format(url, "%s%s?", place->origin, path.data);
		s3_presign("GET", place->host, path.data, query, LIMIT_S3_URL_SECONDS, &scope, &key, url);
	}
	whole = whole && !path.failed && !url->failed;
	buffer_free(&path);
	gate_release(client->gate, view);
	return whole;
}
