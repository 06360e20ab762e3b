/* mask_forms.c - credentials within a text that are more than one word. Any thread, no allocation.
 *
 * fal's keys have a colon in them, private keys have lines, and in a URL the name of a parameter tells. Signatures of presigned URLs
 * are no credentials here: the URL is what a vendor fetches an image by, it is good for that alone, and soon over. */
#include <ctype.h>
#include <string.h>

#include "gate/mask_rules.h"

#define UUID_BYTES 36
#define FAL_SECRET_BYTES 32
#define FAL_BYTES (UUID_BYTES + 1 + FAL_SECRET_BYTES)
#define SHORTEST_PEM_BYTES 27 /* its first line */
#define LABEL_BYTES 40	      /* "RSA PRIVATE KEY-----" and the like */
#define PARAMETER_BYTES 48
#define QUERY_BYTES 64
#define LINK_BYTES 2048

/* ---- fal's keys ---- */

static bool is_uuid(const char *text)
{
	for (size_t i = 0; i < UUID_BYTES; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}

static bool is_hex(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isxdigit((unsigned char)text[i]))
			return false;
	return true;
}

/* A UUID, a colon, and 32 hexadecimal digits. */
const char *mask_rule_fal(const char *text, size_t text_length, size_t *length)
{
	const char *end = text + text_length, *from = text, *colon;

	*length = FAL_BYTES;
	if (text_length < FAL_BYTES)
		return NULL;
	for (from += UUID_BYTES; from < end && (colon = memchr(from, ':', (size_t)(end - from))) != NULL; from = colon + 1) {
		if (end - colon - 1 < FAL_SECRET_BYTES)
			return NULL;
		if (is_hex(colon + 1, FAL_SECRET_BYTES) && is_uuid(colon - UUID_BYTES) &&
			(end - colon - 1 == FAL_SECRET_BYTES || !isalnum((unsigned char)colon[1 + FAL_SECRET_BYTES])))
			return colon - UUID_BYTES;
	}
	return NULL;
}

/* ---- private keys ---- */

/* Where a key in PEM that begins at `text` ends; one that was cut ends with the text. */
static const char *end_of_pem(const char *text, const char *end)
{
	const char *last = memmem(text, (size_t)(end - text), "-----END ", 9);
	const char *dashes = last != NULL ? memmem(last + 9, (size_t)(end - last - 9), "-----", 5) : NULL;

	return dashes != NULL ? dashes + 5 : end;
}

const char *mask_rule_pem(const char *text, size_t text_length, size_t *length)
{
	const char *end = text + text_length, *from = text;
	size_t label;

	if (text_length < SHORTEST_PEM_BYTES)
		return NULL;
	while ((from = memmem(from, (size_t)(end - from), "-----BEGIN ", 11)) != NULL) {
		label = (size_t)(end - from - 11) < LABEL_BYTES ? (size_t)(end - from - 11) : LABEL_BYTES;
		if (memmem(from + 11, label, "PRIVATE KEY", 11) != NULL) {
			*length = (size_t)(end_of_pem(from + 11, end) - from);
			return from;
		}
		from += 11;
	}
	return NULL;
}

/* ---- parameters of URLs ---- */

static bool is_of_name(char byte)
{
	return isalnum((unsigned char)byte) || (byte != '\0' && strchr("_-.", byte) != NULL);
}

/* Two stores sign their download links by a parameter `token`, near the beginning of the query, and nothing else can be sent in its place.
 * Looks no further back than to the "?" before, so all looks together take no longer than one over the text. */
static bool is_download_link(const char *begin, const char *name)
{
	static const char *const marks[] = { "://firebasestorage.googleapis.com/", "/storage/v1/object/sign/",
		"/storage/v1/render/image/sign/", NULL };
	size_t near = (size_t)(name - begin) < QUERY_BYTES ? (size_t)(name - begin) : QUERY_BYTES;
	const char *query = memrchr(name - near, '?', near), *from = query;

	if (query == NULL)
		return false;
	while (from > begin && query - from < LINK_BYTES && !isspace((unsigned char)from[-1]) && from[-1] != '?')
		from--;
	for (const char *const *mark = marks; *mark != NULL; mark++)
		if (memmem(from, (size_t)(query - from), *mark, strlen(*mark)) != NULL)
			return true;
	return false;
}

/* Does "?name" stand before this "=", the name one of a credential? */
static bool is_telling(const char *begin, const char *equals)
{
	const char *name = equals;
	size_t length;

	while (name > begin && equals - name < PARAMETER_BYTES && is_of_name(name[-1]))
		name--;
	length = (size_t)(equals - name);
	if (length == 0 || name == begin || strchr("?&;#", name[-1]) == NULL || !mask_rule_parameter_name(name, length))
		return false;
	return length != 5 || !is_download_link(begin, name); /* "token" */
}

static bool ends_value(char byte)
{
	static const bool ending[256] = { ['\t'] = true,
		['\n'] = true,
		['\v'] = true,
		['\f'] = true,
		['\r'] = true,
		[' '] = true,
		['&'] = true,
		[';'] = true,
		['#'] = true,
		['"'] = true,
		['\''] = true,
		['<'] = true,
		['>'] = true,
		['`'] = true };

	return ending[(unsigned char)byte];
}

/* The name is looked at first: it is short, and a value may be all the rest. */
const char *mask_rule_parameter(const char *text, size_t text_length, size_t *length)
{
	const char *end = text + text_length, *from = text, *equals;

	while (from < end && (equals = memchr(from, '=', (size_t)(end - from))) != NULL) {
		from = equals + 1;
		if (!is_telling(text, equals))
			continue;
		for (*length = 0; from + *length < end && !ends_value(from[*length]); ++*length)
			;
		if (*length > 0 && !mask_rule_harmless(from, *length))
			return from;
	}
	return NULL;
}
