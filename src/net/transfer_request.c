/* transfer_request.c - hands a request to curl: method, URL, headers, body. Credentials are written in here, and wiped where we held them. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/memory.h"
#include "gate/credential.h"
#include "gate/mask_known.h"
#include "net/internal.h"

static void wipe_buffer(struct buffer *buffer)
{
	if (buffer->data != NULL)
		explicit_bzero(buffer->data, buffer->length);
	buffer_free(buffer);
}

/* ---- headers ---- */

/* "Bearer {api_key}" with the value in it. False: a credential is not there. */
static bool fill_credentials(const struct transfer *transfer, const char *text, struct buffer *out)
{
	char name[64];
	const char *place, *value;
	size_t length;

	while ((place = credential_placeholder(text, &length)) != NULL) {
		buffer_append(out, text, (size_t)(place - 1 - text));
		snprintf(name, sizeof name, "%.*s", (int)length, place);
		value = length < sizeof name ? gate_credential_named(transfer->view, transfer->subject, name) : NULL;
		if (value == NULL)
			return false;
		buffer_text(out, value);
		text = place + length + 1;
	}
	buffer_text(out, text);
	return true;
}

/* Only what the script's auth says is filled: a user's value may hold braces too. A credential with a line's end in it is as good as none. */
static bool write_header(const struct transfer *transfer, const struct outgoing_header *header, struct buffer *line)
{
	bool filled = true;

	buffer_text(line, header->name);
	buffer_text(line, ": ");
	if (header->credential)
		filled = fill_credentials(transfer, header->value, line);
	else
		buffer_text(line, header->value);
	return filled && (line->failed || strpbrk(line->data, "\r\n") == NULL);
}

/* False: transfer->response says why. */
static bool add_request_header(struct transfer *transfer, const struct outgoing_header *header)
{
	struct buffer line;
	bool there, whole;

	if (transfer->outgoing->body_kind == BODY_FORM && strcasecmp(header->name, "Content-Type") == 0)
		return true; /* curl writes it, with its boundary */
	buffer_init(&line, LIMIT_REQUEST_HEAD_BYTES);
	there = write_header(transfer, header, &line);
	whole = there && !line.failed;
	if (whole)
		transfer->headers = curl_slist_append(transfer->headers, line.data);
	wipe_buffer(&line);
	if (!there)
		response_fail(&transfer->response, "credential", "a credential that the request needs is not there");
	else if (!whole)
		response_fail(&transfer->response, "connect", "out of memory");
	return whole;
}

static bool set_headers(struct transfer *transfer)
{
	for (size_t i = 0; i < transfer->outgoing->header_count; i++)
		if (!add_request_header(transfer, &transfer->outgoing->headers[i]))
			return false;
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	return true;
}

/* ---- method and body ---- */

static void set_method(struct transfer *transfer)
{
	if (strcmp(transfer->outgoing->method, "HEAD") == 0)
		curl_easy_setopt(transfer->easy, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, transfer->outgoing->method);
}

/* curl copies the bytes: with large ones that may fail. */
static bool add_part(curl_mime *form, const struct outgoing_part *part)
{
	curl_mimepart *mime = curl_mime_addpart(form);
	CURLcode code;
	struct buffer bytes;

	curl_mime_name(mime, part->name);
	if (part->value != NULL)
		return curl_mime_data(mime, part->value, part->value_length) == CURLE_OK;
	if (part->base64) {
		buffer_init(&bytes, LIMIT_SCRIPT_MEMORY_BYTES);
		outgoing_decode_base64(part, &bytes);
		code = bytes.failed ? CURLE_OUT_OF_MEMORY : curl_mime_data(mime, bytes.data, bytes.length);
		buffer_free(&bytes);
	} else {
		code = curl_mime_data(mime, part->data, part->data_length);
	}
	curl_mime_filename(mime, part->filename);
	if (part->content_type != NULL)
		curl_mime_type(mime, part->content_type);
	return code == CURLE_OK;
}

static bool set_form(struct transfer *transfer)
{
	const struct outgoing *outgoing = transfer->outgoing;

	transfer->form = curl_mime_init(transfer->easy);
	if (transfer->form == NULL)
		memory_exhausted(); /* no random boundary: GnuTLS once found no memory for it, and never does again */
	for (size_t i = 0; i < outgoing->part_count; i++)
		if (!add_part(transfer->form, &outgoing->parts[i]))
			return false;
	curl_easy_setopt(transfer->easy, CURLOPT_MIMEPOST, transfer->form);
	return true;
}

/* Lent to curl, not copied. */
static void lend_text(struct transfer *transfer, const char *text, size_t length)
{
	curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
	curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, text);
}

/* Blocks on the disk, briefly: the system has read ahead. */
static size_t file_on_read(char *to, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	const struct outgoing_file *file = &transfer->outgoing->file;
	int64_t left = file->length - transfer->file_sent;
	size_t room = left < (int64_t)(size * count) ? (size_t)left : size * count;
	ssize_t got = room > 0 ? pread(file->descriptor, to, room, file->at + transfer->file_sent) : 0;

	if (got < 0 || (got == 0 && room > 0))
		return CURL_READFUNC_ABORT;
	transfer->file_sent += got;
	return (size_t)got;
}

/* A connection that was used again turned out dead: from the beginning. */
static int file_on_seek(void *context, curl_off_t offset, int origin)
{
	struct transfer *transfer = context;

	if (origin != SEEK_SET || offset < 0 || offset > transfer->outgoing->file.length)
		return CURL_SEEKFUNC_FAIL;
	transfer->file_sent = offset;
	return CURL_SEEKFUNC_OK;
}

static void lend_file(struct transfer *transfer)
{
	transfer->file_sent = 0;
	curl_easy_setopt(transfer->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(transfer->easy, CURLOPT_READFUNCTION, file_on_read);
	curl_easy_setopt(transfer->easy, CURLOPT_READDATA, transfer);
	curl_easy_setopt(transfer->easy, CURLOPT_SEEKFUNCTION, file_on_seek);
	curl_easy_setopt(transfer->easy, CURLOPT_SEEKDATA, transfer);
	curl_easy_setopt(transfer->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->outgoing->file.length);
}

/* False: out of memory. */
static bool set_body(struct transfer *transfer)
{
	const struct outgoing *outgoing = transfer->outgoing;

	switch (outgoing->body_kind) {
	case BODY_NONE:
		if (strcmp(outgoing->method, "POST") == 0)
			lend_text(transfer, "", 0);
		return true;
	case BODY_JSON: lend_text(transfer, outgoing->body.data, outgoing->body.length); return true;
	case BODY_TEXT: lend_text(transfer, outgoing->text, outgoing->text_length); return true;
	case BODY_FILE: lend_file(transfer); return true;
	case BODY_FORM: break;
	}
	return set_form(transfer);
}

/* ---- URL ---- */

static bool request_names_credential(const void *context, const char *name)
{
	return outgoing_names_credential(context, name);
}

/* Where it really goes. A credential is put in only for who gets it in a header anyway. False: out of memory. */
static bool write_url(const struct transfer *transfer, struct buffer *url)
{
	const char *text = transfer->outgoing->url.data;
	struct buffer filled;
	bool written;

	if (!transfer->references || transfer->view == NULL) {
		destination_write(text, &transfer->detour, url);
		return !url->failed;
	}
	buffer_init(&filled, LIMIT_SCRIPT_MEMORY_BYTES);
	written = mask_known_fill(transfer->view, transfer->subject, request_names_credential, transfer->outgoing, text, &filled);
	if (written)
		destination_write(filled.data, &transfer->detour, url);
	wipe_buffer(&filled);
	return written && !url->failed;
}

/* Plain HTTP was checked to name loopback when the configuration and the script's request were read. What leads back to the host itself is left to
 * the guard to refuse, but for its address outside, which another program answers. */
static bool set_url(struct transfer *transfer)
{
	const char *public_url = transfer->view != NULL ? transfer->view->config->live.public_url : NULL;
	struct buffer url;
	bool written;

	buffer_init(&url, LIMIT_SCRIPT_MEMORY_BYTES);
	written = write_url(transfer, &url);
	if (written) {
		transfer->loopback_allowed = strncmp(url.data, "http://", 7) == 0;
		transfer->own = destination_is_this_host(url.data, public_url);
		curl_easy_setopt(transfer->easy, CURLOPT_URL, url.data);
	}
	wipe_buffer(&url);
	return written;
}

bool transfer_write_request(struct transfer *transfer)
{
	bool written = set_url(transfer);

	set_method(transfer);
	if (written && !set_headers(transfer))
		return false;
	written = written && set_body(transfer);
	if (!written)
		response_fail(&transfer->response, "connect", "out of memory");
	return written;
}
