/* image_url.h - absolute URLs of pictures, which clients fetch without a key. HTTP threads. */
#pragma once

#include "api/host.h"
#include "base/buffer.h"

#define IMAGE_URL_SECONDS 3600 /* as OpenAI's */

/* Appends the URL of a path of this host as JSON text: by live.public_url, else by the name that the client knows it by; signed for an hour where API keys are
 * set or the public URL is. */
void image_url_write(struct buffer *out, struct host *host, const struct http_request *request, const char *path);
