/* mask_names.c - names that tell what stands under them: members of objects, variables, parameters of URLs. Any thread, no allocation.
 *
 * A name of a credential hides its text whatever that looks like, so these lists hold only what nobody calls anything else. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

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

/* Is `tail` the end of the name, beginning where a part begins? What stands before it is *rest bytes long. */
static bool ends_with(const char *name, size_t length, const char *tail, size_t *rest)
{
	size_t size = strlen(tail);

	if (length < size || memcmp(name + length - size, tail, size) != 0 || (length > size && name[length - size - 1] != '_'))
		return false;
	*rest = length > size ? length - size - 1 : 0;
	return true;
}

/* The tokens of language models: eos_token, pad_token, ... */
static bool is_vocabulary(const char *name, size_t length)
{
	static const char *const words[] = { "pad", "eos", "bos", "unk", "sep", "cls", "mask", "stop", "trigger", "placeholder",
		"initializer", "special", NULL };
	size_t rest;

	for (const char *const *word = words; *word != NULL; word++)
		if (ends_with(name, length, *word, &rest))
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
	static const char *const tails[] = { "token", "secret", "password", "passwd", "passphrase", "authorization", "credential",
		"credentials", "apikey", "api_key", "secret_key", "access_key", "private_key", "auth_key", "signing_key",
		"encryption_key", "access_key_id", "token_id", "accesstoken", "authtoken", "secretkey", "accesskey", "privatekey",
		"clientsecret", "cookie", NULL };
	char folded[NAME_BYTES];
	size_t used, rest;

	if (length < 3 || !may_end_so(name, length))
		return false;
	used = fold_name(name, length, folded);
	for (const char *const *tail = tails; *tail != NULL; tail++)
		if (ends_with(folded, used, *tail, &rest))
			return strcmp(*tail, "token") != 0 || !is_vocabulary(folded, rest);
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
	static const char *const tails[] = { "pass", "passwd", "password", "pwd", "secret", "token", "key", NULL };
	char folded[NAME_BYTES];
	size_t used, rest;

	if (mask_rule_name(name, length))
		return true;
	used = fold_name(name, length, folded);
	if (ends_with(folded, used, "public_key", &rest) ||
		(ends_with(folded, used, "token", &rest) && is_vocabulary(folded, rest)))
		return false;
	for (const char *const *tail = tails; *tail != NULL; tail++)
		if (used >= strlen(*tail) && strcmp(folded + used - strlen(*tail), *tail) == 0)
			return true;
	return false;
}

/* Parts of a signature, which presigned URLs of the object stores are made of, and the tokens of paging. */
static bool is_no_credential(const char *name, size_t length)
{
	static const char *const beginnings[] = { "x_amz_", "x_goog_", "x_oss_", "x_cos_", "x_tos_", "x_obs_", NULL };
	static const char *const tails[] = { "access_key_id", "security_token", "credential", "page_token", "next_token",
		"continuation_token", "sync_token", NULL };
	size_t rest;

	for (const char *const *beginning = beginnings; *beginning != NULL; beginning++)
		if (strncmp(name, *beginning, strlen(*beginning)) == 0)
			return true;
	for (const char *const *tail = tails; *tail != NULL; tail++)
		if (ends_with(name, length, *tail, &rest))
			return true;
	return false;
}

bool mask_rule_parameter_name(const char *name, size_t length)
{
	char folded[NAME_BYTES];

	return mask_rule_name(name, length) && !is_no_credential(folded, fold_name(name, length, folded));
}
