/* video.h - /v1/videos: what openai.c routes to. HTTP threads; each sends exactly one answer. */
#pragma once

#include "api/host.h"

void openai_videos_create(struct host *host, struct http_request *request);
void openai_videos_list(struct host *host, struct http_request *request);
void openai_videos_retrieve(struct host *host, struct http_request *request, const char *id);
void openai_videos_content(struct host *host, struct http_request *request, const char *id);
void openai_videos_delete(struct host *host, struct http_request *request, const char *id);
