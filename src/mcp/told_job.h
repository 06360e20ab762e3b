/* told_job.h - a job as an agent sees it: short, and with what to do next. HTTP threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "mcp/tool.h"
#include "mcp/numbers.h"
#include "mcp/words.h"
#include "registry/task.h"

/* JSON Schema of what mcp_job_read() makes: of submit, get_job and cancel_job. */
#define MCP_JOB_SCHEMA                                                                                                           \
	"{\"type\":\"object\",\"properties\":{\"job_id\":{\"type\":\"string\"},\"status\":{\"type\":\"string\",\"enum\":["       \
	"\"queued\",\"running\",\"done\",\"error\",\"canceled\",\"unknown\"]},\"progress\":{\"type\":\"number\"},"               \
	"\"eta_seconds\":" MCP_USD_SCHEMA ",\"reason\":" MCP_WORDS_SCHEMA ",\"dry_run\":{\"type\":\"boolean\"},"                 \
	"\"provider\":{\"type\":\"string\"},\"money\":{\"type\":\"object\",\"properties\":{\"reserved_usd\":" MCP_USD_SCHEMA     \
	",\"spent_usd\":" MCP_USD_SCHEMA ",\"basis\":" MCP_WORDS_SCHEMA "}},\"artifacts\":{\"type\":\"array\",\"items\":{"       \
	"\"type\":\"object\"}},\"error\":{\"anyOf\":[{\"type\":\"object\"},{\"type\":\"null\"}]},\"quote_id\":{\"type\":"        \
	"\"string\"},\"replayed\":{\"type\":\"boolean\"},\"next\":{\"type\":\"string\"}},\"required\":[\"job_id\",\"status\"]}"

#define MCP_HOST_URL_BYTES 320
#define MCP_SHOWN_ARTIFACTS 10 /* the others are counted, and have the same names with other numbers */

/* Who looks at jobs in a call: what of the request counts for that, since its view and key are not there any more once an answer streams. */
struct mcp_job_reader {
	struct host *host;
	char owner[LIMIT_API_KEY_NAME_BYTES + 1]; /* of whose jobs alone; "": of all */
	char url[MCP_HOST_URL_BYTES];		  /* of this host, as the client reaches it */
	bool links;				  /* outputs are also told as links to resources */
	bool files;				  /* and by their paths: the client is on this machine */
	bool keyed;		      /* the client has a key: who opens a URL of an output has not, so it is signed */
	unsigned char key_sha256[32]; /* of that key */
};

/* How it stands. */
struct mcp_job {
	struct id id;
	enum task_status status;
	bool dry_run;
	bool open; /* its end is to be waited for: it is queued or running */
	double progress;
	int64_t eta_ms;	    /* -1: not known */
	json_t *artifacts;  /* of the row, or NULL; mcp_job_close() it */
	json_t *structured; /* as an agent sees it; the same, unless it was taken */
};

/* Before anything is told of the call. */
void mcp_job_reader_open(const struct mcp_call *call, struct mcp_job_reader *reader);

/* Reads a job. ERROR_NOT_FOUND: there is none, or not for this reader; ERROR_IO, ERROR_BUSY. */
enum error_code mcp_job_read(const struct mcp_job_reader *reader, const struct id *id, struct mcp_job *job, struct error *error);
void mcp_job_close(struct mcp_job *job);

/* Where output `n` of a job is fetched with a GET and nothing else, as a text: signed for a while, where the host has API keys. */
json_t *mcp_output_url(const struct mcp_job_reader *reader, const struct id *id, int n);

/* Answers with the job, whose structured it takes; where there is no room for all outputs, the last are left out, and counted. */
void mcp_job_answer(struct mcp_call *call, struct mcp_job *job);

/* The job that the argument `job_id` names. False: the call was refused. */
bool mcp_job_named(struct mcp_call *call, const struct mcp_job_reader *reader, struct mcp_job *job);

/* Refuses for what mcp_job_read() says. */
void mcp_job_refuse(struct mcp_call *call, const struct error *error);
