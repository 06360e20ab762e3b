/* tool.h - what a tool of MCP is, what it is called with, and how it answers. The wire (eras, headers, JSON-RPC, SSE) is the other files' business.
 *
 * One file a tool, or a few that belong together; the table in tools.c lists them. A tool runs on the request's HTTP thread, without a lock, and answers
 * exactly once: mcp_call_answer(), _refuse...(), _error() or _ask(). It asks the host by mcp_call_inner(), so it can do no more than its client could by
 * REST. What it gets is checked already: `arguments` fits its table, and the request's key has its role. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "api/host.h"
#include "api/inner_call.h"
#include "gate/config.h"
#include "http/stream.h"
#include "mcp/era.h"

struct mcp_call;

/* ---- a tool ---- */

enum mcp_type { MCP_TEXT = 0, MCP_INTEGER, MCP_NUMBER, MCP_BOOLEAN, MCP_OBJECT };

/* One argument. Its JSON Schema is made of this, and what came is held against it. */
struct mcp_argument {
	const char *name; /* NULL ends a list */
	enum mcp_type type;
	bool required;
	const char *description;   /* or NULL */
	const char *const *values; /* of a text: one of these, NULL at the end; or NULL: any */
	bool ranged;		   /* of a number: from `least` to `most` */
	bool above;		   /* of a number: more than `least`, and no `most` */
	double least, most;
	const char *otherwise; /* JSON text of the default that is told, or NULL; the tool gives it again to mcp_argument_...() */
};

struct mcp_annotations {
	bool read_only, destructive, idempotent, open_world;
};

struct mcp_tool {
	const char *name, *title, *description;
	const struct mcp_argument *arguments; /* NULL: it takes none */
	const char *output_schema;	      /* JSON text of an object schema, or NULL */
	struct mcp_annotations annotations;
	enum role role;
	size_t most_bytes; /* of an answer's JSON; 0: MCP_ANSWER_BYTES */
	void (*run)(struct mcp_call *call);
};

#define MCP_ANSWER_BYTES 8192	    /* an agent's context is paid for by the word */
#define MCP_LIST_ANSWER_BYTES 16384 /* of a list */
#define MCP_TEXT_CHARACTERS 300	    /* of a vendor's text */

/* ---- a call ---- */

struct mcp_call {
	struct host *host;
	struct http_request
		*request; /* its view and key are there until the first progress is told; mcp_call_inner() brings them back */
	enum mcp_era era;
	const json_t *id; /* a text or an integer */
	const char *method;
	const json_t *params; /* an object */
	/* Of a tool's: */
	const struct mcp_tool *tool;
	const json_t *arguments;       /* an object */
	const json_t *progress_token;  /* a text or an integer, or NULL: nobody wants to hear of progress, or can */
	const json_t *capabilities;    /* what the client declared; NULL in the legacy era, where nobody remembers */
	const json_t *input_responses; /* an object, or NULL */
	const char *request_state;     /* or NULL */
	/* call_answer.c's and call_progress.c's own: */
	json_t *content; /* further blocks */
	struct http_stream stream;
	bool streaming, answered;
	double told; /* the last progress */
	int64_t beat_ns, look_ns;
	const char *refusal; /* why its key would not be let in any more */
};

/* ---- arguments ---- */

/* NULL or `otherwise` where the client sent none, or null. */
const char *mcp_argument_text(const struct mcp_call *call, const char *name);
int64_t mcp_argument_integer(const struct mcp_call *call, const char *name, int64_t otherwise);
bool mcp_argument_flag(const struct mcp_call *call, const char *name, bool otherwise);
/* A number or an object as it came, borrowed, or NULL. */
const json_t *mcp_argument_value(const struct mcp_call *call, const char *name);

/* ---- asking the host ---- */

/* As inner_call_run(), at any time of the call: what the client may do now counts. inner_answer_free() it. */
void mcp_call_inner(struct mcp_call *call, const struct inner_call *inner, struct inner_answer *answer);

/* ---- answering ---- */

/* A further block of content for the answer to come ({"type":"image",...}). Taken. */
void mcp_call_add(struct mcp_call *call, json_t *block);

/* A result: `structured`, an object, as structuredContent and as the text of its first block; then the blocks that were added. Taken. One beyond the
 * tool's most_bytes is refused instead (mcp_call_fits() tells before). */
void mcp_call_answer(struct mcp_call *call, json_t *structured);
bool mcp_call_fits(const struct mcp_call *call, const json_t *structured);

/* A result with isError, for the model to read: {"error": code, "message": ...}. The message says what to change or to do. */
__attribute__((format(printf, 3, 4))) void mcp_call_refuse(struct mcp_call *call, const char *code, const char *format, ...);
/* The same with further members; taken, may be NULL. */
__attribute__((format(printf, 4, 5))) void mcp_call_refuse_with(
	struct mcp_call *call, const char *code, json_t *members, const char *format, ...);
/* The same of a problem that the host answered an inner call with: its detail, field errors and retry_after. */
void mcp_call_refuse_inner(struct mcp_call *call, const struct inner_answer *answer);

/* An error of the protocol; `data` is taken, or NULL. Only for what is no business of the model's: see mcp_call_refuse(). */
void mcp_call_error(struct mcp_call *call, int code, json_t *data, const char *message);

/* Modern era: a question to the user (MRTR). The client calls again with inputResponses and this state. `requests` is taken. */
void mcp_call_ask(struct mcp_call *call, json_t *requests, const char *state);

/* ---- while it waits ---- */

/* Tells progress, where the client wants to hear of it and it has grown: the answer becomes a stream with the first. False: nobody waits any more, as
 * with mcp_call_alive(). `message` or NULL. */
bool mcp_call_progress(struct mcp_call *call, double progress, double total, const char *message);

/* To be called at least once a second by who waits. False: the client left, or may not ask any more; return then, without an answer. */
bool mcp_call_alive(struct mcp_call *call);

/* ---- texts ---- */

/* What a vendor said, for a model to read: cut at MCP_TEXT_CHARACTERS, and marked as the vendor's, not the host's. NULL gives null. */
json_t *mcp_vendor_text(const char *text);
