/* host.h - the parts of a running host that answers are made from. Made by cli/serve.c, read-only afterwards but for the flag. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "gate/gate.h"
#include "http/http.h"
#include "artifact/artifact.h"
#include "live/live.h"
#include "script/provider_loader.h"
#include "registry/store.h"

struct verdict_json_cache;
struct catalog_page_cache;
struct cluster;
struct count_cache;
struct last_probes;
struct event_hub;
struct metrics;
struct instance_watch;
struct spare_calls;
struct key_turns;
struct directory;
struct webhooks_out;
struct webhooks_in;
struct studio;
struct openapi;
struct openai_model_lists;
struct orphans;

struct host {
	struct gate *gate;
	struct provider_loader *loader;
	struct watchdog *watchdog;
	const char *data; /* the folder */
	struct engine *engine;
	struct task_store *store;
	struct cluster *cluster; /* this host among those that use the same registry */
	struct artifacts *artifacts;
	struct live *live;
	struct directory *directory;
	struct verdict_json_cache *verdict_jsons;
	struct catalog_page_cache *catalog_pages;
	struct count_cache *job_counts;
	struct last_probes *last_probes;
	struct instance_watch *instances; /* of scripts, on HTTP threads */
	struct spare_calls *spare_calls;
	struct key_turns *turns;
	struct webhooks_in *webhooks_in;   /* of vendors */
	struct webhooks_out *webhooks_out; /* outgoing ones */
	struct event_hub *events;
	struct metrics *metrics;
	struct sessions *sessions;		  /* of browsers */
	struct studio *studio;			  /* the page's files */
	struct openapi *openapi;		  /* what describes the API */
	struct openai_model_lists *openai_models; /* of the OpenAI door (openai/model_list.h) */
	struct orphans *orphans;		  /* of the same (openai/orphan.h) */
	size_t most_waiting; /* calls that wait for slow scripts: the rest of the HTTP threads is for all else */
	int most_streams;    /* whatever the configuration says: the rest of the threads is for all else */
	int64_t started_ms;
	_Atomic bool draining;
};

/* Answers one request: the door of this folder. Called on an HTTP thread; sends exactly one reply. */
void api_handle(void *host, struct http_request *request);

/* Tells of a problem in the form of the door whose path it is (door.h); as http_options.tell. */
bool api_tell(void *host, struct http_request *request, const char *path, const struct http_problem *problem);
