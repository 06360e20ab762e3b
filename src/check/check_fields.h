/* check_fields.h - the shape of an answer as a table: which field must hold what. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "check/check_report.h"

enum field_type {
	FIELD_BOOL = 0,
	FIELD_TRUE,
	FIELD_NULL, /* null or absent */
	FIELD_TEXT, /* not empty */
	FIELD_ID,   /* a text that can stand in a path as it is */
	FIELD_UUID,
	FIELD_DATE,   /* begins 2025-02-17 */
	FIELD_HTTPS,  /* an https URL */
	FIELD_WHOLE,  /* an integer from 1 */
	FIELD_AMOUNT, /* a number from 0, or null: not known; absent is wrong */
	FIELD_OBJECT,
	FIELD_FILLED, /* an object with something in it */
	FIELD_OPTION, /* an object or null; absent is wrong */
	FIELD_TEXTS,  /* an array of texts */
};

struct field_rule {
	const char *path; /* "feature.enabled" */
	enum field_type type;
};

/* Notes a problem for each field that breaks its rule. */
void check_fields(const json_t *object, const struct field_rule *rules, size_t count, struct findings *findings);
#define CHECK_FIELDS(object, rules, findings) check_fields(object, rules, sizeof(rules) / sizeof *(rules), findings)

/* The text at `path` must be this one. */
void check_field_is(const json_t *object, const char *path, const char *expected, struct findings *findings);

const json_t *check_value(const json_t *object, const char *path); /* NULL when absent */
bool check_is_true(const json_t *object, const char *path);
const char *check_text(const json_t *object, const char *path); /* "" when it is no text */
