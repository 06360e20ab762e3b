/* mask_index.h - all known secrets as one automaton (for this folder only; mask_known.h is the door).
 *
 * A trie with failure links (Aho and Corasick): a text is read once, whatever the number of secrets and however they begin. Letter case does not
 * count. Immutable once made, wiped when freed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a secret is written where it was found. */
enum mask_form {
	MASK_FORM_PLAIN = 0, /* as it is, or in hexadecimal */
	MASK_FORM_BASE64,
};

/* Lengths are those of the longest secret that ends at this node, 0: none does. */
struct mask_node {
	uint32_t fail, child, sibling;
	uint32_t any;	  /* every secret of some length */
	uint32_t certain; /* those that nobody writes by chance */
	uint8_t bounded;  /* short ones: only as a word of its own */
	uint8_t byte;
	uint8_t form;
};

#define MASK_SHIFTS 65536 /* pairs of bytes */

struct mask_index {
	struct mask_node *nodes; /* [0] is the root */
	size_t count, capacity;
	uint32_t first[256];  /* the root's children, by byte */
	unsigned char *shift; /* by a pair of bytes: how far the next secret is at least; NULL: look at each byte */
	size_t shortest, longest;
	bool present[256]; /* in some secret, by byte */
	size_t window;	   /* bytes of a secret's beginning that the shifts know */
	char **whole;	   /* values that are secrets only where a text is nothing else */
	size_t whole_count, whole_capacity;
	bool coded;  /* in: values are also known in base64 and hexadecimal */
	bool failed; /* out of memory while adding */
};

/* Makes the links; nothing is added after it. `quick`: also the table of shifts, worth it for an index that is used often. False: out of memory. */
bool mask_index_close(struct mask_index *index, bool quick);

/* The state after one more byte of a text. */
uint32_t mask_index_step(const struct mask_index *index, uint32_t state, unsigned char byte);
