/* words.h - what several tools say alike, of their arguments and their answers. */
#pragma once

#define MCP_PROVIDER_WORDS "id or alias, e.g. fal, replicate, runway"

/* JSON Schema; null is one of two, not a type beside another, which some clients do not read. */
#define MCP_USD_SCHEMA "{\"anyOf\":[{\"type\":\"number\"},{\"type\":\"null\"}]}"
#define MCP_WORDS_SCHEMA "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}"
