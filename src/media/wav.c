/* wav.c - a soft tone as WAV: one channel, 8000 samples a second, a byte each. Its pitch follows from the seed. */
#include "media/internal.h"

#include <string.h>

#include "base/text.h"

#define RATE 8000
#define SILENCE 128
#define LOUDNESS 12
#define SHORTEST_PERIOD 12 /* samples: 667 Hz; the longest, 36, is 222 Hz */
#define PERIODS 25

/* A triangle: up for half of the period, and down again. */
static void write_tone(struct buffer *out, int samples, int period)
{
	char *to = buffer_reserve(out, (size_t)samples);

	if (to == NULL)
		return;
	for (int i = 0; i < samples; i++) {
		int at = i % period, up = at < period / 2 ? at : period - at;
		to[i] = (char)(SILENCE - LOUDNESS + 4 * LOUDNESS * up / period);
	}
	to[samples] = '\0';
	out->length += (size_t)samples;
}

bool wav_write(const struct media_wish *wish, struct buffer *out)
{
	const char *seed = wish->seed != NULL ? wish->seed : "";
	int samples = (int)(wish->seconds * RATE + 0.5);
	int period = SHORTEST_PERIOD + (int)(text_digest(seed, strlen(seed)) % PERIODS);
	size_t whole = riff_begin(out, "RIFF"), place;

	buffer_append(out, "WAVE", 4);
	place = riff_begin(out, "fmt ");
	media_u16_low(out, 1); /* PCM */
	media_u16_low(out, 1);
	media_u32_low(out, RATE);
	media_u32_low(out, RATE);
	media_u16_low(out, 1);
	media_u16_low(out, 8);
	riff_end(out, place);
	if (wish->comment != NULL) {
		size_t list = riff_begin(out, "LIST");
		buffer_append(out, "INFO", 4);
		place = riff_begin(out, "ICMT");
		buffer_append(out, wish->comment, strlen(wish->comment) + 1);
		riff_end(out, place);
		riff_end(out, list);
	}
	place = riff_begin(out, "data");
	write_tone(out, samples > 0 ? samples : 1, period);
	riff_end(out, place);
	riff_end(out, whole);
	return !out->failed;
}
