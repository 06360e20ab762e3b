/* router.h - the routes by number, as struct http_request has them: for whoever counts by route. Any thread. */
#pragma once

#define ROUTES_MAX 96

/* -1 and numbers without a route give NULL. */
const char *route_pattern(int route);
const char *route_method(int route);
