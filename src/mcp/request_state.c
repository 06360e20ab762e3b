/* request_state.c - makes and reads states. HTTP threads; no state of its own. */
#include "mcp/request_state.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/limits.h"
#include "base/text.h"
#include "gate/session.h"

#define USE "providerd mcp approval 1"
#define PREFIX "v1."
#define NUMBER_BYTES 8
#define ID_BYTES 16
#define SIGNED_BYTES (ID_BYTES + 3 * NUMBER_BYTES)
#define STATE_BYTES (SIGNED_BYTES + SHA256_DIGEST_LENGTH)

_Static_assert(sizeof PREFIX + 2 * STATE_BYTES <= MCP_STATE_BYTES, "a state is written in hex digits");

static unsigned char *put_state_number(unsigned char *to, int64_t number)
{
	for (int i = NUMBER_BYTES - 1; i >= 0; i--)
		*to++ = (unsigned char)((uint64_t)number >> (8 * i));
	return to;
}

static int64_t take_state_number(const unsigned char *from)
{
	uint64_t number = 0;

	for (int i = 0; i < NUMBER_BYTES; i++)
		number = number << 8 | from[i];
	return (int64_t)number;
}

/* The name of the API key stands before the rest, which has one length: two questions never give the same text. */
static bool mark_state(const struct mcp_call *call, const unsigned char bytes[SIGNED_BYTES], unsigned char mark[EVP_MAX_MD_SIZE])
{
	const struct config_api_key *key = call->request->api_key;
	unsigned char text[LIMIT_API_KEY_NAME_BYTES + SIGNED_BYTES], derived[SHA256_DIGEST_LENGTH];
	size_t length = key != NULL ? strnlen(key->name, LIMIT_API_KEY_NAME_BYTES) : 0;
	bool made;

	memcpy(text, key != NULL ? key->name : "", length);
	memcpy(text + length, bytes, SIGNED_BYTES);
	made = sessions_derive(call->host->sessions, USE, derived) &&
	       HMAC(EVP_sha256(), derived, sizeof derived, text, length + SIGNED_BYTES, mark, NULL) != NULL;
	explicit_bzero(derived, sizeof derived);
	return made;
}

bool mcp_state_make(const struct mcp_call *call, struct mcp_question *question, char state[MCP_STATE_BYTES])
{
	unsigned char bytes[SIGNED_BYTES], mark[EVP_MAX_MD_SIZE], *to = bytes;
	uint64_t random = 0;

	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return false;
	question->number = (int64_t)(random >> 1 | 1);
	question->expires_ms = clock_unix_ms() + LIMIT_APPROVAL_QUESTION_MS;
	memcpy(to, question->quote.bytes, ID_BYTES);
	to = put_state_number(to + ID_BYTES, question->amount);
	to = put_state_number(to, question->number);
	put_state_number(to, question->expires_ms);
	if (!mark_state(call, bytes, mark))
		return false;
	memcpy(state, PREFIX, sizeof PREFIX);
	text_write_hex(text_write_hex(state + sizeof PREFIX - 1, bytes, sizeof bytes), mark, SHA256_DIGEST_LENGTH);
	return true;
}

/* A question has one state: its digits in capitals are another text. */
static bool has_capitals(const char *state)
{
	return strpbrk(state, "ABCDEF") != NULL;
}

bool mcp_state_read(const struct mcp_call *call, const char *state, struct mcp_question *question)
{
	unsigned char bytes[STATE_BYTES] = { 0 }, mark[EVP_MAX_MD_SIZE];

	if (strncmp(state, PREFIX, sizeof PREFIX - 1) != 0 || has_capitals(state) ||
		!text_read_hex(state + sizeof PREFIX - 1, bytes, sizeof bytes) || !mark_state(call, bytes, mark) ||
		CRYPTO_memcmp(mark, bytes + SIGNED_BYTES, SHA256_DIGEST_LENGTH) != 0)
		return false;
	memcpy(question->quote.bytes, bytes, ID_BYTES);
	question->amount = take_state_number(bytes + ID_BYTES);
	question->number = take_state_number(bytes + ID_BYTES + NUMBER_BYTES);
	question->expires_ms = take_state_number(bytes + ID_BYTES + 2 * NUMBER_BYTES);
	return question->expires_ms > clock_unix_ms() && question->expires_ms <= clock_unix_ms() + LIMIT_APPROVAL_QUESTION_MS;
}
