/* fields_picture.c - pictures that go into what is made: image, images, mask, input_reference. See fields_map.h.
 *
 * They are given to the script as it takes them from everybody: as parameters.image, a URL or a data URI, or a list of them. What it does with them, and
 * whether it can, is its own to say. */
#include "openai/fields_map.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"

#define PARAM_BYTES 64

static bool refuse_file_id(const struct openai_fields *fields, const char *param)
{
	char inner[PARAM_BYTES];

	snprintf(inner, sizeof inner, "%s.file_id", param);
	openai_refuse(fields->request, "unsupported_parameter", inner,
		"%s: this host keeps no uploaded files; give image_url (https or data URL) or the file itself.", inner);
	return false;
}

/* One picture: a text, or an object with image_url. */
static bool add_picture(struct openai_fields *fields, const char *param, json_t *value, json_t *pictures)
{
	json_t *url = json_is_object(value) ? json_object_get(value, "image_url") : value;

	if (json_is_object(url)) /* as chat writes it: { "url": ... } */
		url = json_object_get(url, "url");
	if (json_object_get(value, "file_id") != NULL && json_text_value(url) == NULL)
		return refuse_file_id(fields, param);
	if (json_text_value(url) == NULL || *json_text_value(url) == '\0') {
		openai_refuse(fields->request, "invalid_value", param, "%s: must be a file, or an image_url (https or data URL).",
			param);
		return false;
	}
	if (json_array_size(pictures) == LIMIT_OPENAI_IMAGES) {
		openai_refuse(fields->request, "invalid_value", param, "%s: at most %d images.", param, LIMIT_OPENAI_IMAGES);
		return false;
	}
	json_array_append(pictures, url);
	return true;
}

static bool add_pictures(struct openai_fields *fields, const char *name, json_t *pictures)
{
	json_t *value = json_object_get(fields->given, name), *item;
	size_t i;

	if (value == NULL)
		return true;
	if (!json_is_array(value))
		return add_picture(fields, name, value, pictures);
	json_array_foreach(value, i, item) {
		if (!add_picture(fields, name, item, pictures))
			return false;
	}
	return true;
}

/* In OpenAI's masks nothing (alpha 0) is what is to be edited, in those of others white is: one for the other edits all the rest. */
static bool refuse_mask(struct openai_fields *fields)
{
	bool declared = fields_input(fields->properties, "parameters.mask") != NULL;

	if (json_object_get(fields->given, "mask") == NULL)
		return true;
	if (declared)
		openai_refuse(fields->request, "unsupported_parameter", "mask",
			"mask: the masks of %s are not those of OpenAI, whose transparent parts are edited: give one in the "
			"model's "
			"own notation as parameters.mask.",
			fields_model_name(fields));
	else
		openai_refuse(
			fields->request, "unsupported_parameter", "mask", "mask: %s takes none.", fields_model_name(fields));
	return false;
}

static bool needs_picture(struct openai_fields *fields, const json_t *pictures)
{
	if (fields->wish->call != OPENAI_IMAGES_EDIT || json_array_size(pictures) > 0)
		return false;
	openai_refuse(fields->request, "missing_required_parameter", "image", "Missing required parameter: 'image'.");
	return true;
}

bool fields_take_pictures(struct openai_fields *fields)
{
	const char *param = fields->wish->call == OPENAI_VIDEOS_CREATE ? "input_reference" : "image";
	json_t *pictures = json_array();
	bool good = add_pictures(fields, "image", pictures) && add_pictures(fields, "images", pictures) &&
		    add_pictures(fields, "input_reference", pictures) && refuse_mask(fields) && !needs_picture(fields, pictures);

	if (good && json_array_size(pictures) == 1)
		good = fields_put(fields, "parameters.image", json_incref(json_array_get(pictures, 0)), param);
	else if (good && json_array_size(pictures) > 1)
		good = fields_put(fields, "parameters.image", json_incref(pictures), param);
	json_decref(pictures);
	return good;
}
