/* mask_rules.c - the rules of masking, each a pure function over a piece of text. Any thread, no allocation.
 *
 * They lean to masking where a credential is likely (a telling key, a vendor's prefix) and to leaving text alone where a prompt,
 * a model name or a number of tokens is: a masked prompt is damage too. What no rule knows is caught by its value, when it is
 * one of the host's own credentials. */
#include "gate/mask_rules.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "gate/mask.h"

#define SHORTEST_WORD 16 /* the shortest vendor key known has 20 characters */
#define SHORTEST_VALUE 8 /* shorter values are words of everyday text */

/* ---- words ---- */

struct prefix {
	const char *text;
	bool common; /* ordinary names begin so too: hf_inference_endpoints, key_frames, luma-ray-2 */
};

/* First those of the nine vendors, then what people carry about besides: GitHub, GitLab, Slack, Stripe, npm. */

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
	{ "ghp_", true },
	{ "gho_", true },
	{ "ghu_", true },
	{ "ghs_", true },
	{ "ghr_", true },
	{ "github_pat_", true },
	{ "glpat-", true },
	{ "xoxb-", true },
	{ "xoxp-", true },
	{ "xoxa-", true },
	{ "xoxr-", true },
	{ "xoxs-", true },
	{ "xoxe-", true },
	{ "xapp-", true },
	{ "sk_live_", true },
	{ "rk_live_", true },
	{ "npm_", true },
};

#define AMAZON_BYTES 20 /* AKIA and 16 capitals and digits */
#define GOOGLE_BYTES 39 /* AIza and 35 characters */

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

/* The id of an Amazon access key: of exactly this form, or it is a word like any other. */
static bool is_amazon(const char *word, size_t length)
{
	if (length != AMAZON_BYTES || (memcmp(word, "AKIA", 4) != 0 && memcmp(word, "ASIA", 4) != 0))
		return false;
	for (size_t i = 4; i < length; i++)
		if (!isupper((unsigned char)word[i]) && !isdigit((unsigned char)word[i]))
			return false;
	return true;
}

static bool is_google(const char *word, size_t length)
{
	return length >= GOOGLE_BYTES && memcmp(word, "AIza", 4) == 0 && is_one_word(word, length) &&
	       memchr(word, '/', length) == NULL;
}

bool mask_rule_word(const char *word, size_t length)
{
	if (length < SHORTEST_WORD || strchr("rswahklgxnA", word[0]) == NULL)
		return false;
	if (word[0] == 'A')
		return is_amazon(word, length) || is_google(word, length);
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		const struct prefix *prefix = &prefixes[i];
		size_t size;

		if (*word != *prefix->text || word[1] != prefix->text[1])
			continue;
		size = strlen(prefix->text);
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

/* The length of "{api_key}", or of "{{ RUNPOD_SECRET_name }}", by which RunPod puts in what it keeps itself; 0: it is neither. */
static size_t place_length(const char *text, size_t length)
{
	size_t braces = length > 1 && text[1] == '{' ? 2 : 1, at = braces, name;

	if (length == 0 || text[0] != '{')
		return 0;
	while (braces == 2 && at < length && text[at] == ' ')
		at++;
	for (name = at; at < length && (isalnum((unsigned char)text[at]) || text[at] == '_'); at++)
		;
	if (at == name)
		return 0;
	while (braces == 2 && at < length && text[at] == ' ')
		at++;
	return length - at >= braces && memcmp(text + at, "}}", braces) == 0 ? at + braces : 0;
}

bool mask_rule_harmless(const char *text, size_t length)
{
	const char *end = text + length;

	text += skip_scheme(text, length);
	while (text < end) {
		size_t left = (size_t)(end - text), place = place_length(text, left);

		if (*text == ':' || isspace((unsigned char)*text))
			text++;
		else if (left >= strlen(MASK_TEXT) && memcmp(text, MASK_TEXT, strlen(MASK_TEXT)) == 0)
			text += strlen(MASK_TEXT);
		else if (place > 0)
			text += place;
		else
			return false;
	}
	return true;
}

static bool ends_authority(char byte)
{
	static const bool ending[256] = { [0] = true,
		['/'] = true,
		['?'] = true,
		['#'] = true,
		[' '] = true,
		['\t'] = true,
		['\r'] = true,
		['\n'] = true,
		['"'] = true,
		['\''] = true,
		['<'] = true,
		['>'] = true };

	return ending[(unsigned char)byte];
}

const char *mask_rule_userinfo(const char *text, size_t text_length, size_t *length)
{
	const char *end = text + text_length, *from = text, *at;
	size_t authority;

	while ((from = memmem(from, (size_t)(end - from), "://", 3)) != NULL) {
		from += 3;
		at = NULL;
		for (authority = 0; from + authority < end && !ends_authority(from[authority]); authority++)
			if (from[authority] == '@')
				at = from + authority;
		if (at != NULL && at > from && !mask_rule_harmless(from, (size_t)(at - from))) {
			*length = (size_t)(at - from);
			return from;
		}
	}
	return NULL;
}

/* White space and punctuation around a word; a NUL, too. */
static bool separates(char byte)
{
	static const bool separating[256] = { [0] = true,
		['\t'] = true,
		['\n'] = true,
		['\v'] = true,
		['\f'] = true,
		['\r'] = true,
		[' '] = true,
		['"'] = true,
		['\''] = true,
		['`'] = true,
		[','] = true,
		[';'] = true,
		['&'] = true,
		['?'] = true,
		['('] = true,
		[')'] = true,
		['['] = true,
		[']'] = true,
		['{'] = true,
		['}'] = true,
		['<'] = true,
		['>'] = true,
		['|'] = true,
		['='] = true,
		[':'] = true };

	return separating[(unsigned char)byte];
}

/* "bearer of the ring" is prose, "Bearer 0123456789" is not. */
static bool is_after_bearer(const char *before, size_t length, const char *word, size_t word_length)
{
	return length == 6 && before + length + 1 == word && strncasecmp(before, "Bearer", 6) == 0 &&
	       mask_rule_odd(word, word_length);
}

/* The id of the key that signed a URL ("?AWSAccessKeyId=AKIA..."): it opens nothing, and the URL is of no use without it. */
static bool is_signer(const char *begin, const char *word, size_t length)
{
	if (word == begin || word[-1] != '=' || !is_amazon(word, length))
		return false;
	for (word--; word > begin && (isalnum((unsigned char)word[-1]) || strchr("_-", word[-1]) != NULL); word--)
		;
	return word > begin && (word[-1] == '?' || word[-1] == '&');
}

const char *mask_rule_key(const char *text, size_t text_length, size_t *length)
{
	const char *begin = text, *end = text + text_length, *before = NULL;
	size_t before_length = 0, size;

	for (; text < end; text += size) {
		for (size = 0; text + size < end && !separates(text[size]); size++)
			;
		if (size == 0) {
			size = 1;
			continue;
		}
		*length = size;
		if ((mask_rule_word(text, size) && !is_signer(begin, text, size)) ||
			is_after_bearer(before, before_length, text, size))
			return text;
		before = text;
		before_length = size;
	}
	return NULL;
}
