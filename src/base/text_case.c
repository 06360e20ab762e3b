/* text_case.c - lower case of the letters that most names and prompts are written in. Pure; any thread. */
#include "base/text.h"

/* Capitals, from Unicode's tables of cases: those of Latin-1, Latin Extended-A, Greek and Cyrillic, whose small letters take two bytes as well. A final
 * sigma counts as a sigma. */
static const struct {
	uint16_t first, last;
	int16_t add;
	uint8_t step; /* 2: every second code is a capital */
} capitals[] = {
	{ 0xc0, 0xd6, 32, 1 },
	{ 0xd8, 0xde, 32, 1 },
	{ 0x100, 0x12e, 1, 2 },
	{ 0x132, 0x136, 1, 2 },
	{ 0x139, 0x147, 1, 2 },
	{ 0x14a, 0x176, 1, 2 },
	{ 0x178, 0x178, -121, 1 },
	{ 0x179, 0x17d, 1, 2 },
	{ 0x386, 0x386, 38, 1 },
	{ 0x388, 0x38a, 37, 1 },
	{ 0x38c, 0x38c, 64, 1 },
	{ 0x38e, 0x38f, 63, 1 },
	{ 0x391, 0x3a1, 32, 1 },
	{ 0x3a3, 0x3ab, 32, 1 },
	{ 0x3c2, 0x3c2, 1, 1 },
	{ 0x400, 0x40f, 80, 1 },
	{ 0x410, 0x42f, 32, 1 },
	{ 0x460, 0x480, 1, 2 },
	{ 0x48a, 0x4be, 1, 2 },
	{ 0x4d0, 0x52e, 1, 2 },
};

static unsigned lower_code(unsigned code)
{
	for (size_t i = 0; i < sizeof capitals / sizeof *capitals && code >= capitals[i].first; i++)
		if (code <= capitals[i].last && (code - capitals[i].first) % capitals[i].step == 0)
			return (unsigned)((int)code + capitals[i].add);
	return code;
}

void text_lower(const char *from, size_t length, char *to)
{
	unsigned char byte, next;
	unsigned code;

	for (size_t i = 0; i < length; i++) {
		byte = (unsigned char)from[i];
		next = i + 1 < length ? (unsigned char)from[i + 1] : 0;
		if (byte < 0xc2 || byte > 0xdf || (next & 0xc0) != 0x80) {
			to[i] = (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
			continue;
		}
		code = lower_code((byte & 0x1fU) << 6 | (next & 0x3fU));
		to[i++] = (char)(0xc0 | code >> 6);
		to[i] = (char)(0x80 | (code & 0x3f));
	}
}
