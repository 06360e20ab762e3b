/* credential_pattern.c - compiles a pattern to steps and follows all ways through them at once (Thompson, 1968), so that nothing is tried twice.
 *
 * Steps refer to each other by distance: a piece of code can be moved and copied, which is how repetitions are made. */
#include "gate/credential_pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"

#define MOST_STEPS LIMIT_CREDENTIAL_PATTERN_STEPS
#define MOST_SETS 32
#define MOST_GROUPS 8 /* one within the other */
#define MOST_ALTERNATIVES 32
#define MOST_REPEATS 255

enum operation { STEP_BYTE, STEP_ANY, STEP_SET, STEP_SPLIT, STEP_JUMP, STEP_BEGIN, STEP_END, STEP_MATCH };

struct step {
	uint8_t operation;
	uint8_t operand;    /* byte, or number of a set */
	int16_t way, other; /* distances to where it goes on */
};

typedef uint8_t byte_set[32];

struct credential_pattern {
	struct step steps[MOST_STEPS];
	size_t step_count;
	byte_set sets[MOST_SETS];
	size_t set_count;
};

/* ---- compiling ---- */

struct compiler {
	struct credential_pattern *pattern;
	const char *text, *at, *end;
	const char *problem; /* the first one */
	size_t problem_at;
	int groups;
};

static bool complain(struct compiler *compiler, const char *text)
{
	if (compiler->problem == NULL) {
		compiler->problem = text;
		compiler->problem_at = (size_t)(compiler->at - compiler->text);
	}
	return false;
}

static bool is_next(const struct compiler *compiler, char byte)
{
	return compiler->at < compiler->end && *compiler->at == byte;
}

static bool pattern_take(struct compiler *compiler, char byte)
{
	bool is = is_next(compiler, byte);

	compiler->at += is;
	return is;
}

/* Room for `count` more steps at `place`; what stands there moves up. */
static bool make_room(struct compiler *compiler, size_t place, size_t count)
{
	struct credential_pattern *pattern = compiler->pattern;

	if (pattern->step_count + count > MOST_STEPS - 1) /* the last is the match */
		return complain(compiler, "the pattern is too large: repetitions count as often as they may repeat");
	memmove(pattern->steps + place + count, pattern->steps + place, (pattern->step_count - place) * sizeof *pattern->steps);
	pattern->step_count += count;
	return true;
}

static bool insert_step(struct compiler *compiler, size_t place, struct step step)
{
	if (!make_room(compiler, place, 1))
		return false;
	compiler->pattern->steps[place] = step;
	return true;
}

static bool add_step(struct compiler *compiler, enum operation operation, int operand)
{
	return insert_step(compiler, compiler->pattern->step_count,
		(struct step){ .operation = (uint8_t)operation, .operand = (uint8_t)operand, .way = 1 });
}

/* ---- sets ---- */

static const struct class
{
	const char *name;
	const char *ranges; /* pairs of first and last */
} classes[] = { { "alnum", "09AZaz" }, { "alpha", "AZaz" }, { "digit", "09" }, { "lower", "az" }, { "upper", "AZ" },
	{ "xdigit", "09AFaf" }, { "punct", "!/:@[`{~" }, { "space", "\t\r  " } };

static void add_range(byte_set set, unsigned char first, unsigned char last)
{
	for (unsigned byte = first; byte <= last; byte++)
		set[byte / 8] |= (uint8_t)(1u << byte % 8);
}

/* After "[:", up to ":]". */
static bool add_class(struct compiler *compiler, byte_set set)
{
	size_t left = (size_t)(compiler->end - compiler->at);

	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		size_t length = strlen(classes[i].name);

		if (left < length + 2 || memcmp(compiler->at, classes[i].name, length) != 0 ||
			memcmp(compiler->at + length, ":]", 2) != 0)
			continue;
		for (const char *range = classes[i].ranges; *range != '\0'; range += 2)
			add_range(set, (unsigned char)range[0], (unsigned char)range[1]);
		compiler->at += length + 2;
		return true;
	}
	return complain(compiler, "unknown class: alnum, alpha, digit, lower, upper, xdigit, punct, space");
}

static bool read_set_member(struct compiler *compiler, byte_set set)
{
	unsigned char first, last;

	if (is_next(compiler, '[') && compiler->end - compiler->at > 1 && compiler->at[1] == ':') {
		compiler->at += 2;
		return add_class(compiler, set);
	}
	first = last = (unsigned char)*compiler->at++;
	if (compiler->end - compiler->at > 1 && compiler->at[0] == '-' && compiler->at[1] != ']') {
		last = (unsigned char)compiler->at[1];
		if (last < first)
			return complain(compiler, "a range ends before it begins");
		compiler->at += 2;
	}
	add_range(set, first, last);
	return true;
}

/* After the [. A ] that stands first is a member, and so is a backslash. */
static bool read_set(struct compiler *compiler)
{
	struct credential_pattern *pattern = compiler->pattern;
	byte_set set = { 0 };
	bool negated = pattern_take(compiler, '^');

	for (bool first = true; first || !is_next(compiler, ']'); first = false)
		if (compiler->at == compiler->end)
			return complain(compiler, "[ without ]");
		else if (!read_set_member(compiler, set))
			return false;
	compiler->at++;
	if (pattern->set_count == MOST_SETS)
		return complain(compiler, "too many sets");
	for (size_t i = 0; i < sizeof set; i++)
		pattern->sets[pattern->set_count][i] = negated ? (uint8_t)~set[i] : set[i];
	return add_step(compiler, STEP_SET, (int)pattern->set_count++);
}

/* ---- repetitions: each changes the code from `start` on, an atom's ---- */

static bool repeat_any(struct compiler *compiler, size_t start)
{
	struct credential_pattern *pattern = compiler->pattern;
	int length = (int)(pattern->step_count - start);

	if (!insert_step(compiler, start, (struct step){ .operation = STEP_SPLIT, .way = 1, .other = (int16_t)(length + 2) }) ||
		!add_step(compiler, STEP_JUMP, 0))
		return false;
	pattern->steps[pattern->step_count - 1].way = (int16_t)(-length - 1);
	return true;
}

static bool make_optional(struct compiler *compiler, size_t start)
{
	int length = (int)(compiler->pattern->step_count - start);

	return insert_step(compiler, start, (struct step){ .operation = STEP_SPLIT, .way = 1, .other = (int16_t)(length + 1) });
}

static bool append_copy(struct compiler *compiler, const struct step *atom, size_t length)
{
	size_t place = compiler->pattern->step_count;

	if (!make_room(compiler, place, length))
		return false;
	memcpy(compiler->pattern->steps + place, atom, length * sizeof *atom);
	return true;
}

/* `most` below 0: without an end. */
static bool repeat_between(struct compiler *compiler, size_t start, int least, int most)
{
	struct credential_pattern *pattern = compiler->pattern;
	struct step atom[MOST_STEPS];
	size_t length = pattern->step_count - start, place;
	int count = most < 0 ? least + 1 : most;

	memcpy(atom, pattern->steps + start, length * sizeof *atom);
	pattern->step_count = start;
	for (int i = 0; i < count; i++) {
		place = pattern->step_count;
		if (!append_copy(compiler, atom, length))
			return false;
		if (i >= least && !(most < 0 ? repeat_any(compiler, place) : make_optional(compiler, place)))
			return false;
	}
	return true;
}

static bool read_count(struct compiler *compiler, int *count)
{
	if (compiler->at == compiler->end || *compiler->at < '0' || *compiler->at > '9')
		return complain(compiler, "a number is expected: {m}, {m,} or {m,n}; \\{ is a brace");
	for (*count = 0; compiler->at < compiler->end && *compiler->at >= '0' && *compiler->at <= '9'; compiler->at++) {
		*count = *count * 10 + (*compiler->at - '0');
		if (*count > MOST_REPEATS)
			return complain(compiler, "more than 255 repetitions");
	}
	return true;
}

/* After the {. */
static bool read_counts(struct compiler *compiler, size_t start)
{
	int least, most;

	if (!read_count(compiler, &least))
		return false;
	most = least;
	if (pattern_take(compiler, ',')) {
		most = -1;
		if (!is_next(compiler, '}') && !read_count(compiler, &most))
			return false;
	}
	if (!pattern_take(compiler, '}'))
		return complain(compiler, "{ without }");
	if (most >= 0 && most < least)
		return complain(compiler, "the larger number stands first");
	return repeat_between(compiler, start, least, most);
}

static bool read_repetitions(struct compiler *compiler, size_t start)
{
	for (;;) {
		bool fine = true;

		if (pattern_take(compiler, '*'))
			fine = repeat_any(compiler, start);
		else if (pattern_take(compiler, '+'))
			fine = repeat_between(compiler, start, 1, -1);
		else if (pattern_take(compiler, '?'))
			fine = make_optional(compiler, start);
		else if (pattern_take(compiler, '{'))
			fine = read_counts(compiler, start);
		else
			return true;
		if (!fine)
			return false;
	}
}

/* ---- the whole ---- */

static bool read_alternatives(struct compiler *compiler);

static bool read_group(struct compiler *compiler)
{
	if (compiler->groups == MOST_GROUPS)
		return complain(compiler, "groups within groups, more than 8 deep");
	compiler->groups++;
	if (!read_alternatives(compiler))
		return false;
	compiler->groups--;
	return pattern_take(compiler, ')') || complain(compiler, "( without )");
}

/* After the backslash: letters and digits would mean something elsewhere (\d, \1). */
static bool read_escaped(struct compiler *compiler)
{
	unsigned char byte = compiler->at < compiler->end ? (unsigned char)*compiler->at : 0;

	if (byte < 0x20 || byte > 0x7e || strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ", byte) == NULL)
		return complain(compiler, "\\ takes the meaning of punctuation away, nothing else: use [[:digit:]] and the like");
	compiler->at++;
	return add_step(compiler, STEP_BYTE, byte);
}

static bool read_atom(struct compiler *compiler)
{
	char byte = *compiler->at++;

	switch (byte) {
	case '.': return add_step(compiler, STEP_ANY, 0);
	case '^': return add_step(compiler, STEP_BEGIN, 0);
	case '$': return add_step(compiler, STEP_END, 0);
	case '[': return read_set(compiler);
	case '(': return read_group(compiler);
	case '\\': return read_escaped(compiler);
	case '*':
	case '+':
	case '?':
	case '{': compiler->at--; return complain(compiler, "there is nothing to repeat");
	default: return add_step(compiler, STEP_BYTE, (unsigned char)byte);
	}
}

static bool read_sequence(struct compiler *compiler)
{
	while (compiler->at < compiler->end && !is_next(compiler, '|') && !is_next(compiler, ')')) {
		size_t start = compiler->pattern->step_count;

		if (!read_atom(compiler) || !read_repetitions(compiler, start))
			return false;
	}
	return true;
}

static bool read_alternatives(struct compiler *compiler)
{
	struct credential_pattern *pattern = compiler->pattern;
	size_t jumps[MOST_ALTERNATIVES], count = 0, start = pattern->step_count;

	if (!read_sequence(compiler))
		return false;
	while (pattern_take(compiler, '|')) {
		if (count == MOST_ALTERNATIVES)
			return complain(compiler, "more than 32 alternatives");
		if (!make_optional(compiler, start) || !add_step(compiler, STEP_JUMP, 0))
			return false;
		pattern->steps[start].other++; /* behind the jump */
		jumps[count++] = pattern->step_count - 1;
		start = pattern->step_count;
		if (!read_sequence(compiler))
			return false;
	}
	while (count-- > 0)
		pattern->steps[jumps[count]].way = (int16_t)(pattern->step_count - jumps[count]);
	return true;
}

struct credential_pattern *credential_pattern_compile(const char *text, size_t length, struct credential_pattern_problem *problem)
{
	struct credential_pattern *pattern = memory_new(sizeof *pattern);
	struct compiler compiler = { .pattern = pattern, .text = text, .at = text, .end = text + length };

	*problem = (struct credential_pattern_problem){ 0 };
	if (length > LIMIT_CREDENTIAL_PATTERN_BYTES)
		complain(&compiler, "the pattern is too long: at most 256 bytes");
	else if (read_alternatives(&compiler) && compiler.at < compiler.end)
		complain(&compiler, ") without (");
	if (compiler.problem != NULL) {
		*problem = (struct credential_pattern_problem){ .text = compiler.problem, .at = compiler.problem_at };
		credential_pattern_free(pattern);
		return NULL;
	}
	pattern->steps[pattern->step_count++].operation = STEP_MATCH;
	return pattern;
}

void credential_pattern_free(struct credential_pattern *pattern)
{
	free(pattern);
}

/* ---- matching ---- */

/* The steps that wait for the next byte. */
struct front {
	uint16_t steps[MOST_STEPS];
	size_t count;
};

struct walk {
	const struct credential_pattern *pattern;
	uint16_t seen_at[MOST_STEPS]; /* at which place of the value, from 1, a step was last looked at */
	uint16_t place;
	bool at_begin, at_end;
	bool matched;
};

/* Goes from a step to all that can be reached without a byte, each once. */
static void reach(struct walk *walk, struct front *front, size_t first)
{
	uint16_t pending[MOST_STEPS + 1];
	size_t count = 0;

	pending[count++] = (uint16_t)first;
	while (count > 0) {
		size_t index = pending[--count];
		const struct step *step = &walk->pattern->steps[index];

		if (walk->seen_at[index] == walk->place)
			continue;
		walk->seen_at[index] = walk->place;
		switch (step->operation) {
		case STEP_MATCH: walk->matched = true; break;
		case STEP_SPLIT: pending[count++] = (uint16_t)((int)index + step->other); /* fall through */
		case STEP_JUMP: pending[count++] = (uint16_t)((int)index + step->way); break;
		case STEP_BEGIN:
		case STEP_END:
			if (step->operation == STEP_BEGIN ? walk->at_begin : walk->at_end)
				pending[count++] = (uint16_t)(index + 1);
			break;
		default: front->steps[front->count++] = (uint16_t)index;
		}
	}
}

static bool takes(const struct credential_pattern *pattern, const struct step *step, unsigned char byte)
{
	switch (step->operation) {
	case STEP_BYTE: return step->operand == byte;
	case STEP_SET: return (pattern->sets[step->operand][byte / 8] >> byte % 8 & 1) != 0;
	default: return true;
	}
}

bool credential_pattern_matches(const struct credential_pattern *pattern, const char *value, size_t length)
{
	struct walk walk = { .pattern = pattern };
	struct front fronts[2], *now = &fronts[0], *next = &fronts[1], *other;

	if (length > LIMIT_CREDENTIAL_BYTES)
		return false;
	now->count = 0;
	for (size_t i = 0; i <= length && !walk.matched; i++) {
		walk.place = (uint16_t)(i + 1);
		walk.at_begin = i == 0;
		walk.at_end = i == length;
		next->count = 0;
		for (size_t j = 0; j < now->count; j++) {
			const struct step *step = &pattern->steps[now->steps[j]];

			if (takes(pattern, step, (unsigned char)value[i - 1]))
				reach(&walk, next, now->steps[j] + 1u);
		}
		reach(&walk, next, 0); /* a match may begin anywhere */
		other = now;
		now = next;
		next = other;
	}
	return walk.matched;
}
