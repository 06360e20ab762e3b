/* machine.h - which machine this is, which view of its files, and whose: where two processes have the same text, a path of the one is a file that the other
 * may read. Any thread. */
#pragma once

#include <stdbool.h>

#define MACHINE_BYTES 128
#define MACHINE_HEADER "Providerd-Machine" /* by which a client of the host says its own */

/* False: this system does not tell. */
bool machine_text(char text[MACHINE_BYTES]);
