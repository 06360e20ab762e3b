/* unknown_model.h - what a submit is told of a model that the vendor's directory does not have. */
#pragma once

#include "directory/directory.h"
#include "script/call.h"

/* Adds a warning with the nearest ids to a call that asked for a model (ctx.model) which neither the directory nor the script describes. None while the
 * directory is off, has read nothing yet, or has still to ask the vendor for this very model. It is sent all the same. Engine thread. */
void unknown_model_warn(struct directory *directory, struct script_call *call);
