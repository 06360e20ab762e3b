/* config_parts.h - of config.c: the parts of the configuration that are lists of objects, read as fields.h says. */
#pragma once

#include "gate/config.h"
#include "gate/fields.h"

#define CONFIG_USD_MAX 1000000000 /* int64 micro-dollars have room for 9000 times this */

extern const struct field config_budget_fields[]; /* of a struct budget */

/* server.api_keys into a struct config_server, and live.providers into a struct config_live. */
enum error_code config_read_api_keys(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
enum error_code config_read_providers(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
