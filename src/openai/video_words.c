/* video_words.c - reads the words of a row: what was asked, what was made, what the script made of the request, in this order. */
#include "openai/video_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/task_brief.h"

#define AUTO "\"auto\"" /* what the vendor chooses, and nobody was told */
#define SIDE_LEAST 64	/* pixels: below, WxH and W:H are a ratio */
#define SIDE_MOST 16384
#define SECONDS_MOST 86400
#define NUMBER_BYTES 32
#define HEIGHT_4K 2160

static struct json_span span_of(const char *text)
{
	return (struct json_span){ .text = text, .length = strlen(text) };
}

/* A short value without its quotes. False: it is none, or long. */
static bool copy_plain(struct json_span value, char text[NUMBER_BYTES])
{
	bool quoted = json_span_is_text(value);
	size_t length = quoted ? value.length - 2 : value.length;

	if (value.length == 0 || length == 0 || length >= NUMBER_BYTES)
		return false;
	memcpy(text, value.text + quoted, length);
	text[length] = '\0';
	return true;
}

/* A positive number, or a text that is one; 0: it is none. */
static double read_number(struct json_span value, double most)
{
	char text[NUMBER_BYTES], *end;
	double number;

	if (!copy_plain(value, text))
		return 0;
	number = strtod(text, &end);
	return end != text && *end == '\0' && isfinite(number) && number > 0 && number <= most ? number : 0;
}

/* "1280x720", "16:9". */
static bool read_pair(struct json_span value, int *first, int *second)
{
	char text[NUMBER_BYTES], *end;
	long a, b;

	if (!copy_plain(value, text))
		return false;
	a = strtol(text, &end, 10);
	if (end == text || (*end != 'x' && *end != ':'))
		return false;
	b = strtol(end + 1, &end, 10);
	if (*end != '\0' || a <= 0 || b <= 0 || a > SIDE_MOST || b > SIDE_MOST)
		return false;
	*first = (int)a;
	*second = (int)b;
	return true;
}

static bool read_pixels(struct json_span value, struct video_words *words)
{
	int width, height;

	if (!read_pair(value, &width, &height) || width < SIDE_LEAST || height < SIDE_LEAST)
		return false;
	words->width = width;
	words->height = height;
	return true;
}

/* ---- out of the row ---- */

enum payload_member { OF_MODEL = 0, OF_MODE, OF_LENGTH, OF_ASPECT, OF_PARAMETERS, PAYLOAD_MEMBERS };
static const char *const payload_names[PAYLOAD_MEMBERS] = { "model", "mode", "duration_seconds", "aspect_ratio", "parameters" };

enum parameter { OF_WIDTH = 0, OF_HEIGHT, OF_SIZE, OF_RATIO, OF_RESOLUTION, OF_OWN_ASPECT, OF_DURATION, PARAMETERS };
static const char *const parameter_names[PARAMETERS] = { "width", "height", "size", "ratio", "resolution", "aspect_ratio",
	"duration" };

/* What was made, by its file. */
static bool take_made_size(const struct task *task, struct video_words *words)
{
	static const char *const names[] = { "width", "height" };
	struct json_span list = json_span_member(json_span_of(task->result), "artifacts"), first = { 0 }, sides[2];

	if (!json_span_next(list, &first))
		return false;
	json_span_members(first, names, 2, sides);
	words->width = (int)read_number(sides[0], SIDE_MOST);
	words->height = (int)read_number(sides[1], SIDE_MOST);
	return words->width > 0 && words->height > 0;
}

/* "720p" is the shorter side. */
static int read_resolution(struct json_span value)
{
	char text[NUMBER_BYTES], *end;
	long side;

	if (!copy_plain(value, text))
		return 0;
	if (strcmp(text, "4k") == 0 || strcmp(text, "4K") == 0)
		return HEIGHT_4K;
	side = strtol(text, &end, 10);
	return end != text && strcmp(end, "p") == 0 && side >= SIDE_LEAST && side <= SIDE_MOST ? (int)side : 0;
}

/* The other side by the ratio, even as coders have it. */
static bool take_resolution(
	const struct json_span payload[PAYLOAD_MEMBERS], const struct json_span parameters[PARAMETERS], struct video_words *words)
{
	int shorter = read_resolution(parameters[OF_RESOLUTION]), across, down, longer;

	if (shorter == 0 ||
		(!read_pair(payload[OF_ASPECT], &across, &down) && !read_pair(parameters[OF_OWN_ASPECT], &across, &down) &&
			!read_pair(parameters[OF_RATIO], &across, &down)))
		return false;
	longer = (int)lround((double)shorter * (across > down ? across : down) / (across > down ? down : across) / 2) * 2;
	words->width = across > down ? longer : shorter;
	words->height = across > down ? shorter : longer;
	return longer <= SIDE_MOST;
}

static bool take_sides(const struct json_span parameters[PARAMETERS], struct video_words *words)
{
	words->width = (int)read_number(parameters[OF_WIDTH], SIDE_MOST);
	words->height = (int)read_number(parameters[OF_HEIGHT], SIDE_MOST);
	return words->width > 0 && words->height > 0;
}

/* In pixels, else by the name of the resolution. */
static void take_size(const struct task *task, const struct json_span payload[PAYLOAD_MEMBERS],
	const struct json_span parameters[PARAMETERS], struct video_words *words)
{
	if (take_made_size(task, words) || take_sides(parameters, words) || read_pixels(parameters[OF_SIZE], words) ||
		read_pixels(parameters[OF_RATIO], words) || take_resolution(payload, parameters, words)) {
		snprintf(words->size_text, sizeof words->size_text, "\"%dx%d\"", words->width, words->height);
		words->size = span_of(words->size_text);
		return;
	}
	words->width = words->height = 0;
	words->size = json_span_is_text(parameters[OF_RESOLUTION]) ? parameters[OF_RESOLUTION] : span_of(AUTO);
}

static void take_length(
	const struct json_span payload[PAYLOAD_MEMBERS], const struct json_span parameters[PARAMETERS], struct video_words *words)
{
	words->length = read_number(payload[OF_LENGTH], SECONDS_MOST);
	if (words->length == 0)
		words->length = read_number(parameters[OF_DURATION], SECONDS_MOST);
	words->seconds = span_of(AUTO);
	if (words->length == 0)
		return;
	snprintf(words->seconds_text, sizeof words->seconds_text, "\"%.6g\"", words->length);
	words->seconds = span_of(words->seconds_text);
}

/* As GET /v1/models calls them: provider/model, else provider/mode. */
static void take_model(const struct task *task, const struct json_span payload[PAYLOAD_MEMBERS], struct video_words *words)
{
	struct json_span name = json_span_is_text(payload[OF_MODEL]) ? payload[OF_MODEL] : payload[OF_MODE];
	size_t used = (size_t)snprintf(words->model_text, sizeof words->model_text, "\"%s", task->provider);

	if (used + name.length + 2 > sizeof words->model_text)
		name.length = 0;
	if (json_span_is_text(name))
		snprintf(words->model_text + used, sizeof words->model_text - used, "/%.*s", (int)name.length - 1, name.text + 1);
	else
		snprintf(words->model_text + used, sizeof words->model_text - used, "\"");
	words->model = span_of(words->model_text);
}

static void read_row(const struct task *task, struct video_words *words)
{
	struct json_span payload[PAYLOAD_MEMBERS], parameters[PARAMETERS];

	json_span_members(json_span_of(task->payload), payload_names, PAYLOAD_MEMBERS, payload);
	json_span_members(payload[OF_PARAMETERS], parameter_names, PARAMETERS, parameters);
	take_model(task, payload, words);
	take_size(task, payload, parameters, words);
	take_length(payload, parameters, words);
	words->prompt = task_brief_prompt(task);
}

/* ---- as it was asked ---- */

static void prefer(struct json_span *word, struct json_span asked)
{
	if (json_span_is_text(asked))
		*word = asked;
}

void video_words_of(const struct task *task, struct video_words *words)
{
	enum { ASKED_MODEL = 0, ASKED_SIZE, ASKED_SECONDS, ASKED_PROMPT, ASKED_USER, ASKED };
	static const char *const names[ASKED] = { "model", "size", "seconds", "prompt", "user" };
	struct json_span asked[ASKED];
	double length;

	*words = (struct video_words){ 0 };
	read_row(task, words);
	json_span_members(json_span_of(task->asked), names, ASKED, asked);
	prefer(&words->model, asked[ASKED_MODEL]);
	prefer(&words->size, asked[ASKED_SIZE]);
	prefer(&words->seconds, asked[ASKED_SECONDS]);
	prefer(&words->prompt, asked[ASKED_PROMPT]);
	prefer(&words->user, asked[ASKED_USER]);
	read_pixels(asked[ASKED_SIZE], words);
	length = read_number(asked[ASKED_SECONDS], SECONDS_MOST);
	if (length > 0)
		words->length = length;
}
