/* fields_size.c - a size as a model takes it: in pixels, as one of its own texts, or as a shape and a resolution. See fields_size.h.
 *
 * A shape is compared by multiplying across, never by dividing: 1680x720 is 21:9, 1920x820 is not. */
#include "openai/fields_size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "openai/fields_map.h"

#define PIXELS_LEAST 100 /* fewer are the words of a shape: 16:9 */
#define RATIO_MOST 100000

/* ---- texts ---- */

static bool read_number(const char **at, int *number)
{
	char *end;
	long value = strtol(*at, &end, 10);

	if (**at < '1' || **at > '9' || value > 65535 || end - *at > 5)
		return false;
	*at = end;
	*number = (int)value;
	return true;
}

bool size_read(const char *text, int *width, int *height, char *separator)
{
	if (text == NULL || !read_number(&text, width) || *text == '\0' || strchr("x*:", *text) == NULL)
		return false;
	*separator = *text++;
	return read_number(&text, height) && *text == '\0';
}

int size_short_side(const char *resolution)
{
	int side;

	if (resolution == NULL || !read_number(&resolution, &side))
		return 0;
	if (strcmp(resolution, "p") == 0 || strcmp(resolution, "P") == 0)
		return side;
	return side == 4 && (strcmp(resolution, "k") == 0 || strcmp(resolution, "K") == 0) ? 2160 : 0;
}

/* "19.5" as 195 of 10. */
static bool read_decimal(const char **at, long *value, long *scale)
{
	*value = 0;
	*scale = 1;
	if (**at < '0' || **at > '9')
		return false;
	for (bool fraction = false; (**at >= '0' && **at <= '9') || (**at == '.' && !fraction); (*at)++) {
		if (**at == '.') {
			fraction = true;
			continue;
		}
		*value = *value * 10 + (**at - '0');
		*scale *= fraction ? 10 : 1;
		if (*value > RATIO_MOST || *scale > 1000)
			return false;
	}
	return *value > 0;
}

/* Two whole numbers that are to each other as the text says. */
static bool read_ratio(const char *text, long *across, long *down)
{
	long across_scale, down_scale;

	if (text == NULL || !read_decimal(&text, across, &across_scale) || *text++ != ':' ||
		!read_decimal(&text, down, &down_scale) || *text != '\0')
		return false;
	*across *= down_scale;
	*down *= across_scale;
	return true;
}

bool size_is_ratio(const char *ratio, int width, int height)
{
	long across, down;

	return read_ratio(ratio, &across, &down) && (long long)width * down == (long long)height * across;
}

bool size_of_shape(int short_side, const char *ratio, int *width, int *height)
{
	long across, down, shorter, longer;

	if (!read_ratio(ratio, &across, &down))
		return false;
	shorter = across < down ? across : down;
	longer = across < down ? down : across;
	if ((long long)short_side * longer % shorter != 0)
		return false;
	longer = (long)((long long)short_side * longer / shorter);
	if (longer > 65535)
		return false;
	*width = across < down ? short_side : (int)longer;
	*height = across < down ? (int)longer : short_side;
	return true;
}

/* ---- which way ---- */

static const json_t *values_at(const json_t *properties, const char *path)
{
	return fields_values(fields_input(properties, path));
}

/* Is one of these a size in pixels? */
static bool has_pixels(const json_t *values)
{
	int width, height;
	char separator;

	for (size_t i = 0; i < json_array_size(values); i++)
		if (size_read(json_text_value(json_array_get(values, i)), &width, &height, &separator) && width >= PIXELS_LEAST &&
			height >= PIXELS_LEAST)
			return true;
	return false;
}

static bool has_ratio(const json_t *values)
{
	long across, down;

	for (size_t i = 0; i < json_array_size(values); i++)
		if (read_ratio(json_text_value(json_array_get(values, i)), &across, &down))
			return true;
	return false;
}

/* The words of a resolution mean pixels only where one of them is written as lines: 1K and 2K of pictures are no measure. */
static bool has_lines(const json_t *values)
{
	const char *text;

	for (size_t i = 0; i < json_array_size(values); i++) {
		text = json_text_value(json_array_get(values, i));
		if (size_short_side(text) > 0 && strpbrk(text, "pP") != NULL)
			return true;
	}
	return false;
}

static bool find_pixels(const json_t *properties, struct size_inputs *inputs)
{
	const json_t *forms = json_object_get(fields_input(properties, "parameters.image_size"), "anyOf"), *sides;

	inputs->width = fields_input(properties, "parameters.width");
	inputs->height = fields_input(properties, "parameters.height");
	for (size_t i = 0; i < json_array_size(forms) && inputs->width == NULL; i++) {
		sides = json_object_get(json_array_get(forms, i), "properties");
		inputs->width = json_object_get(sides, "width");
		inputs->height = json_object_get(sides, "height");
		inputs->as_object = true;
	}
	return inputs->width != NULL && inputs->height != NULL;
}

static bool find_text(const json_t *properties, struct size_inputs *inputs)
{
	static const char *const paths[] = { "parameters.ratio", "parameters.size", "parameters.image_size" };

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		inputs->values = values_at(properties, paths[i]);
		inputs->path = paths[i];
		if (has_pixels(inputs->values))
			return true;
	}
	return false;
}

static bool find_shape(const json_t *properties, struct size_inputs *inputs)
{
	static const char *const paths[] = { "aspect_ratio", "parameters.aspect_ratio", "parameters.ratio" };
	static const char *const resolution_paths[] = { "parameters.resolution", "resolution" };

	inputs->path = NULL;
	inputs->values = NULL;
	for (size_t i = 0; i < sizeof paths / sizeof *paths && inputs->path == NULL; i++) {
		if (!has_ratio(values_at(properties, paths[i])))
			continue;
		inputs->path = paths[i];
		inputs->values = values_at(properties, paths[i]);
	}
	inputs->quotient = inputs->path == NULL ? fields_input(properties, "parameters.aspectRatio") : NULL;
	if (inputs->quotient != NULL)
		inputs->path = "aspect_ratio";
	for (size_t i = 0; i < 2 && inputs->resolutions == NULL; i++) {
		if (!has_lines(values_at(properties, resolution_paths[i])))
			continue;
		inputs->resolution_path = resolution_paths[i];
		inputs->resolutions = values_at(properties, resolution_paths[i]);
	}
	return inputs->path != NULL || inputs->resolutions != NULL;
}

struct size_inputs size_inputs_of(const json_t *schema)
{
	const json_t *properties = json_object_get(schema, "properties");
	struct size_inputs inputs = { .way = SIZE_UNKNOWN };

	if (schema == NULL)
		return inputs;
	if (find_pixels(properties, &inputs))
		inputs.way = SIZE_PIXELS;
	else if (find_text(properties, &inputs))
		inputs.way = SIZE_TEXT;
	else if (find_shape(properties, &inputs))
		inputs.way = SIZE_SHAPE;
	else
		inputs.way = SIZE_NONE;
	return inputs;
}

/* ---- what there is ---- */

struct size_visit {
	void (*visit)(void *context, int width, int height);
	void *context;
	int count;
	int seen[LIMIT_OPENAI_SIZES][2];
};

/* Each once: some lists say 768p and 768P. */
static void visit_one(struct size_visit *visit, int width, int height)
{
	for (int i = 0; i < visit->count; i++)
		if (visit->seen[i][0] == width && visit->seen[i][1] == height)
			return;
	if (visit->count == LIMIT_OPENAI_SIZES)
		return;
	visit->seen[visit->count][0] = width;
	visit->seen[visit->count++][1] = height;
	visit->visit(visit->context, width, height);
}

static void visit_texts(const struct size_inputs *inputs, struct size_visit *visit)
{
	int width, height;
	char separator;

	for (size_t i = 0; i < json_array_size(inputs->values); i++)
		if (size_read(json_text_value(json_array_get(inputs->values, i)), &width, &height, &separator) &&
			width >= PIXELS_LEAST && height >= PIXELS_LEAST)
			visit_one(visit, width, height);
}

static void visit_shapes(const struct size_inputs *inputs, struct size_visit *visit)
{
	int side, width, height;

	for (size_t i = 0; i < json_array_size(inputs->resolutions); i++) {
		side = size_short_side(json_text_value(json_array_get(inputs->resolutions, i)));
		for (size_t k = 0; side > 0 && k < json_array_size(inputs->values); k++)
			if (size_of_shape(side, json_text_value(json_array_get(inputs->values, k)), &width, &height))
				visit_one(visit, width, height);
	}
}

void size_each(const struct size_inputs *inputs, void (*visit)(void *context, int width, int height), void *context)
{
	struct size_visit visiting = { .visit = visit, .context = context };

	if (inputs->way == SIZE_TEXT)
		visit_texts(inputs, &visiting);
	else if (inputs->way == SIZE_SHAPE)
		visit_shapes(inputs, &visiting);
}

static void list_size(void *context, int width, int height)
{
	char text[24];

	snprintf(text, sizeof text, "%dx%d", width, height);
	json_array_append_new(context, json_string(text));
}

void size_describe(const struct size_inputs *inputs, json_t *own)
{
	json_t *sizes = json_array();
	long across, down;
	const char *name = "sizes", *text;

	size_each(inputs, list_size, sizes);
	if (json_array_size(sizes) == 0 && inputs->way == SIZE_SHAPE) {
		name = "ratios";
		for (size_t i = 0; i < json_array_size(inputs->values); i++) {
			text = json_text_value(json_array_get(inputs->values, i));
			if (read_ratio(text, &across, &down))
				json_array_append_new(sizes, json_string(text));
		}
	}
	if (json_array_size(sizes) > 0)
		json_object_set(own, name, sizes);
	json_decref(sizes);
}

void openai_fields_describe(const json_t *schema, json_t *own)
{
	const struct size_inputs inputs = size_inputs_of(schema);

	size_describe(&inputs, own);
	fields_describe_seconds(json_object_get(schema, "properties"), own);
}
