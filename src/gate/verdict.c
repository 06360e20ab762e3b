/* verdict.c - the judge: one provider, one request, one view; and the texts that say what is missing.
 *
 * Pure: reads an immutable view and the request's config, from any thread, without locks and files. Every text names the cause
 * and what would change it; none ever holds a value. It decides nothing about money spent, only whether budgets are open at all.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "gate/consent.h"
#include "gate/environment.h"
#include "gate/gate.h"
#include "gate/request_config.h"
#include "gate/secrets_read.h"

#define TEXT_BYTES 1024
#define NAMES_BYTES 256

struct trial {
	const struct gate_view *view;
	const struct gate_subject *subject;
	const char *feature_flag;
	const json_t *request_config;
	bool optional_too;
	struct verdict *verdict;
};

enum places { IN_WARNINGS = 1, IN_LIVE = 2, IS_REASON = 4, IS_CAUSE = IN_WARNINGS | IN_LIVE | IS_REASON };

/* ---- texts ---- */

/* Adds the text where it belongs. Beyond VERDICT_TEXTS it is dropped: the first ones say enough to act on. */
__attribute__((format(printf, 3, 4))) static void say(struct trial *trial, int places, const char *format, ...)
{
	struct verdict *verdict = trial->verdict;
	char text[TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if ((places & IN_WARNINGS) != 0 && verdict->warning_count < VERDICT_TEXTS)
		verdict->warnings[verdict->warning_count++] = memory_copy_text(text);
	if ((places & IN_LIVE) != 0 && verdict->live_missing_count < VERDICT_TEXTS)
		verdict->live_missing[verdict->live_missing_count++] = memory_copy_text(text);
	if ((places & IS_REASON) != 0 && verdict->reason == NULL)
		verdict->reason = memory_copy_text(text);
}

/* ---- flags ---- */

/* The legacy flag that opens image and video too, never gpu. */
static const char *umbrella_of(const char *flag)
{
	if (strcmp(flag, "enable_public_image_providers") == 0 || strcmp(flag, "enable_public_video_providers") == 0)
		return "enable_public_image_video";
	return NULL;
}

bool gate_feature_enabled(const struct gate_view *view, const char *feature_flag)
{
	const char *umbrella = feature_flag != NULL ? umbrella_of(feature_flag) : NULL;
	bool known;

	if (feature_flag == NULL)
		return false;
	return config_feature(view->config, feature_flag, &known) ||
	       (umbrella != NULL && config_feature(view->config, umbrella, &known));
}

static void judge_flag(struct trial *trial)
{
	const char *flag = trial->feature_flag;
	const char *umbrella = umbrella_of(flag);
	const char *file = trial->view->config->file;
	bool known;

	trial->verdict->enabled = gate_feature_enabled(trial->view, flag);
	if (trial->verdict->enabled)
		return;
	config_feature(trial->view->config, flag, &known);
	if (!known)
		say(trial, IS_CAUSE,
			"feature flag %s is not known to this host: name one of the flags of %s in the provider's script", flag,
			file);
	else if (umbrella != NULL)
		say(trial, IS_CAUSE, "feature flag %s is off: set features.%s (or features.%s) to true in %s", flag, flag,
			umbrella, file);
	else
		say(trial, IS_CAUSE, "feature flag %s is off: set features.%s to true in %s", flag, flag, file);
}

/* ---- credentials ---- */

/* One section's value under one of the credential's names. */
static const char *from_section(const struct gate_view *view, const char *section, const struct credential_spec *spec)
{
	char *const by_name[] = { spec->name, NULL };
	const char *value = secrets_find(view->secrets, section, spec->secret);

	return value != NULL ? value : secrets_find(view->secrets, section, by_name);
}

static const char *from_secrets(
	const struct gate_view *view, const struct gate_subject *subject, const struct credential_spec *spec)
{
	const char *value = consent_to_section(view, subject->provider, subject->provider)
				    ? from_section(view, subject->provider, spec)
				    : NULL;

	for (char *const *alias = subject->aliases; alias != NULL && *alias != NULL && value == NULL; alias++)
		if (consent_to_section(view, subject->provider, *alias))
			value = from_section(view, *alias, spec);
	return value;
}

static const char *from_environment(
	const struct gate_view *view, const struct gate_subject *subject, const struct credential_spec *spec)
{
	const char *value = NULL;

	for (char *const *name = spec->env; name != NULL && *name != NULL && value == NULL; name++)
		if (consent_to_variable(view, subject->provider, *name))
			value = environment_find(view->environment, *name);
	return value;
}

const char *gate_credential(const struct gate_view *view, const struct gate_subject *subject, const struct credential_spec *spec)
{
	const char *value = from_secrets(view, subject, spec);

	return value != NULL ? value : from_environment(view, subject, spec);
}

const char *gate_credential_named(const struct gate_view *view, const struct gate_subject *subject, const char *name)
{
	for (size_t i = 0; i < subject->credential_count; i++)
		if (strcmp(subject->credentials[i].name, name) == 0)
			return gate_credential(view, subject, &subject->credentials[i]);
	return NULL;
}

/* " (create one at https://...)", or nothing. */
struct hint {
	const char *open, *text, *close;
};

static struct hint hint_of(const struct credential_spec *spec)
{
	return spec->hint != NULL && *spec->hint != '\0' ? (struct hint){ " (", spec->hint, ")" } : (struct hint){ "", "", "" };
}

/* The name to write it under in the secrets file, when that is not the credential's own. */
static const char *other_field(const struct credential_spec *spec)
{
	if (spec->secret == NULL || spec->secret[0] == NULL)
		return NULL;
	for (char *const *name = spec->secret; *name != NULL; name++)
		if (strcmp(*name, spec->name) == 0)
			return NULL;
	return spec->secret[0];
}

/* The variable to export: one that may be read goes first. */
static const char *variable_of(const struct trial *trial, const struct credential_spec *spec, bool *consented)
{
	*consented = true;
	for (char *const *name = spec->env; name != NULL && *name != NULL; name++)
		if (consent_to_variable(trial->view, trial->subject->provider, *name))
			return *name;
	*consented = spec->env == NULL || spec->env[0] == NULL;
	return *consented ? NULL : spec->env[0];
}

static void say_missing(struct trial *trial, const struct credential_spec *spec, int places)
{
	const char *field = other_field(spec), *provider = trial->subject->provider;
	struct hint hint = hint_of(spec);
	char consent[NAMES_BYTES] = "";
	bool consented;
	const char *variable = variable_of(trial, spec, &consented);

	if (!consented)
		snprintf(consent, sizeof consent, " and name it in live.providers.%s.credentials.env in %s", provider,
			trial->view->config->file);
	say(trial, places, "credential %s is missing: put it under \"%s\" in %s%s%s%s%s%s%s%s%s", spec->name, provider,
		secrets_file(trial->view->secrets), field != NULL ? " as " : "", field != NULL ? field : "",
		variable != NULL ? ", or export " : "", variable != NULL ? variable : "", consent, hint.open, hint.text,
		hint.close);
}

/* A section that holds the credential, and that the script may not have. */
static void say_closed_section(struct trial *trial, const struct credential_spec *spec, int places)
{
	const char *provider = trial->subject->provider;

	for (char *const *alias = trial->subject->aliases; alias != NULL && *alias != NULL; alias++)
		if (!consent_to_section(trial->view, provider, *alias) && from_section(trial->view, *alias, spec) != NULL)
			say(trial, places,
				"credential %s: the section \"%s\" of %s is not read for it: name it in "
				"live.providers.%s.credentials.secrets in %s, unless it is another provider's",
				spec->name, *alias, secrets_file(trial->view->secrets), provider, trial->view->config->file);
}

static void check_pattern(struct trial *trial, const struct credential_spec *spec, const char *value, const char *where)
{
	struct hint hint = hint_of(spec);
	bool matches;
	char *clean;

	if (spec->pattern == NULL)
		return;
	if (strlen(value) > LIMIT_CREDENTIAL_BYTES) {
		say(trial, IN_WARNINGS, "credential %s from %s is longer than %d bytes: check that it was copied right",
			spec->name, where, LIMIT_CREDENTIAL_BYTES);
		return;
	}
	clean = secrets_clean(value);
	if (clean == NULL)
		return;
	matches = credential_pattern_matches(spec->compiled, clean, strlen(clean));
	secrets_wipe(clean);
	if (!matches)
		say(trial, IN_WARNINGS, "credential %s from %s does not look like one of this provider: it should match %s%s%s%s",
			spec->name, where, spec->pattern, hint.open, hint.text, hint.close);
}

static bool counts(const struct trial *trial, const struct credential_spec *spec)
{
	return !spec->optional || trial->optional_too;
}

/* Returns where the credential was found, NULL when it was not. */
static const char *judge_credential(struct trial *trial, const struct credential_spec *spec)
{
	const char *value = request_config_find(trial->request_config, spec);
	const char *stored = from_secrets(trial->view, trial->subject, spec);
	const char *exported = stored == NULL ? from_environment(trial->view, trial->subject, spec) : NULL;
	bool missing_live = stored == NULL && exported == NULL && counts(trial, spec);

	if (value != NULL) {
		trial->verdict->request_credential = true;
		check_pattern(trial, spec, value, "the request");
		if (missing_live)
			say_missing(trial, spec, IN_LIVE);
		return "request";
	}
	if (missing_live) {
		say_missing(trial, spec, IS_CAUSE);
		say_closed_section(trial, spec, IN_WARNINGS | IN_LIVE);
	}
	if (stored != NULL)
		check_pattern(trial, spec, stored, "the secrets file");
	else if (exported != NULL)
		check_pattern(trial, spec, exported, "the environment");
	return stored != NULL ? "secrets" : exported != NULL ? "env" : NULL;
}

/* "api_key, token": the first names to write the subject's credentials under. */
static void list_names(const struct gate_subject *subject, char *names, size_t size)
{
	size_t used = 0;

	names[0] = '\0';
	for (size_t i = 0; i < subject->credential_count && used < size; i++)
		used += (size_t)snprintf(names + used, size - used, "%s%s", i > 0 ? ", " : "", subject->credentials[i].name);
}

static void warn_of_unknown(void *context, const char *name)
{
	struct trial *trial = context;
	char names[NAMES_BYTES];

	list_names(trial->subject, names, sizeof names);
	if (name != NULL)
		say(trial, IN_WARNINGS, "config: %s is not a credential of this provider, so it is ignored; its credentials: %s",
			name, names);
	else
		say(trial, IN_WARNINGS, "config: a name looks like a credential itself; write it as the value of one of: %s",
			names);
}

static void judge_credentials(struct trial *trial)
{
	/* The header promises static texts; the array's type is not const, so they go through uintptr_t. */
	for (size_t i = 0; i < trial->subject->credential_count; i++) {
		const struct credential_spec *spec = &trial->subject->credentials[i];
		const char *source = judge_credential(trial, spec);

		if (i < VERDICT_TEXTS)
			trial->verdict->sources[i] = (char *)(uintptr_t)source;
		if (source == NULL && counts(trial, spec))
			trial->verdict->credentials_present = false;
	}
	request_config_each_unknown(trial->view, trial->subject, trial->request_config, warn_of_unknown, trial);
	if (trial->verdict->request_credential)
		say(trial, IN_LIVE,
			"a live job takes its credential from the secrets file or the environment, never from the request");
}

/* ---- live switches ---- */

static bool is_open(const struct budget *budget)
{
	return budget->per_day_micro_usd > 0 && budget->per_month_micro_usd > 0;
}

static void judge_live(struct trial *trial)
{
	const struct config *config = trial->view->config;
	const char *id = trial->subject->provider;
	const struct config_live_provider *provider = config_live_provider(config, id);

	if (!config->live.enabled)
		say(trial, IN_LIVE, "live.enabled is false: set it to true in %s", config->file);
	if (!is_open(&config->live.budget))
		say(trial, IN_LIVE, "live.budget_usd is not above zero: set per_day and per_month, both, in %s", config->file);
	if (provider == NULL)
		say(trial, IN_LIVE, "live.providers.%s is absent: add it with \"enabled\": true in %s", id, config->file);
	else if (!provider->enabled)
		say(trial, IN_LIVE, "live.providers.%s.enabled is false: set it to true in %s", id, config->file);
	if (provider == NULL || !is_open(&provider->budget))
		say(trial, IN_LIVE, "live.providers.%s.budget_usd is not above zero: set per_day and per_month, both, in %s", id,
			config->file);
}

/* ---- the whole ---- */

void gate_judge(const struct gate_view *view, const struct gate_subject *subject, const char *feature_flag,
	const json_t *request_config, bool optional_too, struct verdict *verdict)
{
	struct trial trial = {
		.view = view,
		.subject = subject,
		.feature_flag = feature_flag,
		.request_config = request_config,
		.optional_too = optional_too,
		.verdict = verdict,
	};

	*verdict = (struct verdict){ .credentials_present = true };
	judge_flag(&trial);
	judge_credentials(&trial);
	judge_live(&trial);
	if (view->config_problem != NULL)
		say(&trial, IN_WARNINGS, "%s", view->config_problem->text);
	if (view->secrets_problem != NULL)
		say(&trial, IN_WARNINGS, "%s", view->secrets_problem->text);
	verdict->execution_allowed = verdict->enabled && verdict->credentials_present;
	verdict->live_allowed = verdict->live_missing_count == 0;
}

void verdict_free(struct verdict *verdict)
{
	for (size_t i = 0; i < verdict->warning_count; i++)
		free(verdict->warnings[i]);
	for (size_t i = 0; i < verdict->live_missing_count; i++)
		free(verdict->live_missing[i]);
	free(verdict->reason);
	*verdict = (struct verdict){ .enabled = false };
}
