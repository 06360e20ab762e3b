/* transfer_answer.c - takes in what curl brings, and says what is there in the end: an answer, masked, or why there is none. */
#include <string.h>

#include "net/internal.h"

static size_t answer_on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	long status = 0;

	if (transfer->sink != NULL) {
		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
		transfer->response.status = (int)status;
		return transfer->sink(transfer, bytes, size * count) ? size * count : 0;
	}
	buffer_append(&transfer->response.body, bytes, size * count);
	return transfer->response.body.failed ? 0 : size * count;
}

static size_t answer_on_header(char *line, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	return response_add_line(&transfer->response, line, size * count) ? size * count : 0;
}

void transfer_take_answer(struct transfer *transfer)
{
	curl_easy_setopt(transfer->easy, CURLOPT_WRITEFUNCTION, answer_on_body);
	curl_easy_setopt(transfer->easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(transfer->easy, CURLOPT_HEADERFUNCTION, answer_on_header);
	curl_easy_setopt(transfer->easy, CURLOPT_HEADERDATA, transfer);
}

static const char *answer_message(const char *kind, CURLcode code)
{
	if (strcmp(kind, "held") == 0)
		return "it was held back when the connection stood";
	if (strcmp(kind, "own") == 0)
		return "the address is this host's own: it does not call itself";
	if (strcmp(kind, "blocked") == 0)
		return "the host's address is private: requests go to public addresses only";
	return curl_easy_strerror(code);
}

void transfer_end_answer(struct transfer *transfer, CURLcode code)
{
	const char *kind = transfer_failure(transfer, code);
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	transfer->response.status = (int)status;
	if (code != CURLE_OK)
		response_fail(&transfer->response, kind, answer_message(kind, code));
	if (transfer->view != NULL)
		response_mask(&transfer->response, transfer->view, transfer->subject, transfer->token);
}
