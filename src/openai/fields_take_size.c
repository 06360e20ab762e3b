/* fields_take_size.c - puts a size where the model takes it, or refuses it with the sizes that there are. See fields_map.h. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "openai/fields_map.h"
#include "openai/fields_size.h"

#define LIST_BYTES 2048
#define TEXT_BYTES 32

struct wanted_size {
	const char *text;
	int width, height;
};

/* ---- refusals ---- */

static void write_size(void *context, int width, int height)
{
	struct buffer *out = context;

	buffer_format(out, "%s%dx%d", out->length > 0 ? ", " : "", width, height);
}

static void write_ratios(struct buffer *out, const json_t *values)
{
	const char *text;

	for (size_t i = 0; i < json_array_size(values); i++) {
		text = json_text_value(json_array_get(values, i));
		if (text != NULL && strchr(text, ':') != NULL)
			buffer_format(out, "%s%s", out->length > 0 ? ", " : "", text);
	}
}

static bool refuse_size(const struct openai_fields *fields, const struct size_inputs *inputs, const struct wanted_size *size)
{
	const char *what = "";
	struct buffer possible;

	buffer_init(&possible, LIST_BYTES);
	size_each(inputs, write_size, &possible);
	if (possible.length == 0 && inputs->way == SIZE_SHAPE) {
		write_ratios(&possible, inputs->values);
		what = "the shapes ";
	}
	openai_refuse(fields->request, "invalid_value", "size", "size: %s does not make %dx%d%s%s%s", fields_model_name(fields),
		size->width, size->height, possible.length > 0 ? "; possible: " : "", possible.length > 0 ? what : "",
		possible.length > 0 ? possible.data : "");
	buffer_free(&possible);
	return false;
}

/* ---- in pixels ---- */

static bool is_within(const json_t *input, int side)
{
	const json_t *least = json_object_get(input, "minimum"), *most = json_object_get(input, "maximum"),
		     *step = json_object_get(input, "multipleOf");

	return (!json_is_number(least) || side >= json_number_value(least)) &&
	       (!json_is_number(most) || side <= json_number_value(most)) &&
	       (!json_is_integer(step) || json_integer_value(step) <= 0 || side % json_integer_value(step) == 0);
}

static void write_bounds(struct buffer *out, const char *name, const json_t *input)
{
	const json_t *least = json_object_get(input, "minimum"), *most = json_object_get(input, "maximum"),
		     *step = json_object_get(input, "multipleOf");

	buffer_text(out, name);
	if (json_is_number(least))
		buffer_format(out, " from %.10g", json_number_value(least));
	if (json_is_number(most))
		buffer_format(out, " to %.10g", json_number_value(most));
	if (json_is_number(step))
		buffer_format(out, " in steps of %.10g", json_number_value(step));
}

static bool refuse_pixels(const struct openai_fields *fields, const struct size_inputs *inputs, const struct wanted_size *size)
{
	struct buffer bounds;

	buffer_init(&bounds, LIST_BYTES);
	write_bounds(&bounds, "widths", inputs->width);
	buffer_text(&bounds, ", ");
	write_bounds(&bounds, "heights", inputs->height);
	openai_refuse(fields->request, "invalid_value", "size", "size: %s does not make %dx%d; possible: %s",
		fields_model_name(fields), size->width, size->height, buffer_begin(&bounds));
	buffer_free(&bounds);
	return false;
}

static bool has_text(const json_t *values, const char *wanted)
{
	const char *text;

	for (size_t i = 0; i < json_array_size(values); i++) {
		text = json_text_value(json_array_get(values, i));
		if (text != NULL && strcmp(text, wanted) == 0)
			return true;
	}
	return false;
}

/* Some models look at width and height only when they are told that the size is "custom". */
static bool put_custom(struct openai_fields *fields)
{
	static const char *const paths[] = { "parameters.aspect_ratio", "parameters.size" };

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (has_text(fields_values(fields_input(fields->properties, paths[i])), "custom") &&
			!fields_put(fields, paths[i], json_string("custom"), "size"))
			return false;
	return true;
}

static bool put_pixels(struct openai_fields *fields, const struct size_inputs *inputs, const struct wanted_size *size)
{
	if (!is_within(inputs->width, size->width) || !is_within(inputs->height, size->height))
		return refuse_pixels(fields, inputs, size);
	if (inputs->as_object)
		return fields_put(fields, "parameters.image_size",
			json_pack("{s:i,s:i}", "width", size->width, "height", size->height), "size");
	return put_custom(fields) && fields_put(fields, "parameters.width", json_integer(size->width), "size") &&
	       fields_put(fields, "parameters.height", json_integer(size->height), "size");
}

/* ---- as one of its texts ---- */

static bool put_text(struct openai_fields *fields, const struct size_inputs *inputs, const struct wanted_size *size)
{
	int width, height;
	char separator;
	const char *text;

	for (size_t i = 0; i < json_array_size(inputs->values); i++) {
		text = json_text_value(json_array_get(inputs->values, i));
		if (size_read(text, &width, &height, &separator) && width == size->width && height == size->height)
			return fields_put(fields, inputs->path, json_string(text), "size");
	}
	return refuse_size(fields, inputs, size);
}

/* ---- as a shape ---- */

/* 768:512 is 3:2. */
static void reduce(int width, int height, char text[TEXT_BYTES])
{
	int a = width, b = height, rest;

	while (b != 0) {
		rest = a % b;
		a = b;
		b = rest;
	}
	snprintf(text, TEXT_BYTES, "%d:%d", width / a, height / a);
}

/* The declared ratio that it is, or (of one that may be any) its own; NULL: there is none. */
static const char *find_ratio(const struct size_inputs *inputs, const struct wanted_size *size, char own[TEXT_BYTES])
{
	const json_t *least = json_object_get(inputs->quotient, "minimum"), *most = json_object_get(inputs->quotient, "maximum");
	double quotient = (double)size->width / size->height;
	const char *text;

	for (size_t i = 0; i < json_array_size(inputs->values); i++) {
		text = json_text_value(json_array_get(inputs->values, i));
		if (size_is_ratio(text, size->width, size->height))
			return text;
	}
	if (inputs->quotient == NULL || (json_is_number(least) && quotient < json_number_value(least)) ||
		(json_is_number(most) && quotient > json_number_value(most)))
		return NULL;
	reduce(size->width, size->height, own);
	return own;
}

static const char *find_resolution(const struct size_inputs *inputs, const struct wanted_size *size)
{
	int side = size->width < size->height ? size->width : size->height;
	const char *text;

	for (size_t i = 0; i < json_array_size(inputs->resolutions); i++) {
		text = json_text_value(json_array_get(inputs->resolutions, i));
		if (size_short_side(text) == side)
			return text;
	}
	return NULL;
}

/* Without an aspect ratio of its own what is made has the shape of the picture that it is made of; without one the model decides. */
static bool put_resolution_alone(struct openai_fields *fields, const struct size_inputs *inputs, const char *resolution)
{
	if (!fields->has_picture) {
		openai_refuse(fields->request, "invalid_value", "size",
			"size: %s takes a resolution and no shape: leave size out, and give the resolution as resolution",
			fields_model_name(fields));
		return false;
	}
	fields_warn(
		fields, "size: %s takes a resolution (%s); the shape is the picture's", fields_model_name(fields), resolution);
	return fields_put(fields, inputs->resolution_path, json_string(resolution), "size");
}

static bool put_shape(struct openai_fields *fields, const struct size_inputs *inputs, const struct wanted_size *size)
{
	char own[TEXT_BYTES];
	const char *ratio = inputs->path != NULL ? find_ratio(inputs, size, own) : NULL;
	const char *resolution = find_resolution(inputs, size);

	if (inputs->resolutions != NULL && resolution == NULL)
		return refuse_size(fields, inputs, size);
	if (inputs->path == NULL)
		return put_resolution_alone(fields, inputs, resolution);
	if (ratio == NULL)
		return refuse_size(fields, inputs, size);
	if (resolution == NULL)
		fields_warn(fields, "size: %s takes an aspect ratio (%s); the number of pixels is its own",
			fields_model_name(fields), ratio);
	else if (!fields_put(fields, inputs->resolution_path, json_string(resolution), "size"))
		return false;
	return fields_put(fields, inputs->path, json_string(ratio), "size");
}

/* ---- all ---- */

static bool read_wanted(struct openai_fields *fields, struct wanted_size *size)
{
	char separator;

	if (!fields_text(fields, "size", &size->text))
		return false;
	if (size->text == NULL || strcmp(size->text, "auto") == 0 || *size->text == '\0')
		return true;
	if (size_read(size->text, &size->width, &size->height, &separator) && separator == 'x')
		return true;
	openai_refuse(
		fields->request, "invalid_value", "size", "size: must be WIDTHxHEIGHT in pixels, such as 1024x1024, or auto.");
	return false;
}

static bool put_none(struct openai_fields *fields)
{
	if (fields->has_picture) {
		fields_warn(fields, "size: %s takes none: it is the picture's; left out", fields_model_name(fields));
		return true;
	}
	openai_refuse(fields->request, "invalid_value", "size", "size: %s takes none: leave it out.", fields_model_name(fields));
	return false;
}

bool fields_take_size(struct openai_fields *fields)
{
	const struct size_inputs inputs = size_inputs_of(fields->schema);
	struct wanted_size size = { .text = NULL };

	if (!read_wanted(fields, &size))
		return false;
	if (size.width == 0)
		return true;
	fields->wish->width = size.width;
	fields->wish->height = size.height;
	switch (inputs.way) {
	case SIZE_PIXELS: return put_pixels(fields, &inputs, &size);
	case SIZE_TEXT: return put_text(fields, &inputs, &size);
	case SIZE_SHAPE: return put_shape(fields, &inputs, &size);
	case SIZE_NONE: return put_none(fields);
	case SIZE_UNKNOWN: break;
	}
	return fields_put(fields, "parameters.width", json_integer(size.width), "size") &&
	       fields_put(fields, "parameters.height", json_integer(size.height), "size");
}
