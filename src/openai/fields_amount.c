/* fields_amount.c - how many, and how long: n as samples, seconds as duration. See fields_map.h. */
#include "openai/fields_map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"

#define MOST_IMAGES 10 /* of OpenAI's API */
#define LIST_BYTES 2048

/* What scripts call them, the likeliest first. */
static const char *const count_paths[] = { "parameters.samples", "samples", "parameters.num_outputs", "parameters.num_images",
	"parameters.number_of_images", NULL };
static const char *const length_paths[] = { "duration_seconds", "parameters.duration_seconds", "duration", "parameters.duration",
	"seconds", "parameters.seconds", NULL };

static const char *declared(const struct openai_fields *fields, const char *const *paths)
{
	while (*paths != NULL && fields_input(fields->properties, *paths) == NULL)
		paths++;
	return *paths;
}

/* ---- n ---- */

static bool is_one_of(const json_t *values, json_int_t number)
{
	for (size_t i = 0; i < json_array_size(values); i++)
		if (json_is_integer(json_array_get(values, i)) && json_integer_value(json_array_get(values, i)) == number)
			return true;
	return false;
}

static bool refuse_count(const struct openai_fields *fields, const json_t *most)
{
	const char *what = fields->wish->call == OPENAI_VIDEOS_CREATE ? "video" : "image";

	if (json_is_integer(most) && json_integer_value(most) > 1)
		openai_refuse(fields->request, "invalid_value", "n",
			"n: %s makes at most %lld %ss a request; send one request for each group.", fields_model_name(fields),
			(long long)json_integer_value(most), what);
	else
		openai_refuse(fields->request, "invalid_value", "n", "n: %s makes one %s a request; send one request for each.",
			fields_model_name(fields), what);
	return false;
}

static bool refuse_this_count(const struct openai_fields *fields, const json_t *values)
{
	struct buffer list;

	buffer_init(&list, LIST_BYTES);
	for (size_t i = 0; i < json_array_size(values); i++) {
		buffer_text(&list, i > 0 ? ", " : "");
		json_write(&list, json_array_get(values, i));
	}
	openai_refuse(fields->request, "invalid_value", "n", "n: %s makes %s images a request.", fields_model_name(fields),
		buffer_begin(&list));
	buffer_free(&list);
	return false;
}

/* How many it says in the model's own words, whichever; NULL: it does not. */
static const json_t *find_own_count(const struct openai_fields *fields)
{
	const json_t *value = NULL;

	for (const char *const *path = count_paths; *path != NULL && value == NULL; path++) {
		const char *dot = strrchr(*path, '.');

		value = json_object_get(dot != NULL ? fields->parameters : fields->submit, dot != NULL ? dot + 1 : *path);
	}
	return value;
}

/* For the placeholders: as many as there would be pictures. */
static int count_said(const json_t *value)
{
	json_int_t count = json_integer_value(value);

	return count < 1 ? 1 : count > MOST_IMAGES ? MOST_IMAGES : (int)count;
}

bool fields_take_count(struct openai_fields *fields)
{
	const char *path = declared(fields, count_paths);
	const json_t *input = path != NULL ? fields_input(fields->properties, path) : NULL;
	const json_t *most = json_object_get(input, "maximum"), *values = json_object_get(input, "enum");
	const json_t *own = find_own_count(fields);
	json_int_t n = 0;

	if (!fields_integer(fields, "n", 1, MOST_IMAGES, &n))
		return false;
	if (n == 0)
		fields->wish->n = count_said(own);
	if (n == 0 && (fields->wish->call == OPENAI_VIDEOS_CREATE || path == NULL || own != NULL))
		return true;
	if (n == 0)
		n = 1; /* as OpenAI's API has it, whatever the model's own default is */
	fields->wish->n = (int)n;
	if (fields->schema != NULL && input == NULL)
		return n == 1 || refuse_count(fields, NULL);
	if (json_is_integer(most) && n > json_integer_value(most))
		return refuse_count(fields, most);
	if (values != NULL && !is_one_of(values, n))
		return refuse_this_count(fields, values);
	if (input == NULL && n == 1)
		return true;
	return fields_put(fields, path != NULL ? path : "parameters.samples", json_integer(n), "n");
}

/* ---- seconds ---- */

/* A length as a number: 5, "5" and "5s" are the same. Below 0: it is none. */
static double length_of(const json_t *value)
{
	const char *text = json_text_value(value);
	double seconds;
	char *end;

	if (json_is_number(value))
		return json_number_value(value);
	if (text == NULL || strspn(text, "0123456789.") == 0)
		return -1;
	seconds = strtod(text, &end);
	if (*end == 's')
		end++;
	return *end == '\0' && isfinite(seconds) ? seconds : -1;
}

/* The value that comes to these seconds, as it is declared; NULL: there is none. */
static json_t *value_of_length(const json_t *values, double seconds)
{
	for (size_t i = 0; i < json_array_size(values); i++)
		if (fabs(length_of(json_array_get(values, i)) - seconds) < 1e-9)
			return json_incref(json_array_get(values, i));
	return NULL;
}

static json_t *number_of(double seconds)
{
	return seconds == floor(seconds) ? json_integer((json_int_t)seconds) : json_real(seconds);
}

static bool may_be(const json_t *input, const char *type)
{
	const json_t *types = json_object_get(input, "type");
	const char *one = json_text_value(types);

	if (one != NULL)
		return strcmp(one, type) == 0;
	for (size_t i = 0; i < json_array_size(types); i++) {
		one = json_text_value(json_array_get(types, i));
		if (one != NULL && strcmp(one, type) == 0)
			return true;
	}
	return types == NULL;
}

/* Within the bounds, and whole where it has to be. */
static bool fits_bounds(const json_t *input, double seconds)
{
	const json_t *least = json_object_get(input, "minimum"), *most = json_object_get(input, "maximum");

	return (!json_is_number(least) || seconds >= json_number_value(least)) &&
	       (!json_is_number(most) || seconds <= json_number_value(most)) &&
	       (seconds == floor(seconds) || may_be(input, "number"));
}

/* The lengths that there are, as text: "5, 9", "2 to 10"; "" when they are not known. */
static void write_lengths(const json_t *input, struct buffer *out)
{
	const json_t *values = json_object_get(input, "enum"), *most = json_object_get(input, "maximum");

	for (size_t i = 0; i < json_array_size(values); i++)
		buffer_format(out, "%s%.10g", i > 0 ? ", " : "", length_of(json_array_get(values, i)));
	if (values == NULL && json_is_number(most))
		buffer_format(
			out, "%.10g to %.10g", json_number_value(json_object_get(input, "minimum")), json_number_value(most));
}

static bool refuse_length(const struct openai_fields *fields, const json_t *input)
{
	struct buffer lengths;
	bool known;

	buffer_init(&lengths, LIST_BYTES);
	if (input != NULL)
		write_lengths(input, &lengths);
	known = lengths.length > 0;
	if (input == NULL)
		openai_refuse(fields->request, "invalid_value", "seconds", "seconds: %s takes no length; leave it out.",
			fields_model_name(fields));
	else
		openai_refuse(fields->request, "invalid_value", "seconds", "seconds: %s does not make this length%s%s.",
			fields_model_name(fields), known ? "; possible: " : "", buffer_begin(&lengths));
	buffer_free(&lengths);
	return false;
}

/* As a number. False: an error was sent. */
static bool read_seconds(struct openai_fields *fields, const json_t *value, double *seconds)
{
	const char *text = json_text_value(value);

	*seconds = text != NULL && strspn(text, "0123456789.") != strlen(text) ? -1 : length_of(value);
	if (*seconds > 0 && *seconds <= 86400)
		return true;
	openai_refuse(fields->request, "invalid_value", "seconds", "seconds: must be a number of seconds, such as \"5\".");
	return false;
}

bool fields_take_seconds(struct openai_fields *fields)
{
	const json_t *value = json_object_get(fields->given, "seconds");
	const char *path = declared(fields, length_paths);
	const json_t *input = path != NULL ? fields_input(fields->properties, path) : NULL;
	const json_t *values = json_object_get(input, "enum");
	json_t *made = NULL;
	double seconds;

	if (value == NULL)
		return true;
	if (!read_seconds(fields, value, &seconds))
		return false;
	fields->wish->duration = seconds;
	snprintf(fields->wish->seconds, sizeof fields->wish->seconds, "%.6g", seconds);
	if (fields->schema != NULL && input == NULL)
		return refuse_length(fields, NULL);
	if (values != NULL)
		made = value_of_length(values, seconds);
	else if (fits_bounds(input, seconds))
		made = number_of(seconds);
	if (made == NULL)
		return refuse_length(fields, input);
	return fields_put(fields, path != NULL ? path : "duration_seconds", made, "seconds");
}

void fields_describe_seconds(const json_t *properties, json_t *own)
{
	const json_t *input = NULL, *values;
	json_t *list = json_array();
	double length;

	for (const char *const *path = length_paths; *path != NULL && input == NULL; path++)
		input = fields_input(properties, *path);
	values = json_object_get(input, "enum");
	for (size_t i = 0; i < json_array_size(values); i++) {
		length = length_of(json_array_get(values, i));
		if (length > 0)
			json_array_append_new(list, number_of(length));
	}
	if (values == NULL && may_be(input, "integer") && json_is_number(json_object_get(input, "maximum")) &&
		json_is_number(json_object_get(input, "minimum")))
		for (json_int_t i = (json_int_t)ceil(json_number_value(json_object_get(input, "minimum")));
			i <= (json_int_t)json_number_value(json_object_get(input, "maximum")) &&
			json_array_size(list) < LIMIT_OPENAI_SIZES;
			i++)
			json_array_append_new(list, json_integer(i));
	if (json_array_size(list) > 0)
		json_object_set(own, "seconds", list);
	json_decref(list);
}
