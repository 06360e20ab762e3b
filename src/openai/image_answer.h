/* image_answer.h - one request for images, and what it is answered with: JSON around pictures, URLs of them, or an error. HTTP threads. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "api/host.h"
#include "openai/job_outcome.h"
#include "openai/pictures.h"
#include "openai/wish.h"

struct image_request {
	struct host *host;
	struct http_request *http;
	const struct openai_wish *wish;
	bool replayed; /* the answer to an Idempotency-Key that was known */
};

/* Answers a dry run with placeholders; `submitted` is what the inner submit answered. */
void image_answer_dry(struct image_request *images, const json_t *submitted);

/* Answers with what became of a live job, or that it goes on. The answer of a done job has its pictures; of one that has none it becomes an error. */
void image_answer_live(struct image_request *images, struct openai_outcome *outcome);

/* ---- for streams of the same ---- */

/* The placeholders of a dry run, drawn or only named. False: out of memory. To be closed all the same. */
bool image_placeholders(const struct image_request *images, const json_t *submitted, bool drawn, struct pictures *pictures);

/* Turns the outcome of a done job of which no picture was kept into an error. */
void image_outcome_without(struct openai_outcome *outcome, const struct pictures *pictures);

/* The member "providerd":{...}, without a comma. */
void image_write_dry(struct buffer *out, const struct image_request *images, const json_t *submitted);
void image_write_live(struct buffer *out, const struct image_request *images, const struct openai_outcome *outcome,
	const struct pictures *pictures);

/* The header lines of a dry run, and of a live job; `outcome` NULL: that has not ended. */
#define IMAGE_HEADERS_BYTES 512
void image_dry_headers(const struct image_request *images, const json_t *submitted, char headers[IMAGE_HEADERS_BYTES]);
void image_live_headers(const struct image_request *images, const char *job_id, const struct openai_outcome *outcome,
	char headers[IMAGE_HEADERS_BYTES]);
