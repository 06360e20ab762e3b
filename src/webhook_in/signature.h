/* signature.h - is this webhook really from the vendor? Pure: keys and clock are given. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "script/manifest.h"

/* What a signature is made over and of. Everything borrowed; a header that is absent is NULL. */
struct signed_webhook {
	enum webhook_scheme scheme;
	const char *id;
	const char *user; /* fal only */
	const char *timestamp;
	const char *signature;
	const char *body;
	size_t body_length;
};

struct signing_key {
	unsigned char bytes[LIMIT_SIGNING_KEY_BYTES];
	size_t length;
};

enum signature_verdict {
	SIGNATURE_GOOD = 0,
	SIGNATURE_MISSING,   /* a header is absent, or has not its form */
	SIGNATURE_OLD,	     /* its timestamp is off by more than LIMIT_WEBHOOK_IN_AGE_SECONDS */
	SIGNATURE_WRONG,     /* no key fits */
	SIGNATURE_UNCHECKED, /* libcrypto is not installed, or there is no key now */
};

/* The headers that a scheme uses: id, user, timestamp, signature; NULL where it has none. */
struct signature_headers {
	const char *id, *user, *timestamp, *signature;
};
const struct signature_headers *signature_headers(enum webhook_scheme scheme);

/* What can be said without a key: SIGNATURE_GOOD means that it is worth to look for one. `now_s`: seconds since 1970. */
enum signature_verdict signature_look(const struct signed_webhook *webhook, int64_t now_s);

/* Does one of the keys fit one of the signatures? After signature_look() said SIGNATURE_GOOD. */
enum signature_verdict signature_verify(const struct signed_webhook *webhook, const struct signing_key *keys, size_t key_count);

/* In words, for who sent it. */
const char *signature_verdict_text(enum signature_verdict verdict);
