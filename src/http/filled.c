/* filled.c - writes JSON whose holes are filled with base64. HTTP threads, in the thread's buffer, which holds a slice at a time. */
#include "http/filled.h"

#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/limits.h"
#include "gate/mask_known.h"
#include "http/internal.h"

#define SLICE_BYTES 49152 /* of a file: a multiple of 3, and as base64 LIMIT_BODY_SLICE_BYTES */
_Static_assert(
	SLICE_BYTES % 3 == 0 && SLICE_BYTES / 3 * 4 <= LIMIT_BODY_SLICE_BYTES, "slices are texts that go on in each other");

/* Where the pieces go: to a reply, or to a stream. */
struct filler {
	struct http_exchange *x;
	struct http_stream *stream; /* or NULL */
	bool torn;		    /* a file was not what it was said to be */
};

static bool filler_flush(struct filler *filler)
{
	struct buffer *out = &filler->x->worker->out;
	bool taken = filler->stream != NULL ? http_stream_write(filler->stream, out->data, out->length, LIMIT_STREAM_WRITE_MS)
					    : reply_write(filler->x, out->data, out->length);

	buffer_clear(out);
	return taken;
}

static bool filler_text(struct filler *filler, const char *text, size_t length)
{
	struct buffer *out = &filler->x->worker->out;
	size_t slice;

	while (length > 0) {
		slice = length < LIMIT_BODY_SLICE_BYTES ? length : LIMIT_BODY_SLICE_BYTES;
		if (out->length + slice > out->maximum && !filler_flush(filler))
			return false;
		buffer_append(out, text, slice);
		if (out->failed)
			return false;
		text += slice;
		length -= slice;
	}
	return true;
}

/* All of a slice, which a file may give in parts. */
static bool read_slice(const struct http_filling *filling, int64_t at, unsigned char *bytes, size_t length)
{
	size_t have = 0;
	ssize_t got;

	if (filling->bytes != NULL) {
		memcpy(bytes, filling->bytes + at, length);
		return true;
	}
	while (have < length) {
		got = pread(filling->descriptor, bytes + have, length - have, at + (int64_t)have);
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return true;
}

/* Its bytes are read to the end of where their text will stand: 4 characters are written for 3 bytes that were taken out before. */
static bool filler_slice(struct filler *filler, const struct http_filling *filling, int64_t at, size_t length)
{
	struct buffer *out = &filler->x->worker->out;
	size_t size = base64_length(length);
	unsigned char *bytes;
	char *room;

	if (out->length + size > out->maximum && !filler_flush(filler))
		return false;
	room = buffer_reserve(out, size);
	if (room == NULL)
		return false;
	bytes = (unsigned char *)room + size - length;
	if (!read_slice(filling, at, bytes, length)) {
		filler->torn = true;
		return false;
	}
	out->length += base64_write(bytes, length, room);
	return true;
}

static bool filler_fill(struct filler *filler, const struct http_filling *filling)
{
	int64_t at = 0, left;

	for (; at < filling->length; at += SLICE_BYTES) {
		left = filling->length - at;
		if (!filler_slice(filler, filling, at, left < SLICE_BYTES ? (size_t)left : SLICE_BYTES))
			return false;
	}
	return true;
}

/* The text up to within its next hole; NULL: it has none. */
static const char *find_hole(const char *text, const char *end)
{
	const char *tab = memchr(text, '\t', (size_t)(end - text));

	return tab != NULL && end - tab >= 3 ? tab + 2 : NULL;
}

static bool filler_run(struct filler *filler, const char *text, size_t length, const struct http_filling *fillings, int count)
{
	const char *end = text + length, *hole;

	for (int i = 0; i < count; i++) {
		hole = find_hole(text, end);
		if (hole == NULL || !filler_text(filler, text, (size_t)(hole - text)) || !filler_fill(filler, &fillings[i]))
			return false;
		text = hole;
	}
	return filler_text(filler, text, (size_t)(end - text));
}

/* ---- a reply ---- */

static size_t filled_length(size_t length, const struct http_filling *fillings, int count)
{
	for (int i = 0; i < count; i++)
		length += base64_length((size_t)fillings[i].length);
	return length;
}

void http_send_filled(
	struct http_request *request, const struct http_reply *reply, const struct http_filling *fillings, int count)
{
	struct http_exchange *x = (struct http_exchange *)request;
	struct filler filler = { .x = x };
	struct http_reply masked = *reply;
	struct buffer out;
	const char *text;
	size_t length;

	reply_mask(request, &masked, &out);
	if (masked.status != reply->status)
		count = 0; /* there was no memory: it says so, and has no holes */
	text = masked.body;
	length = masked.body_length;
	masked.body_length = filled_length(length, fillings, count);
	if (reply_begin(x, &masked)) {
		if (!(x->head_only || filler_run(&filler, text, length, fillings, count)) || !filler_flush(&filler))
			x->close = true;
		if (filler.torn)
			http_reset(request);
	}
	buffer_free(&out);
}

/* ---- a piece of a stream ---- */

/* The stream has given its view back; the secrets of this moment count. False: out of memory. */
static bool mask_piece(struct http_exchange *x, const struct buffer *json, struct buffer *masked)
{
	const struct gate_view *view = gate_acquire(x->server->gate);
	struct mask_known known = { .index = view->known };
	enum mask_outcome outcome;

	buffer_init(masked, 2 * json->length + 64);
	outcome = mask_known_text(&known, true, json->data, json->length, masked);
	gate_release(x->server->gate, view);
	if (outcome == MASK_CLEAN)
		buffer_append(masked, json->data, json->length);
	return outcome != MASK_STARVED && !masked->failed;
}

bool http_stream_filled(struct http_stream *stream, const char *before, const struct buffer *json, const char *after,
	const struct http_filling *fillings, int count)
{
	struct http_exchange *x = (struct http_exchange *)stream->request;
	struct filler filler = { .x = x, .stream = stream };
	struct buffer masked;
	bool sent;

	x->worker->out.maximum = LIMIT_REPLY_ONE_WRITE_BYTES + LIMIT_KEPT_BUFFER_BYTES;
	buffer_clear(&x->worker->out);
	sent = mask_piece(x, json, &masked) && filler_text(&filler, before, strlen(before)) &&
	       filler_run(&filler, masked.data, masked.length, fillings, count) && filler_text(&filler, after, strlen(after)) &&
	       filler_flush(&filler);
	if (!sent)
		http_reset(stream->request);
	stream->gone |= !sent;
	buffer_free(&masked);
	return sent;
}
