/* mask_known.h - finds and masks the secrets that the host knows by their values: in whatever a vendor sends, and in whatever leaves the host.
 *
 * Known are the values of the secrets file, of environment variables that are named like credentials, passwords within the URLs of any variable, and
 * what a caller adds for one request. They are found in any letter case, within texts of any length, and also as JSON, URLs and HTML escape them,
 * in base64 and in hexadecimal. The time is linear in the text. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "gate/gate.h"

struct mask_index;

/* An index of one's own, for one request: new, add values, ready. It knows nothing of base64 and hexadecimal. NULL, and false: out of memory (the
 * index is to be freed all the same). */
struct mask_index *mask_index_new(void);
void mask_index_add(struct mask_index *index, const char *value);
bool mask_index_ready(struct mask_index *index);
void mask_index_free(struct mask_index *index);

/* Which secrets count, and for whom. */
struct mask_known {
	const struct mask_index *index; /* or NULL: nothing is known */
	/* Those that are ordinary words or short ("letmein", "pa55") count too; else only what nobody writes by chance. */
	bool all;
	/* Or NULL: of the ordinary words only the credentials of this subject count. And where one of its credentials stands within an id or a URL,
	 * not as a piece of prose, it becomes "masked-NAME-masked", which mask_known_fill() turns back. */
	const struct gate_view *view;
	const struct gate_subject *subject;
};

enum mask_outcome {
	MASK_CLEAN = 0, /* nothing found, nothing written */
	MASK_MASKED,
	MASK_STARVED, /* out of memory: the text is not to be used */
};

/* Is there one? Allocates nothing. */
bool mask_known_in(const struct mask_known *known, const char *text, size_t length);

/* Writes the text with each of them as "***". `json`: it is a JSON text, and stays one: only strings and names are changed. */
enum mask_outcome mask_known_text(const struct mask_known *known, bool json, const char *text, size_t length, struct buffer *out);

/* Overwrites each of them in place by as many asterisks: for files, and what is no text. False: out of memory. */
bool mask_known_bytes(const struct mask_known *known, char *bytes, size_t length);

/* How far back from the end of what has come a secret may begin that is not whole yet. */
size_t mask_known_reach(const struct mask_index *index);

/* Replaces "masked-NAME-masked" by the credential's value, percent-encoded, in a URL. `named` says which credentials may be put in. */
bool mask_known_fill(const struct gate_view *view, const struct gate_subject *subject,
	bool (*named)(const void *context, const char *name), const void *context, const char *url, struct buffer *out);
