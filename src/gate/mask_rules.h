/* mask_rules.h - what looks like a credential (for this folder only; mask.h is the door). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gate/gate.h"

/* Does a key of this name hold a credential (api_key, X-Api-Key, accessToken, ...)? */
bool mask_rule_name(const char *name, size_t length);

/* The same of a member of an `env` object (OPENAI_KEY, PGPASSWORD), and of a parameter of a URL. */
bool mask_rule_variable_name(const char *name, size_t length);
bool mask_rule_parameter_name(const char *name, size_t length);

/* Is every text below a member of this name a credential ("secrets", "credentials")? Are its members variables ("env")? */
bool mask_rule_store_name(const char *name, size_t length);
bool mask_rule_environment_name(const char *name, size_t length);

/* Is this one word that begins like a vendor's key and is long enough to be one? */
bool mask_rule_word(const char *word, size_t length);

/* No word of prose: long, or with digits or capitals in it. ("Key" and "Basic" begin sentences as well as headers.) */
bool mask_rule_odd(const char *word, size_t length);

/* Is this the second word of "Bearer x", "Key x", "Basic x"? */
bool mask_rule_scheme(const char *scheme, size_t scheme_length, const char *word, size_t length);

/* Is the whole text only the place of a credential ("{api_key}", "Bearer {api_key}"), blank, or masked already? */
bool mask_rule_harmless(const char *text, size_t length);

/* The first userinfo of a URL in the text ("user:secret" of https://user:secret@host/), its length in *length; NULL when there is none. */
const char *mask_rule_userinfo(const char *text, size_t text_length, size_t *length);

/* The first word in the text that begins like a vendor's key, or that follows "Bearer" and is odd, its length in *length. NULL: none. */
const char *mask_rule_key(const char *text, size_t text_length, size_t *length);

/* The first credential in the text that is more than a word: a fal key; a private key in PEM; its length in *length. NULL: none. */
const char *mask_rule_fal(const char *text, size_t text_length, size_t *length);
const char *mask_rule_pem(const char *text, size_t text_length, size_t *length);

/* The first value of a URL's parameter that is named like a credential, its length in *length. NULL: none. */
const char *mask_rule_parameter(const char *text, size_t text_length, size_t *length);

/* The text with its credentials of the kinds above (userinfo, fal, PEM, parameter, key) masked. NULL: out of memory. */
char *mask_within(const char *text, size_t length, size_t *masked_length);
