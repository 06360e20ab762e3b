/* config_read.h - the configuration from a file that was read already. */
#pragma once

#include "base/error.h"
#include "gate/config.h"
#include "gate/document.h"

/* The two names, the first wins. */
extern const char *const config_names[2];

/* The defaults with the document's object over them; the defaults alone when there is no file. */
enum error_code config_from_document(const struct document *document, struct config **config, struct error *error);
