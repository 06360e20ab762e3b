/* h264.c - a picture that stands still, in H.264 (constrained baseline, ITU-T H.264).
 *
 * A macroblock of the first picture is as its neighbour above or to the left where it can be, which takes a byte; where something begins it is written
 * sample by sample (I_PCM, 384 bytes). All later pictures are "as before". The deblocking filter is off: what is predicted is exact. */
#include "media/internal.h"

#include <stdlib.h>
#include <string.h>

#define SIDE 16
#define COLUMNS (LIMIT_MEDIA_SIDE / SIDE)
#define PCM_BYTES (SIDE * SIDE * 3 / 2)

enum block { AS_ABOVE = 1, AS_LEFT = 2, SAMPLES = 25 }; /* mb_type: two of Intra_16x16 without coefficients, and I_PCM */

struct picture_writer {
	const struct picture *picture;
	struct bits bits;
	unsigned char ycc[TONE_COUNT][3];
	size_t width;		     /* whole macroblocks */
	unsigned char *rows;	     /* tones: the row above, and SIDE rows */
	bool samples_above[COLUMNS]; /* the last row's macroblock was SAMPLES */
};

static int blocks_of(int side)
{
	return (side + SIDE - 1) / SIDE;
}

/* ---- parameter sets ---- */

static void stop(struct bits *bits)
{
	bits_put(bits, 1, 1);
	bits_align(bits, 0);
}

/* The smallest level whose pictures have room for so many macroblocks, times ten. */
static unsigned level_of(int blocks)
{
	return blocks <= 8192 ? 40 : blocks <= 36864 ? 51 : 60;
}

void h264_sequence_set(struct buffer *out, int width, int height)
{
	struct bits bits = { .out = out, .guard = BITS_H264 };
	int columns = blocks_of(width), rows = blocks_of(height);

	bits_put(&bits, 0x6742c000 | level_of(columns * rows), 32);
	bits_put_ue(&bits, 0);
	bits_put_ue(&bits, 0); /* frame numbers of four bits */
	bits_put_ue(&bits, 2); /* pictures are shown in the order of the file */
	bits_put_ue(&bits, 1);
	bits_put(&bits, 0, 1);
	bits_put_ue(&bits, (uint32_t)columns - 1);
	bits_put_ue(&bits, (uint32_t)rows - 1);
	bits_put(&bits, 7, 3); /* frames only; direct_8x8_inference; cropping */
	bits_put_ue(&bits, 0);
	bits_put_ue(&bits, (uint32_t)(columns * SIDE - width) / 2);
	bits_put_ue(&bits, 0);
	bits_put_ue(&bits, (uint32_t)(rows * SIDE - height) / 2);
	bits_put(&bits, 0, 1);
	stop(&bits);
}

void h264_picture_set(struct buffer *out)
{
	struct bits bits = { .out = out, .guard = BITS_H264 };

	bits_put(&bits, 0x68, 8);
	bits_put_ue(&bits, 0);
	bits_put_ue(&bits, 0);
	bits_put(&bits, 0, 2);
	for (int i = 0; i < 3; i++)
		bits_put_ue(&bits, 0);
	bits_put(&bits, 0, 3);
	for (int i = 0; i < 3; i++)
		bits_put_ue(&bits, 0);
	bits_put(&bits, 4, 3); /* the deblocking filter can be turned off */
	stop(&bits);
}

/* ---- macroblocks ---- */

static const unsigned char *row_at(const struct picture_writer *writer, int y)
{
	return writer->rows + (size_t)(y + 1) * writer->width;
}

/* All of its columns go on with the row above. */
static bool is_as_above(const struct picture_writer *writer, size_t x)
{
	for (int y = 0; y < SIDE; y++) {
		if (memcmp(row_at(writer, y) + x, row_at(writer, -1) + x, SIDE) != 0)
			return false;
	}
	return true;
}

static bool is_as_left(const struct picture_writer *writer, size_t x)
{
	for (int y = 0; y < SIDE; y++) {
		const unsigned char *row = row_at(writer, y) + x;
		if (memcmp(row - 1, row, SIDE) != 0)
			return false;
	}
	return true;
}

/* Chroma takes the lower right one of four pixels, so that it is predicted from what luma is predicted from. */
static void put_samples(struct picture_writer *writer, size_t x)
{
	unsigned char samples[PCM_BYTES], *to = samples;

	bits_put_ue(&writer->bits, SAMPLES);
	bits_align(&writer->bits, 0);
	for (int y = 0; y < SIDE; y++) {
		for (size_t i = 0; i < SIDE; i++)
			*to++ = writer->ycc[row_at(writer, y)[x + i]][0];
	}
	for (int component = 1; component < 3; component++) {
		for (int y = 1; y < SIDE; y += 2) {
			for (size_t i = 1; i < SIDE; i += 2)
				*to++ = writer->ycc[row_at(writer, y)[x + i]][component];
		}
	}
	buffer_append(writer->bits.out, samples, sizeof samples); /* none is 0: nothing to guard */
	writer->bits.zeros = 0;
}

static void put_predicted(struct bits *bits, enum block block, bool beside_samples)
{
	bits_put_ue(bits, block);
	bits_put_ue(bits, block == AS_ABOVE ? 2 : 1); /* chroma likewise */
	bits_put_ue(bits, 0);			      /* the same quantizer */
	if (beside_samples)			      /* no coefficients; beside I_PCM that takes six bits */
		bits_put(bits, 3, 6);
	else
		bits_put(bits, 1, 1);
}

static void put_row(struct picture_writer *writer, bool first)
{
	bool samples_left = false;

	for (size_t x = 0; x < writer->width; x += SIDE) {
		bool *samples_above = &writer->samples_above[x / SIDE];
		bool beside = samples_left || *samples_above;
		samples_left = *samples_above = false;
		if (!first && is_as_above(writer, x)) {
			put_predicted(&writer->bits, AS_ABOVE, beside);
		} else if (x > 0 && is_as_left(writer, x)) {
			put_predicted(&writer->bits, AS_LEFT, beside);
		} else {
			put_samples(writer, x);
			samples_left = *samples_above = true;
		}
	}
}

/* ---- pictures ---- */

static void draw_rows(struct picture_writer *writer, int top)
{
	const struct picture *picture = writer->picture;
	size_t width = (size_t)picture->width;

	memcpy(writer->rows, row_at(writer, SIDE - 1), writer->width);
	for (int i = 0; i < SIDE; i++) {
		int y = top + i < picture->height ? top + i : picture->height - 1;
		unsigned char *row = writer->rows + (size_t)(i + 1) * writer->width;
		picture_draw_row(picture, y, row);
		memset(row + width, row[width - 1], writer->width - width);
	}
}

/* Video's luma is of 16 to 235, its chroma of 16 to 240. */
static void choose_levels(struct picture_writer *writer)
{
	for (int tone = 0; tone < TONE_COUNT; tone++) {
		unsigned char *ycc = writer->ycc[tone];
		picture_ycc(writer->picture->colours[tone], ycc);
		ycc[0] = (unsigned char)(16 + ycc[0] * 219 / 255);
		ycc[1] = (unsigned char)(16 + ycc[1] * 224 / 255);
		ycc[2] = (unsigned char)(16 + ycc[2] * 224 / 255);
	}
}

bool h264_first_picture(struct buffer *out, const struct picture *picture)
{
	struct picture_writer writer = { .picture = picture, .bits = { .out = out, .guard = BITS_H264 } };
	struct bits *bits = &writer.bits;

	writer.width = (size_t)blocks_of(picture->width) * SIDE;
	writer.rows = calloc(SIDE + 1, writer.width);
	if (writer.rows == NULL)
		return false;
	choose_levels(&writer);
	bits_put(bits, 0x65, 8);
	bits_put_ue(bits, 0);
	bits_put_ue(bits, 7);
	bits_put_ue(bits, 0);
	bits_put(bits, 0, 4);
	bits_put_ue(bits, 0);
	bits_put(bits, 0, 2);
	bits_put_ue(bits, 0);
	bits_put_ue(bits, 1);
	for (int y = 0; y < picture->height && !out->failed; y += SIDE) {
		draw_rows(&writer, y);
		put_row(&writer, y == 0);
	}
	stop(bits);
	free(writer.rows);
	return !out->failed;
}

void h264_same_picture(struct buffer *out, const struct picture *picture, int number)
{
	struct bits bits = { .out = out, .guard = BITS_H264 };

	bits_put(&bits, 0x41, 8);
	bits_put_ue(&bits, 0);
	bits_put_ue(&bits, 5);
	bits_put_ue(&bits, 0);
	bits_put(&bits, (uint32_t)number % 16, 4);
	bits_put(&bits, 0, 3);
	bits_put_ue(&bits, 0);
	bits_put_ue(&bits, 1);
	bits_put_ue(&bits, (uint32_t)(blocks_of(picture->width) * blocks_of(picture->height)));
	stop(&bits);
}
