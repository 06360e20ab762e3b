/* manifest.h - what a provider script says about itself, read once at load into C and never changed after. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "base/error.h"
#include "gate/credential.h"
#include "gate/kind.h"

enum manifest_function {
	FUNCTION_PREPARE = 0,
	FUNCTION_ESTIMATE,
	FUNCTION_HEALTH,
	FUNCTION_SUBMIT,
	FUNCTION_POLL,
	FUNCTION_CANCEL,
	FUNCTION_WEBHOOK,
	FUNCTION_RECONCILE,
	FUNCTION_MODELS, /* of the directory, down to prices: free requests only */
	FUNCTION_DESCRIBE,
	FUNCTION_PRICES,
	FUNCTION_QUANTITY, /* for the script's own estimate: the host does not call it */
	FUNCTION_COUNT
};

/* How a vendor signs its webhooks. */
enum webhook_scheme {
	WEBHOOK_UNSIGNED = 0,
	WEBHOOK_STANDARD, /* "standard-webhooks" */
	WEBHOOK_FAL,	  /* "fal-ed25519" */
};

struct manifest_signature {
	enum webhook_scheme scheme;
	char *secret_path;  /* WEBHOOK_STANDARD: where the vendor tells the secret, appended to base_url */
	char *secret_field; /* and under which name of its JSON object */
	char *jwks_url;	    /* WEBHOOK_FAL: where the public keys are */
};

struct manifest_header {
	char *name;
	char *value; /* with {credential} in it */
};

/* The headers that carry credentials, sorted by name. */
struct manifest_auth {
	char *form; /* its name in auth_forms; NULL: auth, which goes with every request that names no other */
	struct manifest_header *headers;
	size_t count;
};

/* What may be asked for: a form of request, with its schema. */
struct manifest_choice {
	char *kind;			/* of the route that it is for */
	char *mode, *model, *operation; /* or NULL */
	char *facts;			/* JSON members to show, each with a comma behind it */
	char *schema;			/* a JSON object */
};

/* What the directory may ask of the vendor, and how often. */
struct manifest_directory {
	bool declared;
	char **hosts; /* NULL-terminated, as manifest.hosts: where its functions may go beside the script's own hosts, without a credential */
	char *place;	 /* where a model's inputs stand in a request: "parameters.", or "" */
	char *job_place; /* the same of a GPU job, where the script serves other kinds too: "job.input." */
	int list_seconds, describe_seconds, price_seconds; /* how old what was read may be */
	int pace_ms;					   /* between two requests */
};

#define MANIFEST_ID_BYTES 31

struct manifest {
	char *id, *name, *kind;
	char dry_id[MANIFEST_ID_BYTES +
		    sizeof "mock--1"];	      /* what a dry run's job is called in place of the vendor's id: "mock-fal-1" */
	const struct kind *kinds[KIND_COUNT]; /* that it serves: its own first */
	size_t kind_count;
	char **aliases;	    /* NULL-terminated, as written */
	char *feature_flag; /* of its own kind; of the others it is the kind's usual one: manifest_flag() */
	char *docs_url, *pricing_url, *dashboard_url, *last_checked; /* or NULL */
	char *base_url;						     /* or NULL; without a slash at the end */
	char **hosts; /* NULL-terminated; "*.x" takes any name below x; the host of base_url comes first, then hosts, then shared_hosts */
	size_t own_hosts;      /* how many of them are not shared_hosts; those without a wildcard are the vendor's own */
	char **output_hosts;   /* as hosts: where outputs are fetched from without a credential */
	bool outputs_anywhere; /* outputs = "any": from any public host */
	struct manifest_auth auth;
	struct manifest_auth *auth_forms; /* what a request may name in place of auth */
	size_t auth_form_count;
	struct credential_spec *credentials;
	size_t credential_count;
	char *capabilities, *pricing;	 /* JSON */
	char *tags, *modes, *reviews;	 /* JSON, or NULL */
	struct manifest_choice *choices; /* `inputs`, in the script's order; none: the script does not describe its inputs */
	size_t choice_count;
	struct manifest_signature signature;
	struct manifest_directory directory;
	int paid_requests; /* that one job may send: 1, unless the script declares more */
	bool has[FUNCTION_COUNT];
};

/* The form of this name, or `auth` for NULL; NULL: there is none. */
const struct manifest_auth *manifest_auth(const struct manifest *manifest, const char *form);

const char *manifest_function_name(enum manifest_function function);

/* Is it one of the directory's, called by the host's own wish? */
bool manifest_function_is_of_directory(enum manifest_function function);

/* Does it serve this kind, and which feature flag opens it? Borrowed from the manifest, or static. */
bool manifest_has_kind(const struct manifest *manifest, const struct kind *kind);
const char *manifest_flag(const struct manifest *manifest, const struct kind *kind);

/* Reads and checks the table on top of L (left there). `file` is "providers/x.lua" and `source` its text, to say in which line a field
 * stands. ERROR_SCRIPT with the message "providers/x.lua:12: pricing: expected a table, got nil"; what was read until then is in the manifest too.
 * May raise: call it protected. [-0, +0, e] */
enum error_code manifest_read(lua_State *L, const char *file, const char *source, struct manifest *manifest, struct error *error);

/* Whatever of it was read. */
void manifest_free(struct manifest *manifest);
