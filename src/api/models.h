/* models.h - GET .../{provider}/models: searches what is known of a provider's models, and shows one. HTTP threads. */
#pragma once

#include "api/incoming.h"

/* Asks the vendor for the model: behind, where it is known and old; one that was never seen is waited for, 2 seconds at most. */
void models_ask(struct incoming *incoming, const char *id);

/* Without `id` a page of brief rows: the script's own and the directory's; with it one model with inputs and price. It has an ETag, by which a client that
 * has it already is told so. A vendor is asked behind; for a model that was never seen it waits a little. Its request was read (incoming_open()). */
void models_handle(struct incoming *incoming);
