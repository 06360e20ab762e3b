/* video_answer.h - what the answers about videos share. HTTP threads. */
#pragma once

#include "http/http.h"

/* 200 with the JSON text; 503 if it has failed. `headers` as in http_reply. */
void video_answer_send(struct http_request *request, struct buffer *out, const char *headers);
