/* bridge_call.c - a POST to /mcp. The command's only thread, under one curl multi handle.
 *
 * What the host sends is passed on as it is, message by message. Where it sends no message (it is not there, a proxy answers for it, the connection
 * breaks), one is made: each request is answered exactly once, unless it was cancelled. */
#include "cli/bridge_call.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/machine.h"
#include "base/memory.h"
#include "cli/client.h"
#include "cli/stream_reader.h"
#include "mcp/era.h"
#include "mcp/errors.h"

#define URL_BYTES LIMIT_PATH_BYTES
#define HEADER_BYTES (2 * LIMIT_MCP_NAME_BYTES)

struct bridge_call {
	struct bridge_host *host;
	CURL *curl;
	struct curl_slist *headers;
	json_t *id;
	bool initializes; /* its answer names the version that is spoken from then on */
	bool streams, answered;
	struct buffer sent, received;
	struct stream_reader reader;
	char problem[CURL_ERROR_SIZE];
};

/* ---- the headers ---- */

static void add_header(struct bridge_call *call, const char *text)
{
	struct curl_slist *longer = curl_slist_append(call->headers, text);

	if (longer == NULL)
		memory_exhausted();
	call->headers = longer;
}

/* Can a header hold it as it is? */
static bool fits_header(const char *text)
{
	size_t length = strlen(text);

	for (const char *at = text; *at != '\0'; at++)
		if (!isprint((unsigned char)*at) || (unsigned char)*at >= 0x7f)
			return false;
	return length > 0 && text[0] != ' ' && text[length - 1] != ' ' && strncmp(text, "=?base64?", 9) != 0;
}

/* One that is longer than any name or URI of the host is not sent: the host says what is wrong. */
static void add_name_header(struct bridge_call *call, const char *name)
{
	unsigned char encoded[HEADER_BYTES];
	char header[HEADER_BYTES + 32];
	size_t length = strlen(name);

	if (length >= LIMIT_MCP_NAME_BYTES)
		return;
	if (fits_header(name)) {
		snprintf(header, sizeof header, "Mcp-Name: %s", name);
	} else {
		if (!crypto_load())
			return;
		EVP_EncodeBlock(encoded, (const unsigned char *)name, (int)length);
		snprintf(header, sizeof header, "Mcp-Name: =?base64?%s?=", (const char *)encoded);
	}
	add_header(call, header);
}

static void add_version_header(struct bridge_call *call, const char *version)
{
	char header[64];

	if (*version == '\0' || !fits_header(version) || strlen(version) > 32)
		return;
	snprintf(header, sizeof header, "MCP-Protocol-Version: %s", version);
	add_header(call, header);
}

/* So a host on the same machine, run by the same user, may name files by their paths. */
static void add_machine(struct bridge_call *call, const char *machine)
{
	char header[MACHINE_BYTES + sizeof MACHINE_HEADER + 2];

	snprintf(header, sizeof header, MACHINE_HEADER ": %s", machine);
	add_header(call, header);
}

static void add_call_headers(struct bridge_call *call, const struct bridge_message *message)
{
	char method[LIMIT_MCP_METHOD_BYTES + 16], machine[MACHINE_BYTES];

	add_header(call, "Content-Type: application/json");
	add_header(call, "Accept: application/json, text/event-stream");
	add_header(call, "Expect:");
	if (call->host->key_header != NULL)
		add_header(call, call->host->key_header);
	if (machine_text(machine))
		add_machine(call, machine);
	add_version_header(call, message->version != NULL ? message->version : call->initializes ? "" : call->host->version);
	if (message->version == NULL)
		return;
	if (fits_header(message->method) && strlen(message->method) <= LIMIT_MCP_METHOD_BYTES) {
		snprintf(method, sizeof method, "Mcp-Method: %s", message->method);
		add_header(call, method);
	}
	if (message->name != NULL)
		add_name_header(call, message->name);
}

/* ---- what comes back ---- */

/* From now on requests name the version that was agreed on. */
static void note_version(struct bridge_call *call, const json_t *message)
{
	const char *version = json_text(json_object_get(message, "result"), "protocolVersion");

	if (call->initializes && version != NULL)
		snprintf(call->host->version, sizeof call->host->version, "%s", version);
}

/* Passes a message on, and notes whether it is the answer. A refusal from before the host read the request has no id: it gets this one. */
static bool take_message(struct bridge_call *call, const char *text, size_t length)
{
	json_t *message = json_read(text, length, NULL);
	bool is_answer = json_object_get(message, "result") != NULL || json_object_get(message, "error") != NULL;
	struct buffer out;

	if (!json_is_object(message) || (!is_answer && json_text(message, "method") == NULL) || (is_answer && call->answered)) {
		json_decref(message);
		return false;
	}
	call->answered |= is_answer;
	note_version(call, message);
	if (is_answer && json_object_get(message, "id") == NULL) {
		json_object_set(message, "id", call->id);
		buffer_init(&out, 2 * LIMIT_MCP_MESSAGE_BYTES);
		json_write(&out, message);
		bridge_print(buffer_begin(&out), out.length);
		buffer_free(&out);
	} else {
		bridge_print(text, length);
	}
	json_decref(message);
	return true;
}

static void take_event(void *context, const char *id, const char *data)
{
	(void)id;
	take_message(context, data, strlen(data));
}

static bool begins_stream(const struct bridge_call *call)
{
	char *type = NULL;
	long status = 0;

	return curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status == 200 &&
	       curl_easy_getinfo(call->curl, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != NULL &&
	       strncasecmp(type, "text/event-stream", 17) == 0;
}

static size_t receive_call(char *bytes, size_t size, size_t count, void *context)
{
	struct bridge_call *call = context;

	if (!call->streams && call->received.length == 0 && begins_stream(call))
		call->streams = true;
	if (call->streams) {
		stream_reader_take(&call->reader, bytes, size * count);
		return size * count;
	}
	buffer_append(&call->received, bytes, size * count);
	return call->received.failed ? 0 : size * count;
}

/* ---- its life ---- */

static bool set_up_call(struct bridge_call *call)
{
	CURL *curl = call->curl = curl_easy_init();
	char url[URL_BYTES];

	if (curl == NULL || (size_t)snprintf(url, sizeof url, "%s/mcp", call->host->base) >= sizeof url)
		return false;
	client_guard(curl);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)LIMIT_BRIDGE_SILENCE_SECONDS);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "providerd-mcp/" PROVIDERD_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)call->sent.length);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->sent.data);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_call);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, call->problem);
	curl_easy_setopt(curl, CURLOPT_PRIVATE, call);
	return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK && curl_multi_add_handle(call->host->multi, curl) == CURLM_OK;
}

struct bridge_call *bridge_call_begin(
	struct bridge_host *host, const struct bridge_message *message, const char *line, size_t length)
{
	struct bridge_call *call = memory_new(sizeof *call);

	call->host = host;
	call->id = json_incref((json_t *)(uintptr_t)message->id);
	call->initializes = strcmp(message->method, "initialize") == 0;
	buffer_init(&call->sent, LIMIT_BRIDGE_LINE_BYTES + 1);
	buffer_init(&call->received, 2 * LIMIT_MCP_MESSAGE_BYTES);
	stream_reader_open(&call->reader, take_event, call);
	add_call_headers(call, message);
	buffer_append(&call->sent, line, length);
	if (!call->sent.failed && set_up_call(call))
		return call;
	bridge_print_error(message->id, MCP_INTERNAL_ERROR, "providerd mcp: the request could not be sent: out of memory");
	bridge_call_free(call);
	return NULL;
}

static void tell_no_answer(struct bridge_call *call, CURLcode code)
{
	const char *why = call->problem[0] != '\0' ? call->problem : curl_easy_strerror(code), *base = call->host->base;

	fprintf(stderr, "providerd mcp: %s: %s\n", base, why);
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
		bridge_print_error(call->id, MCP_INTERNAL_ERROR,
			"no host answers at %s: start one with \"providerd serve\", or say where it is with --url (%s)", base,
			why);
	else if (code == CURLE_WRITE_ERROR && call->received.failed)
		bridge_print_error(call->id, MCP_INTERNAL_ERROR, "the host's answer is too large");
	else
		bridge_print_error(call->id, MCP_INTERNAL_ERROR,
			"the connection to the host at %s broke before its answer (%s): what was asked for may have been done",
			base, why);
}

void bridge_call_end(struct bridge_call *call, CURLcode code)
{
	long status = 0;

	if (call->answered)
		return;
	if (code != CURLE_OK) {
		tell_no_answer(call, code);
		return;
	}
	if (!call->streams && take_message(call, buffer_begin(&call->received), call->received.length))
		return;
	curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
	if (call->streams)
		bridge_print_error(call->id, MCP_INTERNAL_ERROR, "the host ended the stream before its answer: did it stop?");
	else
		bridge_print_error(call->id, MCP_INTERNAL_ERROR,
			"what answers at %s/mcp (status %ld) does not speak MCP: is --url that of a providerd?", call->host->base,
			status);
}

void bridge_call_free(struct bridge_call *call)
{
	if (call->curl != NULL) {
		curl_multi_remove_handle(call->host->multi, call->curl);
		curl_easy_cleanup(call->curl);
	}
	curl_slist_free_all(call->headers);
	stream_reader_close(&call->reader);
	buffer_free(&call->sent);
	buffer_free(&call->received);
	json_decref(call->id);
	free(call);
}

struct bridge_call *bridge_call_of(CURL *curl)
{
	char *call = NULL;

	curl_easy_getinfo(curl, CURLINFO_PRIVATE, &call);
	return (struct bridge_call *)(void *)call;
}

bool bridge_call_has_id(const struct bridge_call *call, const json_t *id)
{
	return json_equal(call->id, id) == 1;
}

bool bridge_call_streams(const struct bridge_call *call)
{
	return call->streams;
}
