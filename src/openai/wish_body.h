/* wish_body.h - the body of a request of OpenAI's form as one object of fields, whatever it came as. HTTP threads. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "http/http.h"

/* JSON or a form. Without nulls, and with the members of extra_body among the others; `parameters` is an object, if it is there; no credentials. NULL: an
 * error was sent. To be json_decref()ed. `from_form`: numbers and booleans are texts. */
json_t *openai_body_read(struct http_request *request, bool *from_form);
