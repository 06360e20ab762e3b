/* outgoing_preview.c - shows a request as a dry run answers it: { method, url, headers, body | form }. Any thread; no state. */
#include "net/outgoing.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

static size_t decoded_length(const struct outgoing_part *part)
{
	size_t length = part->data_length;

	if (!part->base64)
		return length;
	while (length > 0 && part->data[length - 1] == '=')
		length--;
	return length * 3 / 4;
}

static void write_part(const struct outgoing_part *part, struct buffer *out)
{
	buffer_text(out, "{\"name\":");
	json_write_text(out, part->name);
	if (part->value != NULL) {
		buffer_text(out, ",\"value\":");
		json_write_string(out, part->value, part->value_length);
	} else {
		buffer_text(out, ",\"filename\":");
		json_write_text(out, part->filename);
		buffer_text(out, ",\"content_type\":");
		json_write_text(out, part->content_type);
		buffer_format(out, ",\"bytes\":%zu", decoded_length(part));
	}
	buffer_char(out, '}');
}

/* A body of text that is a form all the same: name=value&name=value, percent-encoded. */
static bool is_plain_form(const struct outgoing *outgoing)
{
	static const char type[] = "application/x-www-form-urlencoded";

	for (size_t i = 0; i < outgoing->header_count; i++) {
		const char *value = outgoing->headers[i].value;

		if (strcasecmp(outgoing->headers[i].name, "Content-Type") == 0)
			return strncasecmp(value, type, sizeof type - 1) == 0 && strchr("; ", value[sizeof type - 1]) != NULL;
	}
	return false;
}

/* The byte that %-escape means here? */
static bool escaped_byte(const char *at, const char *end, unsigned char *byte)
{
	return *at == '%' && end - at > 2 && text_read_hex((const char[]){ at[1], at[2], '\0' }, byte, 1);
}

static void write_form_text(const char *text, size_t length, struct buffer *out)
{
	struct buffer decoded;
	unsigned char byte;

	buffer_init(&decoded, LIMIT_SCRIPT_MEMORY_BYTES);
	for (const char *at = text, *end = text + length; at < end; at++) {
		if (escaped_byte(at, end, &byte)) {
			buffer_char(&decoded, (char)byte);
			at += 2;
		} else {
			buffer_char(&decoded, *at == '+' ? ' ' : *at);
		}
	}
	if (decoded.failed)
		out->failed = true;
	else
		json_write_string(out, decoded.length > 0 ? decoded.data : "", decoded.length);
	buffer_free(&decoded);
}

static void write_plain_form(const struct outgoing *outgoing, struct buffer *out)
{
	const char *end = outgoing->text + outgoing->text_length;

	buffer_text(out, ",\"form\":[");
	for (const char *field = outgoing->text; field < end;) {
		const char *stop = memchr(field, '&', (size_t)(end - field)), *equals;

		if (stop == NULL)
			stop = end;
		equals = memchr(field, '=', (size_t)(stop - field));
		if (equals == NULL)
			equals = stop;
		buffer_text(out, field > outgoing->text ? ",{\"name\":" : "{\"name\":");
		write_form_text(field, (size_t)(equals - field), out);
		buffer_text(out, ",\"value\":");
		write_form_text(equals + (equals < stop), (size_t)(stop - equals) - (equals < stop), out);
		buffer_char(out, '}');
		field = stop + (stop < end);
	}
	buffer_char(out, ']');
}

static void write_body(const struct outgoing *outgoing, struct buffer *out)
{
	switch (outgoing->body_kind) {
	case BODY_NONE:
	case BODY_FILE: /* never of a script */ buffer_text(out, ",\"body\":null"); break;
	case BODY_JSON:
		buffer_text(out, ",\"body\":");
		buffer_append(out, outgoing->body.data, outgoing->body.length);
		break;
	case BODY_TEXT:
		if (is_plain_form(outgoing)) {
			write_plain_form(outgoing, out);
			break;
		}
		buffer_text(out, ",\"body\":");
		json_write_string(out, outgoing->text, outgoing->text_length);
		break;
	case BODY_FORM:
		buffer_text(out, ",\"form\":[");
		for (size_t i = 0; i < outgoing->part_count; i++) {
			if (i > 0)
				buffer_char(out, ',');
			write_part(&outgoing->parts[i], out);
		}
		buffer_char(out, ']');
		break;
	}
}

void outgoing_write_preview(const struct outgoing *outgoing, struct buffer *out)
{
	buffer_text(out, "{\"method\":");
	json_write_text(out, outgoing->method);
	buffer_text(out, ",\"url\":");
	json_write_string(out, outgoing->url.data, outgoing->url.length);
	buffer_text(out, ",\"headers\":{");
	for (size_t i = 0; i < outgoing->header_count; i++) {
		if (i > 0)
			buffer_char(out, ',');
		json_write_text(out, outgoing->headers[i].name);
		buffer_char(out, ':');
		json_write_text(out, outgoing->headers[i].value);
	}
	buffer_char(out, '}');
	write_body(outgoing, out);
	buffer_char(out, '}');
}
