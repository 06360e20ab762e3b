/* gate.h - "may this run?": feature flags, credentials and live switches, put together.
 *
 * The files are read at start and again when gate_reload() is told that they changed. Readers take an immutable view; a broken
 * file keeps the last good one and is reported in the view's problems. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/cleaner.h"
#include "base/file_problem.h"
#include "gate/config.h"
#include "gate/credential.h"
#include "gate/secrets.h"

struct gate;
struct environment;
struct mask_index;

struct gate_view {
	const struct config *config;
	const struct secrets *secrets;
	const struct environment *environment; /* as it was at start; later setenv() is not seen */
	const struct mask_index *known;	       /* the values of secrets, file and environment: see mask_known.h */
	/* Why the newest file is not in force, or NULL. Nothing of the secrets file is quoted. */
	const struct file_problem *config_problem, *secrets_problem;
	uint64_t generation; /* grows with each change */
};

/* Reads both files. A broken config file is an error (the operator is there to see it); a broken secrets file is not: it
 * is reported as a problem (see gate_report) and counts as empty. `home` is copied. */
enum error_code gate_open(const char *home, struct gate **gate, struct error *error);
void gate_close(struct gate *gate);

/* Logs the problems of the files in force. For the time after log_open(): at gate_open() there is no log file yet. */
void gate_report(struct gate *gate);

/* The address that the host really listens on. If it is beyond loopback, a later configuration without API keys is rejected: it would
 * open the API to the network. */
void gate_listens_on(struct gate *gate, const char *listen);

/* Reads both files again and publishes a new view if anything changed. Logs what changed or what is wrong. One thread at a time. */
void gate_reload(struct gate *gate);

/* The current view, held until released. Any thread; cheap. */
const struct gate_view *gate_acquire(struct gate *gate);
void gate_release(struct gate *gate, const struct gate_view *view);

/* One more holder of a view that is held. */
const struct gate_view *gate_hold(const struct gate_view *view);

/* Masks what the newest view knows as secret, and nobody writes by chance. Valid as long as the gate. */
struct cleaner gate_cleaner(struct gate *gate);

/* Who is judged. Everything borrowed. */
struct gate_subject {
	const char *provider; /* id */
	char *const *aliases; /* NULL-terminated */
	const struct credential_spec *credentials;
	size_t credential_count;
};

#define VERDICT_TEXTS 24

struct verdict {
	bool enabled;		  /* the feature flag, the umbrella considered */
	bool credentials_present; /* every credential that counts */
	bool execution_allowed;	  /* both; `ok` equals it */
	bool live_allowed; /* execution_allowed, credentials not from the request, all live switches on, budgets above zero */
	bool request_credential; /* the request carried one */
	char *reason;		 /* the first cause when not execution_allowed, else NULL */
	char *warnings[VERDICT_TEXTS];
	size_t warning_count; /* causes, and what would change each */
	char *live_missing[VERDICT_TEXTS];
	size_t live_missing_count;    /* what keeps a "dry_run": false from being sent; without the request's own dry_run */
	char *sources[VERDICT_TEXTS]; /* per credential of the subject: "request", "secrets", "env" or NULL; static strings */
};

/* Judges. `feature_flag` is the one of the kind that is asked for ("enable_public_gpu"; the umbrella flag is considered for image and video). Credentials that are optional count only with `optional_too`: for a request that names one.
 * `request_config` is the request's config or cfg object, or NULL; its credentials are looked up first (docs/operations.md,
 * "Secrets"), by the names in credential_spec.secret, then the spec's name, in any letter case; only non-blank text counts. Other
 * names that sound like credentials are warned of. A value whose pattern does not
 * match adds a warning (with the hint) and never changes the outcome. No text ever contains a value.
 * The verdict is the caller's: verdict_free(). Any thread, no locks, no files. */
void gate_judge(const struct gate_view *view, const struct gate_subject *subject, const char *feature_flag,
	const json_t *request_config, bool optional_too, struct verdict *verdict);
void verdict_free(struct verdict *verdict);

/* The name of a credential of the subject that the request's config gives something else than text (null counts as absent); NULL: none. */
const char *gate_config_fault(const struct gate_subject *subject, const json_t *request_config);

/* Adds to `index` the texts of the request's config that stand under the name of a credential, the subject's or one that sounds so. */
void gate_config_secrets(const struct gate_subject *subject, const json_t *request_config, struct mask_index *index);

/* The feature flag's state, the umbrella considered (facts: it opens image and video, never gpu). Unknown flags are off. */
bool gate_feature_enabled(const struct gate_view *view, const char *feature_flag);

/* The value of a credential from the secrets file or the environment (never the request), for a live call. NULL if there is none. */
const char *gate_credential(const struct gate_view *view, const struct gate_subject *subject, const struct credential_spec *spec);

/* The same by the credential's name; NULL also when the subject has none of this name. */
const char *gate_credential_named(const struct gate_view *view, const struct gate_subject *subject, const char *name);
