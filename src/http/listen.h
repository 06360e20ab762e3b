/* listen.h - addresses to listen on. For this folder only. */
#pragma once

#include <netinet/in.h>

#include "base/error.h"

/* "127.0.0.1:8001" or "localhost:8001". ERROR_INVALID says what is wrong. */
enum error_code listen_parse(const char *listen, struct sockaddr_in *address, struct error *error);

/* Why nothing listens on it: by trying what the system says, else `otherwise`. Returns the error that it sets. */
enum error_code listen_explain(const char *listen, const struct sockaddr_in *address, const char *otherwise, struct error *error);
