/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_DEVLINK_UAPI_H
#define SYS_DEVLINK_UAPI_H

/*
 * The part of the kernel's devlink interface that is used here. The numbers are fixed for
 * good; the kernel headers of the build machine may be older than the kernel that is asked
 * (port function capabilities came with Linux 6.2, max_io_eqs with 6.10).
 */

#define DEVLINK_FAMILY "devlink"

enum {
	CMD_PORT_GET = 5,
	CMD_PORT_SET = 6,
	CMD_ESWITCH_GET = 29,
	CMD_ESWITCH_SET = 30,
	CMD_RELOAD = 37,
	CMD_PARAM_GET = 38,
	CMD_PARAM_SET = 39,
	CMD_INFO_GET = 51,
};

enum {
	ATTR_BUS_NAME = 1,
	ATTR_DEV_NAME = 2,
	ATTR_PORT_INDEX = 3,
	ATTR_PORT_NETDEV_IFINDEX = 6,
	ATTR_PORT_NETDEV_NAME = 7,
	ATTR_ESWITCH_MODE = 25,
	ATTR_PORT_FLAVOUR = 77,
	ATTR_PARAM = 80,
	ATTR_PARAM_NAME = 81,
	ATTR_PARAM_TYPE = 83,
	ATTR_PARAM_VALUES_LIST = 84,
	ATTR_PARAM_VALUE = 85,
	ATTR_PARAM_VALUE_DATA = 86,
	ATTR_PARAM_VALUE_CMODE = 87,
	ATTR_INFO_DRIVER_NAME = 98,
	ATTR_INFO_SERIAL_NUMBER = 99,
	ATTR_INFO_VERSION_FIXED = 100,
	ATTR_INFO_VERSION_RUNNING = 101,
	ATTR_INFO_VERSION_STORED = 102,
	ATTR_INFO_VERSION_NAME = 103,
	ATTR_INFO_VERSION_VALUE = 104,
	ATTR_PORT_PCI_VF_NUMBER = 128,
	ATTR_PORT_FUNCTION = 145,
	ATTR_INFO_BOARD_SERIAL_NUMBER = 146,
	ATTR_PORT_EXTERNAL = 149,
	ATTR_PORT_CONTROLLER_NUMBER = 150,
	ATTR_RELOAD_ACTION = 153,
	ATTR_MAX = ATTR_PORT_CONTROLLER_NUMBER,
};

enum {
	PORT_FN_HW_ADDR = 1,
	PORT_FN_CAPS = 4,
	PORT_FN_MAX_IO_EQS = 6,
	PORT_FN_MAX = PORT_FN_MAX_IO_EQS,
};

enum {
	CAP_ROCE = 0x1,
	CAP_MIGRATABLE = 0x2,
	CAP_IPSEC_CRYPTO = 0x4,
	CAP_IPSEC_PACKET = 0x8,
};

/* Types of a parameter's value: those of netlink attributes as the kernel counts them. */
enum {
	TYPE_U8 = 1,
	TYPE_U16 = 2,
	TYPE_U32 = 3,
	TYPE_U64 = 4,
	TYPE_STRING = 5,
	TYPE_FLAG = 6,
};

enum {
	CMODE_RUNTIME = 0,
	CMODE_DRIVERINIT = 1,
	CMODE_PERMANENT = 2,
};

enum {
	RELOAD_FW_ACTIVATE = 2,
};

enum {
	MODE_LEGACY = 0,
	MODE_SWITCHDEV = 1,
	MODE_SWITCHDEV_INACTIVE = 2,
};

enum {
	FLAVOUR_PCI_VF = 4,
};

#endif
