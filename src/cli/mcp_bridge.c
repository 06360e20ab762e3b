/* mcp_bridge.c - MCP over standard input and output, for clients that start a command: each line is a request to the /mcp of a running host.
 *
 * The command's only thread. It opens no home, takes no lock and connects to nobody before it is asked: clients start it twice, once only to see
 * what it speaks. Several requests are under way at once. A cancelled one ends its connection, which is how the host is told. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cli/arguments.h"
#include "cli/bridge_call.h"
#include "cli/cli.h"
#include "mcp/errors.h"
#include "net/curl.h"

#define READ_BYTES 65536
#define POLL_MS 1000
#define MILLISECOND_NS INT64_C(1000000)

static const char usage[] =
	"usage: providerd mcp [--url URL] [--key KEY]\n\n"
	"MCP over standard input and output, for programs that start a server as a command (docs/mcp.md).\n\n"
	"  --url URL    the running host, with or without /mcp at its end; default " BASE_DEFAULT "\n" KEY_HELP;

struct bridge {
	struct bridge_host host;
	struct bridge_call *calls[LIMIT_BRIDGE_CALLS];
	int count;
	struct buffer line;
	bool ended; /* the input */
};

/* ---- calls ---- */

static void drop_call(struct bridge *bridge, int i)
{
	bridge_call_free(bridge->calls[i]);
	bridge->calls[i] = bridge->calls[--bridge->count];
}

static void begin_call(struct bridge *bridge, const struct bridge_message *message)
{
	struct bridge_call *call;

	if (bridge->count == LIMIT_BRIDGE_CALLS) {
		bridge_print_error(message->id, MCP_INTERNAL_ERROR, "%d requests are under way: send this one again later",
			LIMIT_BRIDGE_CALLS);
		return;
	}
	call = bridge_call_begin(&bridge->host, message, bridge->line.data, bridge->line.length);
	if (call != NULL)
		bridge->calls[bridge->count++] = call;
}

/* Of notifications only this one asks for something; the host keeps nothing that the others tell. */
static void take_line_notification(struct bridge *bridge, const struct bridge_message *message)
{
	const json_t *id = json_object_get(json_object_get(message->tree, "params"), "requestId");

	if (strcmp(message->method, "notifications/cancelled") != 0 || id == NULL)
		return;
	for (int i = 0; i < bridge->count; i++)
		if (bridge_call_has_id(bridge->calls[i], id)) {
			drop_call(bridge, i);
			return;
		}
}

static void end_calls(struct bridge *bridge)
{
	struct bridge_call *call;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(bridge->host.multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		call = bridge_call_of(message->easy_handle);
		bridge_call_end(call, message->data.result);
		for (int i = 0; i < bridge->count; i++)
			if (bridge->calls[i] == call) {
				drop_call(bridge, i);
				break;
			}
	}
}

/* ---- the input ---- */

static void take_input_line(struct bridge *bridge)
{
	struct bridge_message message;

	if (bridge->line.failed) {
		bridge_print_error(NULL, MCP_INVALID_REQUEST, "a line may have %d bytes", LIMIT_BRIDGE_LINE_BYTES);
		return;
	}
	if (bridge->line.length == 0 || bridge->line.data[strspn(bridge->line.data, " \t\r")] == '\0')
		return;
	if (bridge_message_read(bridge->line.data, bridge->line.length, &message)) {
		if (message.id == NULL)
			take_line_notification(bridge, &message);
		else
			begin_call(bridge, &message);
	}
	bridge_message_close(&message);
}

static void take_input_bytes(struct bridge *bridge, const char *bytes, size_t length)
{
	const char *end;

	while (length > 0) {
		end = memchr(bytes, '\n', length);
		buffer_append(&bridge->line, bytes, end != NULL ? (size_t)(end - bytes) : length);
		if (end == NULL)
			return;
		take_input_line(bridge);
		buffer_reset(&bridge->line, READ_BYTES);
		length -= (size_t)(end + 1 - bytes);
		bytes = end + 1;
	}
}

static void read_input(struct bridge *bridge)
{
	static char bytes[READ_BYTES];
	ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);

	if (got > 0) {
		take_input_bytes(bridge, bytes, (size_t)got);
	} else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
		take_input_line(bridge); /* the last may lack its line break */
		buffer_clear(&bridge->line);
		bridge->ended = true;
	}
}

/* ---- from beginning to end ---- */

static bool is_wanted(const struct bridge *bridge, int64_t end_ns)
{
	if (!bridge->ended)
		return true;
	for (int i = 0; i < bridge->count && clock_monotonic_ns() < end_ns; i++)
		if (!bridge_call_streams(bridge->calls[i]))
			return true;
	return false;
}

static void run_bridge(struct bridge *bridge)
{
	struct curl_waitfd input = { .fd = STDIN_FILENO, .events = CURL_WAIT_POLLIN };
	int64_t end_ns = 0;
	int running;

	while (is_wanted(bridge, end_ns) && !bridge_is_deaf()) {
		input.revents = 0;
		curl_multi_poll(bridge->host.multi, &input, bridge->ended ? 0 : 1, bridge->ended ? 50 : POLL_MS, NULL);
		if (!bridge->ended && poll(&(struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN }, 1, 0) > 0)
			read_input(bridge);
		if (bridge->ended && end_ns == 0)
			end_ns = clock_monotonic_ns() + LIMIT_BRIDGE_END_MS * MILLISECOND_NS;
		curl_multi_perform(bridge->host.multi, &running);
		end_calls(bridge);
	}
}

/* Who ends its input wants to see the command end; who only wrote all that he has to ask would take silence for an answer. */
static void leave_calls(struct bridge *bridge)
{
	int unanswered = 0;

	while (bridge->count > 0) {
		unanswered += !bridge_call_streams(bridge->calls[0]);
		drop_call(bridge, 0);
	}
	if (unanswered > 0)
		fprintf(stderr,
			"providerd mcp: the input ended, and %d of its requests had no answer yet; what they asked for may be "
			"done all the same\n",
			unanswered);
}

static int open_and_run(struct bridge *bridge, const char *key)
{
	int result = EXIT_OK;

	bridge->host.multi = curl_multi_init();
	if (bridge->host.multi == NULL)
		memory_exhausted();
	if (key != NULL)
		bridge->host.key_header = memory_format("X-API-Key: %s", key);
	buffer_init(&bridge->line, LIMIT_BRIDGE_LINE_BYTES);
	run_bridge(bridge);
	if (bridge_is_deaf())
		result = EXIT_PROBLEM;
	leave_calls(bridge);
	curl_multi_cleanup(bridge->host.multi);
	buffer_free(&bridge->line);
	free(bridge->host.key_header);
	return result;
}

/* The address as clients of HTTP are given it ends in /mcp: it is taken, too. */
static char *host_address(const char *url)
{
	char *address = memory_copy_text(url);
	size_t length = strlen(address);

	while (length > 0 && address[length - 1] == '/')
		address[--length] = '\0';
	if (length > 4 && strcmp(address + length - 4, "/mcp") == 0)
		address[length - 4] = '\0';
	return address;
}

int cli_mcp(int argc, char **argv)
{
	static struct bridge bridge;
	const char *url = BASE_DEFAULT, *key = NULL;
	const struct argument list[] = { { .name = "--url", .value = &url }, { .name = "--base", .value = &url },
		{ .name = "--key", .value = &key }, { .name = NULL } };
	const struct command command = { .name = "mcp", .usage = usage, .arguments = list };
	struct client *client;
	char *address;
	int exit_code;

	if (!arguments_read(&command, argc, argv, &exit_code))
		return exit_code;
	address = host_address(url);
	exit_code = arguments_open(&command, address, key, &client); /* which checks both */
	free(address);
	if (exit_code != EXIT_OK)
		return exit_code;
	if (key == NULL)
		key = getenv(KEY_VARIABLE);
	if (key != NULL && *key == '\0')
		key = NULL;
	signal(SIGPIPE, SIG_IGN);
	bridge.host.base = client_base(client);
	exit_code = open_and_run(&bridge, key);
	client_close(client);
	return exit_code;
}
