/* json_digest.h - one digest for all texts of one JSON value. */
#pragma once

#include <jansson.h>

/* SHA-256 of the value written without white space and with members in the order of their names; NULL as null. Needs crypto_load(); without memory for it
 * the process ends, as with crypto_sha256(). */
void json_sha256(const json_t *value, unsigned char digest[32]);
