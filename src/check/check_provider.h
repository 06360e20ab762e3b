/* check_provider.h - the checks of one provider, end to end. */
#pragma once

#include "check/check_fields.h"
#include "check/check_report.h"
#include "check/check_traffic.h"
#include "cli/client.h"

struct check_kind {
	const char *name;
	const char *prefix; /* of the provider's paths */
	const char *catalog;
	const char *generate; /* NULL: this kind has none */
	const char *request;  /* a small submit, as JSON; always a dry run */
};

struct check_run {
	struct client *client;
	struct check_report report;
	struct traffic traffic;
	json_t *script_errors; /* of the newest catalog, or NULL */
	bool live_possible;    /* some provider is allowed to execute: the host may have live jobs of others */
};

/* Sends one request and returns the JSON object that came with this status, or NULL and a problem. json_decref() it. `body` is
 * stolen. */
json_t *check_request(
	struct check_run *run, int status, const char *method, const char *path, json_t *body, struct findings *findings);

/* All checks of the provider of this catalog entry; each is added to the report. */
void check_provider(struct check_run *run, const struct check_kind *kind, const json_t *entry);
