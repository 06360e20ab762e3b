/* bridge_message.h - the lines of `providerd mcp`: what a message from its client says, and what it writes. The command's only thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct bridge_message {
	json_t *tree;	  /* owned */
	const json_t *id; /* NULL: a notification */
	const char *method;
	const char *version; /* that it names itself (the modern era), or NULL */
	const char *name;    /* for Mcp-Name, or NULL */
};

/* Reads one line. False: it is no request and no notification, and that was told. bridge_message_close() it in either case. */
bool bridge_message_read(const char *line, size_t length, struct bridge_message *message);
void bridge_message_close(struct bridge_message *message);

/* Writes a message as one line to standard output. */
void bridge_print(const char *text, size_t length);

/* The same of an error; `id` NULL: without one. */
__attribute__((format(printf, 3, 4))) void bridge_print_error(const json_t *id, int code, const char *format, ...);

/* Could something not be written? Then nobody listens any more. */
bool bridge_is_deaf(void);
