/* mask_names.c - names that tell what stands under them: members of objects, variables, parameters of URLs. Any thread, no allocation.
 *
 * A name of a credential hides its text whatever that looks like, so these lists hold only what nobody calls anything else. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "gate/mask.h"
#include "gate/mask_rules.h"

#define NAME_BYTES 96

/* Lower case, "-" and " " as "_", and a "_" where camelCase begins a word. Long names keep their end, which is what tells. */
static size_t fold_name(const char *name, size_t length, char folded[NAME_BYTES])
{
	size_t used = 0;

	if (length > NAME_BYTES / 2) {
		name += length - NAME_BYTES / 2;
		length = NAME_BYTES / 2;
	}
	for (size_t i = 0; i < length && used < NAME_BYTES - 2; i++) {
		unsigned char byte = (unsigned char)name[i];

		if (i > 0 && isupper(byte) && isalpha((unsigned char)name[i - 1]) &&
			(islower((unsigned char)name[i - 1]) || (i + 1 < length && islower((unsigned char)name[i + 1]))))
			folded[used++] = '_';
		folded[used++] = byte == '-' || byte == ' ' || byte == '.' ? '_' : (char)tolower(byte);
	}
	folded[used] = '\0';
	return used;
}

/* An end of names. Its length and last character tell most names apart from it. */
struct tail {
	const char *text;
	unsigned char length;
	char last;
};

#define TAIL(text)                                                                                                               \
	{                                                                                                                        \
		text, sizeof(text) - 1, text[sizeof(text) - 2]                                                                   \
	}
#define NO_TAIL                                                                                                                  \
	{                                                                                                                        \
		NULL, 0, 0                                                                                                       \
	}

/* Is `tail` the end of the name, beginning where a part begins? What stands before it is *rest bytes long. */
static inline bool ends_with(const char *name, size_t length, const struct tail *end, size_t *rest)
{
	const char *tail = end->text;
	size_t size = end->length;

	if (length < size || name[length - 1] != end->last || memcmp(name + length - size, tail, size) != 0 ||
		(length > size && name[length - size - 1] != '_'))
		return false;
	*rest = length > size ? length - size - 1 : 0;
	return true;
}

/* The tokens of language models: eos_token, pad_token, ... */
static bool is_vocabulary(const char *name, size_t length)
{
	static const struct tail words[] = { TAIL("pad"), TAIL("eos"), TAIL("bos"), TAIL("unk"), TAIL("sep"), TAIL("cls"),
		TAIL("mask"), TAIL("stop"), TAIL("trigger"), TAIL("placeholder"), TAIL("initializer"), TAIL("special"), NO_TAIL };
	size_t rest;

	for (const struct tail *word = words; word->text != NULL; word++)
		if (ends_with(name, length, word, &rest))
			return true;
	return false;
}

/* Most keys end otherwise than any name of a credential does; that is seen before anything is folded. */
static bool may_end_so(const char *name, size_t length)
{
	static const char ends[][3] = { "en", "et", "rd", "wd", "se", "on", "al", "ls", "ey", "id", "ie" };
	char before = (char)tolower((unsigned char)name[length - 2]), last = (char)tolower((unsigned char)name[length - 1]);

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (ends[i][0] == before && ends[i][1] == last)
			return true;
	return false;
}

bool mask_rule_name(const char *name, size_t length)
{
	static const struct tail tails[] = { TAIL("token"), TAIL("secret"), TAIL("password"), TAIL("passwd"), TAIL("passphrase"),
		TAIL("authorization"), TAIL("credential"), TAIL("credentials"), TAIL("apikey"), TAIL("api_key"),
		TAIL("secret_key"), TAIL("access_key"), TAIL("private_key"), TAIL("auth_key"), TAIL("signing_key"),
		TAIL("encryption_key"), TAIL("access_key_id"), TAIL("token_id"), TAIL("accesstoken"), TAIL("authtoken"),
		TAIL("secretkey"), TAIL("accesskey"), TAIL("privatekey"), TAIL("clientsecret"), TAIL("cookie"), NO_TAIL };
	char folded[NAME_BYTES];
	size_t used, rest;

	if (length < 3 || !may_end_so(name, length))
		return false;
	used = fold_name(name, length, folded);
	for (const struct tail *tail = tails; tail->text != NULL; tail++)
		if (ends_with(folded, used, tail, &rest))
			return tail != tails || !is_vocabulary(folded, rest); /* "token" */
	return false;
}

static bool is_one_of(const char *const *words, const char *name, size_t length)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == length && strncasecmp(*words, name, length) == 0)
			return true;
	return false;
}

bool mask_rule_store_name(const char *name, size_t length)
{
	static const char *const stores[] = { "secrets", "credentials", NULL };

	return length >= 7 && is_one_of(stores, name, length);
}

bool mask_rule_environment_name(const char *name, size_t length)
{
	static const char *const environments[] = { "env", "envs", "environment", "env_vars", "environment_variables", NULL };

	return (name[0] == 'e' || name[0] == 'E') && is_one_of(environments, name, length);
}

/* Of variables the end alone tells, also without a "_" before it: PGPASSWORD, OPENAI_KEY. A public key is none. */
bool mask_rule_variable_name(const char *name, size_t length)
{
	static const struct tail public_key = TAIL("public_key"), token = TAIL("token");
	static const struct tail tails[] = { TAIL("pass"), TAIL("passwd"), TAIL("password"), TAIL("pwd"), TAIL("secret"),
		TAIL("token"), TAIL("key"), NO_TAIL };
	char folded[NAME_BYTES];
	size_t used, rest;

	if (mask_rule_name(name, length))
		return true;
	used = fold_name(name, length, folded);
	if (ends_with(folded, used, &public_key, &rest) ||
		(ends_with(folded, used, &token, &rest) && is_vocabulary(folded, rest)))
		return false;
	for (const struct tail *tail = tails; tail->text != NULL; tail++)
		if (used >= tail->length && strcmp(folded + used - tail->length, tail->text) == 0)
			return true;
	return false;
}

/* Parts of a signature, which presigned URLs of the object stores are made of, and the tokens of paging. */
static bool is_no_credential(const char *name, size_t length)
{
	static const char *const beginnings[] = { "x_amz_", "x_goog_", "x_oss_", "x_cos_", "x_tos_", "x_obs_", NULL };
	static const struct tail tails[] = { TAIL("access_key_id"), TAIL("security_token"), TAIL("credential"),
		TAIL("page_token"), TAIL("next_token"), TAIL("continuation_token"), TAIL("sync_token"), NO_TAIL };
	size_t rest;

	for (const char *const *beginning = beginnings; *beginning != NULL; beginning++)
		if (strncmp(name, *beginning, strlen(*beginning)) == 0)
			return true;
	for (const struct tail *tail = tails; tail->text != NULL; tail++)
		if (ends_with(name, length, tail, &rest))
			return true;
	return false;
}

bool mask_rule_parameter_name(const char *name, size_t length)
{
	char folded[NAME_BYTES];

	return mask_rule_name(name, length) && !is_no_credential(folded, fold_name(name, length, folded));
}

bool mask_hides(const char *name, size_t name_length, const char *text, size_t text_length)
{
	return text_length > 0 && mask_rule_name(name, name_length) && !mask_rule_harmless(text, text_length);
}
