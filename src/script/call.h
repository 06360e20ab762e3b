/* call.h - one call of a provider's function, from the request to what the answer is made of.
 *
 * A call is a coroutine of an instance of its script. A dry run ends at its first ctx.request, whose preview it keeps, and runs to its end on the thread that
 * has the request (instance_pool.h); a live call is suspended there, and resumed with the response, on the engine's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"
#include "gate/kind.h"
#include "net/outgoing.h"
#include "net/response.h"
#include "script/model_source.h"
#include "script/observed_source.h"
#include "script/provider.h"

enum call_outcome {
	CALL_DONE = 0, /* what the script returned is in the buffers */
	CALL_PREVIEW,  /* a dry run reached its request: `upstream` is the preview */
	CALL_REFUSED,  /* the request cannot be expressed at the vendor: `refusals` say why, nothing would be sent */
	CALL_INVALID,  /* bad input: `error` names the field (400) */
	CALL_FAILED,   /* the script failed or was stopped: `error` names script, line and limit (500) */
	CALL_WAITING,  /* a live call asked for `outgoing`: send it, then script_call_resume() */
	CALL_PAUSED,   /* it has had its slice of time (LIMIT_SCRIPT_SLICE_MS): script_call_continue(), when others had theirs */
	CALL_RESTING,  /* it was not begun, or not gone on with: its script rests */
};

enum call_phase { PHASE_START = 0, PHASE_PREPARE, PHASE_ESTIMATE, PHASE_CALL };

/* A job without a state, as the registry has it. */
struct script_job {
	const char *id;
	const char *payload;   /* a JSON text */
	size_t payload_length; /* 0: there is none */
};

struct script_call {
	/* in */
	struct provider *provider;	 /* held */
	enum manifest_function function; /* SUBMIT runs prepare, estimate and submit */
	const struct kind *kind;	 /* under which the request came, one of the provider's */
	json_t *request;	      /* the script's request (submit), or the job { id, state, payload } (poll, cancel); held */
	const struct script_job *job; /* in place of `request`, or NULL; script_call_set() clears it. Borrowed */
	json_t *known;		      /* what the directory said, while it becomes values of Lua */
	bool dry_run;
	const struct gate_view
		*view; /* whose lists of hosts count, for what a dry run says of them; script_call_set() clears it. Borrowed */
	const struct model_source *models;	/* for ctx.model and ctx.price, or NULL; script_call_set() clears it. Borrowed */
	const struct observed_source *observed; /* what ctx.observed reads, or NULL; script_call_set() clears it. Borrowed */
	bool ignore_directory;			/* the request says so; script_call_set() clears it */
	struct script_turn *turn;		/* it has to wait when it takes long; script_call_set() clears it. Borrowed */
	const char *webhook_url;		/* what ctx.webhook_url is, or NULL; script_call_set() clears it. Borrowed */

	/* out: JSON texts */
	enum call_outcome outcome;
	struct error error;
	char mode[64];	    /* payload.mode, or "" */
	bool large_request; /* its client asks for much: a stop is not the script's fault alone, and does not bring it to rest */
	bool mocked;	    /* a request of this dry run had a made-up answer: where later ones go is not known */
	char asked_model[MODEL_ID_BYTES + 1];		 /* the last id that it asked ctx.model for, or "" */
	char missed_model[MODEL_ID_BYTES + 1];		 /* one that nobody has looked for yet, or "" */
	char priced_model[MODEL_ID_BYTES + 1];		 /* the model that it asked ctx.observed for last, or "" ... */
	char priced_drivers[OBSERVED_DRIVERS_BYTES + 1]; /* ... and what decides the price beside it */
	uint32_t optional_credentials;			 /* that its requests named so far, as bits by their places */
	struct buffer payload;				 /* what prepare returned */
	struct buffer fields;				 /* members that prepare adds to the answer: "\"model\":\"x\"," */
	struct buffer estimates;			 /* an object */
	struct buffer upstream;				 /* the preview, or empty */
	char upstream_sha256[OUTGOING_DIGEST_BYTES];	 /* of a submit's preview: which request it is; or "" */
	struct buffer result;				 /* what the function returned, or empty */
	struct buffer warnings;				 /* texts, each followed by a comma */
	struct buffer notes;				 /* the same */
	struct buffer refusals;				 /* the same; each is in warnings too */
	struct buffer needs;	    /* the same: what a live submit would need beyond this request; not in warnings */
	int requests;		    /* that it asked for so far */
	struct buffer_budget texts; /* what these and `outgoing` may take together */
	int warning_count;
	int note_count;
	int need_count;
	int64_t estimate_micro_usd;	 /* expected, -1 when not known */
	bool estimate_free;		 /* the script says that it costs nothing */
	int64_t estimate_high_micro_usd; /* high, else expected unless there is no upper bound; -1 when not known */

	/* while it runs */
	struct script_instance *instance;
	enum call_phase phase; /* which of the script's functions, for messages and to judge an error */
	struct outgoing outgoing;
	struct response *response; /* what ctx.request returns when the call goes on */
	lua_State *thread;
	int thread_reference;
	struct script_spending spent; /* before it paused */
	int own_reference;	      /* what it changed of the script, see isolation.h; LUA_NOREF: nothing */
};

/* What stands before a field that the script names: the fields of a request of kind gpu are inside "job" of the body. */
const char *script_call_prefix(const struct script_call *call);

/* What the texts of all calls take, and what is made of them: answers, rows. */
struct buffer_total *script_call_total(void);

/* Makes an empty call. Its buffers keep their memory from one use to the next: set, run, clear, set, ... */
void script_call_init(struct script_call *call);

/* Says what to call, and as what kind (its name). `provider` and `request` get one more holder each. */
void script_call_set(struct script_call *call, struct provider *provider, enum manifest_function function, const char *kind,
	json_t *request, bool dry_run);

/* Runs it on this instance of its provider: a dry run to its end; a live call to its end or to its next request (CALL_WAITING), or for a slice of time
 * (CALL_PAUSED), and then no other call may run on the instance before it has gone on. A script that rests is not run (CALL_RESTING). The thread
 * that has the instance. */
void script_call_run(struct script_call *call, struct script_instance *instance);

/* Goes on after CALL_PAUSED. Engine thread. */
void script_call_continue(struct script_call *call);

/* Goes on after CALL_WAITING, with what came back; its body is the script's afterwards. Engine thread. */
void script_call_resume(struct script_call *call, struct response *response);

/* Nobody wants its outcome any more: it is CALL_FAILED. After CALL_PAUSED or CALL_WAITING, or before it was begun. Engine thread. */
void script_call_abandon(struct script_call *call);

/* Empty again; buffers larger than `keep_bytes` give their memory back. */
void script_call_clear(struct script_call *call, size_t keep_bytes);

/* Gives all its memory back. */
void script_call_free(struct script_call *call);
