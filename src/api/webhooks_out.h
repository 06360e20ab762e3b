/* webhooks_out.h - outgoing webhooks for clients: /api/modder/hooks/webhooks and /api/modder/hooks/test. HTTP threads. `id` NULL: it is in the body or the
 * query. */
#pragma once

#include "api/host.h"

void hooks_list_handle(struct host *host, struct http_request *request);
void hooks_show_handle(struct host *host, struct http_request *request, const char *id);
void hooks_add_handle(struct host *host, struct http_request *request);
void hooks_remove_handle(struct host *host, struct http_request *request, const char *id);
void hooks_rotate_handle(struct host *host, struct http_request *request, const char *id);
void hooks_replay_handle(struct host *host, struct http_request *request, const char *id);
void hooks_test_handle(struct host *host, struct http_request *request);
