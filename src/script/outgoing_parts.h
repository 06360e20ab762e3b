/* outgoing_parts.h - what the files that read a script's request share. For outgoing_*.c only. All may raise. */
#pragma once

#include "script/outgoing_read.h"

/* The string at `index`, kept by the anchor whatever becomes of where it stands now. [-0, +0, m] */
const char *outgoing_borrow(lua_State *L, int anchor, int index, size_t *length);

/* A text that stands in a line of the head, or of a part's, has at most so many bytes, and may neither end the line nor be another text to C. A
 * complaint says `what` it is, in which %s is `name`. [-0, +0, e] */
void outgoing_check_line(lua_State *L, const char *text, size_t length, size_t most, const char *what, const char *name);

/* outgoing_url.c: url, or path and query, and whether it may be sent there. True: it is no host of the script's, but one of `more_hosts`. [-0, +0, e] */
bool outgoing_read_url(
	lua_State *L, int index, const struct manifest *manifest, char *const *more_hosts, struct outgoing *outgoing);

/* outgoing_form.c: the list of parts on top of the stack, which may be replaced. [-0, +0, e] */
void outgoing_read_form(lua_State *L, int anchor, struct outgoing *outgoing);
