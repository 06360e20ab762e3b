/* access.c - asks the request's key, as the configuration of the request has it. No state. */
#include "api/access.h"

#include <stdio.h>
#include <string.h>

#include "api/query.h"
#include "api/answer.h"

bool access_has(const struct http_request *request, enum role role)
{
	const struct config_api_key *key = request->api_key;

	return role == ROLE_NOBODYS || request->view->config->server.api_key_count == 0 ||
	       (key != NULL && (key->may & role) != 0);
}

/* "read, submit" */
static void list_roles(unsigned may, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned role = 1; role <= ROLE_ALL; role <<= 1)
		if ((may & role) != 0 && used < size)
			used += (size_t)snprintf(
				text + used, size - used, "%s%s", used > 0 ? ", " : "", config_role_name((enum role)role));
}

bool access_allows(struct http_request *request, enum role role)
{
	const struct config_api_key *key = request->api_key;
	char detail[256], roles[64];

	if (access_has(request, role) || (request->signed_url && role == ROLE_READ))
		return true;
	list_roles(key != NULL ? key->may : 0, roles, sizeof roles);
	snprintf(detail, sizeof detail,
		"the API key '%s' may not do this: it needs the role %s in server.api_keys[].may, and has %s",
		key != NULL ? key->name : "", config_role_name(role), *roles != '\0' ? roles : "none");
	answer_problem(request, 403, NULL, detail);
	return false;
}

const char *access_owner(const struct http_request *request)
{
	return request->api_key != NULL && request->api_key->sees_own ? request->api_key->name : NULL;
}

bool access_sees(const struct http_request *request, const struct task *task)
{
	const char *owner = access_owner(request);

	return owner == NULL || (task->caller != NULL && strcmp(task->caller, owner) == 0);
}

struct look {
	const struct http_request *request;
	bool sees;
};

static void look_at_task(void *context, const struct task *task)
{
	struct look *look = context;

	look->sees = access_sees(look->request, task);
}

/* One that is not seen is answered as one that is not there. */
static bool shows_job(struct host *host, struct http_request *request, const char *text)
{
	struct look look = { .request = request };
	struct error error;
	struct id id;
	enum error_code code;

	if (!query_job_id(request, text, &id))
		return false;
	code = task_store_get(host->store, &id, look_at_task, &look, &error);
	if (code == ERROR_NONE && look.sees)
		return true;
	if (code == ERROR_NONE)
		error.code = ERROR_NOT_FOUND;
	answer_no_job(request, &error);
	return false;
}

bool access_shows(struct host *host, struct http_request *request, enum scope scope, const char *job)
{
	char detail[160];

	if (scope == SCOPE_HOST || access_owner(request) == NULL || (request->signed_url && scope == SCOPE_JOB))
		return true;
	if (scope == SCOPE_JOB)
		return shows_job(host, request, job);
	snprintf(detail, sizeof detail,
		"the API key '%s' sees its own jobs only (server.api_keys[].sees), and this shows everybody's",
		access_owner(request));
	answer_problem(request, 403, NULL, detail);
	return false;
}
