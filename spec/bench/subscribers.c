/* subscribers.c - many clients of an event stream in one process: subscribers PORT COUNT SECONDS. Prints "ready" when all are open, then how
 * long after its commit (the event's time, in whole milliseconds) each event had arrived at each of them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define SAMPLES 4000000
#define READ_BYTES 262144

static double latencies[SAMPLES];
static size_t sample_count;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

/* "2026-11-25T12:00:00.123Z" */
static double time_ms(const char *text)
{
	struct tm parts = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);

	return rest == NULL ? 0 : (double)timegm(&parts) * 1000 + strtod(rest, NULL) * 1000;
}

static int open_stream(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int descriptor = socket(AF_INET, SOCK_STREAM, 0);
	char request[128];
	int length = snprintf(request, sizeof request, "GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", port);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (descriptor == -1 || connect(descriptor, (struct sockaddr *)&address, sizeof address) == -1 ||
		send(descriptor, request, (size_t)length, 0) != length) {
		perror("connect");
		exit(1);
	}
	return descriptor;
}

/* Each event has its time once; a piece of one at the end of what was read is too rare to matter. */
static void note_events(const char *text)
{
	static const char mark[] = "\"time\":\"";

	for (const char *at = strstr(text, mark); at != NULL && sample_count < SAMPLES; at = strstr(at + 1, mark))
		if (strlen(at) > sizeof mark + 24)
			latencies[sample_count++] = now_ms() - time_ms(at + sizeof mark - 1);
}

static int compare(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return difference < 0 ? -1 : difference > 0;
}

int main(int argc, char **argv)
{
	static char bytes[READ_BYTES];
	int port = argc > 3 ? (int)strtol(argv[1], NULL, 10) : 0, count = argc > 3 ? (int)strtol(argv[2], NULL, 10) : 0,
	    ready = 0;
	int epoll = epoll_create1(0);
	struct epoll_event events[256];
	double end = 1e18;

	for (int i = 0; i < count; i++) {
		struct epoll_event wanted = { .events = EPOLLIN, .data.fd = open_stream(port) };
		epoll_ctl(epoll, EPOLL_CTL_ADD, wanted.data.fd, &wanted);
	}
	while (now_ms() < end) {
		int found = epoll_wait(epoll, events, 256, 100);
		for (int i = 0; i < found; i++) {
			ssize_t length = recv(events[i].data.fd, bytes, sizeof bytes - 1, 0);
			if (length <= 0) {
				printf("a stream ended early\n");
				return 1;
			}
			bytes[length] = '\0';
			if (strncmp(bytes, "HTTP/1.1 200", 12) == 0)
				ready++;
			else if (strncmp(bytes, "HTTP/", 5) == 0)
				return printf("refused: %.60s\n", bytes) < 0;
			note_events(bytes);
		}
		if (ready == count && end > 1e17) {
			printf("ready\n");
			fflush(stdout);
			end = now_ms() + strtod(argv[3], NULL) * 1000;
		}
	}
	qsort(latencies, sample_count, sizeof *latencies, compare);
	if (sample_count > 0)
		printf("deliveries=%zu p50=%.1f p99=%.1f worst=%.1f\n", sample_count, latencies[sample_count / 2],
			latencies[(size_t)((double)sample_count * 0.99)], latencies[sample_count - 1]);
	return 0;
}
