/* wish.h - one request for an image or a video, whatever its form: what OpenAI's clients say, as the host's REST API takes it. HTTP threads.
 *
 * JSON and multipart/form-data become one object of fields, then the body of a submit. All of OpenAI's names are consumed here; every other one goes on to
 * the script, as does what stands in `parameters` and `extra_body`. Nothing is rounded: what the model cannot make is refused, with what it can. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "api/host.h"
#include "http/http.h"
#include "media/media.h"
#include "openai/named_model.h"

enum openai_call { OPENAI_IMAGES_GENERATE = 0, OPENAI_IMAGES_EDIT, OPENAI_VIDEOS_CREATE };

enum openai_response_format { OPENAI_ANSWER_B64 = 0, OPENAI_ANSWER_URL };

#define OPENAI_PROVIDER_BYTES 64

struct openai_wish {
	enum openai_call call;
	bool wants_live;		      /* body, header or base URL say so, and none of them says dry */
	bool says_dry;			      /* one of them says dry */
	char asked_model[OPENAI_MODEL_BYTES]; /* as the client named it: it is echoed */
	char provider[OPENAI_PROVIDER_BYTES]; /* its id */
	const char *kind;		      /* "image" or "video"; static */
	json_t *submit;	    /* the body of POST /api/providers/KIND/PROVIDER/submit: nobody changes it once it is submitted */
	int n;		    /* 1 where it is not said */
	int width, height;  /* asked for; 0: not said */
	char seconds[16];   /* of a video, as the client wrote it; "": not said */
	double duration;    /* the same as a number; 0: not said */
	const char *prompt; /* borrowed from submit; "" : none */
	enum media_format output_format; /* what the answer should be; MEDIA_PNG where it is not said */
	bool output_format_given;
	enum openai_response_format response_format;
	bool stream;
	int partial_images;
	json_t *warnings; /* an array of texts: what was left out, and why */
	unsigned char fingerprint
		[32]; /* SHA-256 over the API key's name, the path without /live, and the fields: equal for a repeated request, whatever its
					  boundary. Of a wish that is not live it means nothing */
	const char *user; /* user or safety_identifier, borrowed; or NULL */
	json_t *fields;	  /* the request's own; for what is borrowed */
};

/* Reads the request. False: an error was sent, and there is nothing to close. */
bool openai_wish_read(struct host *host, struct http_request *request, enum openai_call call, struct openai_wish *wish);
void openai_wish_close(struct openai_wish *wish);

/* "/api/providers/image/fal/submit" */
void openai_wish_path(const struct openai_wish *wish, char *path, size_t size);

/* What is to be kept with the job of the client's own words (inner_call.asked), out of an object, which is taken over: what looks like a credential in them
 * is masked. The caller's to free; NULL: there is no room, or it is larger than a row may hold. */
char *openai_wish_asked(const struct http_request *request, json_t *words);

/* What the wish left out, and `more` (or NULL), each text once; without those of `missing` (or NULL): what keeps it from being live has a member of its own. The
 * caller's. */
json_t *openai_wish_warnings(const struct openai_wish *wish, const json_t *more, const json_t *missing);
