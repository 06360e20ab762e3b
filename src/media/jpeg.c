/* jpeg.c - a picture as baseline JPEG (ISO/IEC 10918-1): no subsampling, one quantizer for all.
 *
 * Blocks outside of the text are of one colour and take two bits a component. The code words are not the usual ones: one bit for "nothing", and as
 * many for everything else as it takes to number it. */
#include "media/internal.h"

#include <stdlib.h>
#include <string.h>

#define SIDE 8
#define BLOCK (SIDE * SIDE)
#define QUANTIZER 8 /* so that the mean of a block is kept as it is; a power of two: a division is a shift */
#define SIZES 10    /* bits of a coefficient, at most */
#define ZEROS_16 (16 * SIZES)
#define COSINE_BITS 12

static const unsigned char zigzag[BLOCK] = {
	0,
	1,
	8,
	16,
	9,
	2,
	3,
	10,
	17,
	24,
	32,
	25,
	18,
	11,
	4,
	5,
	12,
	19,
	26,
	33,
	40,
	48,
	41,
	34,
	27,
	20,
	13,
	6,
	7,
	14,
	21,
	28,
	35,
	42,
	49,
	56,
	57,
	50,
	43,
	36,
	29,
	22,
	15,
	23,
	30,
	37,
	44,
	51,
	58,
	59,
	52,
	45,
	38,
	31,
	39,
	46,
	53,
	60,
	61,
	54,
	47,
	55,
	62,
	63,
};

/* cos(u pi / 16) / 2 of u = 0 (divided by the root of 2) to 7, in 1 / 2^COSINE_BITS. */
static const int cosines[SIDE] = { 1448, 2009, 1892, 1703, 1448, 1138, 784, 400 };

struct jpeg {
	const struct picture *picture;
	struct bits bits;
	unsigned char ycc[TONE_COUNT][3];
	int factors[SIDE][SIDE]; /* of the transform: [frequency][place] */
	int means[3];		 /* of the last block */
	size_t width;		 /* of a row in `rows`: whole blocks */
	unsigned char *rows;	 /* tones, SIDE rows */
};

/* ---- head ---- */

static void begin_segment(struct buffer *out, unsigned marker, size_t length)
{
	media_u16(out, 0xff00 | marker);
	media_u16(out, (unsigned)length + 2);
}

/* One code of one bit and the others of `width`; then what they mean. `kind`: 0 of means, 0x10 of other coefficients. */
static void write_code(struct buffer *out, int kind, int width, const unsigned char *symbols, int count)
{
	begin_segment(out, 0xc4, 17 + (size_t)count);
	buffer_char(out, (char)kind);
	for (int i = 1; i <= 16; i++)
		buffer_char(out, (char)(i == 1 ? 1 : i == width ? count - 1 : 0));
	buffer_append(out, symbols, (size_t)count);
}

static void write_codes(struct buffer *out)
{
	static const unsigned char means[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
	unsigned char others[1 + ZEROS_16 + 1];

	write_code(out, 0, 5, means, sizeof means);
	others[0] = 0;
	for (int i = 0; i < ZEROS_16; i++)
		others[1 + i] = (unsigned char)(i / SIZES << 4 | (i % SIZES + 1));
	others[1 + ZEROS_16] = 0xf0;
	write_code(out, 0x10, 9, others, sizeof others);
}

static void write_head(struct buffer *out, const struct media_wish *wish)
{
	buffer_append(out, "\xff\xd8", 2);
	begin_segment(out, 0xe0, 14);
	buffer_append(out, "JFIF\0\1\1\0\0\1\0\1\0\0", 14);
	if (wish->comment != NULL) {
		begin_segment(out, 0xfe, strlen(wish->comment));
		buffer_text(out, wish->comment);
	}
	begin_segment(out, 0xdb, 1 + BLOCK);
	buffer_char(out, 0);
	for (int i = 0; i < BLOCK; i++)
		buffer_char(out, QUANTIZER);
	begin_segment(out, 0xc0, 15);
	buffer_char(out, 8);
	media_u16(out, (unsigned)wish->height);
	media_u16(out, (unsigned)wish->width);
	buffer_append(out, "\3\1\x11\0\2\x11\0\3\x11\0", 10);
	write_codes(out);
	begin_segment(out, 0xda, 10);
	buffer_append(out, "\3\1\0\2\0\3\0\0\77\0", 10);
}

/* ---- blocks ---- */

static int size_of(int value)
{
	int size = 0;

	for (value = abs(value); value > 0; value >>= 1)
		size++;
	return size;
}

static void put_value(struct bits *bits, int value, int size)
{
	bits_put(bits, (uint32_t)(value < 0 ? value + (1 << size) - 1 : value), size);
}

static void put_mean(struct jpeg *jpeg, int component, int mean)
{
	int difference = mean - jpeg->means[component], size = size_of(difference);

	jpeg->means[component] = mean;
	if (size == 0) {
		bits_put(&jpeg->bits, 0, 1);
		return;
	}
	bits_put(&jpeg->bits, 16 + (uint32_t)size - 1, 5);
	put_value(&jpeg->bits, difference, size);
}

static void put_others(struct bits *bits, const int coefficients[BLOCK])
{
	int zeros = 0;

	for (int i = 1; i < BLOCK; i++) {
		int value = coefficients[zigzag[i]], size = size_of(value);
		if (size == 0) {
			zeros++;
			continue;
		}
		for (; zeros > 15; zeros -= 16)
			bits_put(bits, 256 + ZEROS_16, 9);
		bits_put(bits, 256 + (uint32_t)(zeros * SIZES + size - 1), 9);
		put_value(bits, value, size);
		zeros = 0;
	}
	if (zeros > 0)
		bits_put(bits, 0, 1);
}

static void transform_row(const struct jpeg *jpeg, const int samples[SIDE], int frequencies[SIDE])
{
	for (int u = 0; u < SIDE; u++) {
		int sum = 0;
		for (int x = 0; x < SIDE; x++)
			sum += jpeg->factors[u][x] * samples[x];
		frequencies[u] = sum;
	}
}

/* The nearest, of a sum in 1 / 4^COSINE_BITS. */
static int quotient(int64_t sum)
{
	const int64_t divisor = (int64_t)QUANTIZER << (2 * COSINE_BITS);

	return (int)((sum + (sum < 0 ? -divisor : divisor) / 2) / divisor);
}

/* The discrete cosine transform, by its definition: along the rows, of which most are as the one above, then along the columns. */
static void transform(const struct jpeg *jpeg, const int samples[BLOCK], int coefficients[BLOCK])
{
	int half[BLOCK];

	for (int y = 0; y < BLOCK; y += SIDE) {
		if (y > 0 && memcmp(samples + y, samples + y - SIDE, SIDE * sizeof *samples) == 0)
			memcpy(half + y, half + y - SIDE, SIDE * sizeof *half);
		else
			transform_row(jpeg, samples + y, half + y);
	}
	for (int v = 0; v < SIDE; v++) {
		for (int u = 0; u < SIDE; u++) {
			int64_t sum = 0;
			for (int y = 0; y < SIDE; y++)
				sum += (int64_t)jpeg->factors[v][y] * half[y * SIDE + u];
			coefficients[v * SIDE + u] = quotient(sum);
		}
	}
}

/* A component of a block that has several tones. */
static void put_mixed(struct jpeg *jpeg, const unsigned char *tones, int component)
{
	int samples[BLOCK], coefficients[BLOCK];
	bool flat = true;

	for (int i = 0; i < BLOCK; i++) {
		samples[i] = jpeg->ycc[tones[(size_t)(i / SIDE) * jpeg->width + (size_t)(i % SIDE)]][component] - 128;
		flat = flat && samples[i] == samples[0];
	}
	if (flat) {
		put_mean(jpeg, component, samples[0]);
		bits_put(&jpeg->bits, 0, 1);
		return;
	}
	transform(jpeg, samples, coefficients);
	put_mean(jpeg, component, coefficients[0]);
	put_others(&jpeg->bits, coefficients);
}

/* `rows`: of these it is enough to look at so many. */
static bool is_flat(const struct jpeg *jpeg, const unsigned char *tones, int rows)
{
	uint64_t first, here;

	memset(&first, tones[0], sizeof first);
	for (int y = 0; y < rows; y++) {
		memcpy(&here, tones + (size_t)y * jpeg->width, sizeof here);
		if (here != first)
			return false;
	}
	return true;
}

static void put_blocks(struct jpeg *jpeg, int rows)
{
	for (size_t x = 0; x < jpeg->width; x += SIDE) {
		const unsigned char *tones = jpeg->rows + x;
		bool flat = is_flat(jpeg, tones, rows);
		for (int component = 0; component < 3; component++) {
			if (flat) {
				put_mean(jpeg, component, jpeg->ycc[tones[0]][component] - 128);
				bits_put(&jpeg->bits, 0, 1);
			} else {
				put_mixed(jpeg, tones, component);
			}
		}
	}
}

/* ---- rows ---- */

/* Draws SIDE rows, what is beyond the picture as its edge. Returns how many of them there are to look at: 1 if they are all alike. */
static int draw_rows(struct jpeg *jpeg, int top)
{
	const struct picture *picture = jpeg->picture;
	size_t width = (size_t)picture->width;
	bool alike = true;

	for (int i = 0; i < SIDE; i++) {
		int y = top + i < picture->height ? top + i : picture->height - 1;
		unsigned char *row = jpeg->rows + (size_t)i * jpeg->width;
		alike = alike && picture_row_kind(picture, y) == picture_row_kind(picture, top);
		if (i > 0 && picture_row_kind(picture, y) == picture_row_kind(picture, y > top ? y - 1 : y)) {
			memcpy(row, row - jpeg->width, jpeg->width);
			continue;
		}
		picture_draw_row(picture, y, row);
		memset(row + width, row[width - 1], jpeg->width - width);
	}
	return alike ? 1 : SIDE;
}

static void prepare(struct jpeg *jpeg)
{
	for (int tone = 0; tone < TONE_COUNT; tone++)
		picture_ycc(jpeg->picture->colours[tone], jpeg->ycc[tone]);
	for (int u = 0; u < SIDE; u++) {
		for (int x = 0; x < SIDE; x++) { /* an angle of 32 steps a turn */
			int angle = (2 * x + 1) * u % 32, step = angle > 16 ? 32 - angle : angle;
			int size = u == 0 ? cosines[0] : step == 8 ? 0 : cosines[step < 8 ? step : 16 - step];
			jpeg->factors[u][x] = step > 8 ? -size : size;
		}
	}
}

bool jpeg_write(const struct media_wish *wish, struct buffer *out)
{
	struct picture picture;
	struct jpeg jpeg = { .picture = &picture, .bits = { .out = out, .guard = BITS_JPEG } };

	picture_open(&picture, wish, LIMIT_MEDIA_SIDE);
	prepare(&jpeg);
	jpeg.width = ((size_t)picture.width + SIDE - 1) / SIDE * SIDE;
	jpeg.rows = malloc(SIDE * jpeg.width);
	if (jpeg.rows == NULL)
		return false;
	write_head(out, wish);
	for (int y = 0; y < picture.height && !out->failed; y += SIDE)
		put_blocks(&jpeg, draw_rows(&jpeg, y));
	free(jpeg.rows);
	bits_align(&jpeg.bits, 1);
	buffer_append(out, "\xff\xd9", 2);
	return !out->failed;
}
