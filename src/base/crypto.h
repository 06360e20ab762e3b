/* crypto.h - OpenSSL's libcrypto, loaded when it is first needed, as net/curl.h does for libcurl and for the same reason: linked in, it
 * costs an idle host 4 MB. The same names, reached through a table that crypto_load() fills. */
#pragma once

#include <stdbool.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#define CRYPTO_FUNCTIONS(F)                                                                                                      \
	F(EVP_Digest)                                                                                                            \
	F(CRYPTO_memcmp)                                                                                                         \
	F(EVP_DecodeBlock)                                                                                                       \
	F(EVP_EncodeBlock)                                                                                                       \
	F(HMAC)                                                                                                                  \
	F(EVP_sha256)                                                                                                            \
	F(EVP_MD_fetch)                                                                                                          \
	F(EVP_PKEY_new_raw_private_key)                                                                                          \
	F(EVP_PKEY_new_raw_public_key)                                                                                           \
	F(EVP_PKEY_get_raw_public_key)                                                                                           \
	F(EVP_PKEY_free)                                                                                                         \
	F(EVP_MD_CTX_new)                                                                                                        \
	F(EVP_DigestInit_ex)                                                                                                     \
	F(EVP_DigestUpdate)                                                                                                      \
	F(EVP_DigestFinal_ex)                                                                                                    \
	F(EVP_DigestSignInit)                                                                                                    \
	F(EVP_DigestSign)                                                                                                        \
	F(EVP_DigestVerifyInit)                                                                                                  \
	F(EVP_DigestVerify)                                                                                                      \
	F(EVP_MD_CTX_free)

#define CRYPTO_MEMBER(name) __typeof__(name) *name##_;
struct crypto_table {
	CRYPTO_FUNCTIONS(CRYPTO_MEMBER)
};
#undef CRYPTO_MEMBER

extern struct crypto_table crypto_table;

/* Loads libcrypto; later calls do nothing. False when it is not installed. Before any other name of this header is used; any thread. */
bool crypto_load(void);

/* The method of SHA-256, found once: EVP_sha256() names it only, and is looked up by each digest that is begun. */
const EVP_MD *crypto_sha256_method(void);

/* SHA-256, once libcrypto is loaded. Without memory for it the process ends: a digest that is none would look like another body's or key's. */
void crypto_sha256(const void *bytes, size_t length, unsigned char digest[SHA256_DIGEST_LENGTH]);

#ifndef CRYPTO_TABLE_ITSELF
#define EVP_Digest crypto_table.EVP_Digest_
#define CRYPTO_memcmp crypto_table.CRYPTO_memcmp_
#define EVP_DecodeBlock crypto_table.EVP_DecodeBlock_
#define EVP_EncodeBlock crypto_table.EVP_EncodeBlock_
#define HMAC crypto_table.HMAC_
#define EVP_sha256 crypto_sha256_method
#define EVP_PKEY_new_raw_private_key crypto_table.EVP_PKEY_new_raw_private_key_
#define EVP_PKEY_new_raw_public_key crypto_table.EVP_PKEY_new_raw_public_key_
#define EVP_PKEY_get_raw_public_key crypto_table.EVP_PKEY_get_raw_public_key_
#define EVP_PKEY_free crypto_table.EVP_PKEY_free_
#define EVP_MD_CTX_new crypto_table.EVP_MD_CTX_new_
#define EVP_DigestInit_ex crypto_table.EVP_DigestInit_ex_
#define EVP_DigestUpdate crypto_table.EVP_DigestUpdate_
#define EVP_DigestFinal_ex crypto_table.EVP_DigestFinal_ex_
#define EVP_DigestSignInit crypto_table.EVP_DigestSignInit_
#define EVP_DigestSign crypto_table.EVP_DigestSign_
#define EVP_DigestVerifyInit crypto_table.EVP_DigestVerifyInit_
#define EVP_DigestVerify crypto_table.EVP_DigestVerify_
#define EVP_MD_CTX_free crypto_table.EVP_MD_CTX_free_
#endif
