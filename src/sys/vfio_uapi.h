/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_VFIO_UAPI_H
#define SYS_VFIO_UAPI_H

#include <linux/vfio.h>

/*
 * What the kernel headers of the build machine may lack: device nodes and iommufd came with
 * Linux 6.6 and 6.2. The numbers are fixed for good.
 */
#define BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)

struct bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
};

#endif
