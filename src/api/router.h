/* router.h - the routes by number, as struct http_request has them: for whoever counts by route. Any thread. */
#pragma once

struct door;

#define ROUTES_MAX 160
#define DOORS_MAX 4

/* One more door, which outlives the host. At start, before HTTP. */
void router_open(const struct door *door);

/* -1 and numbers without a route give NULL. */
const char *route_pattern(int route);
const char *route_method(int route);
