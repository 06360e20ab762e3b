/* check_report.h - what a check found, and the list of all of them: printed line by line, or as one JSON object at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/limits.h"

/* What one check has to say. It passes unless a problem was noted; then only the problems are kept. */
struct findings {
	bool failed;
	size_t length;
	char text[LIMIT_CHECK_DETAIL_BYTES];
};

__attribute__((format(printf, 2, 3))) void findings_problem(struct findings *findings, const char *format, ...);
__attribute__((format(printf, 2, 3))) void findings_detail(struct findings *findings, const char *format, ...);

struct check_report {
	bool json;
	bool colours;
	json_t *checks;
	int passed;
	int failed;
	char group[96]; /* of the newest line */
};

/* `json`: nothing is printed until the end. */
void check_report_open(struct check_report *report, bool json, const char *profile, const char *base);

/* One check is done. `kind` NULL: of the host; `provider` NULL: of the kind. */
void check_report_add(
	struct check_report *report, const char *kind, const char *provider, const char *name, const struct findings *findings);

/* Prints the end, and frees the list. False if a check failed, none was made, or nobody takes what is printed. */
bool check_report_close(struct check_report *report, const char *profile, const char *base);
