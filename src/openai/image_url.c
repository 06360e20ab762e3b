/* image_url.c - writes URLs. Behind a proxy only the operator knows how the host is called from outside, so live.public_url goes first; the Host header
 * was checked by the guard. */
#include "openai/image_url.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "gate/signed_url.h"

static void write_base(struct buffer *url, const struct http_request *request)
{
	const char *base = request->view->config->live.public_url, *name = http_header(request, "Host");
	size_t length = base != NULL ? strlen(base) : 0;

	while (length > 0 && base[length - 1] == '/')
		length--;
	if (base != NULL) {
		buffer_append(url, base, length);
	} else if (name != NULL) { /* without it (HTTP/1.0) the path alone is what the client can follow */
		buffer_text(url, "http://");
		buffer_text(url, name);
	}
}

void image_url_write(struct buffer *out, struct host *host, const struct http_request *request, const char *path)
{
	const struct config *config = request->view->config;
	bool is_signed = config->server.api_key_count > 0 || config->live.public_url != NULL;
	char query[SIGNED_URL_BYTES];
	struct buffer url;

	buffer_init(&url, 2 * LIMIT_PATH_BYTES + LIMIT_CONFIG_TEXT_BYTES);
	write_base(&url, request);
	buffer_text(&url, path);
	if (is_signed &&
		signed_url_make(host->sessions, request->api_key, path, clock_unix_ms() / 1000 + IMAGE_URL_SECONDS, query)) {
		buffer_char(&url, '?');
		buffer_text(&url, query);
	}
	json_write_string(out, buffer_begin(&url), url.failed ? 0 : url.length);
	buffer_free(&url);
}
