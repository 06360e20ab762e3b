/* framing.c - the grammar, byte by byte. HTTP threads; keeps nothing beyond its struct.
 *
 * Refuses what RFC 9112 lets a server refuse, where two readers could differ: white space or a second empty line before a request, anything but one
 * space within the request line, targets other than a path, bare CR and LF, control bytes, folded lines, blanks before a colon, chunk extensions
 * and trailers. Lengths that contradict each other are refused by request.c, which knows the fields; here reading ends at such a head. */
#include "http/framing.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <civetweb.h>

#include "base/limits.h"

#define LENGTH_DIGITS 18     /* of a Content-Length that is followed */
#define CHUNK_SIZE_DIGITS 15 /* leading zeros included */
#define POISON '\1'

enum state {
	AT_START = 0,
	START_LF,
	METHOD,
	TARGET_FIRST,
	TARGET,
	VERSION,
	LINE_LF,
	LINE_START,
	NAME,
	VALUE,
	VALUE_LF,
	END_LF,
	BODY,
	CHUNK_SIZE,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNKS_END_CR,
	CHUNKS_END_LF,
	DEAD, /* nothing more is read */
};

/* ---- bytes ---- */

#define TOKEN 1	  /* RFC 9110, 5.6.2 */
#define TARGETS 2 /* RFC 3986 */
#define VALUES 4  /* RFC 9110, 5.5; tabs are not let through, civetweb takes them for malformed */

static unsigned char classes[256];

static void set_class(const char *bytes, unsigned char class)
{
	for (; *bytes != '\0'; bytes++)
		classes[(unsigned char)*bytes] |= class;
}

void framing_prepare(void)
{
	for (int byte = 0; byte < 256; byte++) {
		if (byte < 0x80 && isalnum(byte))
			classes[byte] = TOKEN | TARGETS;
		if (byte >= ' ' && byte != 0x7f)
			classes[byte] |= VALUES;
	}
	set_class("!#$%&'*+-.^_`|~", TOKEN);
	set_class("-._~:/?[]@!$&'()*+,;=%{|}^`\"",
		TARGETS); /* the last six as curl and others send them, though they should be encoded */
}

static bool is(unsigned char byte, unsigned char class)
{
	return (classes[byte] & class) != 0;
}

/* ---- a head's fields ---- */

static void begin_head(struct framing *framing)
{
	framing->state = AT_START;
	framing->head_bytes = framing->fields = framing->position = 0;
	framing->blank = framing->old = framing->chunked = framing->sized = framing->contradictory = false;
	framing->left = 0;
}

static void end_body(struct framing *framing)
{
	framing->bodies++;
	begin_head(framing);
}

static bool is_field(const struct framing *framing, const char *name)
{
	return framing->name_length == strlen(name) && strncasecmp(framing->name, name, framing->name_length) == 0;
}

static void take_length(struct framing *framing)
{
	size_t digits = 0;

	framing->contradictory |= framing->sized;
	framing->sized = true;
	for (framing->left = 0; digits < framing->value_length && isdigit((unsigned char)framing->value[digits]); digits++)
		if (digits < LENGTH_DIGITS)
			framing->left = framing->left * 10 + (framing->value[digits] - '0');
	framing->contradictory |= digits == 0 || digits > LENGTH_DIGITS || digits < framing->value_length;
}

static void take_coding(struct framing *framing)
{
	framing->contradictory |=
		framing->chunked || framing->old || framing->value_length != 7 || strncasecmp(framing->value, "chunked", 7) != 0;
	framing->chunked = true;
}

/* Blanks at its end are no part of a value. */
static void end_field(struct framing *framing)
{
	bool length = is_field(framing, "Content-Length");

	if (!length && !is_field(framing, "Transfer-Encoding"))
		return;
	while (framing->value_length > 0 && framing->value_length < FRAMING_VALUE_BYTES &&
		framing->value[framing->value_length - 1] == ' ')
		framing->value_length--;
	if (length)
		take_length(framing);
	else
		take_coding(framing);
}

static void end_head(struct framing *framing)
{
	framing->heads++;
	if (framing->contradictory || (framing->chunked && framing->sized))
		framing->state = DEAD;
	else if (framing->chunked)
		framing->state = CHUNK_SIZE;
	else if (framing->left > 0)
		framing->state = BODY;
	else
		end_body(framing);
	framing->position = 0;
	if (framing->state == CHUNK_SIZE)
		framing->left = 0;
}

/* ---- a head, byte by byte: each returns what is wrong, or NULL ---- */

static const char line_feed[] =
	"malformed headers: each line must end in CRLF and must not be folded; this one ends in a bare LF";
static const char carriage_return[] =
	"malformed headers: each line must end in CRLF and must not be folded; here is a CR without its LF";
static const char control[] = "a control character in the head";

/* What an ordinary text must not have in it. */
static const char *why_not(unsigned char byte, const char *otherwise)
{
	if (byte == '\n')
		return line_feed;
	return byte < ' ' || byte == 0x7f ? control : otherwise;
}

static const char *take_start(struct framing *framing, unsigned char byte)
{
	if (is(byte, TOKEN))
		framing->state = METHOD;
	else if (byte == '\r' && !framing->blank)
		framing->state = START_LF; /* one left over from an earlier body is harmless (RFC 9112, 2.2) */
	else if (byte == '\r')
		return "empty lines before the request";
	else
		return why_not(byte, byte == ' ' ? "white space before the request" : "the method is malformed");
	return NULL;
}

static const char *take_version(struct framing *framing, unsigned char byte)
{
	static const char form[] = "HTTP/#.#\r";
	char expected = form[framing->position];

	if (expected == '#' ? !isdigit(byte) : byte != (unsigned char)expected)
		return why_not(byte, "the request line is malformed: METHOD, one space, path, one space, HTTP/1.1");
	if (framing->position == 7)
		framing->old = byte == '0';
	if (form[++framing->position] == '\0')
		framing->state = LINE_LF;
	return NULL;
}

static const char *take_request_line(struct framing *framing, unsigned char byte)
{
	switch (framing->state) {
	case METHOD:
		if (byte == ' ')
			framing->state = TARGET_FIRST;
		return byte == ' ' || is(byte, TOKEN) ? NULL : why_not(byte, "the method is malformed");
	case TARGET_FIRST:
		framing->state = TARGET;
		return byte == '/' ? NULL : why_not(byte, "the path must begin with a slash, behind one space");
	case TARGET:
		if (byte == ' ')
			framing->state = VERSION;
		if (byte == ' ' || is(byte, TARGETS))
			return NULL;
		return byte == '\r' ? "the request line has no version"
				    : why_not(byte, "a character in the target that must be encoded");
	default: return take_version(framing, byte);
	}
}

static const char *take_line_start(struct framing *framing, unsigned char byte)
{
	if (byte == '\r') {
		framing->state = END_LF;
		return NULL;
	}
	if (byte == ' ' || byte == '\t')
		return framing->fields == 0 ? "white space before the first header"
					    : "malformed headers: each line must end in CRLF and must not be folded";
	if (!is(byte, TOKEN))
		return why_not(byte, "the name of a header is malformed");
	framing->state = NAME;
	framing->name[0] = (char)byte;
	framing->name_length = 1;
	return ++framing->fields < MG_MAX_HEADERS ? NULL : "too many headers: at most 63";
}

static const char *take_field_name(struct framing *framing, unsigned char byte)
{
	if (byte == ':') {
		framing->state = VALUE;
		framing->value_length = 0;
		return NULL;
	}
	if (byte == ' ' || byte == '\t')
		return "white space before the colon of a header";
	if (!is(byte, TOKEN))
		return why_not(byte, "the name of a header is malformed");
	if (framing->name_length < FRAMING_NAME_BYTES)
		framing->name[framing->name_length++] = (char)byte;
	return NULL;
}

static const char *take_field_value(struct framing *framing, unsigned char byte)
{
	if (byte == '\r') {
		framing->state = VALUE_LF;
		return NULL;
	}
	if (!is(byte, VALUES))
		return why_not(byte, control);
	if (framing->value_length < FRAMING_VALUE_BYTES && (byte != ' ' || framing->value_length > 0))
		framing->value[framing->value_length++] = (char)byte;
	return NULL;
}

static const char *take_line_feed(struct framing *framing, unsigned char byte)
{
	if (byte != '\n')
		return carriage_return;
	switch (framing->state) {
	case START_LF:
		framing->blank = true;
		framing->state = AT_START;
		break;
	case VALUE_LF:
		end_field(framing);
		framing->state = LINE_START;
		break;
	case END_LF: end_head(framing); break;
	default: framing->state = LINE_START; break;
	}
	return NULL;
}

static const char *take_head_byte(struct framing *framing, unsigned char byte)
{
	if (++framing->head_bytes > LIMIT_REQUEST_HEAD_BYTES - 2)
		return "the head is larger than 32768 bytes";
	switch (framing->state) {
	case AT_START: return take_start(framing, byte);
	case METHOD:
	case TARGET_FIRST:
	case TARGET:
	case VERSION: return take_request_line(framing, byte);
	case LINE_START: return take_line_start(framing, byte);
	case NAME: return take_field_name(framing, byte);
	case VALUE: return take_field_value(framing, byte);
	default: return take_line_feed(framing, byte);
	}
}

/* The bytes at the beginning of these that only go on with the target, the name or the value that the head is in: how many. Nearly all of a head are. */
static size_t take_run(struct framing *framing, const char *bytes, size_t length)
{
	unsigned char class = framing->state == TARGET ? TARGETS : framing->state == NAME ? TOKEN : VALUES;
	size_t most = LIMIT_REQUEST_HEAD_BYTES - 2 - framing->head_bytes, run = 0, blanks = 0, room;

	if (framing->state != TARGET && framing->state != NAME && framing->state != VALUE)
		return 0;
	length = length < most ? length : most;
	while (run < length && is((unsigned char)bytes[run], class))
		run++;
	framing->head_bytes += run;
	if (framing->state == NAME) {
		room = FRAMING_NAME_BYTES - framing->name_length;
		room = run < room ? run : room;
		memcpy(framing->name + framing->name_length, bytes, room);
		framing->name_length += room;
	} else if (framing->state == VALUE) {
		while (framing->value_length == 0 && blanks < run && bytes[blanks] == ' ')
			blanks++;
		room = FRAMING_VALUE_BYTES - framing->value_length;
		room = run - blanks < room ? run - blanks : room;
		memcpy(framing->value + framing->value_length, bytes + blanks, room);
		framing->value_length += room;
	}
	return run;
}

/* ---- a body ---- */

static bool take_chunk_size(struct framing *framing, unsigned char byte)
{
	if (byte == '\r' && framing->position > 0) {
		framing->state = CHUNK_SIZE_LF;
		return true;
	}
	if (!isxdigit(byte) || ++framing->position > CHUNK_SIZE_DIGITS)
		return false;
	framing->left = framing->left * 16 + (isdigit(byte) ? byte - '0' : tolower(byte) - 'a' + 10);
	return true;
}

/* One that must be this one. */
static bool step(struct framing *framing, unsigned char byte, unsigned char expected, enum state next)
{
	framing->state = next;
	return byte == expected;
}

static bool take_chunk_byte(struct framing *framing, unsigned char byte)
{
	switch (framing->state) {
	case CHUNK_SIZE: return take_chunk_size(framing, byte);
	case CHUNK_SIZE_LF: return step(framing, byte, '\n', framing->left > 0 ? CHUNK_DATA : CHUNKS_END_CR);
	case CHUNK_DATA_CR: return step(framing, byte, '\r', CHUNK_DATA_LF);
	case CHUNK_DATA_LF: framing->position = 0; return step(framing, byte, '\n', CHUNK_SIZE);
	case CHUNKS_END_CR: return step(framing, byte, '\r', CHUNKS_END_LF); /* else it is a trailer */
	default:
		if (byte == '\n')
			end_body(framing);
		return byte == '\n';
	}
}

/* Bytes that are content: how many of these. */
static size_t skip_content(struct framing *framing, size_t length)
{
	size_t taken = (int64_t)length < framing->left ? length : (size_t)framing->left;

	framing->left -= (int64_t)taken;
	if (framing->left == 0 && framing->state == BODY)
		end_body(framing);
	else if (framing->left == 0)
		framing->state = CHUNK_DATA_CR;
	return taken;
}

/* ---- all of it ---- */

void framing_begin(struct framing *framing)
{
	framing->heads = framing->bodies = 0;
	framing->problem = NULL;
	begin_head(framing);
}

static void refuse_head_byte(struct framing *framing, const char *problem)
{
	bool too_large = framing->head_bytes > LIMIT_REQUEST_HEAD_BYTES - 2;

	framing->problem = problem;
	framing->status = too_large && framing->state == TARGET		   ? 414
			  : too_large || framing->fields >= MG_MAX_HEADERS ? 431
									   : 400;
	framing->state = DEAD;
}

void framing_take(struct framing *framing, char *bytes, size_t length)
{
	const char *problem;
	size_t run;

	for (size_t at = 0; at < length && framing->state != DEAD;) {
		if (framing->state == BODY || framing->state == CHUNK_DATA) {
			at += skip_content(framing, length - at);
		} else if (framing->state >= CHUNK_SIZE) {
			if (!take_chunk_byte(framing, (unsigned char)bytes[at++]))
				framing->state = DEAD;
		} else if ((run = take_run(framing, bytes + at, length - at)) > 0) {
			at += run;
		} else if ((problem = take_head_byte(framing, (unsigned char)bytes[at++])) != NULL) {
			bytes[at - 1] = POISON;
			refuse_head_byte(framing, problem);
		}
	}
}
