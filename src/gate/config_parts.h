/* config_parts.h - of config.c: the parts of the configuration that are lists of objects, read as fields.h says. */
#pragma once

#include "gate/config.h"
#include "gate/fields.h"

#define CONFIG_USD_MAX 1000000000 /* int64 micro-dollars have room for 9000 times this */

extern const struct field config_budget_fields[]; /* of a struct budget */

/* An object whose keys are providers' ids: first whether it is one, and not too large; then `read` for each of its members, until one fails. */
typedef enum error_code config_entry_reader(struct field_reader *reader, const char *id, const json_t *value, void *to);
enum error_code config_check_by_id(struct field_reader *reader, const json_t *value);
enum error_code config_read_by_id(struct field_reader *reader, const json_t *value, config_entry_reader *read, void *to);

/* server.api_keys into a struct config_server, live.providers into a struct config_live, directory and mcp into structs of these names. */
extern const struct field config_directory_fields[];
extern const struct field config_mcp_fields[];
enum error_code config_read_api_keys(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
enum error_code config_read_providers(struct field_reader *reader, const struct field *field, const json_t *value, void *to);
void config_directory_free(struct config_directory *directory); /* what it points to */

extern const struct field config_openai_fields[]; /* openai, into a struct config_openai */
void config_openai_free(struct config_openai *openai);

extern const struct field config_artifacts_fields[]; /* artifacts, into a struct config_artifacts */
void config_artifacts_free(struct config_artifacts *artifacts);
