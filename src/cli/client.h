/* client.h - a small HTTP client for the commands that talk to a running host: JSON out, JSON in, one request at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/error.h"

struct client;

struct client_answer {
	int status;
	json_t *json; /* NULL when the body is not JSON */
};

/* `base` is the host's address (http or https, perhaps with a path before /api), `key` its API key or NULL. Connects to nobody.
 * ERROR_INVALID names what is wrong with either; it never quotes the key. */
enum error_code client_open(const char *base, const char *key, struct client **client, struct error *error);
void client_close(struct client *client);

/* The base as it is used: without a slash at its end. */
const char *client_base(const struct client *client);

/* Does what it sends cross a network that others may read: http, beyond this machine? */
bool client_is_in_clear(const struct client *client);

/* Sends one request and waits for its answer, whatever the status; `path` begins with a slash, `body` may be NULL. ERROR_IO says
 * why there was no answer. The answer is the caller's: client_answer_free(), also after a failure. */
enum error_code client_send(struct client *client, const char *method, const char *path, const json_t *body,
	struct client_answer *answer, struct error *error);
void client_answer_free(struct client_answer *answer);

/* What a stream is followed with: `take` gets its bytes as they come, `tick` (or NULL) is called about once a second meanwhile. */
struct client_follower {
	void (*take)(void *context, const char *bytes, size_t length);
	void (*tick)(void *context);
	void *context;
};

/* Follows an event stream until it ends. ERROR_IO when it breaks, or stays silent for longer than a host does. `last_id` is that of the last event
 * that was had, or "". Another status than 200 is in `answer`, as client_send() has it. */
enum error_code client_follow(struct client *client, const char *path, const char *last_id,
	const struct client_follower *follower, struct client_answer *answer, struct error *error);

/* What every transfer of a command has: a CURL handle that goes to the host it was told and nowhere else, by HTTP/1.1, without a proxy, a redirect or a
 * password file. */
void client_guard(void *curl);

/* So many requests got no answer that asking on only wastes time: client_send() refuses from now on. */
bool client_gave_up(const struct client *client);

/* The address that the newest answer came from. False before there was one. */
bool client_peer(const struct client *client, const char **address, int *port);
