/* signing_keys.c - fetches and keeps signing keys, one entry per provider that ever got a webhook.
 *
 * HTTP threads ask and wait with a deadline; the fetch itself runs on the engine thread, through the same guards as a script's request and with the
 * vendor's own credential where the vendor wants one. One mutex, held while an entry is looked at or filled. A secret is never written
 * anywhere. Refuses to fetch more often than limits.h says: webhooks that nobody signed must not make this host call a vendor. */
#include "webhook_in/signing_keys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/standard_webhooks.h"
#include "base/thread.h"
#include "script/outgoing_read.h"

#define NS_PER_MS INT64_C(1000000)
#define ED25519_KEY 32
#define ANSWER_BYTES 65536

struct entry {
	struct entry *next;
	char *provider;
	struct signing_key_set set; /* count 0: none yet */
	int64_t fetched_ns;	    /* when the set came */
	int64_t tried_ns;	    /* when the last fetch ended; 0: never */
	bool fetching;
	char problem[240]; /* of the last fetch, or "" */
};

struct signing_keys {
	struct gate *gate;
	struct engine *engine;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct entry *entries; /* under lock */
	uint64_t fetches;      /* under lock */
};

/* One fetch on its way. */
struct fetch {
	struct engine_fetch engine; /* first */
	struct signing_keys *keys;
	struct entry *entry;
};

struct signing_keys *signing_keys_new(struct gate *gate, struct engine *engine)
{
	struct signing_keys *keys = memory_new(sizeof *keys);

	keys->gate = gate;
	keys->engine = engine;
	pthread_mutex_init(&keys->lock, NULL);
	thread_init_condition(&keys->changed);
	return keys;
}

void signing_keys_free(struct signing_keys *keys)
{
	struct entry *entry, *next;

	if (keys == NULL)
		return;
	for (entry = keys->entries; entry != NULL; entry = next) {
		next = entry->next;
		free(entry->provider);
		explicit_bzero(entry, sizeof *entry);
		free(entry);
	}
	pthread_cond_destroy(&keys->changed);
	pthread_mutex_destroy(&keys->lock);
	free(keys);
}

/* ---- what a vendor answers ---- */

static bool add_secret(struct signing_key_set *set, const char *secret)
{
	struct signing_key *key = &set->keys[set->count];

	key->length = secret != NULL ? standard_webhooks_key(secret, key->bytes) : 0;
	set->count += key->length > 0;
	return key->length > 0;
}

/* "x" of a JWK is base64url without padding: 43 characters for 32 bytes. */
static void add_ed25519(struct signing_key_set *set, const char *x)
{
	char text[ED25519_KEY / 3 * 4 + 5];
	unsigned char bytes[sizeof text];
	struct signing_key *key = &set->keys[set->count];

	if (x == NULL || strlen(x) != 43 || set->count == LIMIT_SIGNING_KEYS || !crypto_load())
		return;
	for (size_t i = 0; i < 43; i++)
		text[i] = x[i] == '-' ? '+' : x[i] == '_' ? '/' : x[i];
	memcpy(text + 43, "=", 2);
	if (EVP_DecodeBlock(bytes, (const unsigned char *)text, 44) != ED25519_KEY + 1)
		return;
	memcpy(key->bytes, bytes, ED25519_KEY);
	key->length = ED25519_KEY;
	set->count++;
}

static bool jwk_says(const json_t *object, const char *name, const char *expected)
{
	const char *text = json_text(object, name);

	return text != NULL && strcmp(text, expected) == 0;
}

/* Other kinds of keys may stand beside ours. */
static void add_jwks(struct signing_key_set *set, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "keys");
	const json_t *key;
	size_t i;

	json_array_foreach(list, i, key)
		if (jwk_says(key, "kty", "OKP") && jwk_says(key, "crv", "Ed25519"))
			add_ed25519(set, json_text(key, "x"));
}

/* Fills the set, or says what is wrong without quoting the answer. */
static void read_keys(const struct fetch *fetch, struct signing_key_set *set, char *problem, size_t size)
{
	const struct manifest_signature *signature = &fetch->engine.provider->manifest.signature;
	const struct response *response = &fetch->engine.transfer.response;
	struct error error;
	json_t *answer;

	if (response->failed) {
		snprintf(problem, size, "no answer: %s", response->message);
		return;
	}
	if (response->status != 200) {
		snprintf(problem, size, "the vendor answered %d", response->status);
		return;
	}
	answer = response->body.length <= ANSWER_BYTES ? json_read(response->body.data, response->body.length, &error) : NULL;
	if (signature->scheme == WEBHOOK_FAL)
		add_jwks(set, answer);
	else
		add_secret(set, json_text(answer, signature->secret_field));
	json_decref(answer);
	if (set->count == 0)
		snprintf(problem, size, "the vendor's answer has no key in it");
}

/* ---- a fetch ---- */

static void free_fetch(struct fetch *fetch)
{
	outgoing_clear(&fetch->engine.outgoing, 0);
	buffer_free(&fetch->engine.outgoing.url);
	buffer_free(&fetch->engine.outgoing.body);
	provider_release(fetch->engine.provider);
	gate_release(fetch->keys->gate, fetch->engine.way.view);
	free(fetch);
}

/* Engine thread. */
static void on_keys_fetched(struct engine_fetch *engine)
{
	struct fetch *fetch = (struct fetch *)(void *)engine;
	struct response *response = &engine->transfer.response;
	struct signing_keys *keys = fetch->keys;
	struct entry *entry = fetch->entry;
	struct signing_key_set set = { .count = 0 };
	char problem[sizeof entry->problem] = "";

	read_keys(fetch, &set, problem, sizeof problem);
	if (response->body.data != NULL)
		explicit_bzero(response->body.data, response->body.length);
	response_clear(response);
	pthread_mutex_lock(&keys->lock);
	entry->fetching = false;
	entry->tried_ns = clock_monotonic_ns();
	memcpy(entry->problem, problem, sizeof problem);
	if (set.count > 0) {
		set.fetch = ++keys->fetches;
		entry->set = set;
		entry->fetched_ns = entry->tried_ns;
	}
	pthread_cond_broadcast(&keys->changed);
	pthread_mutex_unlock(&keys->lock);
	explicit_bzero(&set, sizeof set);
	if (problem[0] != '\0')
		log_message(LOG_WARN, "webhook.keys", "%s: cannot fetch the keys of its webhooks: %s", entry->provider, problem);
	free_fetch(fetch);
}

/* With the vendor's secret it goes as every request of the provider does; public keys need no credential, and get none. */
static void write_key_request(struct outgoing *outgoing, const struct manifest *manifest)
{
	outgoing_init(outgoing);
	outgoing->method = "GET";
	outgoing->timeout_seconds = LIMIT_SIGNING_KEYS_FETCH_SECONDS;
	outgoing->headers[outgoing->header_count++] = (struct outgoing_header){ .name = "Accept", .value = "application/json" };
	if (manifest->signature.scheme == WEBHOOK_FAL) {
		buffer_text(&outgoing->url, manifest->signature.jwks_url);
		return;
	}
	buffer_text(&outgoing->url, manifest->base_url);
	buffer_text(&outgoing->url, manifest->signature.secret_path);
	outgoing_add_auth(outgoing, &manifest->auth);
}

/* With the lock. Does nothing when the engine has stopped. */
static void begin_fetch(struct signing_keys *keys, struct entry *entry, struct provider *provider)
{
	struct fetch *fetch = memory_new(sizeof *fetch);

	fetch->keys = keys;
	fetch->entry = entry;
	fetch->engine.provider = provider_hold(provider);
	fetch->engine.done = on_keys_fetched;
	engine_way_open(&fetch->engine.way, gate_acquire(keys->gate), provider);
	write_key_request(&fetch->engine.outgoing, &provider->manifest);
	entry->fetching = engine_fetch(keys->engine, &fetch->engine) == ERROR_NONE;
	if (!entry->fetching)
		free_fetch(fetch);
}

/* ---- asking ---- */

static struct entry *entry_of_provider(struct signing_keys *keys, const char *provider)
{
	struct entry *entry = keys->entries;

	while (entry != NULL && strcmp(entry->provider, provider) != 0)
		entry = entry->next;
	if (entry != NULL)
		return entry;
	entry = memory_new(sizeof *entry);
	entry->provider = memory_copy_text(provider);
	entry->next = keys->entries;
	keys->entries = entry;
	return entry;
}

static bool is_fresh(const struct entry *entry, int64_t now_ns)
{
	return entry->set.count > 0 && now_ns - entry->fetched_ns < LIMIT_SIGNING_KEYS_AGE_MS * NS_PER_MS;
}

/* May the vendor be asked (again)? */
static bool may_fetch(const struct entry *entry, int64_t now_ns)
{
	int64_t pause = is_fresh(entry, now_ns) ? LIMIT_SIGNING_KEYS_PAUSE_MS : LIMIT_SIGNING_KEYS_RETRY_MS;

	return !entry->fetching && (entry->tried_ns == 0 || now_ns - entry->tried_ns >= pause * NS_PER_MS);
}

/* With the lock: until the fetch under way has ended, or the deadline. */
static void wait_for_fetch(struct signing_keys *keys, const struct entry *entry, int64_t deadline_ns)
{
	struct timespec until = { .tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000 };

	while (entry->fetching && pthread_cond_timedwait(&keys->changed, &keys->lock, &until) == 0)
		;
}

static enum error_code get_fetched(struct signing_keys *keys, struct provider *provider, uint64_t newer_than,
	struct signing_key_set *set, struct error *error)
{
	struct entry *entry = entry_of_provider(keys, provider->manifest.id);
	int64_t now = clock_monotonic_ns();
	bool failed = false;

	if (!is_fresh(entry, now) || entry->set.fetch <= newer_than) {
		if (may_fetch(entry, now))
			begin_fetch(keys, entry, provider);
		wait_for_fetch(keys, entry, now + LIMIT_SIGNING_KEYS_WAIT_MS * NS_PER_MS);
		failed = entry->fetching || entry->problem[0] != '\0';
	}
	if (failed || !is_fresh(entry, clock_monotonic_ns()))
		return error_set(error, ERROR_BUSY, NULL, "the vendor's keys cannot be fetched now");
	*set = entry->set;
	return ERROR_NONE;
}

/* What the operator wrote into the secrets file saves the fetch. */
static bool get_written(const struct gate_view *view, const struct provider *provider, struct signing_key_set *set)
{
	static char name[] = "webhook_secret";
	static char *names[] = { name, NULL }, *none[] = { NULL };
	static const struct credential_spec spec = { .name = name, .env = none, .secret = names };
	const char *secret = gate_credential(view, &provider->subject, &spec);

	return provider->manifest.signature.scheme == WEBHOOK_STANDARD && add_secret(set, secret);
}

enum error_code signing_keys_get(struct signing_keys *keys, const struct gate_view *view, struct provider *provider,
	uint64_t newer_than, struct signing_key_set *set, struct error *error)
{
	enum error_code code;

	*set = (struct signing_key_set){ .count = 0 };
	if (get_written(view, provider, set))
		return ERROR_NONE;
	pthread_mutex_lock(&keys->lock);
	code = get_fetched(keys, provider, newer_than, set, error);
	pthread_mutex_unlock(&keys->lock);
	return code;
}
