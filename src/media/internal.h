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

/* The highest bit first. */
struct bits {
	struct buffer *out;
	uint64_t pending;
	int count;
};

void bits_put(struct bits *bits, uint32_t value, int width); /* of up to 32 bits; hands whole bytes over */
void bits_align(struct bits *bits, int bit);		     /* fills the last byte up */

void media_u16(struct buffer *out, unsigned value); /* the highest byte first */
void media_u32(struct buffer *out, uint32_t value);
void media_u16_low(struct buffer *out, unsigned value); /* the lowest byte first */
void media_u32_low(struct buffer *out, uint32_t value);
void media_zeros(struct buffer *out, size_t count);

/* Writes `value` over the four bytes at `place`. Nothing when the buffer has failed. */
void media_set_u32(struct buffer *out, size_t place, uint32_t value);
void media_set_u32_low(struct buffer *out, size_t place, uint32_t value);

/* ---- formats: append the file. False: no room or no memory ---- */

bool png_write(const struct media_wish *wish, struct buffer *out);
bool jpeg_write(const struct media_wish *wish, struct buffer *out);
bool webp_write(const struct media_wish *wish, struct buffer *out);
bool mp4_write(const struct media_wish *wish, struct buffer *out);
bool wav_write(const struct media_wish *wish, struct buffer *out);
bool glb_write(const struct media_wish *wish, struct buffer *out);
