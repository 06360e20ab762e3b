/* images.h - images.generate and images.edit. HTTP threads. */
#pragma once

#include "api/host.h"

/* POST /v1/images/generations and /v1/images/edits, and the same under /live. */
void openai_images_generate(struct host *host, struct http_request *request);
void openai_images_edit(struct host *host, struct http_request *request);
