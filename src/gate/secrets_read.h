/* secrets_read.h - the secrets from a file that was read already. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "gate/document.h"
#include "gate/secrets.h"

/* The two names, the first wins. */
extern const char *const secrets_names[2];

/* The document's entries; none when there is no file. */
enum error_code secrets_from_document(const struct document *document, struct secrets **secrets, struct error *error);

/* No entries at all. */
struct secrets *secrets_empty(void);

/* Blank, or only what stands in an example ("...", "<your key>")? */
bool secrets_absent(const char *value);

/* A copy of `value` without white space at its ends. NULL: secrets_absent(). */
char *secrets_clean(const char *value);

/* No control characters, at most LIMIT_CREDENTIAL_BYTES: it can stand in a request header. */
bool secrets_usable(const char *value);

/* Wipes and frees a value. */
void secrets_wipe(char *value);
