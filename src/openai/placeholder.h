/* placeholder.h - the picture that a dry run is answered with: marked in itself and in its file, so that nobody takes it for the real thing. Stored nowhere:
 * it follows from the job's row, and is made when it is asked for. HTTP threads. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "api/host.h"
#include "base/buffer.h"
#include "media/media.h"

struct placeholder {
	enum media_format format;
	int width, height;
	double seconds;		 /* MP4 */
	const char *model;	 /* what would be asked to make it */
	const json_t *estimates; /* of the submit */
	const json_t *payload;	 /* the same: what it looks like follows from its prompt and seed */
	int n;			 /* which one of the job's, from 0 */
};

/* The size of a placeholder for what was asked for (0: nothing was): the same, or the same shape as large as one may be. */
void placeholder_fit(int asked_width, int asked_height, int *width, int *height);

/* Appends the file. False: out of memory. */
bool placeholder_make(const struct placeholder *placeholder, struct buffer *out);

/* The model that a dry submit was for: as its price has it, else as its payload does. Borrowed from them, or `otherwise`. */
const char *placeholder_model(const json_t *estimates, const json_t *payload, const char *otherwise);

/* Appends what a price is, as JSON or for people ("0.006 USD", "a price that is not known"). */
void placeholder_write_price(struct buffer *out, const json_t *estimates);

/* GET /v1/images/placeholders/{job_id}/{n}: of a dry run that this door has answered. */
void openai_placeholder_handle(struct host *host, struct http_request *request, const char *id, const char *n);
