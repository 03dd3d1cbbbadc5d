// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/msix.h"

#include <errno.h>
#include <unistd.h>

enum {
	CONFIG_CAPABILITIES = 0x34,
	CONFIG_HEADER_SIZE = 0x40,
	CAPABILITY_MSIX = 0x11,
	MSIX_TABLE_SIZE = 0x7ff,
	MAX_CAPABILITIES = 48, /* as many as fit */
};

/* The first four bytes of a capability: one access to the device, however few are wanted. */
static int read_capability(int fd, uint8_t offset, uint8_t capability[static 4])
{
	return pread(fd, capability, 4, offset) == 4 ? 0 : -EPERM;
}

static void take_count(const uint8_t capability[static 4], struct fact_u64 *ret)
{
	unsigned int control = capability[2] | (unsigned int)capability[3] << 8;

	*ret = fact_u64((control & MSIX_TABLE_SIZE) + 1);
}

int msix_read_count(int config_fd, uint8_t *offset, struct fact_u64 *ret)
{
	uint8_t at, capability[4];

	if (*offset) {
		if (read_capability(config_fd, *offset, capability) < 0)
			return -EPERM;
		if (capability[0] == CAPABILITY_MSIX) {
			take_count(capability, ret);
			return 0;
		}
	}
	if (pread(config_fd, &at, sizeof(at), CONFIG_CAPABILITIES) != sizeof(at))
		return -EIO;
	for (int i = 0; i < MAX_CAPABILITIES && at >= CONFIG_HEADER_SIZE; i++) {
		at &= (uint8_t)~3;
		if (read_capability(config_fd, at, capability) < 0)
			return -EPERM;
		if (capability[0] == CAPABILITY_MSIX) {
			*offset = at;
			take_count(capability, ret);
			return 0;
		}
		at = capability[1];
	}
	return 0;
}
