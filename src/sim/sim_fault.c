/* sim_fault.c - which request gets which fault.
 *
 * Every rule counts the requests that it looks at, and the n-th gets its decision from a hash of seed, rule and n: the same
 * seed gives the same faults, however threads take turns. Makes no fault itself. */
#include "sim/internal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/memory.h"

#define NAME_BYTES 64
#define METHOD_BYTES 16

struct rule {
	char provider[NAME_BYTES]; /* "*": all */
	char method[METHOD_BYTES]; /* "": all */
	enum sim_fault fault;
	double rate;
	_Atomic uint64_t seen;
};

struct sim_faults {
	uint64_t seed;
	size_t count;
	struct rule rules[LIMIT_SIM_FAULTS];
};

static const char *const names[SIM_FAULT_COUNT] = { NULL, "reset_before", "reset_after", "429", "5xx", "slow", "truncated",
	"wrong_json", "echo", "echo_refusal", "never_ending", "moderated", "out_of_credit" };

const char *sim_fault_name(enum sim_fault fault)
{
	return names[fault];
}

/* "reset-before" and "reset_before" are one. */
static bool same_name(const char *given, const char *name)
{
	for (; *given != '\0' && *name != '\0'; given++, name++)
		if (*given != *name && !(*given == '-' && *name == '_'))
			return false;
	return *given == *name;
}

static enum sim_fault find_fault(const char *name)
{
	for (int i = 1; i < SIM_FAULT_COUNT; i++)
		if (same_name(name, names[i]))
			return (enum sim_fault)i;
	return SIM_FAULT_NONE;
}

/* Copies up to the next ':' and steps behind it. */
static bool take_word(const char **text, char *word, size_t size)
{
	size_t length = strcspn(*text, ":");

	if (length == 0 || length >= size)
		return false;
	memcpy(word, *text, length);
	word[length] = '\0';
	*text += length + ((*text)[length] == ':');
	return true;
}

static enum error_code read_rule(const char *text, struct rule *rule, struct error *error)
{
	char kind[NAME_BYTES], rate[NAME_BYTES], *end;
	const char *rest = text;

	if (!take_word(&rest, rule->provider, sizeof rule->provider) || !take_word(&rest, kind, sizeof kind) ||
		!take_word(&rest, rate, sizeof rate) || (*rest != '\0' && !take_word(&rest, rule->method, sizeof rule->method)) ||
		*rest != '\0')
		return error_set(error, ERROR_INVALID, "fault",
			"\"%s\": expected PROVIDER:KIND:RATE, as in fal:429:0.05 or *:slow:0.1:GET", text);
	rule->fault = find_fault(kind);
	if (rule->fault == SIM_FAULT_NONE)
		return error_set(error, ERROR_INVALID, "fault",
			"\"%s\": there is no fault \"%s\"; there are reset_before, reset_after, 429, 5xx, slow, truncated, "
			"wrong_json, echo, echo_refusal, never_ending, moderated, out_of_credit",
			text, kind);
	errno = 0;
	rule->rate = strtod(rate, &end);
	if (*end != '\0' || errno != 0 || !(rule->rate >= 0 && rule->rate <= 1))
		return error_set(error, ERROR_INVALID, "fault", "\"%s\": the rate must be from 0 to 1", text);
	return ERROR_NONE;
}

enum error_code sim_faults_open(
	const char *const *rules, size_t count, uint64_t seed, struct sim_faults **faults, struct error *error)
{
	struct sim_faults *made = memory_new(sizeof *made);

	made->seed = seed;
	made->count = count;
	for (size_t i = 0; i < count; i++) {
		if (read_rule(rules[i], &made->rules[i], error) != ERROR_NONE) {
			free(made);
			return ERROR_INVALID;
		}
	}
	*faults = made;
	return ERROR_NONE;
}

void sim_faults_close(struct sim_faults *faults)
{
	free(faults);
}

/* splitmix64: every bit of the input reaches every bit of the output. */
static uint64_t mix(uint64_t value)
{
	value += 0x9e3779b97f4a7c15u;
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

static bool strikes(struct sim_faults *faults, size_t index)
{
	struct rule *rule = &faults->rules[index];
	uint64_t number = atomic_fetch_add_explicit(&rule->seen, 1, memory_order_relaxed);
	uint64_t roll = mix(mix(faults->seed ^ mix(index + 1)) + number);

	return (double)(roll >> 11) / 9007199254740992.0 < rule->rate;
}

/* Never ending, moderated and out of credit are about jobs: only a POST can make one. */
static bool looks_at(const struct rule *rule, const char *provider, const char *method)
{
	if (strcmp(rule->provider, "*") != 0 && strcasecmp(rule->provider, provider) != 0)
		return false;
	if (rule->method[0] != '\0' && strcasecmp(rule->method, method) != 0)
		return false;
	return rule->fault < SIM_NEVER_ENDING || strcmp(method, "POST") == 0;
}

enum sim_fault sim_faults_next(struct sim_faults *faults, const char *provider, const char *method)
{
	enum sim_fault fault = SIM_FAULT_NONE;

	for (size_t i = 0; i < faults->count; i++)
		if (looks_at(&faults->rules[i], provider, method) && strikes(faults, i) && fault == SIM_FAULT_NONE)
			fault = faults->rules[i].fault;
	return fault;
}
