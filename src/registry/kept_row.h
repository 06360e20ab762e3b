/* kept_row.h - a dry run's row and its event as one record of bytes (database/ring.h). Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleaner.h"
#include "registry/store.h"

#define KEPT_TEXTS 11

/* The texts of a row that is to be written, without secrets. */
struct kept_texts {
	const char *texts[KEPT_TEXTS];
	uint32_t lengths[KEPT_TEXTS]; /* UINT32_MAX: NULL */
	char *cleaned[KEPT_TEXTS];    /* those that had to be changed */
	size_t bytes;		      /* of the whole record */
};

/* Gathers them; they are borrowed from the write but for those that are cleaned. False: there was no memory for that. kept_texts_free() them in any case. */
bool kept_texts_gather(struct kept_texts *texts, const struct store_write *write, const struct cleaner *cleaner);
void kept_texts_free(struct kept_texts *texts);

/* Writes the record, texts->bytes of it. `source` is the number of its kind and provider. */
void kept_row_write(char *bytes, const struct store_write *write, const struct kept_texts *texts, int source);

/* A row as it is read: its texts are in the record. */
struct kept_row {
	struct task task;
	struct store_event event;
	int source; /* as the database numbered it when the row was written */
};

/* False: it is none, or of a program that writes them otherwise. */
bool kept_row_read(const char *bytes, size_t length, struct kept_row *row);

/* Is it the row of this id? */
bool kept_row_has_id(const char *bytes, size_t length, const struct id *id);

/* What a look-up by id compares first. */
uint32_t kept_row_tag(const struct id *id);
