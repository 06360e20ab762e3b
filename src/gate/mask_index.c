/* mask_index.c - builds the automaton of known secrets. At start and on the loader's thread; small ones for a single request on any thread. */
#include "gate/mask_index.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "gate/mask_known.h"
#include "gate/mask_rules.h"

#define SHORTEST_VALUE 8   /* shorter values are words of everyday text */
#define SHORTEST_WORD 4	   /* ... which count as a word of its own, if no ordinary one */
#define SHORTEST_CODED 12  /* its encoded forms are long enough to be nothing else */
#define SHORTEST_NUMBER 16 /* fewer digits are a count, a time, a price */
#define MOST_WINDOW 32	   /* longer steps gain nothing */

static unsigned char fold(unsigned char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + 32) : byte;
}

/* ---- the trie ---- */

static uint32_t child_of(const struct mask_index *index, uint32_t node, unsigned char byte)
{
	uint32_t child;

	if (node == 0)
		return index->first[byte];
	for (child = index->nodes[node].child; child != 0 && index->nodes[child].byte != byte;
		child = index->nodes[child].sibling)
		;
	return child;
}

static uint32_t add_child(struct mask_index *index, uint32_t node, unsigned char byte)
{
	struct mask_node *grown;
	uint32_t made;

	if (index->count == index->capacity) {
		grown = reallocarray(index->nodes, 2 * index->capacity + 256, sizeof *grown);
		if (grown == NULL) {
			index->failed = true;
			return 0;
		}
		index->nodes = grown;
		index->capacity = 2 * index->capacity + 256;
	}
	made = (uint32_t)index->count++;
	index->nodes[made] = (struct mask_node){ .byte = byte, .sibling = node != 0 ? index->nodes[node].child : 0 };
	if (node == 0)
		index->first[byte] = made;
	else
		index->nodes[node].child = made;
	return made;
}

enum weight { WEIGHT_BOUNDED, WEIGHT_ANY, WEIGHT_CERTAIN };

static void add_pattern(struct mask_index *index, const char *text, size_t length, enum weight weight, enum mask_form form)
{
	struct mask_node *last;
	uint32_t node = 0, next;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = fold((unsigned char)text[i]);

		index->present[byte] = index->present[toupper(byte)] = true;
		next = child_of(index, node, byte);
		if (next == 0 && (next = add_child(index, node, byte)) == 0)
			return;
		node = next;
	}
	last = &index->nodes[node];
	if (weight == WEIGHT_BOUNDED)
		last->bounded = (uint8_t)length;
	else
		last->any = (uint32_t)length;
	if (weight == WEIGHT_CERTAIN)
		last->certain = (uint32_t)length;
	last->form = (uint8_t)form;
	if (index->shortest == 0 || length < index->shortest)
		index->shortest = length;
	if (length > index->longest)
		index->longest = length;
}

/* ---- what a value becomes elsewhere ---- */

static void add_hexadecimal(struct mask_index *index, const char *value, size_t length, enum weight weight)
{
	char *text = malloc(2 * length);

	for (size_t i = 0; text != NULL && i < length; i++) {
		text[2 * i] = "0123456789abcdef"[(unsigned char)value[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[(unsigned char)value[i] & 15];
	}
	if (text != NULL)
		add_pattern(index, text, 2 * length, weight, MASK_FORM_PLAIN);
	else
		index->failed = true;
	if (text != NULL)
		explicit_bzero(text, 2 * length);
	free(text);
}

/* The 6 bits at a place of `before` unknown bytes and the value. */
static unsigned sextet(const char *value, size_t before, size_t place)
{
	size_t bit = 6 * place - 8 * before, byte = bit / 8, within = bit % 8;
	unsigned pair = (unsigned)(unsigned char)value[byte] << 8;

	if (within > 2)
		pair |= (unsigned char)value[byte + 1];
	return pair >> (10 - within) & 63;
}

/* The characters that the value alone decides when `before` bytes stand before it: one of three texts, in each of the two alphabets. */
static void add_base64(struct mask_index *index, const char *value, size_t length, size_t before, enum weight weight)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t from = (8 * before + 5) / 6, to = 8 * (before + length) / 6;
	char *text = malloc(to - from);
	bool differs = false;

	if (text == NULL) {
		index->failed = true;
		return;
	}
	for (size_t i = from; i < to; i++)
		text[i - from] = digits[sextet(value, before, i)];
	add_pattern(index, text, to - from, weight, MASK_FORM_BASE64);
	for (size_t i = 0; i < to - from; i++) {
		differs |= text[i] == '+' || text[i] == '/';
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	}
	if (differs)
		add_pattern(index, text, to - from, weight, MASK_FORM_BASE64);
	explicit_bzero(text, to - from);
	free(text);
}

/* ---- values ---- */

static void add_whole(struct mask_index *index, const char *value)
{
	char **grown = index->whole;

	if (index->whole_count == index->whole_capacity) {
		grown = reallocarray(index->whole, 2 * index->whole_capacity + 4, sizeof *grown);
		if (grown == NULL) {
			index->failed = true;
			return;
		}
		index->whole = grown;
		index->whole_capacity = 2 * index->whole_capacity + 4;
	}
	grown[index->whole_count] = strdup(value);
	if (grown[index->whole_count] == NULL)
		index->failed = true;
	else
		index->whole_count++;
}

static bool is_number(const char *value)
{
	return value[strspn(value, "0123456789.-+")] == '\0';
}

/* Not a word like "provider" or "password": such a value in the host's own answers is no accident. */
static enum weight weight_of(const char *value, size_t length)
{
	if (is_number(value))
		return length >= SHORTEST_NUMBER ? WEIGHT_CERTAIN : WEIGHT_ANY;
	return mask_rule_odd(value, length) ? WEIGHT_CERTAIN : WEIGHT_ANY;
}

static bool has_digit(const char *value)
{
	return strcspn(value, "0123456789") < strlen(value);
}

void mask_index_add(struct mask_index *index, const char *value)
{
	size_t length = strlen(value);
	enum weight weight;

	if (index->count == 0 && add_child(index, 0, 0) == 0 && index->failed)
		return;
	index->first[0] = 0; /* the node just made is the root itself */
	if (length < SHORTEST_VALUE) {
		if (length >= SHORTEST_WORD)
			add_whole(index, value);
		if (length >= SHORTEST_WORD && has_digit(value) && !is_number(value))
			add_pattern(index, value, length, WEIGHT_BOUNDED, MASK_FORM_PLAIN);
		return;
	}
	weight = weight_of(value, length);
	add_pattern(index, value, length, weight, MASK_FORM_PLAIN);
	if (!index->coded || length < SHORTEST_CODED || length > LIMIT_CREDENTIAL_BYTES || index->count > LIMIT_MASK_NODES)
		return;
	add_hexadecimal(index, value, length, weight);
	for (size_t before = 0; before < 3; before++)
		add_base64(index, value, length, before, weight);
}

/* ---- links ---- */

static void inherit(struct mask_node *node, const struct mask_node *fail)
{
	if (node->any == 0) {
		node->any = fail->any;
		node->form = fail->form;
	}
	if (node->certain == 0)
		node->certain = fail->certain;
	if (node->bounded == 0)
		node->bounded = fail->bounded;
}

uint32_t mask_index_step(const struct mask_index *index, uint32_t state, unsigned char byte)
{
	uint32_t next;

	byte = fold(byte);
	while ((next = child_of(index, state, byte)) == 0 && state != 0)
		state = index->nodes[state].fail;
	return next;
}

/* Breadth first: a node's failure is nearer to the root, and known before it. */
static bool make_links(struct mask_index *index)
{
	uint32_t *queue = malloc((index->count + 1) * sizeof *queue);
	size_t head = 0, tail = 0;

	if (queue == NULL)
		return false;
	for (size_t byte = 0; byte < 256; byte++)
		if (index->first[byte] != 0)
			queue[tail++] = index->first[byte]; /* their failure is the root */
	for (; head < tail; head++) {
		uint32_t node = queue[head];

		for (uint32_t child = index->nodes[node].child; child != 0; child = index->nodes[child].sibling) {
			index->nodes[child].fail = mask_index_step(index, index->nodes[node].fail, index->nodes[child].byte);
			inherit(&index->nodes[child], &index->nodes[index->nodes[child].fail]);
			queue[tail++] = child;
		}
	}
	free(queue);
	return true;
}

/* ---- shifts (Wu and Manber): most pairs of bytes are in no secret's beginning, and most of a text need not be looked at ---- */

static void note_pair(struct mask_index *index, unsigned char a, unsigned char b, size_t shift)
{
	unsigned char first[2] = { a, (unsigned char)toupper(a) }, second[2] = { b, (unsigned char)toupper(b) };

	for (size_t i = 0; i < 4; i++) {
		size_t pair = (size_t)first[i / 2] | (size_t)second[i % 2] << 8;

		if (index->shift[pair] > shift)
			index->shift[pair] = (unsigned char)shift;
	}
}

static void note_pairs(struct mask_index *index, uint32_t node, unsigned char before, size_t depth)
{
	size_t window = index->window;

	for (uint32_t child = index->nodes[node].child; child != 0 && depth <= window; child = index->nodes[child].sibling) {
		note_pair(index, before, index->nodes[child].byte, window - depth);
		note_pairs(index, child, index->nodes[child].byte, depth + 1);
	}
}

static bool make_shifts(struct mask_index *index)
{
	index->window = index->shortest < MOST_WINDOW ? index->shortest : MOST_WINDOW;
	index->shift = malloc(MASK_SHIFTS);
	if (index->shift == NULL)
		return false;
	memset(index->shift, (int)index->window - 1, MASK_SHIFTS);
	for (size_t byte = 0; byte < 256; byte++)
		if (index->first[byte] != 0)
			note_pairs(index, index->first[byte], (unsigned char)byte, 2);
	return true;
}

bool mask_index_close(struct mask_index *index, bool quick)
{
	if (!index->failed && index->count > 0)
		index->failed = !make_links(index) || (quick && index->longest > 0 && !make_shifts(index));
	return !index->failed;
}

struct mask_index *mask_index_new(void)
{
	return memory_new(sizeof(struct mask_index));
}

void mask_index_free(struct mask_index *index)
{
	if (index == NULL)
		return;
	for (size_t i = 0; i < index->whole_count; i++) {
		explicit_bzero(index->whole[i], strlen(index->whole[i]));
		free(index->whole[i]);
	}
	if (index->nodes != NULL)
		explicit_bzero(index->nodes, index->count * sizeof *index->nodes);
	free(index->whole);
	free(index->nodes);
	free(index->shift);
	free(index);
}
