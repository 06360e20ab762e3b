/* seen.c - who else is there, and who is dead. The cluster's thread looks; others read what it saw.
 *
 * A lease is observed, not dated: a host is dead when this one saw its beat unchanged for the host's whole lease by its own clock, and could see it all the time.
 * So whatever stood still here, a connection or the machine, only makes the waiting begin anew. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "cluster/internal.h"

#define BLIND_PART 3 /* of a lease: who has not looked for so long has not seen whether there was a beat */

static struct seen_host *seen_find(struct seen *seen, int64_t id)
{
	for (int i = 0; i < seen->count; i++)
		if (seen->hosts[i].row.id == id)
			return &seen->hosts[i];
	return NULL;
}

/* What one look found; then it is put into what was seen, under the lock. */
struct look {
	struct host_row rows[ID_SLOTS];
	struct {
		int64_t owner, jobs;
	} owned[ID_SLOTS];
	int count, owners;
};

static void look_row(void *context, const struct host_row *row)
{
	struct look *look = context;

	if (look->count < ID_SLOTS)
		look->rows[look->count++] = *row;
}

static void look_owner(void *context, int64_t owner, int64_t jobs)
{
	struct look *look = context;

	if (look->owners == ID_SLOTS)
		return;
	look->owned[look->owners].owner = owner;
	look->owned[look->owners++].jobs = jobs;
}

static void seen_note(struct seen *seen, const struct host_row *row, int64_t now_ns)
{
	struct seen_host *host = seen_find(seen, row->id);

	if (host == NULL) {
		if (seen->count == ID_SLOTS)
			return;
		host = &seen->hosts[seen->count++];
		*host = (struct seen_host){ .since_ns = now_ns };
	} else if (host->row.beat != row->beat) {
		host->since_ns = now_ns;
	}
	host->row = *row;
	host->listed = true;
}

static bool seen_by_slot(const struct seen_host *one, const struct seen_host *other)
{
	return one->row.slot < other->row.slot;
}

/* Those that are gone are forgotten; the rest stands by slot. */
static void seen_sweep(struct seen *seen)
{
	int kept = 0;

	for (int i = 0; i < seen->count; i++) {
		struct seen_host host = seen->hosts[i];
		int at;

		if (!host.listed)
			continue;
		for (at = kept++; at > 0 && seen_by_slot(&host, &seen->hosts[at - 1]); at--)
			seen->hosts[at] = seen->hosts[at - 1];
		seen->hosts[at] = host;
	}
	seen->count = kept;
}

/* Whoever has not looked for a while does not know whether there was a beat. */
static void seen_begin(struct cluster *cluster, int64_t now_ns)
{
	struct seen *seen = &cluster->seen;
	bool blind = seen->looked_ns == 0 || now_ns - seen->looked_ns > cluster->lease_ns / BLIND_PART;

	for (int i = 0; i < seen->count; i++) {
		if (blind)
			seen->hosts[i].since_ns = now_ns;
		seen->hosts[i].listed = false;
		seen->hosts[i].jobs = 0;
	}
	seen->looked_ns = now_ns;
}

static void seen_take(struct cluster *cluster, const struct look *look, int64_t now_ns)
{
	struct seen *seen = &cluster->seen;
	struct seen_host *host;

	pthread_mutex_lock(&cluster->lock);
	seen_begin(cluster, now_ns);
	for (int i = 0; i < look->count; i++)
		seen_note(seen, &look->rows[i], now_ns);
	for (int i = 0; i < look->owners; i++)
		if ((host = seen_find(seen, look->owned[i].owner)) != NULL)
			host->jobs = look->owned[i].jobs;
	seen_sweep(seen);
	pthread_mutex_unlock(&cluster->lock);
}

static enum error_code seen_read(struct cluster *cluster, int64_t now_ns, struct error *error)
{
	struct look *look = memory_new(sizeof *look);
	enum error_code code = host_rows_list(cluster->rows, look_row, look, error);

	if (code == ERROR_NONE)
		code = host_rows_owned(cluster->rows, look_owner, look, error);
	if (code == ERROR_NONE)
		seen_take(cluster, look, now_ns);
	free(look);
	return code;
}

static bool seen_is_dead(const struct seen_host *host, int64_t run, int64_t now_ns)
{
	return host->row.id != run && now_ns - host->since_ns > host->row.lease_ms * 1000000;
}

static enum error_code seen_bury(struct cluster *cluster, const struct seen_host *host, struct error *error)
{
	bool declared = false;
	enum error_code code = host_rows_declare_dead(cluster->rows, host->row.id, host->row.beat, &declared, error);

	if (code != ERROR_NONE || !declared)
		return code;
	atomic_fetch_add(&cluster->declared, 1);
	log_message(LOG_WARN, "host.dead",
		"host %s (slot %d) has given no sign of life for %.1f s and counts as dead; its %lld open jobs go on elsewhere",
		host->row.name, host->row.slot, (double)host->row.lease_ms / 1000, (long long)host->jobs);
	return ERROR_NONE;
}

/* This host's own row is as it was at its last beat: it never differs from itself. */
static bool differs(const struct cluster *cluster, const struct seen_host *host)
{
	return host->row.id != atomic_load(&cluster->run) && memcmp(host->row.config_sha256, cluster->config_sha256, 32) != 0;
}

static int seen_differing(const struct cluster *cluster)
{
	int differing = 0;

	for (int i = 0; i < cluster->seen.count; i++)
		differing += differs(cluster, &cluster->seen.hosts[i]);
	return differing;
}

/* Once, until they are the same again. */
static void seen_tell_differing(struct cluster *cluster)
{
	int differing;

	pthread_mutex_lock(&cluster->lock);
	differing = seen_differing(cluster);
	pthread_mutex_unlock(&cluster->lock);
	if (differing > 0 && !cluster->seen.differs)
		log_message(LOG_WARN, "host.config.differs",
			"%d of the other hosts have other settings in `live` or `features` than this one: each keeps to its own "
			"limits, so give all "
			"the same file",
			differing);
	cluster->seen.differs = differing > 0;
}

enum error_code seen_look(struct cluster *cluster, struct error *error)
{
	int64_t now_ns = clock_boot_ns(), run = atomic_load(&cluster->run);
	enum error_code code = seen_read(cluster, now_ns, error);

	for (int i = 0; i < cluster->seen.count && code == ERROR_NONE; i++)
		if (seen_is_dead(&cluster->seen.hosts[i], run, now_ns))
			code = seen_bury(cluster, &cluster->seen.hosts[i], error);
	if (code == ERROR_NONE)
		seen_tell_differing(cluster);
	return code;
}

void seen_forget(struct cluster *cluster)
{
	pthread_mutex_lock(&cluster->lock);
	cluster->seen.looked_ns = 0;
	pthread_mutex_unlock(&cluster->lock);
}

/* ---- for others ---- */

int cluster_hosts(struct cluster *cluster, void (*visit)(void *context, const struct cluster_host_view *host), void *context)
{
	int64_t now_ns = clock_boot_ns(), run = atomic_load(&cluster->run);
	int count;

	pthread_mutex_lock(&cluster->lock);
	count = cluster->seen.count;
	for (int i = 0; i < count; i++) {
		const struct seen_host *host = &cluster->seen.hosts[i];

		visit(context, &(struct cluster_host_view){ .row = &host->row,
				       .is_self = host->row.id == run,
				       .differs = differs(cluster, host),
				       .beat_age_ms = cluster_is_shared(cluster) ? (now_ns - host->since_ns) / 1000000 : 0,
				       .jobs = host->jobs });
	}
	pthread_mutex_unlock(&cluster->lock);
	return count;
}

struct cluster_figures cluster_figures(struct cluster *cluster)
{
	struct cluster_figures figures = { .clock_ms = atomic_load(&cluster->clock_ms),
		.declared = atomic_load(&cluster->declared),
		.dropped = atomic_load(&cluster->dropped),
		.beat_failures = atomic_load(&cluster->beat_failures),
		.pulse_us = atomic_load(&cluster->pulse_us) };

	if (cluster_is_shared(cluster))
		figures.beat_age_ms = (clock_boot_ns() - atomic_load(&cluster->beaten_ns)) / 1000000;
	pthread_mutex_lock(&cluster->lock);
	figures.hosts = cluster->seen.count;
	figures.differing = seen_differing(cluster);
	pthread_mutex_unlock(&cluster->lock);
	return figures;
}
