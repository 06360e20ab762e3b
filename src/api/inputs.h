/* inputs.h - GET .../{provider}/inputs: what a request to it may say, as JSON Schema. HTTP threads. */
#pragma once

#include "api/incoming.h"

/* Without a query all choices of the kind, with `mode`, `model` or `operation` one with its schema. Its request was read (incoming_open()). */
void inputs_handle(struct incoming *incoming);

/* Appends those of the choices that the query asks for, with their schemas, as a JSON list: what a script describes, else what the directory knows of
 * the model, else what every provider of the kind takes. False: there is none, and a 404 was sent. */
bool inputs_write_schemas(struct incoming *incoming, struct buffer *out);
