/* mask_find.h - of mask_known.c: where the known secrets stand in a text. */
#pragma once

#include "gate/mask_known.h"

struct mask_hit {
	size_t from, to;
	bool base64;
};

struct mask_hits {
	struct mask_hit *list;
	size_t count, capacity;
	bool starved;
};

/* All of them, in order, none within another or over the end of the one before. The list is to be freed. */
void mask_find_all(const struct mask_known *known, const char *text, size_t length, struct mask_hits *hits);

/* Is there one as it stands, without escapes? Allocates nothing. */
bool mask_find_plain(const struct mask_known *known, const char *text, size_t length);

/* The subject's credential that this is, in any letter case; NULL: none. */
const struct credential_spec *mask_find_own(const struct mask_known *known, const char *text, size_t length);
