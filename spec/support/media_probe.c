/* media_probe.c - a file of src/media/ on stdout, and how long it took on stderr.
 *
 *   media-probe TIMES FORMAT WIDTH HEIGHT SECONDS ROOM SEED COMMENT [LINE...]
 *
 * Made so many TIMES, into a buffer of ROOM bytes; says how many microseconds each took. Ends with 1 when there was no room. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "media/media.h"

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	struct media_wish wish = { 0 };
	struct buffer out;
	double began;
	int times;
	bool made = true;

	if (argc < 9 || !media_format_named(argv[2], &wish.format))
		return 2;
	times = atoi(argv[1]);
	wish.width = atoi(argv[3]);
	wish.height = atoi(argv[4]);
	wish.seconds = atof(argv[5]);
	wish.seed = argv[7];
	wish.comment = argv[8][0] != '\0' ? argv[8] : NULL;
	wish.lines = (const char *const *)(argv + 9);
	wish.line_count = argc - 9;
	buffer_init(&out, strtoul(argv[6], NULL, 10));
	began = now_us();
	for (int i = 0; i < times && made; i++) {
		buffer_clear(&out);
		made = media_make(&wish, &out);
	}
	fprintf(stderr, "%.1f us, %s\n", (now_us() - began) / times, media_type(wish.format));
	if (made)
		fwrite(out.data, 1, out.length, stdout);
	buffer_free(&out);
	return made ? 0 : 1;
}
