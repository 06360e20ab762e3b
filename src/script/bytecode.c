/* bytecode.c - reads a dump of Lua 5.4 (ldump.c) as far as its instructions, for the one that assigns an upvalue. Pure; any thread.
 *
 * The debug interface tells which upvalues a function has, not whether it ever assigns them. Most never do, and those need no watching. */
#include "script/bytecode.h"

#include <stdint.h>
#include <string.h>

#include <lua.h>

#if LUA_VERSION_NUM != 504
#error "the instructions are those of Lua 5.4"
#endif

#define OP_SETUPVAL 10u /* iABC: UpValue[B] := R[A] */
#define MOST_NESTED 200 /* functions within functions: Lua's own limit */

enum {
	CONSTANT_NIL = 0x00,
	CONSTANT_FALSE = 0x01,
	CONSTANT_TRUE = 0x11,
	CONSTANT_INTEGER = 0x03,
	CONSTANT_FLOAT = 0x13,
	CONSTANT_SHORT = 0x04,
	CONSTANT_LONG = 0x14
};

struct dump {
	const unsigned char *at, *end;
	bool odd; /* it is not what we know; everything read from here on is 0 */
};

static const unsigned char *dump_take(struct dump *dump, size_t count)
{
	const unsigned char *taken = dump->at;

	if (dump->odd || count > (size_t)(dump->end - dump->at)) {
		dump->odd = true;
		return NULL;
	}
	dump->at += count;
	return taken;
}

static unsigned dump_take_byte(struct dump *dump)
{
	const unsigned char *byte = dump_take(dump, 1);

	return byte != NULL ? *byte : 0;
}

/* Seven bits a byte, the highest first; the last has bit 7. */
static size_t dump_take_size(struct dump *dump)
{
	size_t size = 0;
	unsigned byte = 0;

	while (!dump->odd && (byte & 0x80) == 0) {
		byte = dump_take_byte(dump);
		dump->odd |= size > SIZE_MAX >> 7;
		size = size << 7 | (byte & 0x7f);
	}
	return dump->odd ? 0 : size;
}

static void skip_text(struct dump *dump)
{
	size_t size = dump_take_size(dump); /* with one for the NUL; 0: there is none */

	if (size > 1)
		dump_take(dump, size - 1);
}

static void skip_constant(struct dump *dump)
{
	switch (dump_take_byte(dump)) {
	case CONSTANT_NIL:
	case CONSTANT_FALSE:
	case CONSTANT_TRUE: break;
	case CONSTANT_INTEGER: dump_take(dump, sizeof(lua_Integer)); break;
	case CONSTANT_FLOAT: dump_take(dump, sizeof(lua_Number)); break;
	case CONSTANT_SHORT:
	case CONSTANT_LONG: skip_text(dump); break;
	default: dump->odd = true;
	}
}

/* Names and lines: a stripped dump has none, but says so. */
static void skip_debug(struct dump *dump)
{
	size_t count = dump_take_size(dump);

	dump_take(dump, count);
	for (count = dump_take_size(dump); count > 0 && !dump->odd; count--) {
		dump_take_size(dump);
		dump_take_size(dump);
	}
	for (count = dump_take_size(dump); count > 0 && !dump->odd; count--) {
		skip_text(dump);
		dump_take_size(dump);
		dump_take_size(dump);
	}
	for (count = dump_take_size(dump); count > 0 && !dump->odd; count--)
		skip_text(dump);
}

static void read_code(struct dump *dump, bool assigned[BYTECODE_UPVALUES])
{
	size_t count = dump_take_size(dump);
	uint32_t instruction;

	for (; count > 0 && !dump->odd; count--) {
		const unsigned char *bytes = dump_take(dump, sizeof instruction);

		if (bytes == NULL)
			return;
		memcpy(&instruction, bytes, sizeof instruction);
		if ((instruction & 0x7f) == OP_SETUPVAL)
			assigned[instruction >> 16 & 0xff] = true;
	}
}

static void read_function(
	struct dump *dump, bool assigned[BYTECODE_UPVALUES], const unsigned char **upvalues, size_t *count, int depth)
{
	bool inner[BYTECODE_UPVALUES];
	const unsigned char *inner_upvalues;
	size_t left, inner_count;

	dump->odd |= depth > MOST_NESTED;
	skip_text(dump);
	dump_take_size(dump);
	dump_take_size(dump);
	dump_take(dump, 3);
	read_code(dump, assigned);
	for (left = dump_take_size(dump); left > 0 && !dump->odd; left--)
		skip_constant(dump);
	*count = dump_take_size(dump);
	dump->odd |= *count >= BYTECODE_UPVALUES;
	*upvalues = dump_take(dump, *count * 3); /* in the stack of the function around it?, place, kind */
	for (left = dump_take_size(dump); left > 0 && !dump->odd; left--) {
		memset(inner, 0, sizeof inner);
		read_function(dump, inner, &inner_upvalues, &inner_count, depth + 1);
		for (size_t i = 0; i < inner_count && !dump->odd; i++)
			if (inner[i] && inner_upvalues[3 * i] == 0)
				assigned[inner_upvalues[3 * i + 1]] = true;
	}
	skip_debug(dump);
}

static bool begins_as_known(struct dump *dump)
{
	static const char head[] = LUA_SIGNATURE "\x54\x00\x19\x93\r\n\x1a\n";
	const unsigned char *found = dump_take(dump, sizeof head - 1);
	const unsigned char *sizes = dump_take(dump, 3);

	dump_take(dump, sizeof(lua_Integer) + sizeof(lua_Number)); /* as this machine writes them */
	dump_take_byte(dump);					   /* upvalues of the function */
	return !dump->odd && memcmp(found, head, sizeof head - 1) == 0 && sizes[0] == sizeof(uint32_t) &&
	       sizes[1] == sizeof(lua_Integer) && sizes[2] == sizeof(lua_Number);
}

bool bytecode_assigned_upvalues(const char *bytes, size_t length, bool assigned[BYTECODE_UPVALUES])
{
	struct dump dump = { .at = (const unsigned char *)bytes, .end = (const unsigned char *)bytes + length };
	const unsigned char *upvalues;
	size_t count;

	memset(assigned, 0, BYTECODE_UPVALUES * sizeof *assigned);
	if (!begins_as_known(&dump))
		return false;
	read_function(&dump, assigned, &upvalues, &count, 0);
	return !dump.odd && dump.at == dump.end;
}
