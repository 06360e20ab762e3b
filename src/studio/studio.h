/* studio.h - the host's own web page: its files, served from memory. No path of a request ever reaches the file system. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/file_problem.h"
#include "http/http.h"

struct studio;

/* Nothing is read yet: studio_reload() does. */
struct studio *studio_new(const char *folder);
void studio_free(struct studio *studio);

/* Looks at the folder and publishes what is in it, if that has changed; what is wrong is logged. Not `wanted`: nothing is published. Loader thread;
 * blocks on the disk. */
void studio_reload(struct studio *studio, bool wanted);

/* What is wrong with the folder, one after the other, to be released; NULL after the last. Any thread. */
struct file_problem *studio_problem(struct studio *studio, size_t index);

/* Is there a page to open? Any thread. */
bool studio_is_there(struct studio *studio);

/* Answers with the file of this name ("ui/main.js"; "": the page itself), with 304 if the client has it. False: there is none, and nothing
 * was sent. HTTP threads. */
bool studio_send(struct studio *studio, struct http_request *request, const char *name);
