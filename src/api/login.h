/* login.h - /api/session: who asks, log in, log out; /api/sessions: log everybody out. For browsers; see gate/session.h. */
#pragma once

#include "api/host.h"

void login_show_handle(struct host *host, struct http_request *request);
void login_begin_handle(struct host *host, struct http_request *request);
void login_end_handle(struct host *host, struct http_request *request);
void login_end_all_handle(struct host *host, struct http_request *request);
