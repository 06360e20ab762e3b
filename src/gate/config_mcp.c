/* config_mcp.c - mcp: the tools of /mcp, whether they may spend, how much, and who says yes. At start and on the loader thread. */
#include <string.h>

#include "base/json.h"
#include "gate/config_parts.h"

static enum error_code read_approval(struct field_reader *reader, const struct field *field, const json_t *value, void *to)
{
	const char *text = json_text_value(value);

	(void)field;
	if (text == NULL)
		return field_fail_type(reader, "text", value);
	if (strcmp(text, "operator") != 0 && strcmp(text, "client") != 0)
		return field_fail(reader, "expected \"operator\" or \"client\"");
	((struct config_mcp *)to)->approval = strcmp(text, "client") == 0 ? APPROVAL_CLIENT : APPROVAL_OPERATOR;
	return ERROR_NONE;
}

#define IN_MCP(member) .offset = offsetof(struct config_mcp, member)

const struct field config_mcp_fields[] = {
	{ .key = "enabled", .read = field_bool, IN_MCP(enabled) },
	{ .key = "live", .read = field_bool, IN_MCP(live) },
	{ .key = "budget_usd", .read = field_object, IN_MCP(budget), .fields = config_budget_fields },
	{ .key = "approve_above_usd", .read = field_usd, IN_MCP(approve_above_micro_usd), .maximum = CONFIG_USD_MAX },
	{ .key = "approval", .read = read_approval },
	{ .key = "resource_links", .read = field_bool, IN_MCP(resource_links) },
	{ .key = NULL },
};
