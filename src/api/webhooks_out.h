/* webhooks_out.h - outgoing webhooks for clients: /api/modder/hooks/webhooks and /api/modder/hooks/test. HTTP threads. `id` "":
 * it is in the body or the query. */
#pragma once

#include "api/host.h"

void webhooks_out_list_handle(struct host *host, struct http_request *request);
void webhooks_out_show_handle(struct host *host, struct http_request *request, const char *id);
void webhooks_out_deliveries_handle(struct host *host, struct http_request *request, const char *id);
void webhooks_out_add_handle(struct host *host, struct http_request *request);
void webhooks_out_remove_handle(struct host *host, struct http_request *request, const char *id);
void webhooks_out_rotate_handle(struct host *host, struct http_request *request, const char *id);
void webhooks_out_replay_handle(struct host *host, struct http_request *request, const char *id);
void webhooks_out_test_handle(struct host *host, struct http_request *request);
