/* outgoing_read.h - what a script says of a request that it wants to make.
 *
 * The texts stay the script's strings. They are kept by an anchor of ours on the coroutine's stack while the call waits: the script's own tables may
 * change meanwhile. */
#pragma once

#include <lua.h>

#include "net/outgoing.h"

struct manifest;
struct manifest_auth;

/* Reads the request table at `index` (docs/provider-scripts.md, ctx.request). `more_hosts`: where it may go too, but not with a credential; or NULL. Raises an error that says what is wrong; a host that the
 * script did not declare raises { field =, message = }. Pushes the anchor of what `outgoing` borrows: it must stay on the stack as long as
 * `outgoing` is used. The table may change. [-0, +1, e] */
void outgoing_read(lua_State *L, int index, const struct manifest *manifest, char *const *more_hosts, struct outgoing *outgoing);

/* Adds the headers that carry credentials, for a request that the host makes by itself. */
void outgoing_add_auth(struct outgoing *outgoing, const struct manifest_auth *auth);
