/* check_traffic.c - finds the host's process and reads its sockets. The command's only thread; Linux only, reads /proc and
 * nothing else.
 *
 * A socket is known by its inode: /proc/net names the inode of a listening address, /proc/PID/fd says who holds it. Connections
 * that others made to the host do not count, nor does what stays within this machine. What holds the port but is not a providerd
 * (an ssh tunnel, a reverse proxy, a container's proxy) is not looked at: its connections are its trade. */
#include "check/check_traffic.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#define PROGRAM "providerd"
#define STATE_ESTABLISHED 1 /* of /proc/net, also a connected UDP socket */
#define STATE_SYN_SENT 2
#define STATE_LISTEN 10

static const char *const tables[] = { "tcp", "tcp6", "udp", "udp6" };

/* ---- addresses ---- */

/* IPv4 as ::ffff:a.b.c.d, so that one comparison serves both. */
static struct in6_addr mapped(const void *v4)
{
	struct in6_addr address = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	memcpy(address.s6_addr + 12, v4, 4);
	return address;
}

static bool parse_address(const char *text, struct in6_addr *address)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*address = mapped(&v4);
		return true;
	}
	return inet_pton(AF_INET6, text, address) == 1;
}

static bool is_this_machine(const struct in6_addr *address)
{
	return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

static bool is_any(const struct in6_addr *address)
{
	static const uint8_t none[4];

	return IN6_IS_ADDR_UNSPECIFIED(address) || (IN6_IS_ADDR_V4MAPPED(address) && memcmp(address->s6_addr + 12, none, 4) == 0);
}

/* The kernel prints each 32 bits of an address as a number of this machine. */
static bool parse_hex(const char *text, struct in6_addr *address)
{
	uint32_t words[4];
	size_t count = strlen(text) / 8;
	char digits[9] = "";

	if (strlen(text) != count * 8 || (count != 1 && count != 4))
		return false;
	for (size_t i = 0; i < count; i++) {
		memcpy(digits, text + i * 8, 8);
		words[i] = (uint32_t)strtoul(digits, NULL, 16);
	}
	if (count == 1)
		*address = mapped(words);
	else
		memcpy(address->s6_addr, words, sizeof words);
	return true;
}

/* ---- the kernel's tables ---- */

struct socket_row {
	struct in6_addr local, remote;
	unsigned local_port, remote_port, state;
	unsigned long long inode;
};

static bool parse_row(const char *line, struct socket_row *row)
{
	char local[40], remote[40];

	return sscanf(line, " %*d: %32[0-9A-F]:%4x %32[0-9A-F]:%4x %2x %*s %*s %*s %*s %*s %llu", local, &row->local_port, remote,
		       &row->remote_port, &row->state, &row->inode) == 6 &&
	       parse_hex(local, &row->local) && parse_hex(remote, &row->remote);
}

/* Calls `found` for each socket of a table, as the process sees it ("self": this one). */
static void each_row(const char *process, const char *table,
	void (*found)(void *context, const char *table, const struct socket_row *row), void *context)
{
	char path[64], line[512];
	struct socket_row row;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%s/net/%s", process, table);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	while (fgets(line, sizeof line, file) != NULL)
		if (parse_row(line, &row))
			found(context, table, &row);
	fclose(file);
}

/* ---- the sockets of a process ---- */

struct inodes {
	unsigned long long *list;
	size_t count;
	size_t capacity;
};

static void inodes_add(struct inodes *inodes, unsigned long long inode)
{
	if (inodes->count == inodes->capacity) {
		size_t capacity = inodes->capacity == 0 ? 64 : inodes->capacity * 2;

		if (capacity > LIMIT_CHECK_SOCKETS)
			return;
		inodes->list = memory_resize(inodes->list, capacity * sizeof *inodes->list);
		inodes->capacity = capacity;
	}
	inodes->list[inodes->count++] = inode;
}

static bool inodes_have(const struct inodes *inodes, unsigned long long inode)
{
	for (size_t i = 0; i < inodes->count; i++)
		if (inodes->list[i] == inode)
			return true;
	return false;
}

/* False when the process is gone or another user's. */
static bool read_sockets(const char *process, struct inodes *inodes)
{
	char path[320], target[64];
	unsigned long long inode;
	struct dirent *entry;
	ssize_t length;
	DIR *folder;

	snprintf(path, sizeof path, "/proc/%s/fd", process);
	folder = opendir(path);
	if (folder == NULL)
		return false;
	while ((entry = readdir(folder)) != NULL) {
		snprintf(path, sizeof path, "/proc/%s/fd/%s", process, entry->d_name);
		length = readlink(path, target, sizeof target - 1);
		if (length <= 0)
			continue;
		target[length] = '\0';
		if (sscanf(target, "socket:[%llu]", &inode) == 1)
			inodes_add(inodes, inode);
	}
	closedir(folder);
	return true;
}

/* ---- who listens ---- */

struct search {
	struct in6_addr address;
	unsigned port;
	struct inodes listeners;
};

static void note_listener(void *context, const char *table, const struct socket_row *row)
{
	struct search *search = context;

	(void)table;
	if (row->state == STATE_LISTEN && row->local_port == search->port &&
		(is_any(&row->local) || IN6_ARE_ADDR_EQUAL(&row->local, &search->address)))
		inodes_add(&search->listeners, row->inode);
}

static bool holds_listener(const char *process, const struct search *search)
{
	struct inodes sockets = { 0 };
	bool holds = false;

	read_sockets(process, &sockets);
	for (size_t i = 0; !holds && i < search->listeners.count; i++)
		holds = inodes_have(&sockets, search->listeners.list[i]);
	free(sockets.list);
	return holds;
}

static bool is_providerd(const char *process, char *name, size_t size)
{
	char path[64], program[PATH_MAX];
	ssize_t length;
	const char *slash;

	snprintf(path, sizeof path, "/proc/%s/exe", process);
	length = readlink(path, program, sizeof program - 1);
	program[length > 0 ? length : 0] = '\0';
	slash = strrchr(program, '/');
	snprintf(name, size, "%.60s", slash != NULL ? slash + 1 : "another program");
	return strncmp(name, PROGRAM, sizeof PROGRAM - 1) == 0;
}

static void find_process(struct traffic *traffic, const struct search *search)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	char name[64];

	snprintf(traffic->why_not, sizeof traffic->why_not,
		"the process that listens on port %d belongs to another user or container", traffic->port);
	while (processes != NULL && traffic->pid == 0 && (entry = readdir(processes)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !holds_listener(entry->d_name, search))
			continue;
		if (is_providerd(entry->d_name, name, sizeof name))
			traffic->pid = (int)strtol(entry->d_name, NULL, 10);
		else
			snprintf(traffic->why_not, sizeof traffic->why_not, "port %d is held by %s, not by the host itself",
				traffic->port, name);
	}
	if (processes != NULL)
		closedir(processes);
}

void traffic_open(struct traffic *traffic, const char *address, int port)
{
	struct search search = { .port = (unsigned)port };

	*traffic = (struct traffic){ .port = port };
	if (!parse_address(address, &search.address) || !is_this_machine(&search.address)) {
		snprintf(traffic->why_not, sizeof traffic->why_not, "the host runs on another machine");
		return;
	}
	each_row("self", "tcp", note_listener, &search);
	each_row("self", "tcp6", note_listener, &search);
	find_process(traffic, &search);
	free(search.listeners.list);
	traffic_look(traffic);
}

/* ---- whom it talks to ---- */

struct look {
	struct traffic *traffic;
	struct inodes sockets;
};

static void note_connection(void *context, const char *table, const struct socket_row *row)
{
	struct look *look = context;
	struct traffic *traffic = look->traffic;
	struct traffic_connection *seen = traffic->seen;
	char text[INET6_ADDRSTRLEN];
	bool v4 = IN6_IS_ADDR_V4MAPPED(&row->remote);

	if ((row->state != STATE_ESTABLISHED && row->state != STATE_SYN_SENT) || is_this_machine(&row->remote) ||
		row->local_port == (unsigned)traffic->port || !inodes_have(&look->sockets, row->inode))
		return;
	for (int i = 0; i < traffic->seen_count; i++)
		if (seen[i].inode == row->inode)
			return;
	if (traffic->seen_count == TRAFFIC_SEEN)
		return;
	seen += traffic->seen_count++;
	seen->inode = row->inode;
	seen->early = traffic->looks == 0;
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? row->remote.s6_addr + 12 : row->remote.s6_addr, text, sizeof text);
	snprintf(seen->remote, sizeof seen->remote, "%s%s%s:%u (%.3s)", v4 ? "" : "[", text, v4 ? "" : "]", row->remote_port,
		table);
}

void traffic_look(struct traffic *traffic)
{
	struct look look = { .traffic = traffic };
	char process[16];

	if (traffic->pid == 0)
		return;
	snprintf(process, sizeof process, "%d", traffic->pid);
	if (read_sockets(process, &look.sockets)) {
		for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
			each_row(process, tables[i], note_connection, &look);
		traffic->looks++;
	}
	free(look.sockets.list);
}

void traffic_report(const struct traffic *traffic, bool live_possible, struct findings *findings)
{
	if (traffic->looks == 0) {
		findings_detail(findings, "not visible from here: %s",
			traffic->pid == 0 ? traffic->why_not : "its sockets cannot be read");
		return;
	}
	findings_detail(findings, "process %d, looked at %d times: nothing beyond this machine", traffic->pid, traffic->looks);
	for (int i = 0; i < traffic->seen_count; i++) {
		const struct traffic_connection *seen = &traffic->seen[i];

		if (seen->early && live_possible)
			findings_detail(findings, "but for %s, which was there before", seen->remote);
		else
			findings_problem(findings, "process %d is connected to %s%s", traffic->pid, seen->remote,
				seen->early ? ", since before this run" : "");
	}
}
