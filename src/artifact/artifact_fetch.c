/* artifact_fetch.c - downloads of outputs that are URLs. The artifacts thread.
 *
 * The guards are those of every outgoing request (net/destination.h, net/transfer_guard.c): declared hosts, https, public addresses, no
 * redirect. No credential is sent, unless the script asked for it and the host is the vendor's own API. What is written is what arrived
 * whole; the rest is discarded. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "artifact/internal.h"
#include "net/destination.h"
#include "script/outgoing_read.h"

static struct destination_detour detour_of(const struct artifact_item *item)
{
	const struct artifact_copy *copy = item->work->copy;

	return provider_detour(copy->provider, copy->view);
}

/* ---- before ---- */

/* A vendor's own API may want its credential for a file too; nobody else gets it. */
static void add_credentials(struct artifact_item *item)
{
	const struct manifest *manifest = &item->work->copy->provider->manifest;

	if (!json_is_true(json_object_get(item->output, "auth")) || manifest->base_url == NULL ||
		!destination_is_own(item->url.data, manifest->hosts, 1))
		return;
	outgoing_add_auth(&item->outgoing, &manifest->auth);
}

static bool check_output_url(struct artifact_item *item)
{
	const struct manifest *manifest = &item->work->copy->provider->manifest;
	struct error error;

	return destination_check_output(item->url.data, manifest->hosts, false, &error) == ERROR_NONE ||
	       destination_check_output(item->url.data, manifest->output_hosts, manifest->outputs_anywhere, &item->error) ==
		       ERROR_NONE;
}

static void note_host(struct artifact_item *item)
{
	const char *host = strstr(item->url.data, "://");
	size_t length;

	host = host != NULL ? host + 3 : item->url.data;
	length = strcspn(host, "/?#");
	if (length >= sizeof item->host)
		length = sizeof item->host - 1;
	memcpy(item->host, host, length);
	item->host[length] = '\0';
}

bool artifact_fetch_prepare(struct artifact_item *item)
{
	const char *url = json_text(item->output, "url");
	struct destination_detour detour = detour_of(item);

	outgoing_init(&item->outgoing);
	buffer_init(&item->url, LIMIT_ARTIFACT_URL_BYTES);
	destination_restore(url, &detour, &item->url);
	item->failed = true;
	if (item->url.failed) {
		error_set(&item->error, ERROR_LIMIT, "url", "its URL is longer than %d bytes", LIMIT_ARTIFACT_URL_BYTES);
		return false;
	}
	if (!check_output_url(item))
		return false;
	note_host(item);
	item->outgoing.method = "GET";
	item->outgoing.timeout_seconds = LIMIT_ARTIFACT_SECONDS;
	buffer_text(&item->outgoing.url, item->url.data);
	add_credentials(item);
	item->failed = false;
	return true;
}

void artifact_fetch_free(struct artifact_item *item)
{
	if (item->url.maximum == 0)
		return; /* no download */
	outgoing_clear(&item->outgoing, 0);
	buffer_free(&item->url);
}

/* ---- while it comes ---- */

static struct artifact_item *item_of(struct transfer *transfer)
{
	return (struct artifact_item *)(void *)((char *)transfer - offsetof(struct artifact_item, transfer));
}

/* What the head of the answer promises must fit. */
static bool fits_maximum(struct artifact_item *item)
{
	const char *text = response_header(&item->transfer.response, "content-length");
	int64_t maximum = item->work->copy->view->config->artifacts.max_bytes;

	if (text == NULL || strtoll(text, NULL, 10) <= maximum)
		return true;
	error_set(&item->error, ERROR_LIMIT, NULL, "larger than artifacts.max_bytes (%lld bytes): raise it, and try again",
		(long long)maximum);
	item->hopeless = true;
	return false;
}

static bool take_piece(struct transfer *transfer, const void *bytes, size_t length)
{
	struct artifact_item *item = item_of(transfer);
	struct mask_known known = artifact_known(item);

	if (transfer->response.status != 200)
		return false; /* an error's text is nobody's file */
	if (item->file.folder == NULL) {
		if (!fits_maximum(item))
			return false;
		artifact_file_open(&item->work->artifacts->store->folder, item->work->copy->view->config->artifacts.max_bytes,
			&known, &item->file);
	}
	if (item->file.folder != NULL && artifact_file_write(&item->file, bytes, length))
		return true;
	item->error = item->file.error;
	item->hopeless = true;
	return false;
}

/* ---- its end ---- */

static bool worth_another_try(const struct response *response)
{
	static const char *const passing[] = { "resolve", "connect", "tls", "timeout", "transport" };
	int status = response->status;

	if (status == 408 || status == 425 || status == 429 || status >= 500)
		return true;
	for (size_t i = 0; response->failed && i < sizeof passing / sizeof *passing; i++)
		if (strcmp(response->kind, passing[i]) == 0)
			return true;
	return false;
}

static void explain_failure(struct artifact_item *item)
{
	const struct response *response = &item->transfer.response;

	if (item->error.code != ERROR_NONE)
		return; /* our own reason to stop */
	if (response->status >= 300 && response->status < 400)
		error_set(&item->error, ERROR_IO, "url", "its server redirects elsewhere (%d), and redirects are not followed",
			response->status);
	else if (response->status == 401 || response->status == 403 || response->status == 404 || response->status == 410)
		error_set(&item->error, ERROR_IO, "url", "its server answered %d: the URL has expired, or is not public",
			response->status);
	else if (response->status != 0 && response->status != 200)
		error_set(&item->error, ERROR_IO, "url", "its server answered %d", response->status);
	else if (response->failed)
		error_set(&item->error, ERROR_IO, "url", "the download failed: %s", response->message);
	else
		error_set(&item->error, ERROR_IO, "url", "its server sent an empty file");
}

static int64_t pause_before_try(const struct artifact_item *item)
{
	const char *asked = response_header(&item->transfer.response, "retry-after");
	int64_t pause = LIMIT_ARTIFACT_PAUSE_MS, wanted;

	for (int i = 1; i < item->tries; i++)
		pause *= 4;
	wanted = asked != NULL ? strtoll(asked, NULL, 10) : 0;
	if (wanted > LIMIT_ARTIFACT_RETRY_AFTER_MS / 1000)
		return LIMIT_ARTIFACT_RETRY_AFTER_MS;
	return wanted * 1000 > pause ? wanted * 1000 : pause;
}

static void keep_type(struct artifact_item *item)
{
	const char *header = response_header(&item->transfer.response, "content-type");

	artifact_type_choose(
		json_text(item->output, "content_type"), header, item->file.head, item->file.head_length, item->type);
}

static void on_fetched(struct transfer *transfer)
{
	struct artifact_item *item = item_of(transfer);
	const struct response *response = &transfer->response;

	if (!response->failed && response->status == 200 && item->file.folder != NULL) {
		keep_type(item);
		item->failed = false;
	} else {
		explain_failure(item);
		artifact_file_discard(&item->file);
		item->failed = true;
		if (!item->hopeless && item->tries < LIMIT_ARTIFACT_TRIES && worth_another_try(response))
			item->rest_ms = pause_before_try(item);
	}
	response_clear(&transfer->response);
	artifact_downloads_ended(item);
}

void artifact_fetch_start(struct loop *loop, struct artifact_item *item)
{
	int64_t left = (item->work->until_ns - clock_monotonic_ns()) / 1000000000;

	item->outgoing.timeout_seconds = left >= LIMIT_ARTIFACT_SECONDS ? LIMIT_ARTIFACT_SECONDS : left > 0 ? (int)left : 1;
	item->tries++;
	item->rest_ms = 0;
	item->error = (struct error){ 0 };
	response_init(&item->transfer.response);
	item->transfer.outgoing = &item->outgoing;
	item->transfer.detour = detour_of(item);
	item->transfer.view = item->work->copy->view;
	item->transfer.subject = &item->work->copy->provider->subject;
	item->transfer.sink = take_piece;
	item->transfer.least_per_second = LIMIT_ARTIFACT_BYTES_PER_SECOND;
	item->transfer.done = on_fetched;
	transfer_start(loop, &item->transfer);
}
