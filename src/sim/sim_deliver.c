/* sim_deliver.c - sends the simulator's webhooks, one at a time, on a thread of its own.
 *
 * Only to loopback: the address that a socket would go to is looked at, whatever its name is; no proxy, no redirect. One that
 * fails is tried again as its vendor does. What is waiting at the end is dropped. */
#include "sim/internal.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/thread.h"
#include "net/curl.h"

struct sim_deliver {
	struct sim_journal *journal;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct sim_delivery *first; /* by due_ms */
	size_t count;
	bool stopping;
};

void sim_delivery_free(struct sim_delivery *delivery)
{
	free(delivery->url);
	free(delivery->headers);
	free(delivery->body);
	free(delivery);
}

void sim_deliver_send(void *context, struct sim_delivery *delivery)
{
	struct sim_deliver *deliver = context;
	struct sim_delivery **place = &deliver->first;

	pthread_mutex_lock(&deliver->lock);
	if (deliver->count >= LIMIT_SIM_DELIVERIES) {
		pthread_mutex_unlock(&deliver->lock);
		sim_delivery_free(delivery);
		return;
	}
	while (*place != NULL && (*place)->due_ms <= delivery->due_ms)
		place = &(*place)->next;
	delivery->next = *place;
	*place = delivery;
	deliver->count++;
	pthread_cond_signal(&deliver->wake);
	pthread_mutex_unlock(&deliver->lock);
}

static bool stays_here(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static curl_socket_t open_loopback_only(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)context;
	(void)purpose;
	if (!stays_here(&address->addr))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t drop_answer(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static struct curl_slist *header_list(const char *lines)
{
	struct curl_slist *list = NULL;
	char line[1024];

	while (lines != NULL && *lines != '\0') {
		size_t length = strcspn(lines, "\n");
		if (length < sizeof line) {
			struct curl_slist *longer;
			memcpy(line, lines, length);
			line[length] = '\0';
			longer = curl_slist_append(list, line);
			list = longer != NULL ? longer : list;
		}
		lines += length + (lines[length] == '\n');
	}
	return list;
}

/* The status of the answer; 0 when there was none. */
static int post_delivery(CURL *easy, const struct sim_delivery *delivery)
{
	struct curl_slist *headers = header_list(delivery->headers);
	long status = 0;

	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, delivery->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_loopback_only);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)LIMIT_SIM_DELIVERY_MS);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, delivery->body);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)delivery->body_length);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_answer);
	if (curl_easy_perform(easy) == CURLE_OK)
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	return (int)status;
}

static void attempt(struct sim_deliver *deliver, CURL *easy, struct sim_delivery *delivery)
{
	int status = post_delivery(easy, delivery);

	delivery->attempt++;
	sim_journal_delivery(deliver->journal, delivery->provider, delivery->job, delivery->attempt, status);
	if ((status >= 200 && status < 300) || delivery->attempt >= delivery->tries) {
		sim_delivery_free(delivery);
		return;
	}
	delivery->due_ms = clock_unix_ms() + delivery->pause_ms;
	sim_deliver_send(deliver, delivery);
}

/* The next one that is due. Called and returns with the lock; NULL at the end. */
static struct sim_delivery *wait_for_delivery(struct sim_deliver *deliver)
{
	while (!deliver->stopping) {
		struct sim_delivery *next = deliver->first;
		if (next == NULL) {
			pthread_cond_wait(&deliver->wake, &deliver->lock);
		} else if (next->due_ms > clock_unix_ms()) {
			struct timespec until = { .tv_sec = next->due_ms / 1000, .tv_nsec = next->due_ms % 1000 * 1000000 };
			pthread_cond_timedwait(&deliver->wake, &deliver->lock, &until);
		} else {
			deliver->first = next->next;
			deliver->count--;
			return next;
		}
	}
	return NULL;
}

static void *deliver_main(void *argument)
{
	struct sim_deliver *deliver = argument;
	struct sim_delivery *delivery;
	CURL *easy = curl_load() ? curl_easy_init() : NULL;

	pthread_mutex_lock(&deliver->lock);
	while (easy != NULL && (delivery = wait_for_delivery(deliver)) != NULL) {
		pthread_mutex_unlock(&deliver->lock);
		attempt(deliver, easy, delivery);
		pthread_mutex_lock(&deliver->lock);
	}
	pthread_mutex_unlock(&deliver->lock);
	if (easy != NULL)
		curl_easy_cleanup(easy);
	return NULL;
}

enum error_code sim_deliver_open(struct sim_journal *journal, struct sim_deliver **deliver, struct error *error)
{
	struct sim_deliver *made = memory_new(sizeof *made);

	made->journal = journal;
	pthread_mutex_init(&made->lock, NULL);
	pthread_cond_init(&made->wake, NULL);
	if (thread_start(&made->thread, "sim-webhooks", 0, deliver_main, made, error) != ERROR_NONE) {
		free(made);
		return ERROR_IO;
	}
	*deliver = made;
	return ERROR_NONE;
}

void sim_deliver_close(struct sim_deliver *deliver)
{
	if (deliver == NULL)
		return;
	pthread_mutex_lock(&deliver->lock);
	deliver->stopping = true;
	pthread_cond_signal(&deliver->wake);
	pthread_mutex_unlock(&deliver->lock);
	pthread_join(deliver->thread, NULL);
	while (deliver->first != NULL) {
		struct sim_delivery *delivery = deliver->first;
		deliver->first = delivery->next;
		sim_delivery_free(delivery);
	}
	pthread_cond_destroy(&deliver->wake);
	pthread_mutex_destroy(&deliver->lock);
	free(deliver);
}
