/* pictures.h - the pictures that an answer has: files of a live job's outputs, or placeholders. HTTP threads. */
#pragma once

#include <stdbool.h>

#include "api/host.h"
#include "base/buffer.h"
#include "http/filled.h"
#include "openai/job_outcome.h"
#include "openai/placeholder.h"

#define PICTURES_MOST 10 /* in one answer, as OpenAI's n has it */
#define PICTURE_WORD_BYTES 32
#define PICTURE_LOST_BYTES 512

struct pictures {
	int count;
	struct http_filling files[PICTURES_MOST];
	int numbers[PICTURES_MOST]; /* of the job's outputs */
	struct buffer made[PICTURES_MOST];
	char size[PICTURE_WORD_BYTES];	 /* "1024x768": of the first, as it was made; or "" */
	char format[PICTURE_WORD_BYTES]; /* "png"; or "" */
	int left_out;			 /* pictures of the job that are not in the answer */
	char lost[PICTURE_LOST_BYTES];	 /* why the first of those that were not kept was not; or "" */
};

/* Opens the files of a done job. To be closed, whatever it found. */
void pictures_open(struct host *host, const struct openai_outcome *outcome, struct pictures *pictures);

/* Makes as many placeholders; `placeholder.n` is not read. Where they are named only (`drawn` false) they have no bytes: drawing them costs more than all the
 * rest of an answer. False: out of memory. To be closed all the same. */
bool pictures_make(const struct placeholder *placeholder, int count, bool drawn, struct pictures *pictures);

void pictures_close(struct pictures *pictures);
