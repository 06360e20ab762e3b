/* mp4.c - a film of one picture as MP4 (ISO/IEC 14496-12, -14, -15): its index first, then its pictures. */
#include "media/internal.h"

#include <string.h>

#define TIMESCALE 24000
#define LARGEST_SCALE 4 /* of letters: what is around their edges is written sample by sample */

struct film {
	struct picture picture;
	struct buffer samples;
	struct buffer sizes; /* of each, four bytes */
	int count;
	const char *comment; /* or NULL */
	size_t offset_place; /* in the file, of where the samples begin */
};

/* ---- boxes ---- */

static size_t begin_box(struct buffer *out, const char *kind)
{
	media_u32(out, 0);
	buffer_append(out, kind, 4);
	return out->length - 8;
}

/* One that begins with version and flags. */
static size_t begin_full_box(struct buffer *out, const char *kind, uint32_t flags)
{
	size_t place = begin_box(out, kind);

	media_u32(out, flags);
	return place;
}

static void end_box(struct buffer *out, size_t place)
{
	media_set_u32(out, place, (uint32_t)(out->length - place));
}

static void write_numbers(struct buffer *out, const uint32_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		media_u32(out, numbers[i]);
}

#define NUMBERS(out, ...)                                                                                                        \
	write_numbers(out, (const uint32_t[]){ __VA_ARGS__ }, sizeof(const uint32_t[]){ __VA_ARGS__ } / sizeof(uint32_t))

/* Shown as it is. */
static void write_matrix(struct buffer *out)
{
	NUMBERS(out, 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
}

/* ---- the index ---- */

static uint32_t duration_of(const struct film *film)
{
	return (uint32_t)film->count * (TIMESCALE / H264_RATE);
}

static void write_set(struct buffer *out, const struct buffer *set)
{
	media_u16(out, (unsigned)set->length);
	buffer_append(out, set->data, set->length);
}

static void write_decoder(struct buffer *out, const struct film *film)
{
	size_t place = begin_box(out, "avcC");
	struct buffer set;

	buffer_init(&set, 256);
	h264_sequence_set(&set, film->picture.width, film->picture.height);
	buffer_char(out, 1);
	if (!set.failed)
		buffer_append(out, set.data + 1, 3); /* profile and level */
	buffer_append(out, "\xff\xe1", 2);
	write_set(out, &set);
	buffer_clear(&set);
	h264_picture_set(&set);
	buffer_char(out, 1);
	write_set(out, &set);
	out->failed = out->failed || set.failed;
	buffer_free(&set);
	end_box(out, place);
}

static void write_descriptions(struct buffer *out, const struct film *film)
{
	size_t list = begin_full_box(out, "stsd", 0), place;

	media_u32(out, 1);
	place = begin_box(out, "avc1");
	media_zeros(out, 6);
	media_u16(out, 1);
	media_zeros(out, 16);
	media_u16(out, (unsigned)film->picture.width);
	media_u16(out, (unsigned)film->picture.height);
	NUMBERS(out, 0x480000, 0x480000, 0);
	media_u16(out, 1);
	media_zeros(out, 32);
	media_u16(out, 24);
	media_u16(out, 0xffff);
	write_decoder(out, film);
	end_box(out, place);
	end_box(out, list);
}

static void write_table(struct buffer *out, const char *kind, const uint32_t *numbers, size_t count)
{
	size_t place = begin_full_box(out, kind, 0);

	write_numbers(out, numbers, count);
	end_box(out, place);
}

#define TABLE(out, kind, ...)                                                                                                    \
	write_table(out, kind, (const uint32_t[]){ __VA_ARGS__ }, sizeof(const uint32_t[]){ __VA_ARGS__ } / sizeof(uint32_t))

static void write_samples(struct buffer *out, struct film *film)
{
	size_t table = begin_box(out, "stbl"), place;
	uint32_t count = (uint32_t)film->count;

	write_descriptions(out, film);
	TABLE(out, "stts", 1, count, TIMESCALE / H264_RATE);
	TABLE(out, "stss", 1, 1);
	TABLE(out, "stsc", 1, 1, count, 1);
	place = begin_full_box(out, "stsz", 0);
	NUMBERS(out, 0, count);
	buffer_append(out, film->sizes.data, film->sizes.length);
	end_box(out, place);
	TABLE(out, "stco", 1, 0);
	film->offset_place = out->length - 4;
	end_box(out, table);
}

static void write_handler(struct buffer *out, const char *kind)
{
	size_t place = begin_full_box(out, "hdlr", 0);

	media_u32(out, 0);
	buffer_append(out, kind, 4);
	media_zeros(out, 12 + 1); /* no name */
	end_box(out, place);
}

static void write_media(struct buffer *out, struct film *film)
{
	size_t media = begin_box(out, "mdia"), information, place;

	TABLE(out, "mdhd", 0, 0, TIMESCALE, duration_of(film), 0x55c40000); /* no language */
	write_handler(out, "vide");
	information = begin_box(out, "minf");
	place = begin_full_box(out, "vmhd", 1);
	media_zeros(out, 8);
	end_box(out, place);
	place = begin_box(out, "dinf");
	TABLE(out, "dref", 1, 12, 0x75726c20, 1); /* "url ": in this file */
	end_box(out, place);
	write_samples(out, film);
	end_box(out, information);
	end_box(out, media);
}

static void write_track(struct buffer *out, struct film *film)
{
	size_t track = begin_box(out, "trak"), place;

	place = begin_full_box(out, "tkhd", 7);
	NUMBERS(out, 0, 0, 1, 0, duration_of(film), 0, 0, 0, 0);
	write_matrix(out);
	NUMBERS(out, (uint32_t)film->picture.width << 16, (uint32_t)film->picture.height << 16);
	end_box(out, place);
	write_media(out, film);
	end_box(out, track);
}

/* As players and libraries of metadata know it. */
static void write_comment(struct buffer *out, const char *comment)
{
	size_t user = begin_box(out, "udta"), meta = begin_full_box(out, "meta", 0), list, item, data;

	write_handler(out, "mdir");
	list = begin_box(out, "ilst");
	item = begin_box(out, "\251cmt");
	data = begin_box(out, "data");
	NUMBERS(out, 1, 0); /* UTF-8 */
	buffer_text(out, comment);
	end_box(out, data);
	end_box(out, item);
	end_box(out, list);
	end_box(out, meta);
	end_box(out, user);
}

static void write_movie(struct buffer *out, struct film *film)
{
	size_t movie = begin_box(out, "moov"), place = begin_full_box(out, "mvhd", 0);

	NUMBERS(out, 0, 0, TIMESCALE, duration_of(film), 0x10000, 0x1000000, 0, 0);
	write_matrix(out);
	NUMBERS(out, 0, 0, 0, 0, 0, 0, 2);
	end_box(out, place);
	write_track(out, film);
	if (film->comment != NULL)
		write_comment(out, film->comment);
	end_box(out, movie);
}

/* ---- pictures ---- */

static bool make_samples(struct film *film)
{
	struct buffer *samples = &film->samples;

	for (int i = 0; i < film->count && !samples->failed; i++) {
		size_t place = samples->length;
		media_u32(samples, 0);
		if (i > 0)
			h264_same_picture(samples, &film->picture, i);
		else if (!h264_first_picture(samples, &film->picture))
			return false;
		media_set_u32(samples, place, (uint32_t)(samples->length - place - 4));
		media_u32(&film->sizes, (uint32_t)(samples->length - place));
	}
	return !samples->failed && !film->sizes.failed;
}

static bool write_film(struct film *film, struct buffer *out)
{
	size_t start = out->length, place;

	if (!make_samples(film))
		return false;
	place = begin_box(out, "ftyp");
	buffer_append(out, "isom\0\0\2\0isomiso2avc1mp41", 24);
	end_box(out, place);
	write_movie(out, film);
	place = begin_box(out, "mdat");
	media_set_u32(out, film->offset_place, (uint32_t)(out->length - start));
	buffer_append(out, film->samples.data, film->samples.length);
	end_box(out, place);
	return !out->failed;
}

static int even(int side)
{
	return side < H264_SMALLEST ? H264_SMALLEST : side / 2 * 2;
}

bool mp4_write(const struct media_wish *wish, struct buffer *out)
{
	struct media_wish shown = *wish;
	struct film film = { .comment = wish->comment };
	size_t room = out->maximum - out->length;
	bool ok;

	shown.width = even(wish->width);
	shown.height = even(wish->height);
	film.count = (int)(wish->seconds * H264_RATE + 0.5);
	if (film.count == 0)
		film.count = 1;
	picture_open(&film.picture, &shown, LARGEST_SCALE);
	buffer_init(&film.samples, room);
	buffer_init(&film.sizes, room);
	film.samples.budget = film.sizes.budget = out->budget;
	ok = write_film(&film, out);
	buffer_free(&film.samples);
	buffer_free(&film.sizes);
	return ok;
}
