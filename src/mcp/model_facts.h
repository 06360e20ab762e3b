/* model_facts.h - providers and their models, as the tools that find and price them need them. HTTP threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "mcp/tool.h"
#include "mcp/words.h"
#include "script/provider_set.h"

/* The start of a path below a kind: "/api/providers/image/", "/api/providers/gpu/public/". */
const char *mcp_kind_path(const char *kind);

/* As which kind a request for this model (NULL: none is named) is made: image or video where the script or the directory knows the model so, else the
 * provider's own kind; with `is_job` gpu. NULL: the provider is none of that. */
const char *mcp_kind_of(struct mcp_call *call, const struct provider *provider, const char *model, bool is_job);

/* The first kind of media that it serves, or NULL. */
const char *mcp_media_kind(const struct provider *provider);

/* Refuses: there is no provider of the name that was given. Names those that there are. */
void mcp_refuse_provider(struct mcp_call *call, const struct provider_set *set);

/* Would a live request for this provider be let through, but for its price: by its switches and mcp.live, its credential, the key's role and the stop? */
bool mcp_is_live(const struct mcp_call *call, struct provider *provider, const char *kind);

/* A price as REST tells it (a model's `price`, or a choice's words), in few members: usd, or low_usd and high_usd, by unit, as_of; or text. Null
 * for none. */
json_t *mcp_price(const json_t *price);
