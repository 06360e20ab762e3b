/* mask_rules.c - the rules of masking, each a pure function over a piece of text. Any thread, no allocation.
 *
 * They lean to masking where a credential is likely (a telling key, a vendor's prefix) and to leaving text alone where a prompt,
 * a model name or a number of tokens is: a masked prompt is damage too. What no rule knows is caught by its value, when it is
 * one of the host's own credentials. */
#include "gate/mask_rules.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "gate/environment.h"
#include "gate/mask.h"

#define NAME_BYTES 96
#define SHORTEST_WORD 16 /* the shortest vendor key known has 20 characters */
#define SHORTEST_VALUE 8 /* shorter values are words of everyday text */
#define SHORTEST_EQUAL 4 /* ... but a text that is nothing else is one of them */

/* ---- names of keys ---- */

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

/* ---- words ---- */

struct prefix {
	const char *text;
	bool common; /* ordinary names begin so too: hf_inference_endpoints, key_frames, luma-ray-2 */
};

static const struct prefix prefixes[] = {
	{ "r8_", false },
	{ "rpa_", false },
	{ "whsec_", false },
	{ "sk-", false },
	{ "wk-", false },
	{ "ws-", false },
	{ "ak-", false },
	{ "hf_", true },
	{ "key_", true },
	{ "as-", true },
	{ "luma-", true },
};

/* Random characters rather than words: a capital, a part with digits of six or more characters, or one of twenty and more. */
static bool is_random(const char *text, size_t length)
{
	size_t run = 0;
	bool digits = false;

	if (memchr(text, '/', length) != NULL)
		return false; /* a path */
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (isupper(byte))
			return true;
		if (!isalnum(byte)) {
			run = 0;
			digits = false;
			continue;
		}
		run++;
		digits |= isdigit(byte) != 0;
		if (run >= 20 || (digits && run >= 6))
			return true;
	}
	return false;
}

static bool is_one_word(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (isspace((unsigned char)text[i]))
			return false;
	return true;
}

bool mask_rule_word(const char *word, size_t length)
{
	if (length < SHORTEST_WORD || strchr("rswahkl", word[0]) == NULL)
		return false;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		const struct prefix *prefix = &prefixes[i];
		size_t size = strlen(prefix->text);

		if (memcmp(word, prefix->text, size) == 0)
			return is_one_word(word, length) && (!prefix->common || is_random(word + size, length - size));
	}
	return false;
}

bool mask_rule_odd(const char *word, size_t length)
{
	bool odd = length >= SHORTEST_WORD;

	for (size_t i = 0; i < length && !odd; i++)
		odd = isdigit((unsigned char)word[i]) || word[i] == ':' || word[i] == '=' ||
		      (i > 0 && isupper((unsigned char)word[i]));
	return odd && length >= SHORTEST_VALUE;
}

bool mask_rule_scheme(const char *scheme, size_t scheme_length, const char *word, size_t length)
{
	if (length == 0 || !is_one_word(word, length))
		return false;
	if (scheme_length == 6 && strncasecmp(scheme, "Bearer", 6) == 0)
		return true;
	if ((scheme_length == 3 && strncasecmp(scheme, "Key", 3) == 0) ||
		(scheme_length == 5 && strncasecmp(scheme, "Basic", 5) == 0))
		return mask_rule_odd(word, length);
	return false;
}

/* ---- whole texts ---- */

static size_t skip_scheme(const char *text, size_t length)
{
	static const char *const schemes[] = { "Bearer ", "Key ", "Basic ", "Token ", NULL };

	for (const char *const *scheme = schemes; *scheme != NULL; scheme++)
		if (length > strlen(*scheme) && strncasecmp(text, *scheme, strlen(*scheme)) == 0)
			return strlen(*scheme);
	return 0;
}

bool mask_rule_harmless(const char *text, size_t length)
{
	const char *end = text + length;

	text += skip_scheme(text, length);
	while (text < end) {
		size_t left = (size_t)(end - text), name = 0;

		if (*text == ':' || isspace((unsigned char)*text)) {
			text++;
		} else if (left >= strlen(MASK_TEXT) && memcmp(text, MASK_TEXT, strlen(MASK_TEXT)) == 0) {
			text += strlen(MASK_TEXT);
		} else if (*text == '{') {
			for (name = 1; name < left && (isalnum((unsigned char)text[name]) || text[name] == '_'); name++)
				;
			if (name == 1 || name == left || text[name] != '}')
				return false;
			text += name + 1;
		} else {
			return false;
		}
	}
	return true;
}

const char *mask_rule_userinfo(const char *text, size_t text_length, size_t *length)
{
	const char *end = text + text_length, *from = text, *at;
	size_t authority;

	while ((from = memmem(from, (size_t)(end - from), "://", 3)) != NULL) {
		from += 3;
		at = NULL;
		for (authority = 0; from + authority < end && strchr("/?# \t\r\n\"'<>", from[authority]) == NULL; authority++)
			if (from[authority] == '@')
				at = from + authority;
		if (at != NULL && at > from && !mask_rule_harmless(from, (size_t)(at - from))) {
			*length = (size_t)(at - from);
			return from;
		}
	}
	return NULL;
}

static bool separates(char byte)
{
	return isspace((unsigned char)byte) || strchr("\"'`,;&?()[]{}<>|=:", byte) != NULL;
}

/* "bearer of the ring" is prose, "Bearer 0123456789" is not. */
static bool is_after_bearer(const char *before, size_t length, const char *word, size_t word_length)
{
	return length == 6 && before + length + 1 == word && strncasecmp(before, "Bearer", 6) == 0 &&
	       mask_rule_odd(word, word_length);
}

const char *mask_rule_key(const char *text, size_t text_length, size_t *length)
{
	const char *end = text + text_length, *before = NULL;
	size_t before_length = 0, size;

	for (; text < end; text += size) {
		for (size = 0; text + size < end && !separates(text[size]); size++)
			;
		if (size == 0) {
			size = 1;
			continue;
		}
		*length = size;
		if (mask_rule_word(text, size) || is_after_bearer(before, before_length, text, size))
			return text;
		before = text;
		before_length = size;
	}
	return NULL;
}

/* ---- values of the host's own credentials ---- */

struct needle_search {
	const char *text;
	size_t length;
	const char *found;
	size_t found_length;
};

static void try_value(void *context, const char *value)
{
	struct needle_search *search = context;
	size_t size = strlen(value);
	const char *at = NULL;

	if (size > search->length || size < SHORTEST_EQUAL)
		return;
	if (size == search->length)
		at = memcmp(search->text, value, size) == 0 ? search->text : NULL;
	else if (size >= SHORTEST_VALUE)
		at = memmem(search->text, search->length, value, size);
	if (at == NULL ||
		(search->found != NULL && (at > search->found || (at == search->found && size <= search->found_length))))
		return;
	search->found = at;
	search->found_length = size;
}

const char *mask_rule_value(const struct gate_view *view, const char *text, size_t text_length, size_t *length)
{
	struct needle_search search = { .text = text, .length = text_length };

	if (text_length < SHORTEST_EQUAL)
		return NULL;
	secrets_each(view->secrets, try_value, &search);
	environment_each_credential(view->environment, try_value, &search);
	*length = search.found_length;
	return search.found;
}
