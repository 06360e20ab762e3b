/* openapi_page.c - sends the document, or writes into it what a provider's models take.
 *
 * Then its submit and preview stand there with the provider in the path, beside those of any provider: a client that is generated from it has the
 * models' inputs as types. */
#include "api/openapi_page.h"

#include <stdio.h>
#include <string.h>

#include "api/access.h"
#include "api/answer.h"
#include "api/incoming.h"
#include "api/inputs.h"
#include "api/request_schema.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "openapi/openapi.h"

#define COMMON "#/components/schemas/CommonRequest"
#define NAME_BYTES 160

static json_t *reference(const char *name)
{
	return json_pack("{s:s+}", "$ref", "#/components/schemas/", name);
}

/* ---- the schemas ---- */

/* "Inputs_fal-ai_flux_schnell": what a component may be called, and no other choice is. */
static void name_choice(const json_t *choice, const json_t *taken, char name[NAME_BYTES])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *says[] = { json_text(choice, "model"), json_text(choice, "operation"), json_text(choice, "mode"), "any" };
	size_t i = 0, length;

	while (says[i] == NULL)
		i++;
	length = (size_t)snprintf(name, NAME_BYTES - 16, "Inputs_%s", says[i]);
	if (length >= NAME_BYTES - 16)
		length = NAME_BYTES - 17;
	for (char *at = name; (at += strspn(at, allowed), *at != '\0');)
		*at = '_';
	for (int n = 2; json_object_get(taken, name) != NULL; n++)
		snprintf(name + length, 16, "_%d", n);
}

/* A schema for each choice, and "Request", which is one of them. */
static json_t *request_schemas(const json_t *choices)
{
	json_t *schemas = json_object(), *list = json_array(), *choice;
	char name[NAME_BYTES];
	size_t i;

	json_array_foreach(choices, i, choice) {
		name_choice(choice, schemas, name);
		json_object_set_new(schemas, name, request_schema_of_choice(choice));
		json_array_append_new(list, reference(name));
	}
	json_object_set_new(schemas, "Inputs", json_pack("{s:[{s:s},{s:o}]}", "allOf", "$ref", COMMON, "anyOf", list));
	return schemas;
}

/* ---- the paths ---- */

static bool is_in_path(const json_t *parameter)
{
	const char *to = json_text(parameter, "$ref");

	return to != NULL && (strstr(to, "/MediaKind") != NULL || strstr(to, "/Provider") != NULL);
}

/* The operation of any provider as that of this one. */
static json_t *own_operation(const json_t *operation)
{
	json_t *own = json_deep_copy(operation), *parameters = json_object_get(own, "parameters");
	char id[64];

	for (size_t i = json_array_size(parameters); i > 0; i--)
		if (is_in_path(json_array_get(parameters, i - 1)))
			json_array_remove(parameters, i - 1);
	snprintf(id, sizeof id, "%sTyped", json_text(own, "operationId"));
	json_object_set_new(own, "operationId", json_string(id));
	json_object_set_new(own, "requestBody",
		json_pack("{s:b,s:{s:{s:o}}}", "required", 1, "content", "application/json", "schema", reference("Inputs")));
	return own;
}

static json_t *own_paths(const struct incoming *incoming)
{
	static const char *const verbs[] = { "submit", "preview" };
	bool gpu = strcmp(incoming->kind, "gpu") == 0;
	json_t *paths = json_object();
	const json_t *operation;
	char path[256];

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		snprintf(path, sizeof path, "/api/providers/%s/{provider}/%s", gpu ? "gpu/public" : "{kind}", verbs[i]);
		operation = openapi_operation(incoming->host->openapi, path, "post");
		snprintf(path, sizeof path, "/api/providers/%s/%s/%s", gpu ? "gpu/public" : incoming->kind,
			incoming->provider->manifest.id, verbs[i]);
		if (operation != NULL)
			json_object_set_new(paths, path, json_pack("{s:o}", "post", own_operation(operation)));
	}
	return paths;
}

/* ---- answers ---- */

static void send_typed(struct incoming *incoming, const struct buffer *list)
{
	json_t *choices = json_read(list->data, list->length, NULL), *schemas, *paths;
	struct buffer out;

	if (choices == NULL) {
		incoming_no_memory(incoming);
		return;
	}
	schemas = request_schemas(choices);
	paths = own_paths(incoming);
	buffer_init(&out, LIMIT_REPLY_BYTES);
	openapi_write_with(incoming->host->openapi, paths, schemas, &out);
	answer_tagged(incoming->http, &out, out.failed ? 0 : text_digest(out.data, out.length), false);
	buffer_free(&out);
	json_decref(paths);
	json_decref(schemas);
	json_decref(choices);
}

/* Under its own kind, where the query says none. */
static const char *kind_of(struct host *host, struct http_request *request, const char *provider)
{
	struct provider_set *set = provider_loader_acquire(host->loader);
	const struct provider *found = provider_set_find(set, NULL, provider);
	const char *kind = found != NULL ? found->kinds[0].kind->name : "image"; /* which says what is wrong with it */
	char asked[16];

	if (http_query(request, "kind", asked, sizeof asked)) {
		kind = NULL;
		for (size_t i = 0; i < KIND_COUNT; i++)
			if (strcmp(asked, kind_list[i].name) == 0)
				kind = kind_list[i].name;
	}
	provider_set_release(set);
	return kind;
}

static void send_of_provider(struct host *host, struct http_request *request, const char *provider)
{
	struct incoming incoming = {
		.host = host, .http = request, .kind = kind_of(host, request, provider), .verb = VERB_INPUTS, .name = provider
	};
	struct buffer list;

	if (incoming.kind == NULL) {
		answer_problem(request, 400, "kind", "must be one of gpu, image, video");
		return;
	}
	buffer_init(&list, LIMIT_REPLY_BYTES);
	if (incoming_open(&incoming) && inputs_write_schemas(&incoming, &list))
		send_typed(&incoming, &list);
	buffer_free(&list);
	incoming_close(&incoming);
}

static void send_as_it_is(struct host *host, struct http_request *request)
{
	const struct buffer *text = openapi_text(host->openapi);
	char etag[24], headers[48];
	bool unchanged;

	snprintf(etag, sizeof etag, "\"%016llx\"", (unsigned long long)openapi_digest(host->openapi));
	snprintf(headers, sizeof headers, "ETag: %s\r\n", etag);
	unchanged = http_client_has(request, etag);
	http_send(request, &(struct http_reply){ .status = unchanged ? 304 : 200,
				   .headers = headers,
				   .body = text->data,
				   .body_length = unchanged ? 0 : text->length,
				   .published = true });
}

void openapi_page_handle(struct host *host, struct http_request *request)
{
	char provider[128];

	if (openapi_problem(host->openapi) != NULL)
		answer_problem(request, 404, NULL, openapi_problem(host->openapi));
	else if (request->query == NULL)
		send_as_it_is(host, request);
	else if (!access_allows(request, ROLE_READ))
		return;
	else if (!http_query(request, "provider", provider, sizeof provider) || *provider == '\0')
		answer_problem(request, 400, "provider", "is required with a query: a provider's id or alias");
	else
		send_of_provider(host, request, provider);
}
