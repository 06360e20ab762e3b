/* machine.c - asks the kernel. No state. */
#include "base/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define VIEW_LINK "/proc/self/ns/mnt" /* containers and services with a view of their own have another */
#define BOOT_BYTES 48
#define VIEW_BYTES 40

static bool read_boot(char boot[BOOT_BYTES])
{
	int file = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t length = file != -1 ? read(file, boot, BOOT_BYTES - 1) : -1;

	if (file != -1)
		close(file);
	if (length <= 0)
		return false;
	boot[length] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	return true;
}

bool machine_text(char text[MACHINE_BYTES])
{
	char boot[BOOT_BYTES], view[VIEW_BYTES];
	ssize_t length = readlink(VIEW_LINK, view, sizeof view - 1);

	if (length <= 0 || !read_boot(boot))
		return false;
	view[length] = '\0';
	snprintf(text, MACHINE_BYTES, "%s %s %lld", boot, view, (long long)geteuid());
	return true;
}
