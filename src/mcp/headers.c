/* headers.c - compares them with the body, byte by byte. A header that is there twice agrees with nothing: a proxy may have read the other one. */
#include "mcp/headers.h"

#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"
#include "mcp/errors.h"

#define ENCODED_BEGIN "=?base64?"
#define ENCODED_END "?="

struct finding {
	const char *name, *value;
	int times;
};

static void find_header(void *context, const char *name, const char *value)
{
	struct finding *finding = context;

	if (strcasecmp(name, finding->name) != 0)
		return;
	finding->value = value;
	finding->times++;
}

int mcp_header(const struct http_request *request, const char *name, const char **value)
{
	struct finding finding = { .name = name };

	http_each_header(request, find_header, &finding);
	if (value != NULL)
		*value = finding.value;
	return finding.times;
}

/* The header, or NULL when it is not there exactly once. */
static const char *only_header(const struct http_request *request, const char *name)
{
	const char *value;

	return mcp_header(request, name, &value) == 1 ? value : NULL;
}

/* Base64 with its padding (RFC 4648, 4). */
static bool decode_sentinel(const char *text, size_t length, char decoded[LIMIT_MCP_NAME_BYTES])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t padding = 0;
	int bytes;

	if (length == 0 || length % 4 != 0 || length / 4 * 3 >= LIMIT_MCP_NAME_BYTES || !crypto_load())
		return false;
	while (padding < 2 && text[length - 1 - padding] == '=')
		padding++;
	if (strspn(text, alphabet) != length - padding)
		return false;
	bytes = EVP_DecodeBlock((unsigned char *)decoded, (const unsigned char *)text, (int)length);
	if (bytes < 0)
		return false;
	decoded[(size_t)bytes - padding] = '\0';
	return strlen(decoded) == (size_t)bytes - padding;
}

/* What Mcp-Name says; NULL: its base64 is broken. */
static const char *read_name_header(const char *header, char decoded[LIMIT_MCP_NAME_BYTES])
{
	const size_t begin = sizeof ENCODED_BEGIN - 1, end = sizeof ENCODED_END - 1;
	size_t length = strlen(header);

	if (length < begin + end || strncmp(header, ENCODED_BEGIN, begin) != 0 || strcmp(header + length - end, ENCODED_END) != 0)
		return header;
	return decode_sentinel(header + begin, length - begin - end, decoded) ? decoded : NULL;
}

static bool check_name_header(struct http_request *request, const struct mcp_message *message, const char *named)
{
	const char *wanted = json_text(message->params, named), *header = only_header(request, "Mcp-Name"), *name;
	char decoded[LIMIT_MCP_NAME_BYTES];

	if (wanted == NULL)
		return true; /* it is told that it is missing */
	if (header == NULL)
		return mcp_message_refuse(request, message, 400, MCP_HEADER_MISMATCH, NULL,
			"the header Mcp-Name must be there once, and repeat `params.%s`", named);
	name = read_name_header(header, decoded);
	if (name == NULL)
		return mcp_message_refuse(
			request, message, 400, MCP_HEADER_MISMATCH, NULL, "the base64 of the header Mcp-Name is malformed");
	if (strcmp(name, wanted) != 0)
		return mcp_message_refuse(request, message, 400, MCP_HEADER_MISMATCH, NULL,
			"the header Mcp-Name is not what `params.%s` says: %.80s", named, wanted);
	return true;
}

bool mcp_headers_check(struct http_request *request, const struct mcp_message *message, const char *named)
{
	const char *method = only_header(request, "Mcp-Method");

	if (method == NULL)
		return mcp_message_refuse(request, message, 400, MCP_HEADER_MISMATCH, NULL,
			"the header Mcp-Method must be there once, and repeat `method`: %s", message->method);
	if (strcmp(method, message->method) != 0)
		return mcp_message_refuse(request, message, 400, MCP_HEADER_MISMATCH, NULL,
			"the header Mcp-Method is not what `method` says: %s", message->method);
	return named == NULL || check_name_header(request, message, named);
}
