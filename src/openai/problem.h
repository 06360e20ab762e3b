/* problem.h - errors as clients of OpenAI's API know them: { "error": { message, type, param, code, providerd? } }. HTTP threads.
 *
 * Their SDKs keep `error` alone, so what is ours stands within it. They repeat 408, 409, 429 and 5xx by themselves, POST included: none of these is
 * told once a paid request may be out. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "api/inner_call.h"
#include "http/http.h"

struct openai_error {
	int status;
	const char *type;    /* NULL: as the status has it, invalid_request_error as a rule */
	const char *code;    /* or NULL */
	const char *param;   /* the client's name of the field, or NULL */
	const char *message; /* a sentence, in any language but markup */
	int should_retry; /* x-should-retry: 1 true, 0 false, -1 not said. Of 400 and the like it is not said in any case but 1 */
	int retry_after_ms; /* 0: not said. Retry-After as well, which is never longer than a minute: a longer one is not obeyed */
	const char *headers;	 /* further header lines, each ending in \r\n, or NULL */
	const json_t *providerd; /* an object: what is ours; borrowed, or NULL */
};

/* Sends it. A param that looks like a credential is left out; a message is sent as it is: what a client wrote is quoted by openai_quote(). */
void openai_send_error(struct http_request *request, const struct openai_error *error);

/* The usual one: 400 invalid_request_error with this code about this field; the message is printed. */
__attribute__((format(printf, 4, 5))) void openai_refuse(
	struct http_request *request, const char *code, const char *param, const char *format, ...);

/* What a client wrote, to stand in a message: cut, and "***" where it looks like a credential (people paste keys anywhere). */
#define OPENAI_QUOTE_BYTES 256
const char *openai_quote(const struct http_request *request, const char *text, char quoted[OPENAI_QUOTE_BYTES]);

/* A problem of the guard, the router or access.h, as struct door has it. */
void openai_tell_problem(struct http_request *request, const struct http_problem *problem);

/* What an inner call answered (its status is an error's) to the client. */
void openai_send_inner_problem(struct http_request *request, const struct inner_answer *answer);

/* What an inner submit answered: is it what was asked for? False: an error was sent, since live was asked for (`wants_live`) and is not to be had, or
 * the request is one that live could not send either, or it is a problem. Of a placeholder nobody who asked for the real thing hears. */
bool openai_accepts_answer(struct http_request *request, bool wants_live, const struct inner_answer *answer);

/* The client's name of a field of the host's requests: "parameters.samples" is "n". The result is static, or a part of `path`. */
const char *openai_param_of(const struct http_request *request, const char *path);
