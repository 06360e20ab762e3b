/* document.h - a JSON file of the home folder, before anybody looked at what it says.
 *
 * Every message is complete: it begins with the file's name ("config/comfyvn.json: ..."). No message quotes the file's text, which
 * may hold a credential even where it should not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"

struct document {
	const char *name; /* as said to people: the one of the two names that was found, else the first; a literal */
	char *path;	  /* where it was found, NULL: there is neither file */
	char *text;
	size_t length;
	uint64_t digest; /* differs when the file or the trouble with it differs */
};

/* Reads the first of the two names that exists under `home`. Neither is no error: `path` stays NULL. `is_private` refuses a file that
 * others than its owner can read. Also after an error the digest is filled in, and document_free() is due. */
enum error_code document_read(
	const char *home, const char *const names[2], bool is_private, struct document *document, struct error *error);

/* The file's object. NULL with ERROR_INVALID. `is_private` keeps even key names out of the message. */
json_t *document_parse(const struct document *document, bool is_private, struct error *error);

/* Wipes the text. */
void document_free(struct document *document);
