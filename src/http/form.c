/* form.c - reads multipart/form-data: delimiters, the header lines of a part, their parameters. See form.h. */
#include "http/form.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

#define FORM_TYPE "multipart/form-data"

/* RFC 2046, 5.1.1: what a boundary is made of, but for blanks. */
static const char boundary_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'()+_,-./:=?";
/* RFC 9110, 5.6.2. */
static const char token_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";

bool form_span_is(struct form_span span, const char *text)
{
	return span.at != NULL && span.length == strlen(text) && memcmp(span.at, text, span.length) == 0;
}

static bool span_is_word(struct form_span span, const char *text)
{
	return span.length == strlen(text) && strncasecmp(span.at, text, span.length) == 0;
}

static bool malformed(struct error *error, const char *what)
{
	error_set(error, ERROR_INVALID, "", "the form is malformed: %s", what);
	return false;
}

/* ---- "value; name=token; name=\"text\"" ---- */

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static struct form_span take_token(const char **at, const char *end)
{
	struct form_span token = { *at, 0 };

	while (*at < end && **at != '\0' && strchr(token_bytes, **at) != NULL)
		(*at)++;
	token.length = (size_t)(*at - token.at);
	return token;
}

/* What stands between quotes; a backslash takes the meaning of a quote or a backslash behind it, and is part of the span. */
static bool take_quoted(const char **at, const char *end, struct form_span *value)
{
	value->at = ++*at;
	while (*at < end && **at != '"')
		*at += **at == '\\' && *at + 1 < end && ((*at)[1] == '"' || (*at)[1] == '\\') ? 2 : 1;
	if (*at >= end)
		return false;
	value->length = (size_t)(*at - value->at);
	(*at)++;
	return true;
}

/* The next parameter behind a value. False: there is none, or (*good false) what is there is none. */
static bool take_parameter(const char **at, const char *end, struct form_span *name, struct form_span *value, bool *good)
{
	while (*at < end && is_blank(**at))
		(*at)++;
	if (*at == end)
		return false;
	*good = false;
	if (*(*at)++ != ';')
		return false;
	while (*at < end && is_blank(**at))
		(*at)++;
	*name = take_token(at, end);
	if (name->length == 0 || *at == end || *(*at)++ != '=')
		return false;
	if (*at < end && **at == '"') {
		if (!take_quoted(at, end, value))
			return false;
	} else {
		*value = take_token(at, end);
		if (value->length == 0)
			return false;
	}
	*good = true;
	return true;
}

/* ---- the boundary ---- */

bool form_is(const char *content_type)
{
	size_t length = sizeof FORM_TYPE - 1;

	return content_type != NULL && strncasecmp(content_type, FORM_TYPE, length) == 0 &&
	       (content_type[length] == '\0' || content_type[length] == ';' || is_blank(content_type[length]));
}

/* The parameter of a Content-Type that is a form's: once, and no other bytes than a boundary has. */
static struct form_span find_boundary(const char *content_type)
{
	const char *at = content_type + sizeof FORM_TYPE - 1, *end = content_type + strlen(content_type);
	struct form_span name, value, found = { NULL, 0 };
	bool good = true;

	while (take_parameter(&at, end, &name, &value, &good)) {
		if (!span_is_word(name, "boundary"))
			continue;
		if (found.at != NULL)
			return (struct form_span){ NULL, 0 };
		found = value;
	}
	if (!good || found.at == NULL || found.length == 0 || found.length > LIMIT_FORM_BOUNDARY_BYTES ||
		found.at[found.length - 1] == ' ')
		return (struct form_span){ NULL, 0 };
	for (size_t i = 0; i < found.length; i++)
		if (found.at[i] != ' ' && strchr(boundary_bytes, found.at[i]) == NULL)
			return (struct form_span){ NULL, 0 };
	return found;
}

enum error_code form_open(
	struct form_reader *reader, const char *content_type, const char *body, size_t length, struct error *error)
{
	struct form_span boundary = form_is(content_type) ? find_boundary(content_type) : (struct form_span){ NULL, 0 };
	const char *line;

	*reader = (struct form_reader){ .at = body, .end = body + length };
	if (boundary.at == NULL)
		return error_set(error, ERROR_INVALID, "",
			"the Content-Type names no boundary of 1 to %d of the characters that RFC 2046 allows",
			LIMIT_FORM_BOUNDARY_BYTES);
	memcpy(reader->delimiter, "\r\n--", 4);
	memcpy(reader->delimiter + 4, boundary.at, boundary.length);
	reader->delimiter_length = boundary.length + 4;
	line = reader->delimiter + 2; /* nothing comes before the first one */
	if (length < reader->delimiter_length - 2 || memcmp(body, line, reader->delimiter_length - 2) != 0) {
		malformed(error, "the body does not begin with the boundary that its Content-Type names");
		return ERROR_INVALID;
	}
	reader->at += reader->delimiter_length - 2;
	return ERROR_NONE;
}

/* ---- the header lines of a part ---- */

struct head_line {
	struct form_span name, value;
};

/* The next line; *at moves behind it. The blank line has no name. */
static bool take_line(const char **at, const char *end, struct head_line *line)
{
	const char *stop = memchr(*at, '\r', (size_t)(end - *at));

	*line = (struct head_line){ .name = { *at, 0 } };
	if (stop == NULL || stop + 1 >= end || stop[1] != '\n')
		return false;
	for (const char *byte = *at; byte < stop; byte++)
		if (((unsigned char)*byte < ' ' && *byte != '\t') || *byte == 0x7f)
			return false;
	if (stop > *at) {
		line->name = take_token(at, stop);
		if (line->name.length == 0 || *at == stop || **at != ':')
			return false;
		(*at)++;
		while (*at < stop && is_blank(**at))
			(*at)++;
		line->value = (struct form_span){ *at, (size_t)(stop - *at) };
		while (line->value.length > 0 && is_blank(line->value.at[line->value.length - 1]))
			line->value.length--;
	}
	*at = stop + 2;
	return true;
}

static bool is_good_name(struct form_span name)
{
	struct text_utf8 utf8 = { 0 };

	if (name.length == 0 || name.length > LIMIT_FORM_NAME_BYTES || memchr(name.at, '\\', name.length) != NULL)
		return false;
	for (size_t i = 0; i < name.length; i++)
		if (!text_utf8_step(&utf8, (unsigned char)name.at[i]))
			return false;
	return utf8.more == 0;
}

/* form-data; name="..."; filename="..." */
static bool read_disposition(struct form_span line, struct form_part *part, struct error *error)
{
	const char *at = line.at, *end = line.at + line.length;
	struct form_span name, value;
	bool good = true;

	if (!span_is_word(take_token(&at, end), "form-data"))
		return malformed(error, "a part's Content-Disposition is not form-data");
	while (take_parameter(&at, end, &name, &value, &good)) {
		struct form_span *to = span_is_word(name, "name")	? &part->name
				       : span_is_word(name, "filename") ? &part->filename
									: NULL;

		if (to != NULL && to->at != NULL)
			return malformed(error, "a part's Content-Disposition says one thing twice");
		if (to != NULL)
			*to = value;
		else if (span_is_word(name, "filename*") && part->filename.at == NULL)
			part->filename = (struct form_span){ value.at, 0 }; /* of other alphabets: a file all the same */
	}
	if (!good)
		return malformed(error, "a part's Content-Disposition cannot be read");
	if (part->name.at == NULL || !is_good_name(part->name))
		return malformed(error, "a part has no name, or one that is too long or no UTF-8");
	if (part->filename.length > LIMIT_FORM_FILENAME_BYTES)
		return malformed(error, "a file's name is too long");
	return true;
}

/* How a part's bytes are written: as they are. */
static bool is_plain_encoding(struct form_span value)
{
	return span_is_word(value, "binary") || span_is_word(value, "8bit") || span_is_word(value, "7bit");
}

static bool read_line(const struct head_line *line, struct form_part *part, struct error *error)
{
	if (span_is_word(line->name, "content-disposition")) {
		if (part->name.at != NULL)
			return malformed(error, "a part has two Content-Dispositions");
		return read_disposition(line->value, part, error);
	}
	if (span_is_word(line->name, "content-type")) {
		if (part->type.at != NULL)
			return malformed(error, "a part has two Content-Types");
		part->type = line->value;
	}
	if (span_is_word(line->name, "content-transfer-encoding") && !is_plain_encoding(line->value))
		return malformed(error, "a part has a Content-Transfer-Encoding: send the bytes as they are");
	return true;
}

/* From behind a delimiter's line to the content. */
static bool read_part_head(struct form_reader *reader, struct form_part *part, struct error *error)
{
	const char *begin = reader->at, *end = reader->end;
	struct head_line line;

	if ((size_t)(end - begin) > LIMIT_FORM_HEAD_BYTES)
		end = begin + LIMIT_FORM_HEAD_BYTES;
	do {
		if (!take_line(&reader->at, end, &line))
			return malformed(error, "a part's header lines are not well-formed, or too long");
		if (line.name.length > 0 && !read_line(&line, part, error))
			return false;
	} while (line.name.length > 0);
	return part->name.at != NULL || malformed(error, "a part has no Content-Disposition");
}

/* ---- parts ---- */

/* The content up to the next delimiter. An empty one's delimiter may begin with the line end that ends the head. */
static bool read_content(struct form_reader *reader, struct form_part *part, struct error *error)
{
	const char *from = reader->at - 2;
	const char *stop = memmem(from, (size_t)(reader->end - from), reader->delimiter, reader->delimiter_length);

	if (stop == NULL)
		return malformed(error, "its last boundary is missing: it was cut short");
	part->content = (struct form_span){ reader->at, stop > reader->at ? (size_t)(stop - reader->at) : 0 };
	reader->at = stop + reader->delimiter_length;
	return true;
}

/* Behind the last delimiter there is nothing, but for a line end. */
static bool is_over(const struct form_reader *reader)
{
	size_t rest = (size_t)(reader->end - reader->at);

	return (rest == 2 && memcmp(reader->at, "--", 2) == 0) || (rest == 4 && memcmp(reader->at, "--\r\n", 4) == 0);
}

bool form_next(struct form_reader *reader, struct form_part *part, struct error *error)
{
	*part = (struct form_part){ .name = { NULL, 0 } };
	error->code = ERROR_NONE;
	if (is_over(reader))
		return false;
	if (reader->end - reader->at < 2 || memcmp(reader->at, "\r\n", 2) != 0)
		return malformed(error, "something else than a line end, or the end, stands behind a boundary");
	if (reader->parts++ == LIMIT_FORM_PARTS) {
		error_set(error, ERROR_LIMIT, "", "the form has more than %d parts", LIMIT_FORM_PARTS);
		return false;
	}
	reader->at += 2;
	return read_part_head(reader, part, error) && read_content(reader, part, error);
}
