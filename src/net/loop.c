/* loop.c - one thread's epoll instance, its eventfd, and how long it may sleep. Knows of transfers only when they want to be called. */
#include "net/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/watchdog.h"
#include "net/internal.h"

#define EVENTS 64
#define LONGEST_SLEEP_MS 60000

enum { LOOP_AWAKE = 0, LOOP_ASLEEP, LOOP_WOKEN };

enum error_code loop_new(struct pulse *pulse, struct loop **loop, struct error *error)
{
	struct loop *made = memory_new(sizeof *made);
	struct epoll_event event = { .events = EPOLLIN };

	made->pulse = pulse;
	made->epoll = epoll_create1(EPOLL_CLOEXEC);
	made->wake = event.data.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	transfers_init(&made->transfers, made->epoll);
	if (made->epoll == -1 || made->wake == -1 || epoll_ctl(made->epoll, EPOLL_CTL_ADD, made->wake, &event) == -1) {
		error_set(error, ERROR_IO, NULL, "cannot prepare outgoing requests: %s", strerror(errno));
		loop_free(made);
		return ERROR_IO;
	}
	*loop = made;
	return ERROR_NONE;
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	transfers_close(&loop->transfers);
	if (loop->wake != -1)
		close(loop->wake);
	if (loop->epoll != -1)
		close(loop->epoll);
	free(loop);
}

void loop_wake(struct loop *loop)
{
	uint64_t one = 1;

	if (atomic_exchange(&loop->state, LOOP_WOKEN) != LOOP_ASLEEP)
		return;
	while (write(loop->wake, &one, sizeof one) == -1 && errno == EINTR)
		;
}

/* Milliseconds, never too few: who is woken early would only ask again. */
static int loop_wait_ms(int64_t until_ns)
{
	int64_t left = until_ns != INT64_MAX ? until_ns - clock_monotonic_ns() : INT64_MAX;

	if (left <= 0)
		return 0;
	return left / 1000000 < LONGEST_SLEEP_MS ? (int)(left / 1000000 + 1) : LONGEST_SLEEP_MS;
}

/* Returns how many descriptors are ready. */
static int loop_sleep(struct loop *loop, struct epoll_event events[EVENTS], int64_t until_ns)
{
	int64_t due_ns = transfers_due(&loop->transfers);
	int timeout_ms = loop_wait_ms(due_ns < until_ns ? due_ns : until_ns), awake = LOOP_AWAKE, ready;

	if (timeout_ms != 0 && !atomic_compare_exchange_strong(&loop->state, &awake, LOOP_ASLEEP))
		timeout_ms = 0; /* it was woken before it slept */
	if (timeout_ms != 0)
		pulse_rest(loop->pulse);
	ready = epoll_wait(loop->epoll, events, EVENTS, timeout_ms);
	pulse_beat(loop->pulse);
	atomic_exchange(&loop->state, LOOP_AWAKE); /* the owner looks after this for what it was woken for */
	return ready;
}

void loop_run_once(struct loop *loop, int64_t until_ns)
{
	struct epoll_event events[EVENTS];
	int ready = loop_sleep(loop, events, until_ns);
	uint64_t count;

	for (int i = 0; i < ready; i++) {
		if (events[i].data.fd != loop->wake)
			transfers_ready(&loop->transfers, events[i].data.fd, events[i].events);
		else if (read(loop->wake, &count, sizeof count) == -1 && errno != EAGAIN)
			log_message(LOG_ERROR, "net.wake", "cannot read the eventfd: %s", strerror(errno));
	}
	transfers_run(&loop->transfers);
}
