/* internal.h - what the parts of media/ say to each other. Nothing else includes it.
 *
 *   media.c     the wish within its limits, and whose format it is
 *   picture.c   what a picture looks like, row by row
 *   font.c      letters
 *   png.c, jpeg.c, webp.c        a picture as a file
 *   h264.c, mp4.c                a film of one picture that stands still
 *   wav.c, glb.c                 a sound, a scene
 *   bits.c      numbers of some bits, one after the other */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "media/media.h"

/* ---- pictures ---- */

/* What a pixel may be: all formats write an index of two bits, or look its colour up. */
enum tone { TONE_FIRST, TONE_SECOND, TONE_PANEL, TONE_INK, TONE_COUNT };

#define FONT_COLUMNS 5
#define FONT_ROWS 8

/* The row of a letter (0 to FONT_ROWS - 1), its leftmost pixel in bit 4. `letter` is what font_letters() gave. */
unsigned font_row(unsigned char letter, int row);

/* Writes a letter for each character of a UTF-8 text, at most `room`; returns how many. Control characters are left out. */
int font_letters(const char *text, unsigned char *letters, int room);

struct text_row {
	const unsigned char *letters;
	int count;
	int x, y;
	int scale; /* pixels of the picture for one of the font */
};

struct picture {
	int width, height;
	unsigned char colours[TONE_COUNT][3]; /* red, green, blue */
	int band;			      /* height of a band */
	int left, top, right, bottom;	      /* of the panel; nothing if right is left */
	struct text_row rows[LIMIT_MEDIA_TEXT_ROWS];
	int row_count;
	unsigned char letters[LIMIT_MEDIA_LINES * LIMIT_MEDIA_LINE_CHARACTERS];
};

/* `largest_scale`: of the font. The wish is within its limits. */
void picture_open(struct picture *picture, const struct media_wish *wish, int largest_scale);

/* The same number means the same pixels, of any two rows. */
int picture_row_kind(const struct picture *picture, int y);

/* Writes the row's tones, one a byte, picture->width of them. */
void picture_draw_row(const struct picture *picture, int y, unsigned char *tones);

/* A colour as JPEG's and video's luma, blue and red, of 0 to 255. */
void picture_ycc(const unsigned char rgb[3], unsigned char ycc[3]);

/* ---- bits ---- */

/* What has to stand between the bytes of a stream, so that nothing in it looks like a mark. */
enum bits_guard {
	BITS_PLAIN,
	BITS_JPEG, /* 0 behind ff */
	BITS_H264, /* 3 between two zeros and what is at most 3 */
};

/* Numbers, the highest bit first. Begins as zeroes but for `out` and `guard`. */
struct bits {
	struct buffer *out;
	enum bits_guard guard;
	int zeros; /* bytes that are 0, at the end */
	uint64_t pending;
	int count; /* bits of it */
};

void bits_put(struct bits *bits, uint32_t value, int width); /* up to 32 bits; hands whole bytes over */
void bits_put_ue(struct bits *bits, uint32_t value);	     /* Exp-Golomb */
void bits_align(struct bits *bits, int bit);		     /* fills the last byte up */

void media_u16(struct buffer *out, unsigned value); /* the highest byte first */
void media_u32(struct buffer *out, uint32_t value);
void media_u16_low(struct buffer *out, unsigned value); /* the lowest byte first */
void media_u32_low(struct buffer *out, uint32_t value);
void media_zeros(struct buffer *out, size_t count);

/* Writes `value` over the four bytes at `place`. Nothing when the buffer has failed. */
void media_set_u32(struct buffer *out, size_t place, uint32_t value);
void media_set_u32_low(struct buffer *out, size_t place, uint32_t value);

/* A chunk of RIFF: returns the place that its end is to be told. */
size_t riff_begin(struct buffer *out, const char *kind);
void riff_end(struct buffer *out, size_t place);

/* ---- films of H.264 ---- */

#define H264_RATE 24 /* pictures a second */
#define H264_SMALLEST 16

/* The parameter sets, as avcC wants them: a byte of head and what follows. */
void h264_sequence_set(struct buffer *out, int width, int height);
void h264_picture_set(struct buffer *out);

/* A picture that needs no other. False: no room or no memory. */
bool h264_first_picture(struct buffer *out, const struct picture *picture);

/* The `number`th, from 1: as the one before. */
void h264_same_picture(struct buffer *out, const struct picture *picture, int number);

/* ---- formats: append the file. False: no room or no memory ---- */

bool png_write(const struct media_wish *wish, struct buffer *out);
bool jpeg_write(const struct media_wish *wish, struct buffer *out);
bool webp_write(const struct media_wish *wish, struct buffer *out);
bool mp4_write(const struct media_wish *wish, struct buffer *out);
bool wav_write(const struct media_wish *wish, struct buffer *out);
bool glb_write(const struct media_wish *wish, struct buffer *out);
