/* submitting.h - a call of submit under way: what it names, and the quote as it stands. HTTP threads. */
#pragma once

#include "mcp/request_state.h"
#include "registry/quote.h"

/* A quote, with copies of its texts. */
struct mcp_kept_quote {
	struct quote quote;
	char *texts[5];
	char *request;
	bool starved; /* there was no room for a copy of the request */
};

struct mcp_submitting {
	struct mcp_call *call;
	struct id quote_id;
	char quote_text[ID_TEXT_BYTES];
	int64_t max_cost; /* micro-dollars */
	int64_t again_of; /* id_sequence(), or 0 */
	bool answers;	  /* it brings a state that was made here, for this quote */
	struct mcp_question question;
	struct mcp_kept_quote kept;
};

/* approving.c: must a person still approve what this quote would reserve (micro-dollars)? Then the call is answered: by a question, or by who has to be
 * asked. False: it may go on. */
bool mcp_wait_for_approval(struct mcp_submitting *submitting, int64_t amount);

enum mcp_answered {
	MCP_NOT_ANSWERED = 0, /* there was no answer */
	MCP_SAID_YES,	      /* the quote is approved from now on */
	MCP_ENDED,	      /* the call was answered: it is a no, or no answer that counts */
};

/* Takes the answer to the question that was put to the client's user, once. */
enum mcp_answered mcp_take_approval(struct mcp_submitting *submitting);

/* Refuses a state that is not one of ours, of another quote or key, too late, or used. */
void mcp_refuse_state(struct mcp_call *call);

/* kept_quote.c: reads the quote as it stands, in place of what was read before. ERROR_NOT_FOUND: there is none, or it is another API key's; ERROR_IO,
 * ERROR_BUSY. mcp_kept_quote_close() it in any case; one that is all zero may be closed. */
enum error_code mcp_kept_quote_read(
	const struct mcp_call *call, const struct id *id, struct mcp_kept_quote *kept, struct error *error);
void mcp_kept_quote_close(struct mcp_kept_quote *kept);
