/* baseline.c - what civetweb alone can do: the yardstick of `make bench`.
 *
 * One begin_request handler that reads the body and sends a ready-made answer in one write, under the same civetweb options and
 * number of threads as the host. It looks at nothing else, so it is as fast as a handler can be here. Not part of the host. */
#include <civetweb.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %08zu\r\n\r\n"
#define HEAD_BYTES 128

static char *answer;
static size_t answer_length;

static int begin_request(struct mg_connection *connection)
{
	long long left = mg_get_request_info(connection)->content_length;
	char slice[4096];
	int got = 0;

	for (; left > 0; left -= got) {
		got = mg_read(connection, slice, left < (long long)sizeof slice ? (size_t)left : sizeof slice);
		if (got <= 0)
			break;
	}
	mg_write(connection, answer, answer_length);
	return 200;
}

/* An answer of `bytes` in all, head included. The length has a fixed width, so the head's own length is known. */
static int make_answer(size_t bytes)
{
	char head[HEAD_BYTES];
	size_t length = (size_t)snprintf(head, sizeof head, HEAD, (size_t)0);

	answer = bytes > length ? malloc(bytes) : NULL;
	if (answer == NULL)
		return -1;
	snprintf(head, sizeof head, HEAD, bytes - length);
	memset(answer, 'x', bytes);
	memcpy(answer, head, length);
	answer_length = bytes;
	return 0;
}

static struct mg_context *start(const char *threads)
{
	const struct mg_callbacks callbacks = { .begin_request = begin_request };
	/* clang-format off */
	const char *options[] = { /* as in src/http/server.c */
		"listening_ports", "127.0.0.1:0", "num_threads", threads, "connection_queue", threads, "listen_backlog", "1024",
		"enable_keep_alive", "yes", "keep_alive_timeout_ms", "5000", "request_timeout_ms", "5000", "tcp_nodelay", "1",
		"max_request_size", "32768", "decode_url", "no", "enable_auth_domain_check", "no", "access_control_allow_origin", "",
		"access_control_allow_methods", "", "access_control_allow_headers", "", "enable_directory_listing", "no", "cgi_pattern", "",
		NULL,
	};
	/* clang-format on */
	return mg_start(&callbacks, NULL, options);
}

int main(int argc, char **argv)
{
	struct mg_context *context;
	struct mg_server_port port;
	sigset_t signals;
	int received;

	if (argc != 3 || make_answer(strtoul(argv[2], NULL, 10)) != 0) {
		fprintf(stderr, "usage: baseline THREADS ANSWER_BYTES\n");
		return EXIT_FAILURE;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	context = start(argv[1]);
	if (context == NULL || mg_get_server_ports(context, 1, &port) != 1) {
		fprintf(stderr, "baseline: civetweb did not start\n");
		return EXIT_FAILURE;
	}
	printf("baseline listens on http://127.0.0.1:%d\n", port.port);
	fflush(stdout);
	sigwait(&signals, &received);
	mg_stop(context);
	free(answer);
	return EXIT_SUCCESS;
}
