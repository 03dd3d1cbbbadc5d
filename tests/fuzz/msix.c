// SPDX-License-Identifier: LGPL-2.1-or-later
/* PCI configuration space, in which the list of capabilities may lead anywhere. */
#include "sys/msix.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_SIZE 2048 /* of a table, PCI Local Bus 3.0, 6.8.2.3 */

static int open_config(const uint8_t *data, size_t size)
{
	int fd = memfd_create("config", MFD_CLOEXEC);

	MUST(fd >= 0);
	MUST(pwrite(fd, data, size, 0) == (ssize_t)size);
	return fd;
}

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	struct fact_u64 count = { 0 }, again = { 0 };
	uint8_t offset = 0;
	int fd = open_config(data, size);
	int r = msix_read_count(fd, &offset, &count);

	MUST(r == 0 || r == -EPERM || r == -EIO);
	MUST(count.known == (offset != 0));
	if (count.known) {
		MUST(r == 0 && count.value >= 1 && count.value <= MAX_SIZE);
		MUST(offset >= 0x40 && offset % 4 == 0 && data[offset] == 0x11);
		MUST(msix_read_count(fd, &offset, &again) == 0 && again.value == count.value);
	}
	close(fd);
	return count.known ? FUZZ_ACCEPTED : FUZZ_REFUSED;
}
