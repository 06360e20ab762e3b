/* artifact_input.h - a kept output as an input: the host puts the bytes in where a request names providerd://jobs/ID/artifacts/N. HTTP threads. */
#pragma once

#include "api/incoming.h"

/* Every text of script_request that is such an address, or the URL where this host serves the output, becomes the file as a data URI; script_request is another tree then, and what it was made of stays
 * as it is. Only outputs of jobs that the request's key sees; together with the body no more than server.max_body_bytes, and counted among all bodies.
 * False: a problem was sent that names the field. */
bool artifact_input_fill(struct incoming *incoming);
