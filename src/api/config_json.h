/* config_json.h - the configuration in force, as an operator may see it: no hash of an API key, and no credential, for it has none. */
#pragma once

#include "base/buffer.h"
#include "gate/config.h"

/* Appends the member "config": { ... }, and a comma. HTTP threads. */
void config_json_write(struct buffer *out, const struct config *config);
