/* framing.h - a connection's bytes by the grammar of RFC 9112, and by nothing looser. For this folder only.
 *
 * civetweb reads leniently: a bare line feed ends a line, blanks before the first field are skipped, and it overwrites what it has read. What
 * somebody in front of us reads differently would be another request. So every byte passes here first, in the order of the connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMING_NAME_BYTES 20  /* longer than the names that count */
#define FRAMING_VALUE_BYTES 24 /* longer than their good values */

struct framing {
	int state;
	int64_t left;	    /* of the body, or of a chunk */
	uint64_t heads;	    /* complete, and well-formed */
	uint64_t bodies;    /* complete, and well-formed, those of no bytes too */
	int head_bytes;	    /* of the one being read */
	int fields;	    /* of it */
	int position;	    /* within the version, or digits of a chunk's size */
	bool blank;	    /* an empty line came before the request */
	bool old;	    /* HTTP/1.0 */
	bool chunked;	    /* Transfer-Encoding: chunked */
	bool sized;	    /* Content-Length */
	bool contradictory; /* one of them is malformed, or there are several: how long the body is cannot be known */
	size_t name_length, value_length;
	char name[FRAMING_NAME_BYTES], value[FRAMING_VALUE_BYTES];
	const char *problem; /* of a head that was refused, for the client; or NULL */
	int status;	     /* that goes with it */
};

/* Once, before any thread. */
void framing_prepare(void);

/* A connection begins. */
void framing_begin(struct framing *framing);

/* Takes what was received next. In a head that is refused one byte is overwritten with one that no parser lets pass, so that nobody acts upon what
 * comes behind it; from there on nothing is looked at: the connection must end. */
void framing_take(struct framing *framing, char *bytes, size_t length);
