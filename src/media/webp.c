/* webp.c - a picture as lossless WebP (RFC 9649): four colours in a table, four pixels a byte.
 *
 * Of LZ77 only two distances are used, "above" and "to the left", which have the two shortest codes; the code words of lengths and of pixels are
 * the same in every file. */
#include "media/internal.h"

#include <string.h>

#define LITERALS 256
#define LENGTHS 24
#define LONGEST 4096
#define PACKED (LIMIT_MEDIA_SIDE / 4)
#define LITERAL_BITS 9
#define SHORT_LENGTHS 16 /* which have a code of 6 bits; the others of 5 */

enum distance { ABOVE, LEFT };

struct webp {
	struct buffer *out;
	uint64_t pending; /* the lowest bit first */
	int count;
	int above; /* pixels that are as those above, not written yet */
};

static void put(struct webp *webp, uint32_t value, int width)
{
	webp->pending |= (uint64_t)value << webp->count;
	for (webp->count += width; webp->count >= 8; webp->count -= 8) {
		buffer_char(webp->out, (char)webp->pending);
		webp->pending >>= 8;
	}
}

/* A code word: the highest bit first. */
static void put_word(struct webp *webp, uint32_t word, int width)
{
	for (int i = width - 1; i >= 0; i--)
		put(webp, word >> i & 1, 1);
}

/* ---- codes ---- */

static void put_one_symbol(struct webp *webp)
{
	put(webp, 1, 1); /* a simple code, */
	put(webp, 0, 3); /* of the symbol 0 */
}

static void put_two_symbols(struct webp *webp, uint32_t second)
{
	put(webp, 3, 2); /* a simple code, of two symbols: */
	put(webp, 0, 2); /* 0, */
	put(webp, second, 8);
}

/* A code by the lengths of its words; `widths`: with how many bits, 1 or 2, each length is written here. */
static void put_lengths(struct webp *webp, const unsigned char *lengths, int count, const unsigned char widths[19])
{
	static const unsigned char order[19] = { 17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	unsigned words[19], word = 0;

	for (int width = 1; width <= 2; width++, word <<= 1) {
		for (int i = 0; i < 19; i++) {
			if (widths[i] == width)
				words[i] = word++;
		}
	}
	put(webp, 0, 1);
	put(webp, 19 - 4, 4);
	for (int i = 0; i < 19; i++)
		put(webp, widths[order[i]], 3);
	put(webp, 0, 1); /* all lengths follow */
	for (int i = 0; i < count; i++)
		put_word(webp, words[lengths[i]], widths[lengths[i]]);
}

/* A byte is itself; there are `more` symbols that do not occur. */
static void put_bytes_code(struct webp *webp, int more)
{
	static const unsigned char widths[19] = { [0] = 1, [8] = 1 };
	unsigned char lengths[LITERALS + LENGTHS] = { 0 };

	memset(lengths, 8, LITERALS);
	put_lengths(webp, lengths, LITERALS + more, widths);
}

static void put_pixels_code(struct webp *webp)
{
	static const unsigned char widths[19] = { [5] = 2, [6] = 2, [9] = 1 };
	unsigned char lengths[LITERALS + LENGTHS];

	memset(lengths, LITERAL_BITS, LITERALS);
	memset(lengths + LITERALS, 6, SHORT_LENGTHS);
	memset(lengths + LITERALS + SHORT_LENGTHS, 5, LENGTHS - SHORT_LENGTHS);
	put_lengths(webp, lengths, LITERALS + LENGTHS, widths);
}

/* ---- pixels ---- */

static void put_literal(struct webp *webp, unsigned char pixels)
{
	put_word(webp, LITERALS + pixels, LITERAL_BITS);
}

static void put_copy(struct webp *webp, int length, enum distance distance)
{
	int symbol = length - 1, extra = 0;

	while (symbol >= 4 << extra)
		extra++;
	if (length > 4) { /* two bits of the length are in the symbol, the others follow it */
		int bits = extra;
		symbol = 2 + 2 * bits + ((length - 1) >> bits & 1);
	}
	if (symbol < SHORT_LENGTHS)
		put_word(webp, (uint32_t)(SHORT_LENGTHS + symbol), 6);
	else
		put_word(webp, (uint32_t)(symbol - SHORT_LENGTHS), 5);
	put(webp, (uint32_t)(length - 1) & ((1u << extra) - 1), extra);
	put(webp, distance, 1);
}

static void put_above(struct webp *webp)
{
	for (int length; webp->above > 0; webp->above -= length) {
		length = webp->above < LONGEST ? webp->above : LONGEST;
		put_copy(webp, length, ABOVE);
	}
}

/* `above`: the row above, or NULL. */
static void put_row(struct webp *webp, const unsigned char *row, const unsigned char *above, int width)
{
	for (int x = 0, same; x < width; x += same) {
		int left = 0;
		for (same = 0; above != NULL && x + same < width && row[x + same] == above[x + same]; same++)
			;
		while (x > 0 && x + left < width && row[x + left] == row[x - 1])
			left++;
		if (same >= left && same > 0) {
			webp->above += same;
			continue;
		}
		put_above(webp);
		same = left > 0 ? left : 1;
		if (left > 0)
			put_copy(webp, left, LEFT);
		else
			put_literal(webp, row[x]);
	}
}

static int pack(const unsigned char *tones, int width, unsigned char *packed)
{
	int count = (width + 3) / 4;

	memset(packed, 0, (size_t)count);
	for (int x = 0; x < width; x++)
		packed[x / 4] |= (unsigned char)(tones[x] << (x % 4 * 2));
	return count;
}

static void put_rows(struct webp *webp, const struct picture *picture)
{
	unsigned char tones[LIMIT_MEDIA_SIDE], rows[2][PACKED];
	int width = (picture->width + 3) / 4, last = -1;

	for (int y = 0; y < picture->height; y++) {
		int kind = picture_row_kind(picture, y);
		if (kind == last) {
			webp->above += width;
			memcpy(rows[y % 2], rows[(y + 1) % 2], (size_t)width);
			continue;
		}
		picture_draw_row(picture, y, tones);
		pack(tones, picture->width, rows[y % 2]);
		put_row(webp, rows[y % 2], y > 0 ? rows[(y + 1) % 2] : NULL, width);
		last = kind;
	}
	put_above(webp);
}

/* The colours, each as the difference to the one before, as a picture of its own. */
static void put_table(struct webp *webp, const struct picture *picture)
{
	unsigned char before[3] = { 0 };

	put(webp, 1 | 3 << 1, 3); /* a transform: by a table */
	put(webp, TONE_COUNT - 1, 8);
	put(webp, 0, 1); /* no colour cache */
	put_bytes_code(webp, LENGTHS);
	put_bytes_code(webp, 0);
	put_bytes_code(webp, 0);
	put_two_symbols(webp, 255);
	put_one_symbol(webp);
	for (int tone = 0; tone < TONE_COUNT; tone++) {
		const unsigned char *colour = picture->colours[tone];
		put_word(webp, (unsigned char)(colour[1] - before[1]), 8);
		put_word(webp, (unsigned char)(colour[0] - before[0]), 8);
		put_word(webp, (unsigned char)(colour[2] - before[2]), 8);
		put(webp, tone == 0, 1); /* not transparent */
		memcpy(before, colour, 3);
	}
	put(webp, 0, 1); /* no more transforms */
}

static void write_bits(struct buffer *out, const struct picture *picture)
{
	struct webp webp = { .out = out };

	put(&webp, 0x2f, 8);
	put(&webp, (uint32_t)picture->width - 1, 14);
	put(&webp, (uint32_t)picture->height - 1, 14);
	put(&webp, 0, 4); /* no transparency, version 0 */
	put_table(&webp, picture);
	put(&webp, 0, 2); /* no colour cache, one set of codes: */
	put_pixels_code(&webp);
	put_one_symbol(&webp);
	put_one_symbol(&webp);
	put_one_symbol(&webp);
	put_two_symbols(&webp, 1);
	put_rows(&webp, picture);
	put(&webp, 0, 7); /* brings the last bits out */
}

/* ---- the file ---- */

static void write_u24(struct buffer *out, int value)
{
	media_u16_low(out, (unsigned)value & 0xffff);
	buffer_char(out, (char)(value >> 16));
}

/* The head of a file that has metadata. */
static void write_extended(struct buffer *out, const struct picture *picture)
{
	size_t place = riff_begin(out, "VP8X");

	media_u32_low(out, 4); /* there is XMP */
	write_u24(out, picture->width - 1);
	write_u24(out, picture->height - 1);
	riff_end(out, place);
}

static void write_xml(struct buffer *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '<' || *text == '&')
			buffer_text(out, *text == '<' ? "&lt;" : "&amp;");
		else if (*text == '>')
			buffer_text(out, "&gt;");
		else if ((unsigned char)*text >= ' ')
			buffer_char(out, *text);
	}
}

static void write_comment(struct buffer *out, const char *comment)
{
	size_t place = riff_begin(out, "XMP ");

	buffer_text(out,
		"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
		"<rdf:Description xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:description><rdf:Alt>"
		"<rdf:li xml:lang=\"x-default\">");
	write_xml(out, comment);
	buffer_text(out, "</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>");
	riff_end(out, place);
}

bool webp_write(const struct media_wish *wish, struct buffer *out)
{
	struct picture picture;
	size_t whole = riff_begin(out, "RIFF"), place;

	picture_open(&picture, wish, LIMIT_MEDIA_SIDE);
	buffer_append(out, "WEBP", 4);
	if (wish->comment != NULL)
		write_extended(out, &picture);
	place = riff_begin(out, "VP8L");
	write_bits(out, &picture);
	riff_end(out, place);
	if (wish->comment != NULL)
		write_comment(out, wish->comment);
	riff_end(out, whole);
	return !out->failed;
}
