/* kept_quote.c - a copy of a quote as the registry has it, for as long as a call needs it. HTTP threads. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/memory.h"
#include "mcp/submitting.h"
#include "registry/store.h"

static void copy_quote(void *context, const struct quote *quote)
{
	struct mcp_kept_quote *kept = context;
	const char **texts[] = { &kept->quote.caller, &kept->quote.kind, &kept->quote.provider, &kept->quote.sha256,
		&kept->quote.approved_by };
	struct buffer request;

	kept->quote = *quote;
	kept->quote.request = NULL;
	if (quote->request != NULL) { /* as long as its client liked: a copy of it may be refused */
		buffer_init(&request, LIMIT_QUOTE_BYTES);
		buffer_text(&request, quote->request);
		kept->quote.request = kept->request = buffer_take(&request);
		kept->starved = kept->request == NULL;
	}
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = kept->texts[i] = memory_copy_text(*texts[i]);
}

void mcp_kept_quote_close(struct mcp_kept_quote *kept)
{
	for (size_t i = 0; i < sizeof kept->texts / sizeof *kept->texts; i++)
		free(kept->texts[i]);
	free(kept->request);
	*kept = (struct mcp_kept_quote){ 0 };
}

enum error_code mcp_kept_quote_read(
	const struct mcp_call *call, const struct id *id, struct mcp_kept_quote *kept, struct error *error)
{
	const char *caller = call->request->api_key != NULL ? call->request->api_key->name : "";
	enum error_code code;

	mcp_kept_quote_close(kept);
	code = task_store_quote(call->host->store, id, copy_quote, kept, error);
	if (code == ERROR_NONE && strcmp(kept->quote.caller != NULL ? kept->quote.caller : "", caller) != 0)
		code = error_set(error, ERROR_NOT_FOUND, NULL, "it is another key's");
	return code == ERROR_NONE && kept->starved ? error_memory(error) : code;
}
