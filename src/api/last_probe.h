/* last_probe.h - what each vendor said when it was asked last, by provider and kind: in memory, since the start. Any thread. */
#pragma once

#include <stdint.h>

#include "base/buffer.h"
#include "gate/kind.h"

struct last_probes;

struct last_probes *last_probes_new(void);
void last_probes_free(struct last_probes *probes); /* NULL: does nothing */

/* Notes the result of a probe whose requests were let go, the JSON object that the script returned. */
void last_probes_note(struct last_probes *probes, const char *provider, const struct kind *kind, const char *result);

/* Appends {at, ok, balance_usd, reason}, or null when there was none. */
void last_probes_write(struct last_probes *probes, const char *provider, const struct kind *kind, struct buffer *out);

/* Grows with each that is noted: what was written before it is old. */
uint64_t last_probes_generation(struct last_probes *probes);
