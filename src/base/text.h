/* text.h - small things with NUL-terminated text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies `from` in lower case (ASCII) without white space at both ends. False if it does not fit in `size`. */
bool text_fold(const char *from, char *to, size_t size);

/* Copies as much of `from` as there is room for, and a NUL; `size` is more than 0. */
void text_copy(const char *from, char *to, size_t size);

/* Writes `length` bytes of UTF-8 in lower case, as many bytes: of ASCII, and of the Latin, Greek and Cyrillic letters of two bytes. All others stay.
 * `to` may be `from`. */
void text_lower(const char *from, size_t length, char *to);

/* The candidate nearest to `word` (edit distance at most 3, or one begins like the other), or NULL: "did you mean". `candidates` ends with NULL. */
const char *text_nearest(const char *word, const char *const *candidates);

/* Less than, equal to or greater than 0, as memcmp() over both; of two of which one begins the other the shorter is first. */
int text_compare(const char *a, size_t a_length, const char *b, size_t b_length);

/* A number that changes when the text does (FNV-1a): to notice changes, not to withstand an attacker. */
uint64_t text_digest(const void *bytes, size_t length);

/* The value of a hex digit, in either letter case; -1: it is none. */
int text_hex_value(int digit);

/* Reads exactly 2 * length hex digits, in either letter case. False when the text is not that. */
bool text_read_hex(const char *text, unsigned char *bytes, size_t length);

/* Writes 2 * length hex digits in lower case, and a NUL. Returns the place of the NUL. */
char *text_write_hex(char *to, const unsigned char *bytes, size_t length);

/* UTF-8 (RFC 3629) byte by byte; begins as zeroes. */
struct text_utf8 {
	int more; /* bytes that the character still needs: a text that ends in between is not UTF-8 */
	unsigned char low, high;
};

/* False: the text with this byte is not UTF-8. */
bool text_utf8_step(struct text_utf8 *state, unsigned char byte);

/* The length of the UTF-8 character that begins the text; 0 when there is none. */
size_t text_character_length(const unsigned char *text, size_t length);

/* Writes the character of a code up to U+10FFFF; returns its length. */
size_t text_write_utf8(uint32_t code, unsigned char bytes[4]);

/* The length of what stands at the beginning and means itself in JSON: printable ASCII without quotes and backslashes. */
size_t text_plain_length(const char *text, size_t length);
