/* model_list.h - what may be asked for by OpenAI's names, as a list that is made once for each version of scripts and configuration. HTTP threads. */
#pragma once

#include "openai/named_model.h"

struct openai_model_lists *openai_model_lists_new(void);
void openai_model_lists_free(struct openai_model_lists *lists); /* NULL: does nothing */

/* GET /v1/models, and /v1/models/{id}, whose slashes may be %2F. */
void openai_models_list(struct host *host, struct http_request *request);
void openai_models_retrieve(struct host *host, struct http_request *request, const char *id);
