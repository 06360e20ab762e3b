/* inputs.h - GET .../{provider}/inputs: what a request to it may say, as JSON Schema. HTTP threads. */
#pragma once

#include "api/incoming.h"

/* Without a query all choices of the kind, with `mode`, `model` or `operation` one with its schema. Its request was read (incoming_open()). */
void inputs_handle(struct incoming *incoming);
