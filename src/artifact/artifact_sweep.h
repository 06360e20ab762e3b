/* artifact_sweep.h - old files of the artifacts folder go, once a day, a 256th of it at a turn (for this folder only). The artifacts thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "artifact/artifact_folder.h"

/* All zero: the first begins at once. */
struct artifact_sweep {
	int next;	/* folder, or ARTIFACT_FOLDERS: done for today */
	int64_t due_ns; /* of the next one, monotonic */
	int gone;	/* files of this one */
};

/* Looks through one folder when it is time: provenance last written more than `keep_days` ago goes, and a file that has none left and is as old. True
 * while there is more to do today. Blocks on the disk. */
bool artifact_sweep_turn(struct artifact_sweep *sweep, const struct artifact_folder *folder, int keep_days);
