/* api_key.h - whose API key is this? The configuration holds only the SHA-256 of each. */
#pragma once

#include <stddef.h>

#include "gate/config.h"

/* The entry of server.api_keys, or NULL. The key is hashed, compared with all of them in constant time, and never copied, logged or quoted. Any
 * thread. */
const struct config_api_key *api_key_find(const struct config_server *server, const char *key, size_t length);
