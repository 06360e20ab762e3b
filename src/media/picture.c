/* picture.c - what a picture looks like: horizontal bands in two colours, and a panel with text in their middle.
 *
 * A row is made when it is asked for, and most are equal to the one above: that is what makes the files small and quick to write. Panel and bands
 * begin and end at multiples of 16 where there is room, so that the blocks of JPEG and of video are of one colour outside of the text. */
#include "media/internal.h"

#include <string.h>

#include "base/text.h"

#define GRID 16
#define LETTER_WIDTH (FONT_COLUMNS + 1)
#define LETTER_HEIGHT (FONT_ROWS + 2)
#define UNBROKEN 32	  /* letters: up to here a line is made smaller rather than broken */
#define SPACE (' ' - ' ') /* as letters of the font */
#define SLASH ('/' - ' ')
#define HYPHEN ('-' - ' ')
#define PADDING 4 /* pixels of the font, around the text */

#define KIND_PANEL 2 /* of a row; what is below says which colour the band has */
#define KIND_TEXT 4  /* and beyond: which row of which letters */

/* ---- colours ---- */

/* Every bit of the text reaches every bit of the colours. */
static uint64_t mixed(uint64_t value)
{
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

static void choose_colours(struct picture *picture, const char *seed)
{
	uint64_t digest = mixed(text_digest(seed, strlen(seed)));

	for (int i = 0; i < 3; i++) {
		picture->colours[TONE_FIRST][i] = (unsigned char)(digest >> (8 * i));
		picture->colours[TONE_SECOND][i] = (unsigned char)(digest >> (24 + 8 * i));
	}
	/* Green is most of what the eye sees: so the bands are never alike. */
	picture->colours[TONE_SECOND][1] = picture->colours[TONE_FIRST][1] ^ 0x80;
	memset(picture->colours[TONE_PANEL], 16, 3);
	memset(picture->colours[TONE_INK], 240, 3);
}

static unsigned char clamped(int thousandths)
{
	int value = (thousandths + 500) / 1000;

	return (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void picture_ycc(const unsigned char rgb[3], unsigned char ycc[3])
{
	int r = rgb[0], g = rgb[1], b = rgb[2];

	ycc[0] = clamped(299 * r + 587 * g + 114 * b);
	ycc[1] = clamped(128000 - 169 * r - 331 * g + 500 * b);
	ycc[2] = clamped(128000 + 500 * r - 419 * g - 81 * b);
}

/* ---- layout ---- */

struct line {
	const unsigned char *letters;
	int count;
	int size; /* 2: twice as large as others */
};

/* How many letters of a line stand in its next row: up to a space, else up to a sign that names are made with, else as many as fit. */
static int row_length(const struct line *line, int from, int columns)
{
	int fit = columns / line->size;
	const unsigned char *at = line->letters + from;

	if (line->count - from <= fit)
		return line->count - from;
	for (int i = fit; i > fit / 2; i--) {
		if (at[i] == SPACE)
			return i + 1;
	}
	for (int i = fit; i > fit / 2; i--) {
		if (at[i - 1] == SLASH || at[i - 1] == HYPHEN)
			return i;
	}
	return fit;
}

/* Rows of text that the lines take when `columns` letters fit side by side, in heights of a plain one. */
static int height_of(const struct line *lines, int count, int columns)
{
	int height = 0;

	for (int i = 0; i < count; i++) {
		for (int from = 0; from < lines[i].count; from += row_length(&lines[i], from, columns))
			height += lines[i].size;
	}
	return height;
}

/* The largest scale at which all lines fit, and with it the columns. 0: at none. */
static int choose_scale(const struct line *lines, int count, int width, int height, int largest, int *columns)
{
	int needed = 2;

	for (int i = 0; i < count; i++) {
		int wide = lines[i].count * lines[i].size;
		if (wide > needed)
			needed = wide < UNBROKEN ? wide : UNBROKEN;
	}
	for (int scale = largest; scale > 0; scale--) {
		*columns = width / (LETTER_WIDTH * scale);
		if (*columns >= needed && height_of(lines, count, *columns) * LETTER_HEIGHT * scale <= height)
			return scale;
	}
	return 0;
}

static void place_rows(struct picture *picture, const struct line *lines, int count, int columns, int scale, int room)
{
	int y = 0;

	for (int i = 0; i < count; i++) {
		int size = lines[i].size * scale, length;
		for (int from = 0; from < lines[i].count; from += length, y += LETTER_HEIGHT * size) {
			const unsigned char *letters = lines[i].letters + from;
			if (picture->row_count == LIMIT_MEDIA_TEXT_ROWS || y + LETTER_HEIGHT * size > room)
				return;
			length = row_length(&lines[i], from, columns);
			picture->rows[picture->row_count++] = (struct text_row){
				.letters = letters,
				.count = letters[length - 1] == SPACE ? length - 1 : length,
				.scale = size,
				.y = y,
			};
		}
	}
}

static int at_least(int value, int least)
{
	return value < least ? least : value;
}

/* The text into the middle, and the panel around it. */
static void place_panel(struct picture *picture, int scale)
{
	const struct text_row *last = &picture->rows[picture->row_count - 1];
	int height = last->y + LETTER_HEIGHT * last->scale, widest = 0;
	int top = (picture->height - height) / 2, padding = PADDING * scale;
	int grid = picture->height < 4 * GRID || picture->width < 4 * GRID ? 1 : GRID;

	for (int i = 0; i < picture->row_count; i++) {
		struct text_row *row = &picture->rows[i];
		int width = row->count * LETTER_WIDTH * row->scale;
		row->x = (picture->width - width + row->scale) / 2;
		row->y += top + row->scale;
		widest = at_least(widest, width);
	}
	picture->left = at_least(((picture->width - widest) / 2 - padding) / grid * grid, 0);
	picture->top = at_least((top - padding) / grid * grid, 0);
	picture->right = (picture->width + widest) / 2 + padding + grid - 1;
	picture->right = picture->right > picture->width ? picture->width : picture->right / grid * grid;
	picture->bottom = top + height + padding + grid - 1;
	picture->bottom = picture->bottom > picture->height ? picture->height : picture->bottom / grid * grid;
}

static void lay_out(struct picture *picture, const struct media_wish *wish, int largest_scale)
{
	struct line lines[LIMIT_MEDIA_LINES];
	int width = picture->width - picture->width / 8, height = picture->height - picture->height / 8;
	int count = 0, columns, scale;
	unsigned char *letters = picture->letters;

	for (int i = 0; i < wish->line_count && i < LIMIT_MEDIA_LINES; i++) {
		lines[count] = (struct line){ .letters = letters, .size = count == 0 ? 2 : 1 };
		lines[count].count = font_letters(wish->lines[i], letters, LIMIT_MEDIA_LINE_CHARACTERS);
		letters += lines[count].count;
		count += lines[count].count > 0;
	}
	if (count == 0)
		return;
	scale = choose_scale(lines, count, width, height, largest_scale, &columns);
	if (scale == 0) { /* as much of it as there is room for */
		scale = 1;
		lines[0].size = 1;
		columns = width / LETTER_WIDTH;
		if (columns == 0)
			return;
	}
	place_rows(picture, lines, count, columns, scale, height);
	if (picture->row_count > 0)
		place_panel(picture, scale);
}

void picture_open(struct picture *picture, const struct media_wish *wish, int largest_scale)
{
	*picture = (struct picture){ .width = wish->width, .height = wish->height };
	if (wish->height < 2 * GRID)
		picture->band = at_least(wish->height / 2, 1);
	else
		picture->band = at_least(wish->height / (16 * GRID) * GRID, GRID);
	choose_colours(picture, wish->seed != NULL ? wish->seed : "");
	lay_out(picture, wish, largest_scale);
}

/* ---- rows ---- */

/* The row of text that is at this height, and which of its letters' rows; NULL: none. */
static const struct text_row *text_at(const struct picture *picture, int y, int *letter_row)
{
	for (int i = 0; i < picture->row_count; i++) {
		const struct text_row *row = &picture->rows[i];
		if (y >= row->y && y < row->y + FONT_ROWS * row->scale) {
			*letter_row = (y - row->y) / row->scale;
			return row;
		}
	}
	return NULL;
}

int picture_row_kind(const struct picture *picture, int y)
{
	int kind = y / picture->band % 2, letter_row;
	const struct text_row *row;

	if (y < picture->top || y >= picture->bottom)
		return kind;
	row = text_at(picture, y, &letter_row);
	if (row == NULL)
		return kind + KIND_PANEL;
	return kind + KIND_TEXT * (1 + FONT_ROWS * (int)(row - picture->rows) + letter_row);
}

void picture_draw_row(const struct picture *picture, int y, unsigned char *tones)
{
	int letter_row;
	const struct text_row *row;

	memset(tones, y / picture->band % 2 == 0 ? TONE_FIRST : TONE_SECOND, (size_t)picture->width);
	if (y < picture->top || y >= picture->bottom)
		return;
	memset(tones + picture->left, TONE_PANEL, (size_t)(picture->right - picture->left));
	row = text_at(picture, y, &letter_row);
	for (int i = 0; row != NULL && i < row->count; i++) {
		unsigned pixels = font_row(row->letters[i], letter_row);
		unsigned char *to = tones + row->x + i * LETTER_WIDTH * row->scale;
		for (int column = 0; column < FONT_COLUMNS; column++, to += row->scale) {
			if (pixels >> (FONT_COLUMNS - 1 - column) & 1)
				memset(to, TONE_INK, (size_t)row->scale);
		}
	}
}
