/* deadline.c - ends reads that outlast their deadline, and the waits for a head while threads are short.
 *
 * civetweb's mg_read() waits for all the bytes it was asked for and looks at its clock only when a whole pause passes without any:
 * a client that drips holds a thread for hours. So each HTTP thread says until when it will read, and one thread of
 * ours looks every quarter of a second for those that are late and interrupts their poll() with a signal, which makes mg_read()
 * return. Arming costs an atomic store, disarming a compare-and-swap; the lock is only taken by reads that are late.
 *
 * Owns SIGURG (its default is to be ignored; nothing else here uses it). It never touches a socket. */
#include "http/internal.h"

#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/thread.h"

#define TICK_NS 250000000L
#define SHORT_TICK_NS 20000000L /* while threads are short */
#define LATE_SIGNAL SIGURG
#define DISARMED 0
#define LATE INT64_MIN /* being interrupted, again and again: a signal that comes between two poll() calls is lost */
/* Else it is the deadline or, negative, since when a head is waited for. */

static void on_signal(int number)
{
	(void)number; /* having been called is all: poll() returns EINTR */
}

/* Only late readers want a signal; whatever else is sent to the process is for the main thread. */
void deadline_enter_thread(void)
{
	sigset_t blocked;

	sigfillset(&blocked);
	sigdelset(&blocked, LATE_SIGNAL);
	sigdelset(&blocked, SIGSEGV);
	sigdelset(&blocked, SIGBUS);
	sigdelset(&blocked, SIGFPE);
	sigdelset(&blocked, SIGILL);
	sigdelset(&blocked, SIGABRT);
	pthread_sigmask(SIG_SETMASK, &blocked, NULL);
}

void deadline_arm(struct worker *worker, int64_t deadline_ns)
{
	atomic_store_explicit(&worker->deadline, deadline_ns, memory_order_release);
}

void deadline_arm_head(struct worker *worker)
{
	deadline_arm(worker, -clock_monotonic_ns());
}

bool deadline_disarm(struct worker *worker)
{
	int64_t deadline = atomic_load_explicit(&worker->deadline, memory_order_relaxed);

	if (deadline != LATE && atomic_compare_exchange_strong(&worker->deadline, &deadline, DISARMED))
		return false;
	pthread_mutex_lock(&worker->server->late_lock); /* no signal is sent once this is through */
	atomic_store(&worker->deadline, DISARMED);
	pthread_mutex_unlock(&worker->server->late_lock);
	return true;
}

/* How long a connection may keep a thread without a whole head. */
static int64_t head_patience_ns(const struct http_server *server)
{
	int left = server->threads - atomic_load_explicit(&server->connections, memory_order_relaxed);

	if (!server_is_short(server))
		return INT64_MAX;
	return (left * 20 > server->threads ? LIMIT_SHORT_HEAD_MS : LIMIT_SHORTEST_HEAD_MS) * INT64_C(1000000);
}

static bool is_read_late(int64_t deadline, int64_t now, int64_t patience)
{
	return deadline > 0 ? deadline <= now : now + deadline >= patience;
}

static void interrupt_late(struct http_server *server)
{
	int64_t now = clock_monotonic_ns(), patience = head_patience_ns(server);
	int count = atomic_load(&server->worker_count);

	for (int i = 0; i < count && i < server->threads; i++) {
		struct worker *worker = &server->workers[i];
		int64_t deadline = atomic_load_explicit(&worker->deadline, memory_order_acquire);

		if (deadline == DISARMED)
			continue;
		if (deadline != LATE && (!is_read_late(deadline, now, patience) ||
						!atomic_compare_exchange_strong(&worker->deadline, &deadline, LATE)))
			continue;
		pthread_kill(worker->thread, LATE_SIGNAL);
	}
}

static void *deadline_main(void *argument)
{
	struct http_server *server = argument;
	struct timespec until;

	deadline_enter_thread();
	pthread_mutex_lock(&server->late_lock);
	while (!server->late_stopping) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += server_is_short(server) ? SHORT_TICK_NS : TICK_NS;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_nsec -= 1000000000L;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&server->late_wake, &server->late_lock, &until);
		interrupt_late(server);
	}
	pthread_mutex_unlock(&server->late_lock);
	return NULL;
}

enum error_code deadline_start(struct http_server *server, struct error *error)
{
	struct sigaction action = { .sa_handler = on_signal }; /* without SA_RESTART */

	sigemptyset(&action.sa_mask);
	sigaction(LATE_SIGNAL, &action, NULL);
	pthread_mutex_init(&server->late_lock, NULL);
	thread_init_condition(&server->late_wake);
	server->late_running = thread_start(&server->late_thread, "deadlines", 0, deadline_main, server, error) == ERROR_NONE;
	return server->late_running ? ERROR_NONE : ERROR_IO;
}

/* After civetweb's threads have ended. */
void deadline_stop(struct http_server *server)
{
	if (server->late_running) {
		pthread_mutex_lock(&server->late_lock);
		server->late_stopping = true;
		pthread_cond_signal(&server->late_wake);
		pthread_mutex_unlock(&server->late_lock);
		pthread_join(server->late_thread, NULL);
		server->late_running = false;
	}
	pthread_cond_destroy(&server->late_wake);
	pthread_mutex_destroy(&server->late_lock);
}
