/* cluster.c - the thread that beats and listens. Owns the connection of host_rows.h.
 *
 * A turn: connect if need be, beat and look when it is time, then a pulse. Whatever fails is tried again, and says nothing of others meanwhile: who cannot look
 * declares nobody dead, and trusts itself only as long as its last beat lasts. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/test_setting.h"
#include "base/thread.h"
#include "cluster/internal.h"

#define BEATS_IN_15 2 /* a beat each two fifteenths of a lease */
#define MARK_PART 3   /* of a lease, that must be left to mark */
#define PULSE_NS 250000000LL
#define PULSE_FOLLOWED_NS 25000000LL
#define RETRY_FIRST_NS 50000000LL
#define RETRY_MOST_NS 2000000000LL
#define TIDY_NS (600 * 1000000000LL)

/* ---- trust ---- */

bool cluster_is_shared(const struct cluster *cluster)
{
	return database_is_shared(task_store_place(cluster->options.store));
}

int64_t cluster_host(const struct cluster *cluster)
{
	return atomic_load(&cluster->run);
}

bool cluster_trusts(const struct cluster *cluster, bool to_mark)
{
	int64_t until_ns = atomic_load(&cluster->trusted_until_ns);

	if (until_ns == INT64_MAX || test_setting(TEST_NO_FENCE, 0) != 0)
		return true;
	return clock_boot_ns() + (to_mark ? cluster->lease_ns / MARK_PART : 0) < until_ns;
}

/* ---- listeners ---- */

void cluster_listen(struct cluster *cluster, const struct cluster_listener *listener)
{
	pthread_mutex_lock(&cluster->lock);
	if (cluster->listener_count < CLUSTER_LISTENERS) {
		cluster->told[cluster->listener_count].newest_event = cluster->told[cluster->listener_count].settings = -1;
		cluster->listeners[cluster->listener_count++] = *listener;
	}
	pthread_mutex_unlock(&cluster->lock);
}

/* They only grow in number, so a copy of that is enough. */
static int listeners(struct cluster *cluster)
{
	int count;

	pthread_mutex_lock(&cluster->lock);
	count = cluster->listener_count;
	pthread_mutex_unlock(&cluster->lock);
	return count;
}

static void tell_news(struct cluster *cluster, const struct host_pulse *pulse)
{
	for (int i = 0, count = listeners(cluster); i < count; i++) {
		const struct cluster_listener *listener = &cluster->listeners[i];

		if (cluster->told[i].newest_event == pulse->newest_event && cluster->told[i].settings == pulse->settings)
			continue;
		cluster->told[i].newest_event = pulse->newest_event;
		cluster->told[i].settings = pulse->settings;
		if (listener->on_pulse != NULL)
			listener->on_pulse(listener->context, pulse->newest_event, pulse->settings);
	}
}

static void tell(struct cluster *cluster, size_t member)
{
	for (int i = 0, count = listeners(cluster); i < count; i++) {
		const struct cluster_listener *listener = &cluster->listeners[i];
		void (*on)(void *context);

		memcpy(&on, (const char *)listener + member, sizeof on);
		if (on != NULL)
			on(listener->context);
	}
}

void cluster_follow(struct cluster *cluster, bool begins)
{
	int before = atomic_fetch_add(&cluster->followers, begins ? 1 : -1);

	if (!begins || before != 0 || !cluster->started)
		return;
	pthread_mutex_lock(&cluster->lock);
	pthread_cond_signal(&cluster->wake);
	pthread_mutex_unlock(&cluster->lock);
}

void cluster_configure(struct cluster *cluster, const unsigned char config_sha256[32])
{
	pthread_mutex_lock(&cluster->lock);
	memcpy(cluster->config_sha256, config_sha256, sizeof cluster->config_sha256);
	if (!cluster_is_shared(cluster) && cluster->seen.count > 0)
		memcpy(cluster->seen.hosts[0].row.config_sha256, config_sha256, sizeof cluster->config_sha256);
	pthread_mutex_unlock(&cluster->lock);
	atomic_store(&cluster->configured, true);
}

void cluster_fenced(void *context, int64_t run)
{
	struct cluster *cluster = context;

	atomic_store(&cluster->fenced, run);
	pthread_mutex_lock(&cluster->lock);
	pthread_cond_signal(&cluster->wake);
	pthread_mutex_unlock(&cluster->lock);
}

/* ---- turns ---- */

struct turns {
	int64_t beat_due_ns, look_due_ns, pulse_due_ns, retry_due_ns, retry_ns, tidy_due_ns;
	bool away; /* was told */
};

static void turns_failed(struct cluster *cluster, struct turns *turns, const struct error *error)
{
	seen_forget(cluster);
	turns->retry_ns = turns->retry_ns == 0 ? RETRY_FIRST_NS : turns->retry_ns * 2;
	if (turns->retry_ns > RETRY_MOST_NS)
		turns->retry_ns = RETRY_MOST_NS;
	turns->retry_due_ns = clock_boot_ns() + turns->retry_ns;
	if (!turns->away)
		log_message(LOG_WARN, "host.beat", "this host cannot give a sign of life: %s", error->message);
	turns->away = true;
}

static void turns_worked(struct turns *turns)
{
	if (turns->away)
		log_message(LOG_INFO, "host.beat", "this host gives signs of life again");
	turns->away = false;
	turns->retry_ns = turns->retry_due_ns = 0;
}

/* This run is over: what it had goes, then a new one begins. */
static enum error_code begin_anew(struct cluster *cluster, struct error *error)
{
	if (atomic_exchange(&cluster->run, 0) != 0) {
		atomic_store(&cluster->trusted_until_ns, 0);
		atomic_fetch_add(&cluster->dropped, 1);
		log_message(LOG_WARN, "host.fenced",
			"this host was declared dead by another while it gave no sign of life: it drops its jobs, which go on "
			"elsewhere, and "
			"registers anew");
		tell(cluster, offsetof(struct cluster_listener, on_dropped));
	}
	return register_run(cluster, error);
}

static enum error_code beat(struct cluster *cluster, struct error *error)
{
	int64_t began_ns = clock_boot_ns(), began_ms = clock_machine_ms(), server_ms = 0, ended_ms,
		run = atomic_load(&cluster->run);
	enum error_code code;
	bool alive = false;

	test_stall("host", "beat");
	code = host_rows_beat(cluster->rows, run, &alive, &server_ms, error);
	ended_ms = clock_machine_ms();
	if (code != ERROR_NONE) {
		atomic_fetch_add(&cluster->beat_failures, 1);
		return code;
	}
	if (!alive) {
		if (test_setting(TEST_NO_FENCE, 0) == 0)
			atomic_store(&cluster->fenced, run);
		return ERROR_NONE;
	}
	register_trust(cluster, began_ns);
	if (server_ms != 0)
		register_clock(cluster, server_ms - (began_ms + ended_ms) / 2, ended_ms - began_ms);
	if (atomic_exchange(&cluster->configured, false))
		code = host_rows_configure(cluster->rows, run, cluster->config_sha256, error);
	return code;
}

static enum error_code pulse(struct cluster *cluster, struct error *error)
{
	int64_t began_ns = clock_boot_ns();
	struct host_pulse pulse;
	enum error_code code = host_rows_pulse(cluster->rows, atomic_load(&cluster->run), &pulse, error);

	if (code != ERROR_NONE)
		return code;
	atomic_store(&cluster->pulse_us, (clock_boot_ns() - began_ns) / 1000);
	tell_news(cluster, &pulse);
	tell(cluster, offsetof(struct cluster_listener, on_turn));
	if (pulse.has_orphans)
		tell(cluster, offsetof(struct cluster_listener, on_orphans));
	if (pulse.has_asks)
		tell(cluster, offsetof(struct cluster_listener, on_asks));
	if (pulse.has_answers)
		tell(cluster, offsetof(struct cluster_listener, on_answers));
	return ERROR_NONE;
}

static enum error_code take_turn(struct cluster *cluster, struct turns *turns, struct error *error)
{
	enum error_code code = host_rows_connect(cluster->rows, error);
	int64_t now_ns = clock_boot_ns();

	if (code == ERROR_NONE && now_ns >= turns->beat_due_ns && atomic_load(&cluster->run) != 0) {
		turns->beat_due_ns = now_ns + cluster->lease_ns * BEATS_IN_15 / 15;
		code = beat(cluster, error);
	}
	if (code == ERROR_NONE &&
		(atomic_load(&cluster->run) == 0 || atomic_load(&cluster->fenced) == atomic_load(&cluster->run)))
		code = begin_anew(cluster, error);
	if (code == ERROR_NONE && now_ns >= turns->look_due_ns) {
		turns->look_due_ns = now_ns + PULSE_NS;
		code = seen_look(cluster, error);
	}
	if (code == ERROR_NONE && now_ns >= turns->pulse_due_ns)
		code = pulse(cluster, error);
	if (code == ERROR_NONE && now_ns >= turns->tidy_due_ns) {
		turns->tidy_due_ns = now_ns + TIDY_NS;
		code = host_rows_tidy(cluster->rows, clock_unix_ms(), error);
	}
	turns->pulse_due_ns = now_ns + (atomic_load(&cluster->followers) > 0 ? PULSE_FOLLOWED_NS : PULSE_NS);
	return code;
}

/* Called and left with the lock held. */
static void sleep_until(struct cluster *cluster, int64_t due_ns)
{
	int64_t left_ns = due_ns - clock_boot_ns();
	struct timespec until;

	if (left_ns <= 0 || cluster->stopping ||
		(atomic_load(&cluster->run) != 0 && atomic_load(&cluster->fenced) == atomic_load(&cluster->run)))
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	left_ns += until.tv_nsec;
	until.tv_sec += (time_t)(left_ns / 1000000000);
	until.tv_nsec = (long)(left_ns % 1000000000);
	pthread_cond_timedwait(&cluster->wake, &cluster->lock, &until);
}

static void *cluster_main(void *argument)
{
	struct cluster *cluster = argument;
	struct turns turns = { .tidy_due_ns = clock_boot_ns() + TIDY_NS };
	struct error error;

	pthread_mutex_lock(&cluster->lock);
	while (!cluster->stopping) {
		pthread_mutex_unlock(&cluster->lock);
		if (clock_boot_ns() < turns.retry_due_ns)
			;
		else if (take_turn(cluster, &turns, &error) == ERROR_NONE)
			turns_worked(&turns);
		else
			turns_failed(cluster, &turns, &error);
		pthread_mutex_lock(&cluster->lock);
		sleep_until(cluster, turns.retry_due_ns != 0		      ? turns.retry_due_ns
				     : turns.beat_due_ns < turns.pulse_due_ns ? turns.beat_due_ns
									      : turns.pulse_due_ns);
	}
	pthread_mutex_unlock(&cluster->lock);
	return NULL;
}

/* ---- its life ---- */

static enum error_code cluster_begin(struct cluster *cluster, struct error *error)
{
	enum error_code code = place_find(cluster->options.data, cluster->home, cluster->machine, error);

	if (code == ERROR_NONE)
		code = host_rows_open(task_store_place(cluster->options.store), &cluster->rows, error);
	if (code == ERROR_NONE)
		code = register_alone(cluster, error);
	if (code == ERROR_NONE)
		code = register_run(cluster, error);
	if (code != ERROR_NONE)
		return code;
	if (!cluster_is_shared(cluster)) { /* one connection less, that would only be in the writer's way */
		host_rows_close(cluster->rows);
		cluster->rows = NULL;
		return ERROR_NONE;
	}
	task_store_on_fenced(cluster->options.store, cluster_fenced, cluster);
	code = thread_start(&cluster->thread, "cluster", 0, cluster_main, cluster, error);
	cluster->started = code == ERROR_NONE;
	return code;
}

enum error_code cluster_open(const struct cluster_options *options, struct cluster **cluster, struct error *error)
{
	struct cluster *made = memory_new(sizeof *made);
	enum error_code code;

	made->options = *options;
	made->lease_ns = options->lease_seconds * 1000000000LL;
	memcpy(made->config_sha256, options->config_sha256, sizeof made->config_sha256);
	pthread_mutex_init(&made->lock, NULL);
	thread_init_condition(&made->wake);
	code = cluster_begin(made, error);
	made->options.data = NULL; /* the caller's */
	if (code != ERROR_NONE) {
		cluster_free(made);
		return code;
	}
	*cluster = made;
	return ERROR_NONE;
}

void cluster_stop(struct cluster *cluster)
{
	if (cluster == NULL || !cluster->started)
		return;
	pthread_mutex_lock(&cluster->lock);
	cluster->stopping = true;
	pthread_cond_signal(&cluster->wake);
	pthread_mutex_unlock(&cluster->lock);
	pthread_join(cluster->thread, NULL);
	cluster->started = false;
}

void cluster_free(struct cluster *cluster)
{
	if (cluster == NULL)
		return;
	cluster_stop(cluster);
	host_rows_close(cluster->rows);
	pthread_cond_destroy(&cluster->wake);
	pthread_mutex_destroy(&cluster->lock);
	free(cluster);
}
