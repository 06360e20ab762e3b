/* job_outcome.h - what a client of OpenAI's API hears of a job: that it goes on, that it is done, or an error of the table of docs/openai.md.
 *
 * Clients repeat 408, 409, 429 and 5xx by themselves, some of them without a mark. So what may have been paid for is never told with one of these. HTTP
 * threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "api/host.h"
#include "base/buffer.h"
#include "registry/task.h"

enum openai_stage {
	OPENAI_OPEN = 0, /* it goes on, or is being looked for */
	OPENAI_DONE,
	OPENAI_FAILED,
};

#define OPENAI_OUTCOME_MESSAGE_BYTES 768
#define OPENAI_OUTCOME_WORD_BYTES 96

struct openai_outcome {
	enum openai_stage stage;
	/* The error. Of OPENAI_OPEN what is said when it is no longer waited for; of OPENAI_DONE nothing. */
	int status; /* HTTP */
	const char *type, *code;
	int should_retry;   /* x-should-retry: 1 true, 0 false, -1 not said */
	int retry_after_ms; /* retry-after-ms; 0: not said */
	char message[OPENAI_OUTCOME_MESSAGE_BYTES];

	char job_id[ID_TEXT_BYTES];
	char provider[OPENAI_OUTCOME_WORD_BYTES];
	bool dry_run;
	enum task_status job_status;
	double progress; /* 0..1 */
	int64_t created_ms, updated_ms;
	bool sought;				     /* its outcome is not known, and the host still looks for it by itself */
	char reason[OPENAI_OUTCOME_MESSAGE_BYTES];   /* how it stands, in a word; or "" */
	char vendor_code[OPENAI_OUTCOME_WORD_BYTES]; /* or "" */
	int billed;				     /* of an error: 1, 0, or -1: not known */
	bool has_money;
	struct task_money money; /* `basis` is in `basis` */
	char basis[OPENAI_OUTCOME_WORD_BYTES];
	json_t *artifacts; /* held: the array of the result as docs/api.md has it, or NULL */
	json_t *warnings;  /* held: texts, or NULL */
};

/* Fills in all of it; nothing of the task is borrowed. To be closed. */
void openai_outcome_of_task(struct host *host, const struct task *task, struct openai_outcome *outcome);

/* The same of a job of the registry. Not ERROR_NONE (as task_store_get()): nothing is to be closed. */
enum error_code openai_outcome_read(struct host *host, const struct id *id, struct openai_outcome *outcome, struct error *error);

void openai_outcome_close(struct openai_outcome *outcome);

/* What stands beside the error as `providerd`: { job_id, status, vendor_code?, billed? }. */
json_t *openai_outcome_providerd(const struct openai_outcome *outcome);

/* The member "money":{ reserved_usd, estimated_usd, spent_usd, basis } and a comma. */
void openai_outcome_write_money(struct buffer *out, const struct openai_outcome *outcome);

/* Is it a kept output of this media ("image/", "video/")? */
bool openai_artifact_is(const json_t *artifact, const char *media);
