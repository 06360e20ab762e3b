/* outgoing.h - an HTTP request, checked, and ready to be shown or sent.
 *
 * Preview and transfer are made from the same struct, so what a dry run shows is what live would send. Of a script's request (script/outgoing_read.h)
 * the texts are borrowed from the script. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "gate/gate.h"

#define OUTGOING_HEADERS 48
#define OUTGOING_PARTS 64

struct outgoing_header {
	const char *name;
	const char *value;
	bool credential; /* from the script's auth: {name} in it is a credential. All other values are text, whatever is in them */
};

struct outgoing_part {
	const char *name;
	const char *value; /* a field, or NULL for a file */
	size_t value_length;
	const char *filename;
	const char *content_type;
	const char *data; /* bytes, or base64 text when `base64` */
	size_t data_length;
	bool base64;
};

enum outgoing_body { BODY_NONE = 0, BODY_JSON, BODY_FORM, BODY_TEXT, BODY_FILE };

/* A piece of a file: it is read while it is sent, and never in memory as a whole. */
struct outgoing_file {
	int descriptor; /* stays the caller's */
	int64_t at, length;
};

struct outgoing {
	const struct destination_detour *detour; /* in: how vendors are reached, for the URLs that they return; NULL: straight */
	const char *trace;			 /* in: the header traceparent of every request, or NULL */
	const char *method;
	struct buffer url;
	struct outgoing_header headers[OUTGOING_HEADERS];
	size_t header_count;
	enum outgoing_body body_kind;
	struct buffer body; /* BODY_JSON: the text */
	const char *text;   /* BODY_TEXT: borrowed */
	size_t text_length;
	struct outgoing_file file;   /* BODY_FILE */
	struct outgoing_part *parts; /* OUTGOING_PARTS of them once a form was read */
	size_t part_count;
	double timeout_seconds; /* 0: the default */
	bool shared_host;	/* strangers can have names on this host: it gets credentials only if the operator lists it */
	bool repeatable;	/* sending it twice does no harm: a connection may be used again for it, whatever its method */
	bool costs;		/* of a script: no GET or HEAD, unless it says `free` itself, or that a GET is not */
};

struct destination_detour;

void outgoing_init(struct outgoing *outgoing);

/* Empty again for the next request; buffers larger than `keep_bytes` give their memory back. */
void outgoing_clear(struct outgoing *outgoing, size_t keep_bytes);

/* May sending it twice cost twice? All but GET and HEAD, unless the script says otherwise (`free`). */
bool outgoing_may_cost(const struct outgoing *outgoing);

/* Does it carry a credential? */
bool outgoing_has_credential(const struct outgoing *outgoing);

/* Does one of its headers have {credential} in it, as one to be filled in? */
bool outgoing_names_credential(const struct outgoing *outgoing, const char *credential);

/* The optional credentials whose {name} is in a header of the script's auth, as bits by their places in the subject's list; those beyond 32 are
 * not seen. */
uint32_t outgoing_optional_credentials(const struct outgoing *outgoing, const struct gate_subject *subject);

/* Appends the preview of a dry run (docs/api.md): { method, url, headers, body | form }. Credentials stay {name}. */
void outgoing_write_preview(const struct outgoing *outgoing, struct buffer *out);

/* Which request it is: SHA-256 in hex of its preview and of the files in it, without the client's traceparent. "" without libcrypto: load it before
 * (crypto_load()), on a thread that may wait for the disk. */
#define OUTGOING_DIGEST_BYTES 65
void outgoing_digest(const struct outgoing *outgoing, const struct buffer *preview, char hex[OUTGOING_DIGEST_BYTES]);

/* The bytes of a part whose data is base64 text, as outgoing_read() has checked it. Fails the buffer when there is no memory. */
void outgoing_decode_base64(const struct outgoing_part *part, struct buffer *bytes);
