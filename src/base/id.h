/* id.h - job ids: UUIDv7 (RFC 9562, 5.7), which sort by the time they were made.
 *
 * Their first 60 bits that vary (48 bits of milliseconds, 12 bits of counter) are unique and only grow within a host, so they
 * serve as the row number of the registry too: no second index is needed to find a job by its id. Where several hosts have one registry, the last six
 * of these bits are the host's slot, so that the numbers of 64 hosts differ. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ID_TEXT_BYTES 37

struct id {
	uint8_t bytes[16];
};

/* Makes a new id, larger than every earlier one of this process and than `id_continue_after`. Any thread. */
struct id id_make(void);

/* Ids made from now on have a larger sequence than this one (the newest row at start, if the clock went back). */
void id_continue_after(int64_t sequence);

#define ID_SLOTS 64

/* Others make ids for the same registry: those made from now on are of this slot, below ID_SLOTS; -1, as at first: nobody else does. Any thread. */
void id_share(int slot);

/* The 60 bits as a positive number; larger is newer. */
int64_t id_sequence(const struct id *id);

/* The smallest sequence of an id made at this time. */
int64_t id_sequence_at(int64_t unix_ms);

void id_format(const struct id *id, char text[ID_TEXT_BYTES]);

/* Reads a UUID of any version in its canonical text form, in either letter case. False if it is not one. */
bool id_parse(const char *text, struct id *id);
