/* check_report.c - collects and prints checks. The command's only thread.
 *
 * Texts come from the host under test, so control characters are taken out before they reach a terminal. */
#include "check/check_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/show.h"

/* ---- findings ---- */

/* Where a text cut at `length` may end without half a character. */
static size_t cut_length(const char *text, size_t length)
{
	size_t start = length;

	while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	return start > 0 && (unsigned char)text[start - 1] >= 0xC0 ? start - 1 : start;
}

__attribute__((format(printf, 2, 0))) static void add_text(struct findings *findings, const char *format, va_list values)
{
	size_t room = sizeof findings->text - findings->length;
	char *text = findings->text + findings->length;
	size_t before = 0;
	int added;

	if (findings->length > 0 && room > 3) {
		memcpy(text, findings->failed ? "; " : ", ", 2);
		before = 2;
	}
	added = vsnprintf(text + before, room - before, format, values);
	if (added < 0)
		added = 0;
	if (before + (size_t)added < room) {
		findings->length += before + (size_t)added;
		return;
	}
	findings->length += cut_length(text, room - 1);
	findings->text[findings->length] = '\0';
}

void findings_problem(struct findings *findings, const char *format, ...)
{
	va_list values;

	if (!findings->failed)
		findings->length = 0;
	findings->failed = true;
	va_start(values, format);
	add_text(findings, format, values);
	va_end(values);
}

void findings_detail(struct findings *findings, const char *format, ...)
{
	va_list values;

	if (findings->failed)
		return;
	va_start(values, format);
	add_text(findings, format, values);
	va_end(values);
}

/* ---- the list ---- */

static bool wants_colours(void)
{
	const char *terminal = getenv("TERM"), *refused = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (refused == NULL || *refused == '\0') &&
	       (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

void check_report_open(struct check_report *report, bool json, const char *profile, const char *base)
{
	*report = (struct check_report){ .json = json, .colours = !json && wants_colours(), .checks = json_array() };
	if (!json)
		printf("profile %s against %s\n", profile, base);
}

/* A control character as a space: C0, DEL, and C1 in UTF-8. */
static void print_plain(const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text, next = (unsigned char)text[1];

		if (byte == 0xC2 && next >= 0x80 && next < 0xA0)
			text++;
		putchar(byte < 0x20 || byte == 0x7f || (byte == 0xC2 && next < 0xA0) ? ' ' : byte);
	}
}

static void print_check(struct check_report *report, const char *group, const char *name, const struct findings *findings)
{
	const char *colour = !report->colours ? "" : findings->failed ? "\033[1;31m" : "\033[32m";

	if (strcmp(group, report->group) != 0)
		putchar('\n');
	snprintf(report->group, sizeof report->group, "%s", group);
	printf("%s%-4s%s  %-28s  %-10s  ", colour, findings->failed ? "FAIL" : "ok", report->colours ? "\033[0m" : "", group,
		name);
	print_plain(findings->text);
	putchar('\n');
	fflush(stdout);
}

void check_report_add(
	struct check_report *report, const char *kind, const char *provider, const char *name, const struct findings *findings)
{
	json_t *check = json_pack("{s:s, s:s?, s:s?, s:b, s:s}", "name", name, "provider", provider, "kind", kind, "ok",
		!findings->failed, "detail", findings->text);
	char group[96];

	if (check == NULL) /* a text that is no UTF-8 cannot come out of JSON, but may come from elsewhere */
		check = json_pack("{s:s, s:n, s:s?, s:b, s:s}", "name", name, "provider", "kind", kind, "ok", !findings->failed,
			"detail", "");
	json_array_append_new(report->checks, check);
	if (findings->failed)
		report->failed++;
	else
		report->passed++;
	if (report->json)
		return;
	snprintf(group, sizeof group, "%s%s%s", kind != NULL ? kind : "host", provider != NULL ? "/" : "",
		provider != NULL ? provider : "");
	print_check(report, group, name, findings);
}

bool check_report_close(struct check_report *report, const char *profile, const char *base)
{
	bool ok = report->failed == 0 && report->passed > 0;
	json_t *all;

	if (report->json) {
		all = json_pack("{s:b, s:s, s:s, s:i, s:i, s:O}", "ok", ok, "profile", profile, "base", base, "passed",
			report->passed, "failed", report->failed, "checks", report->checks);
		ok = show_json(all) && ok;
		json_decref(all);
	}
	if (!report->json)
		printf("\n%d check%s: %d passed, %d failed\n", report->passed + report->failed,
			report->passed + report->failed == 1 ? "" : "s", report->passed, report->failed);
	json_decref(report->checks);
	return fflush(stdout) == 0 && ok;
}
