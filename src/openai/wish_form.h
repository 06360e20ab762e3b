/* wish_form.h - a multipart/form-data body as the object that the same request would be in JSON. HTTP threads. */
#pragma once

#include <jansson.h>

#include "http/http.h"

/* "image[]" appends, "input_reference[image_url]" and "parameters[loop]" are members, a file is a data URI of what its bytes are; texts stay texts. NULL: an
 * error was sent. Its memory counts as that of JSON bodies. json_decref() it. */
json_t *openai_form_read(struct http_request *request);
