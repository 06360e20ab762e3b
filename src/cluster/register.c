/* register.c - a run of this host comes into being: the former runs of its home are dead, it has a slot and an id, ids and clock follow. At the start, and on
 * the cluster's thread. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/internal.h"
#include "registry/schema.h"

#define TRUST_TENTHS_OF_15 10 /* of a lease, in fifteenths */
#define LOOK_NS 200000000L
#define CLOCK_WARN_MS 1000
#define CLOCK_STEP_MS 5 /* less is not followed */

/* ---- former runs ---- */

/* One of the same home that cannot be told from a living one. */
struct former {
	struct cluster *cluster;
	struct host_row dead, doubtful; /* id 0: none */
};

static void former_look(void *context, const struct host_row *row)
{
	struct former *former = context;
	const struct cluster *cluster = former->cluster;

	if (strcmp(row->home, cluster->home) != 0)
		return;
	if (!cluster_is_shared(cluster) || (cluster->machine[0] != '\0' && strcmp(row->machine, cluster->machine) == 0))
		former->dead = *row;
	else
		former->doubtful = *row;
}

/* A registry that is not shared has the runs of one home, wherever that was before. */
static void former_look_alone(void *context, const struct host_row *row)
{
	((struct former *)context)->dead = *row;
}

static enum error_code former_find(struct former *former, struct error *error)
{
	former->dead.id = former->doubtful.id = 0;
	return host_rows_list(
		former->cluster->rows, cluster_is_shared(former->cluster) ? former_look : former_look_alone, former, error);
}

static enum error_code former_refuse(const struct host_row *row, struct error *error)
{
	return error_set(error, ERROR_CONFLICT, "registry.url",
		"another host runs on this home, or on a copy of it: %.100s, slot %d. Stop it; or, if this home is a copy, "
		"remove data/host.id from it",
		row->name, row->slot);
}

/* Is it alive? It has its whole lease to show it. */
static enum error_code former_await(struct former *former, struct error *error)
{
	struct host_row first = former->doubtful;
	int64_t until_ns = clock_boot_ns() + first.lease_ms * 1000000;
	enum error_code code = ERROR_NONE;
	bool declared;

	log_message(LOG_INFO, "host.waits",
		"a run of this home on another machine, or before a restart of this one, has %.1f s to show that it lives",
		(double)first.lease_ms / 1000);
	while (code == ERROR_NONE && clock_boot_ns() < until_ns) {
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
		code = former_find(former, error);
		if (code == ERROR_NONE && former->doubtful.id != first.id)
			return ERROR_NONE;
		if (code == ERROR_NONE && former->doubtful.beat != first.beat)
			return former_refuse(&first, error);
	}
	return code == ERROR_NONE ? host_rows_declare_dead(former->cluster->rows, first.id, first.beat, &declared, error) : code;
}

enum error_code register_alone(struct cluster *cluster, struct error *error)
{
	struct former former = { .cluster = cluster };
	enum error_code code;
	bool declared;

	while ((code = former_find(&former, error)) == ERROR_NONE && (former.dead.id != 0 || former.doubtful.id != 0)) {
		if (former.dead.id != 0)
			code = host_rows_declare_dead(cluster->rows, former.dead.id, former.dead.beat, &declared, error);
		else
			code = former_await(&former, error);
		if (code != ERROR_NONE)
			break;
	}
	return code;
}

/* ---- this run ---- */

static int64_t make_id(void)
{
	int64_t id = 0;

	while (id <= 0) {
		if (getrandom(&id, sizeof id, 0) != (ssize_t)sizeof id)
			id = clock_boot_ns();
		id &= INT64_MAX;
	}
	return id;
}

static void fill_row(const struct cluster *cluster, struct host_row *row)
{
	*row = (struct host_row){
		.id = make_id(), .knows = schema_version(), .lease_ms = cluster->lease_ns / 1000000, .started_ms = clock_unix_ms()
	};
	if (gethostname(row->name, sizeof row->name - 1) != 0)
		snprintf(row->name, sizeof row->name, "host");
	snprintf(row->program, sizeof row->program, "%s", PROVIDERD_VERSION);
	snprintf(row->home, sizeof row->home, "%s", cluster->home);
	snprintf(row->machine, sizeof row->machine, "%s", cluster->machine);
}

void register_trust(struct cluster *cluster, int64_t began_ns)
{
	atomic_store(&cluster->beaten_ns, began_ns);
	atomic_store(&cluster->trusted_until_ns,
		cluster_is_shared(cluster) ? began_ns + cluster->lease_ns * TRUST_TENTHS_OF_15 / 15 : INT64_MAX);
}

/* Who is alone sees itself. */
static void see_self(struct cluster *cluster, const struct host_row *row)
{
	pthread_mutex_lock(&cluster->lock);
	cluster->seen.count = 1;
	cluster->seen.hosts[0] = (struct seen_host){ .row = *row, .since_ns = clock_boot_ns() };
	pthread_mutex_unlock(&cluster->lock);
}

enum error_code register_run(struct cluster *cluster, struct error *error)
{
	int64_t began_ns = clock_boot_ns();
	struct host_row row;
	enum error_code code;

	fill_row(cluster, &row);
	pthread_mutex_lock(&cluster->lock);
	memcpy(row.config_sha256, cluster->config_sha256, sizeof row.config_sha256);
	pthread_mutex_unlock(&cluster->lock);
	code = host_rows_add(cluster->rows, &row, error);
	if (code != ERROR_NONE)
		return code;
	see_self(cluster, &row);
	id_share(cluster_is_shared(cluster) ? row.slot : -1);
	task_store_set_run(cluster->options.store, row.id);
	atomic_store(&cluster->run, row.id);
	register_trust(cluster, began_ns);
	if (cluster_is_shared(cluster))
		log_message(LOG_INFO, "host.registered", "%s, slot %d, lease %.0f s", row.name, row.slot,
			(double)row.lease_ms / 1000);
	return ERROR_NONE;
}

void register_clock(struct cluster *cluster, int64_t ahead_ms, int64_t took_ms)
{
	int64_t before_ms = atomic_load(&cluster->clock_ms), moved_ms = ahead_ms - before_ms;
	bool was_off = before_ms > CLOCK_WARN_MS || before_ms < -CLOCK_WARN_MS;

	if (moved_ms <= took_ms + CLOCK_STEP_MS && moved_ms >= -took_ms - CLOCK_STEP_MS)
		return;
	atomic_store(&cluster->clock_ms, ahead_ms);
	clock_follow(ahead_ms);
	if (!was_off && (ahead_ms > CLOCK_WARN_MS || ahead_ms < -CLOCK_WARN_MS))
		log_message(LOG_WARN, "host.clock",
			"this machine's clock is %.1f s %s the registry's: set it (NTP). Ids, days of budgets and times of jobs "
			"keep to the registry's; "
			"vendors' signatures and the log to this machine's",
			(double)(ahead_ms < 0 ? -ahead_ms : ahead_ms) / 1000, ahead_ms < 0 ? "ahead of" : "behind");
}
