/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_HOST_H
#define MLX5LM_HOST_H

#include <mlx5lm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum mlx5lm_module_state - what libkmod or sysfs knows about a kernel module
 * @MLX5LM_MODULE_UNKNOWN: could not be found out
 * @MLX5LM_MODULE_MISSING: this kernel has no such module
 * @MLX5LM_MODULE_LOADABLE: installed but not loaded
 * @MLX5LM_MODULE_LOADED: loaded
 * @MLX5LM_MODULE_BUILTIN: part of the kernel image
 *
 * Since: 0.1
 */
enum mlx5lm_module_state {
	MLX5LM_MODULE_UNKNOWN = 0,
	MLX5LM_MODULE_MISSING = 1,
	MLX5LM_MODULE_LOADABLE = 2,
	MLX5LM_MODULE_LOADED = 3,
	MLX5LM_MODULE_BUILTIN = 4
};

/**
 * enum mlx5lm_lockdown - how far the kernel is locked down
 * @MLX5LM_LOCKDOWN_UNKNOWN: could not be found out
 * @MLX5LM_LOCKDOWN_NONE: not at all
 * @MLX5LM_LOCKDOWN_INTEGRITY: no unsigned modules, no writes to PCI configuration space
 * @MLX5LM_LOCKDOWN_CONFIDENTIALITY: the same, and nothing of the kernel's memory can be read
 *
 * Since: 0.2
 */
enum mlx5lm_lockdown {
	MLX5LM_LOCKDOWN_UNKNOWN = 0,
	MLX5LM_LOCKDOWN_NONE = 1,
	MLX5LM_LOCKDOWN_INTEGRITY = 2,
	MLX5LM_LOCKDOWN_CONFIDENTIALITY = 3
};

/**
 * enum mlx5lm_link_type - what a PF's ports speak
 * @MLX5LM_LINK_TYPE_UNKNOWN: could not be found out, or neither of the two
 * @MLX5LM_LINK_TYPE_ETHERNET: PCI class 0x0200
 * @MLX5LM_LINK_TYPE_INFINIBAND: PCI class 0x0207
 *
 * Since: 0.2
 */
enum mlx5lm_link_type {
	MLX5LM_LINK_TYPE_UNKNOWN = 0,
	MLX5LM_LINK_TYPE_ETHERNET = 1,
	MLX5LM_LINK_TYPE_INFINIBAND = 2
};

/**
 * enum mlx5lm_bind_state - is a VF bound as live migration wants it?
 * @MLX5LM_BIND_STATE_UNKNOWN: could not be found out
 * @MLX5LM_BIND_STATE_GOOD: bound to the variant driver, and nothing speaks against it
 * @MLX5LM_BIND_STATE_UNBOUND: no driver
 * @MLX5LM_BIND_STATE_WRONG_DRIVER: another one, such as vfio-pci or mlx5_core
 * @MLX5LM_BIND_STATE_NEEDS_REBIND: bound to the variant driver while the VF was not
 *	migratable yet: the driver looks at that only when it is bound
 *
 * Since: 0.2
 */
enum mlx5lm_bind_state {
	MLX5LM_BIND_STATE_UNKNOWN = 0,
	MLX5LM_BIND_STATE_GOOD = 1,
	MLX5LM_BIND_STATE_UNBOUND = 2,
	MLX5LM_BIND_STATE_WRONG_DRIVER = 3,
	MLX5LM_BIND_STATE_NEEDS_REBIND = 4
};

/**
 * enum mlx5lm_vfio_migration_flag - bits of MLX5LM_VF_VFIO_MIGRATION_FLAGS
 * @MLX5LM_VFIO_MIGRATION_UNKNOWN: none of them
 * @MLX5LM_VFIO_MIGRATION_STOP_COPY: the state of the stopped VF can be saved
 * @MLX5LM_VFIO_MIGRATION_P2P: it has the states RUNNING_P2P and PRE_COPY_P2P
 * @MLX5LM_VFIO_MIGRATION_PRE_COPY: the state of the running VF can be saved
 *
 * The values are those of linux/vfio.h, VFIO_DEVICE_FEATURE_MIGRATION.
 *
 * Since: 0.2
 */
enum mlx5lm_vfio_migration_flag {
	MLX5LM_VFIO_MIGRATION_UNKNOWN = 0,
	MLX5LM_VFIO_MIGRATION_STOP_COPY = 1,
	MLX5LM_VFIO_MIGRATION_P2P = 2,
	MLX5LM_VFIO_MIGRATION_PRE_COPY = 4
};

/**
 * enum mlx5lm_eswitch_mode - mode of a PF's embedded switch
 * @MLX5LM_ESWITCH_UNKNOWN: could not be read (needs CAP_NET_ADMIN)
 * @MLX5LM_ESWITCH_LEGACY: devlink "legacy"
 * @MLX5LM_ESWITCH_SWITCHDEV: devlink "switchdev"
 * @MLX5LM_ESWITCH_SWITCHDEV_INACTIVE: devlink "switchdev_inactive" (Linux 6.19)
 *
 * Since: 0.1
 */
enum mlx5lm_eswitch_mode {
	MLX5LM_ESWITCH_UNKNOWN = 0,
	MLX5LM_ESWITCH_LEGACY = 1,
	MLX5LM_ESWITCH_SWITCHDEV = 2,
	MLX5LM_ESWITCH_SWITCHDEV_INACTIVE = 3
};

/**
 * enum mlx5lm_port_attr - an on/off attribute of a devlink port function
 * @MLX5LM_PORT_ATTR_UNKNOWN: none
 * @MLX5LM_PORT_ATTR_ROCE: devlink "roce"
 * @MLX5LM_PORT_ATTR_MIGRATABLE: devlink "migratable"
 * @MLX5LM_PORT_ATTR_IPSEC_CRYPTO: devlink "ipsec_crypto"
 * @MLX5LM_PORT_ATTR_IPSEC_PACKET: devlink "ipsec_packet"
 *
 * Since: 0.1
 */
enum mlx5lm_port_attr {
	MLX5LM_PORT_ATTR_UNKNOWN = 0,
	MLX5LM_PORT_ATTR_ROCE = 1,
	MLX5LM_PORT_ATTR_MIGRATABLE = 2,
	MLX5LM_PORT_ATTR_IPSEC_CRYPTO = 3,
	MLX5LM_PORT_ATTR_IPSEC_PACKET = 4
};

/**
 * enum mlx5lm_port_attr_state - state of such an attribute
 * @MLX5LM_PORT_ATTR_STATE_UNKNOWN: no devlink port (legacy mode), or not readable
 * @MLX5LM_PORT_ATTR_STATE_UNSUPPORTED: kernel or firmware does not offer it
 * @MLX5LM_PORT_ATTR_STATE_DISABLED: devlink "disable"
 * @MLX5LM_PORT_ATTR_STATE_ENABLED: devlink "enable"
 *
 * Since: 0.1
 */
enum mlx5lm_port_attr_state {
	MLX5LM_PORT_ATTR_STATE_UNKNOWN = 0,
	MLX5LM_PORT_ATTR_STATE_UNSUPPORTED = 1,
	MLX5LM_PORT_ATTR_STATE_DISABLED = 2,
	MLX5LM_PORT_ATTR_STATE_ENABLED = 3
};

/**
 * enum mlx5lm_host_key - facts about a host
 * @MLX5LM_HOST_UNKNOWN: none
 * @MLX5LM_HOST_HOSTNAME: str, nodename of the kernel
 * @MLX5LM_HOST_BOOT_ID: str, /proc/sys/kernel/random/boot_id
 * @MLX5LM_HOST_KERNEL_RELEASE: str, as uname -r
 * @MLX5LM_HOST_ARCHITECTURE: str, as uname -m
 * @MLX5LM_HOST_IOMMU_ACTIVE: u64, enum mlx5lm_answer
 * @MLX5LM_HOST_LIBVIRT_URI: str, the URI that was asked
 * @MLX5LM_HOST_LIBVIRT_UUID: str, the host UUID libvirt uses to tell hosts apart
 * @MLX5LM_HOST_LIBVIRT_CLIENT_VERSION: u64, major * 1000000 + minor * 1000 + release
 * @MLX5LM_HOST_LIBVIRT_DAEMON_VERSION: u64, the same of the daemon
 * @MLX5LM_HOST_QEMU_VERSION: u64, the same of the daemon's QEMU
 * @MLX5LM_HOST_KERNEL_VERSION: u64, the numbers of the release, as libvirt counts: 6.12.95
 *	is 6012095 (since 0.2, as all that follow)
 * @MLX5LM_HOST_KERNEL_CMDLINE: str, those parameters of the kernel's command line that bear
 *	on live migration; all others may be secrets and are left out
 * @MLX5LM_HOST_KERNEL_CONFIG_SOURCE: str, file that mlx5lm_host_get_kernel_config() is from
 * @MLX5LM_HOST_KERNEL_TAINTED: u64, bits as in /proc/sys/kernel/tainted
 * @MLX5LM_HOST_KERNEL_LOCKDOWN: u64, enum mlx5lm_lockdown
 * @MLX5LM_HOST_KERNEL_MODULES_DISABLED: u64, enum mlx5lm_answer: no module can be loaded
 * @MLX5LM_HOST_PAGE_SIZE_BYTES: u64
 * @MLX5LM_HOST_IOMMUFD: u64, enum mlx5lm_answer: the kernel offers /dev/iommu
 * @MLX5LM_HOST_VFIO_CONTAINER: u64, enum mlx5lm_answer: the kernel offers /dev/vfio/vfio
 * @MLX5LM_HOST_VFIO_CDEV: u64, enum mlx5lm_answer: VFIO devices have nodes of their own
 * @MLX5LM_HOST_VFIO_NOIOMMU: u64, enum mlx5lm_answer: VFIO works without IOMMU
 * @MLX5LM_HOST_VFIO_UNSAFE_INTERRUPTS: u64, enum mlx5lm_answer: VFIO works without
 *	interrupt remapping
 * @MLX5LM_HOST_VFIO_PCI_IDS: str, ids that vfio-pci takes for itself ("15b3:101e,...")
 * @MLX5LM_HOST_MEMLOCK_LIMIT_BYTES: u64, of this process; INT64_MAX: no limit
 * @MLX5LM_HOST_MEMORY_TOTAL_BYTES: u64
 * @MLX5LM_HOST_HUGEPAGE_SIZE_BYTES: u64, the default size
 * @MLX5LM_HOST_HUGEPAGES_TOTAL: u64, of that size
 * @MLX5LM_HOST_HUGEPAGES_FREE: u64, of that size
 * @MLX5LM_HOST_LIBVIRT_LIVE_MIGRATION: u64, enum mlx5lm_answer
 * @MLX5LM_HOST_LIBVIRT_MIGRATION_TRANSPORTS: str, separated by spaces: "rdma tcp"
 * @MLX5LM_HOST_CPU_MODEL: str, as libvirt names it
 * @MLX5LM_HOST_CPU_VENDOR: str, as libvirt names it
 *
 * Since: 0.1
 */
enum mlx5lm_host_key {
	MLX5LM_HOST_UNKNOWN = 0,
	MLX5LM_HOST_HOSTNAME = 1,
	MLX5LM_HOST_BOOT_ID = 2,
	MLX5LM_HOST_KERNEL_RELEASE = 3,
	MLX5LM_HOST_ARCHITECTURE = 4,
	MLX5LM_HOST_IOMMU_ACTIVE = 5,
	MLX5LM_HOST_LIBVIRT_URI = 6,
	MLX5LM_HOST_LIBVIRT_UUID = 7,
	MLX5LM_HOST_LIBVIRT_CLIENT_VERSION = 8,
	MLX5LM_HOST_LIBVIRT_DAEMON_VERSION = 9,
	MLX5LM_HOST_QEMU_VERSION = 10,
	MLX5LM_HOST_KERNEL_VERSION = 11,
	MLX5LM_HOST_KERNEL_CMDLINE = 12,
	MLX5LM_HOST_KERNEL_CONFIG_SOURCE = 13,
	MLX5LM_HOST_KERNEL_TAINTED = 14,
	MLX5LM_HOST_KERNEL_LOCKDOWN = 15,
	MLX5LM_HOST_KERNEL_MODULES_DISABLED = 16,
	MLX5LM_HOST_PAGE_SIZE_BYTES = 17,
	MLX5LM_HOST_IOMMUFD = 18,
	MLX5LM_HOST_VFIO_CONTAINER = 19,
	MLX5LM_HOST_VFIO_CDEV = 20,
	MLX5LM_HOST_VFIO_NOIOMMU = 21,
	MLX5LM_HOST_VFIO_UNSAFE_INTERRUPTS = 22,
	MLX5LM_HOST_VFIO_PCI_IDS = 23,
	MLX5LM_HOST_MEMLOCK_LIMIT_BYTES = 24,
	MLX5LM_HOST_MEMORY_TOTAL_BYTES = 25,
	MLX5LM_HOST_HUGEPAGE_SIZE_BYTES = 26,
	MLX5LM_HOST_HUGEPAGES_TOTAL = 27,
	MLX5LM_HOST_HUGEPAGES_FREE = 28,
	MLX5LM_HOST_LIBVIRT_LIVE_MIGRATION = 29,
	MLX5LM_HOST_LIBVIRT_MIGRATION_TRANSPORTS = 30,
	MLX5LM_HOST_CPU_MODEL = 31,
	MLX5LM_HOST_CPU_VENDOR = 32
};

/**
 * enum mlx5lm_module_key - facts about a kernel module
 * @MLX5LM_MODULE_KEY_UNKNOWN: none
 * @MLX5LM_MODULE_KEY_NAME: str, with underscores
 * @MLX5LM_MODULE_KEY_STATE: u64, enum mlx5lm_module_state
 * @MLX5LM_MODULE_KEY_SOURCE: str, what told the state: "sysfs", "proc", "modules.dep" or
 *	"modules.builtin"
 * @MLX5LM_MODULE_KEY_PATH: str, its file
 * @MLX5LM_MODULE_KEY_VERSION: str; modules of the kernel itself have none as a rule
 * @MLX5LM_MODULE_KEY_SRCVERSION: str
 * @MLX5LM_MODULE_KEY_IN_TREE: u64, enum mlx5lm_answer: it was built with the kernel
 * @MLX5LM_MODULE_KEY_BLACKLISTED: u64, enum mlx5lm_answer: modprobe by alias passes it over
 *
 * Since: 0.2
 */
enum mlx5lm_module_key {
	MLX5LM_MODULE_KEY_UNKNOWN = 0,
	MLX5LM_MODULE_KEY_NAME = 1,
	MLX5LM_MODULE_KEY_STATE = 2,
	MLX5LM_MODULE_KEY_SOURCE = 3,
	MLX5LM_MODULE_KEY_PATH = 4,
	MLX5LM_MODULE_KEY_VERSION = 5,
	MLX5LM_MODULE_KEY_SRCVERSION = 6,
	MLX5LM_MODULE_KEY_IN_TREE = 7,
	MLX5LM_MODULE_KEY_BLACKLISTED = 8
};

/**
 * enum mlx5lm_privilege_key - facts about a right that a later step needs
 * @MLX5LM_PRIVILEGE_UNKNOWN: none
 * @MLX5LM_PRIVILEGE_NAME: str, the step: the id of a plan's step ("eswitch-mode", "num-vfs",
 *	"port-attr", "driver-override", "bind", "unbind", "load-module", ...), or
 *	"read-eswitch-mode", "read-msix", "open-vfio", "nv-config", "libvirt"
 * @MLX5LM_PRIVILEGE_GRANTED: u64, enum mlx5lm_answer: this process could do it
 * @MLX5LM_PRIVILEGE_NEEDS: str, what it takes, and what of it is missing
 *
 * Since: 0.2
 */
enum mlx5lm_privilege_key {
	MLX5LM_PRIVILEGE_UNKNOWN = 0,
	MLX5LM_PRIVILEGE_NAME = 1,
	MLX5LM_PRIVILEGE_GRANTED = 2,
	MLX5LM_PRIVILEGE_NEEDS = 3
};

/**
 * enum mlx5lm_nv_key - facts about a parameter of the adapter's NV configuration
 * @MLX5LM_NV_UNKNOWN: none
 * @MLX5LM_NV_NAME: str, as mlxconfig names it: "SRIOV_EN", "NUM_OF_VFS",
 *	"VF_MIGRATION_MODE", "LINK_TYPE_P1" or "LINK_TYPE_P2"
 * @MLX5LM_NV_SUPPORTED: u64, enum mlx5lm_answer; NO: this adapter or its firmware has no
 *	such parameter
 * @MLX5LM_NV_READ_ONLY: u64, enum mlx5lm_answer
 * @MLX5LM_NV_DEFAULT: u64, value after a reset to defaults
 * @MLX5LM_NV_CURRENT: u64, value in effect
 * @MLX5LM_NV_NEXT_BOOT: u64, value after the next reboot or firmware reset
 *
 * VF_MIGRATION_MODE is 0 device default, 1 disabled, 2 enabled; LINK_TYPE is 1 InfiniBand,
 * 2 Ethernet.
 *
 * Since: 0.2
 */
enum mlx5lm_nv_key {
	MLX5LM_NV_UNKNOWN = 0,
	MLX5LM_NV_NAME = 1,
	MLX5LM_NV_SUPPORTED = 2,
	MLX5LM_NV_READ_ONLY = 3,
	MLX5LM_NV_DEFAULT = 4,
	MLX5LM_NV_CURRENT = 5,
	MLX5LM_NV_NEXT_BOOT = 6
};

/**
 * enum mlx5lm_param_key - facts about a devlink parameter; all are str, as devlink prints them
 * @MLX5LM_PARAM_UNKNOWN: none
 * @MLX5LM_PARAM_NAME: its name, such as "total_vfs"
 * @MLX5LM_PARAM_RUNTIME: value in configuration mode "runtime"
 * @MLX5LM_PARAM_DRIVERINIT: value in configuration mode "driverinit"
 * @MLX5LM_PARAM_PERMANENT: value in configuration mode "permanent": that of the next boot
 *
 * Since: 0.2
 */
enum mlx5lm_param_key {
	MLX5LM_PARAM_UNKNOWN = 0,
	MLX5LM_PARAM_NAME = 1,
	MLX5LM_PARAM_RUNTIME = 2,
	MLX5LM_PARAM_DRIVERINIT = 3,
	MLX5LM_PARAM_PERMANENT = 4
};

/**
 * enum mlx5lm_pf_key - facts about a physical function
 * @MLX5LM_PF_UNKNOWN: none
 * @MLX5LM_PF_BDF: str, PCI address with its domain
 * @MLX5LM_PF_VENDOR_ID: u64
 * @MLX5LM_PF_DEVICE_ID: u64
 * @MLX5LM_PF_SUBSYSTEM_VENDOR_ID: u64
 * @MLX5LM_PF_SUBSYSTEM_DEVICE_ID: u64
 * @MLX5LM_PF_REVISION: u64
 * @MLX5LM_PF_CLASS: u64, PCI class code, 24 bits
 * @MLX5LM_PF_NUMA_NODE: u64, not known where the machine has no NUMA
 * @MLX5LM_PF_DRIVER: str, the bound driver
 * @MLX5LM_PF_NETDEV: str, first network device of the function
 * @MLX5LM_PF_PSID: str, devlink fw.psid
 * @MLX5LM_PF_FW_RUNNING: str, devlink running fw.version
 * @MLX5LM_PF_FW_STORED: str, devlink stored fw.version
 * @MLX5LM_PF_SERIAL_NUMBER: str, devlink serial number or VPD "SN"
 * @MLX5LM_PF_ESWITCH_MODE: u64, enum mlx5lm_eswitch_mode
 * @MLX5LM_PF_SRIOV_TOTAL_VFS: u64
 * @MLX5LM_PF_SRIOV_NUM_VFS: u64
 * @MLX5LM_PF_SRIOV_OFFSET: u64, First VF Offset
 * @MLX5LM_PF_SRIOV_STRIDE: u64, VF Stride
 * @MLX5LM_PF_SRIOV_VF_DEVICE_ID: u64
 * @MLX5LM_PF_SRIOV_AUTOPROBE: u64, enum mlx5lm_answer, sriov_drivers_autoprobe
 * @MLX5LM_PF_MODEL: str, "ConnectX-7" and the like (since 0.2, as all that follow)
 * @MLX5LM_PF_LINK_TYPE: u64, enum mlx5lm_link_type
 * @MLX5LM_PF_LINK_STATE: str, operstate of the netdev
 * @MLX5LM_PF_LINK_SPEED_MBPS: u64, of the netdev
 * @MLX5LM_PF_RDMA_DEVICE: str
 * @MLX5LM_PF_PCIE_LINK_SPEED: str, "16.0 GT/s PCIe"
 * @MLX5LM_PF_PCIE_LINK_WIDTH: u64, lanes
 * @MLX5LM_PF_BOARD_SERIAL_NUMBER: str, devlink
 * @MLX5LM_PF_DEVLINK_DRIVER: str, the driver devlink names
 * @MLX5LM_PF_ESWITCH_MANAGER: u64, enum mlx5lm_answer; NO: the Arm side of a BlueField manages
 *	the eswitch, and nothing can be configured from here
 * @MLX5LM_PF_SRIOV_VF_TOTAL_MSIX: u64, MSI-X vectors for all VFs together
 * @MLX5LM_PF_NV_SOURCE: str, what told the NV configuration: "devlink", "mstconfig",
 *	"mlxconfig"
 * @MLX5LM_PF_NV_SOURCE_VERSION: str, version of that tool
 * @MLX5LM_PF_NV_PENDING: u64, enum mlx5lm_answer: a reboot or firmware reset will change it
 *
 * Since: 0.1
 */
enum mlx5lm_pf_key {
	MLX5LM_PF_UNKNOWN = 0,
	MLX5LM_PF_BDF = 1,
	MLX5LM_PF_VENDOR_ID = 2,
	MLX5LM_PF_DEVICE_ID = 3,
	MLX5LM_PF_SUBSYSTEM_VENDOR_ID = 4,
	MLX5LM_PF_SUBSYSTEM_DEVICE_ID = 5,
	MLX5LM_PF_REVISION = 6,
	MLX5LM_PF_CLASS = 7,
	MLX5LM_PF_NUMA_NODE = 8,
	MLX5LM_PF_DRIVER = 9,
	MLX5LM_PF_NETDEV = 10,
	MLX5LM_PF_PSID = 11,
	MLX5LM_PF_FW_RUNNING = 12,
	MLX5LM_PF_FW_STORED = 13,
	MLX5LM_PF_SERIAL_NUMBER = 14,
	MLX5LM_PF_ESWITCH_MODE = 15,
	MLX5LM_PF_SRIOV_TOTAL_VFS = 16,
	MLX5LM_PF_SRIOV_NUM_VFS = 17,
	MLX5LM_PF_SRIOV_OFFSET = 18,
	MLX5LM_PF_SRIOV_STRIDE = 19,
	MLX5LM_PF_SRIOV_VF_DEVICE_ID = 20,
	MLX5LM_PF_SRIOV_AUTOPROBE = 21,
	MLX5LM_PF_MODEL = 22,
	MLX5LM_PF_LINK_TYPE = 23,
	MLX5LM_PF_LINK_STATE = 24,
	MLX5LM_PF_LINK_SPEED_MBPS = 25,
	MLX5LM_PF_RDMA_DEVICE = 26,
	MLX5LM_PF_PCIE_LINK_SPEED = 27,
	MLX5LM_PF_PCIE_LINK_WIDTH = 28,
	MLX5LM_PF_BOARD_SERIAL_NUMBER = 29,
	MLX5LM_PF_DEVLINK_DRIVER = 30,
	MLX5LM_PF_ESWITCH_MANAGER = 31,
	MLX5LM_PF_SRIOV_VF_TOTAL_MSIX = 32,
	MLX5LM_PF_NV_SOURCE = 33,
	MLX5LM_PF_NV_SOURCE_VERSION = 34,
	MLX5LM_PF_NV_PENDING = 35
};

/**
 * enum mlx5lm_admin_state - whether a netdev is to work
 * @MLX5LM_ADMIN_STATE_UNKNOWN: could not be found out
 * @MLX5LM_ADMIN_STATE_UP: up
 * @MLX5LM_ADMIN_STATE_DOWN: down
 *
 * Since: 0.3
 */
enum mlx5lm_admin_state {
	MLX5LM_ADMIN_STATE_UNKNOWN = 0,
	MLX5LM_ADMIN_STATE_UP = 1,
	MLX5LM_ADMIN_STATE_DOWN = 2
};

/**
 * enum mlx5lm_vf_key - facts about a virtual function
 * @MLX5LM_VF_UNKNOWN: none
 * @MLX5LM_VF_BDF: str, PCI address with its domain
 * @MLX5LM_VF_INDEX: u64, the N of the PF's virtfnN
 * @MLX5LM_VF_VENDOR_ID: u64
 * @MLX5LM_VF_DEVICE_ID: u64
 * @MLX5LM_VF_DRIVER: str, the bound driver
 * @MLX5LM_VF_DRIVER_OVERRIDE: str
 * @MLX5LM_VF_IOMMU_GROUP: u64
 * @MLX5LM_VF_MSIX_COUNT: u64, MSI-X vectors
 * @MLX5LM_VF_HW_ADDR: str, devlink port function hw_addr
 * @MLX5LM_VF_REPRESENTOR: str, netdev of the devlink port
 * @MLX5LM_VF_ROCE: u64, enum mlx5lm_port_attr_state
 * @MLX5LM_VF_MIGRATABLE: u64, enum mlx5lm_port_attr_state
 * @MLX5LM_VF_IPSEC_CRYPTO: u64, enum mlx5lm_port_attr_state
 * @MLX5LM_VF_IPSEC_PACKET: u64, enum mlx5lm_port_attr_state
 * @MLX5LM_VF_MAX_IO_EQS: u64
 * @MLX5LM_VF_IN_USE_BY: str, name of the running libvirt domain that owns it
 * @MLX5LM_VF_PORT_INDEX: u64, index of the devlink port below the PF's handle
 * @MLX5LM_VF_BEST_DRIVER: str, VFIO driver whose aliases fit the VF best (since 0.2, as all
 *	that follow)
 * @MLX5LM_VF_BIND_STATE: u64, enum mlx5lm_bind_state
 * @MLX5LM_VF_IOMMU_GROUP_VIABLE: u64, enum mlx5lm_answer: nothing else in the group is in
 *	the hands of a host driver
 * @MLX5LM_VF_VFIO_DEVICE: str, "vfio0"
 * @MLX5LM_VF_VFIO_MIGRATION: u64, enum mlx5lm_answer: the VFIO device can be migrated
 * @MLX5LM_VF_VFIO_MIGRATION_FLAGS: u64, enum mlx5lm_vfio_migration_flag
 * @MLX5LM_VF_VFIO_DIRTY_TRACKING: u64, enum mlx5lm_answer: the device logs its DMA
 * @MLX5LM_VF_VFIO_SOURCE: str, what told these three: "debugfs", "cdev" or "group"
 * @MLX5LM_VF_IN_USE_PID: u64, process that holds the VF open through VFIO
 * @MLX5LM_VF_IN_USE_COMM: str, name of that process
 * @MLX5LM_VF_REPRESENTOR_STATE: u64, enum mlx5lm_admin_state (since 0.3)
 *
 * Since: 0.1
 */
enum mlx5lm_vf_key {
	MLX5LM_VF_UNKNOWN = 0,
	MLX5LM_VF_BDF = 1,
	MLX5LM_VF_INDEX = 2,
	MLX5LM_VF_VENDOR_ID = 3,
	MLX5LM_VF_DEVICE_ID = 4,
	MLX5LM_VF_DRIVER = 5,
	MLX5LM_VF_DRIVER_OVERRIDE = 6,
	MLX5LM_VF_IOMMU_GROUP = 7,
	MLX5LM_VF_MSIX_COUNT = 8,
	MLX5LM_VF_HW_ADDR = 9,
	MLX5LM_VF_REPRESENTOR = 10,
	MLX5LM_VF_ROCE = 11,
	MLX5LM_VF_MIGRATABLE = 12,
	MLX5LM_VF_IPSEC_CRYPTO = 13,
	MLX5LM_VF_IPSEC_PACKET = 14,
	MLX5LM_VF_MAX_IO_EQS = 15,
	MLX5LM_VF_IN_USE_BY = 16,
	MLX5LM_VF_PORT_INDEX = 17,
	MLX5LM_VF_BEST_DRIVER = 18,
	MLX5LM_VF_BIND_STATE = 19,
	MLX5LM_VF_IOMMU_GROUP_VIABLE = 20,
	MLX5LM_VF_VFIO_DEVICE = 21,
	MLX5LM_VF_VFIO_MIGRATION = 22,
	MLX5LM_VF_VFIO_MIGRATION_FLAGS = 23,
	MLX5LM_VF_VFIO_DIRTY_TRACKING = 24,
	MLX5LM_VF_VFIO_SOURCE = 25,
	MLX5LM_VF_IN_USE_PID = 26,
	MLX5LM_VF_IN_USE_COMM = 27,
	MLX5LM_VF_REPRESENTOR_STATE = 28
};

/**
 * mlx5lm_probe_options_new() - make options for mlx5lm_host_probe()
 * @ret: where to put them; yours, release with mlx5lm_probe_options_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.1
 */
int mlx5lm_probe_options_new(struct mlx5lm_probe_options **ret);

/**
 * mlx5lm_probe_options_set_libvirt_uri() - which libvirt daemon to ask
 * @options: options
 * @uri: libvirt URI (copied); NULL asks none and leaves the libvirt facts unknown
 *
 * The default is "qemu:///system". libvirt itself prints a failed attempt to connect on
 * stderr, unless the program has called virSetErrorFunc(); it can be silenced for an open
 * connection only, which the library does.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_probe_options_set_libvirt_uri(struct mlx5lm_probe_options *options, const char *uri);

/**
 * mlx5lm_probe_options_set_timeout_ms() - how long a probe may take
 * @options: options
 * @timeout_ms: milliseconds for all of it, 100 to 600000; the default is 30000
 *
 * A file that blocks because another process reconfigures the PF, a tool that hangs or a
 * libvirt daemon that does not answer then costs at most this; its facts stay unknown, with a
 * note, and the rest is there. What was waited for goes on in the background until it ends;
 * a read that waits in the kernel for a lock keeps the process from going before.
 *
 * Return: 0; -EINVAL; -ERANGE.
 * Thread: one thread at a time on one object. Since: 0.2
 */
int mlx5lm_probe_options_set_timeout_ms(struct mlx5lm_probe_options *options, uint32_t timeout_ms);

/**
 * mlx5lm_probe_options_set_nv_tools() - may the probe run mstconfig or mlxconfig?
 * @options: options
 * @allowed: 0 no (the default), else yes
 *
 * The NV configuration is read from devlink's permanent parameters where the kernel has them.
 * The rest of it only mstconfig or mlxconfig can tell: they are looked for in the usual
 * directories for programs, run without a shell and with a deadline, and only read.
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.2
 */
int mlx5lm_probe_options_set_nv_tools(struct mlx5lm_probe_options *options, int allowed);

/**
 * mlx5lm_probe_options_set_open_vfs() - may the probe open VFs through VFIO?
 * @options: options
 * @allowed: 0 no (the default), else yes
 *
 * The VFIO migration flags are read from debugfs where the kernel has them there (Linux 6.18
 * with CONFIG_VFIO_DEBUGFS). Else only opening the VF tells them, **which resets it**, takes
 * 100 ms or more each, and is done only on VFs that are bound to a VFIO driver and that
 * nobody uses.
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.2
 */
int mlx5lm_probe_options_set_open_vfs(struct mlx5lm_probe_options *options, int allowed);

/**
 * mlx5lm_probe_options_free() - release options
 * @options: options, may be NULL
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_probe_options_free(struct mlx5lm_probe_options *options);

/**
 * mlx5lm_host_probe() - learn everything about this host
 * @ctx: a context
 * @options: options, may be NULL for the defaults
 * @ret: where to put the snapshot; yours, release with mlx5lm_host_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Reads only, starts no program unless the options allow it, needs no rights. What cannot be
 * found out stays unknown and is explained by mlx5lm_host_get_note(); it is never a failure
 * and never a "no". Reading the eswitch mode needs CAP_NET_ADMIN.
 *
 * Return: 0; -EINVAL; -ENOMEM; -ENOENT if the context's root has no sys/bus/pci.
 * Thread: blocks (milliseconds; at most the timeout of @options). Since: 0.1
 */
int mlx5lm_host_probe(struct mlx5lm_ctx *ctx, const struct mlx5lm_probe_options *options,
		      struct mlx5lm_host **ret, struct mlx5lm_error **reterr);

/**
 * mlx5lm_host_parse() - read a snapshot of another host
 * @json: what mlx5lm_host_serialize() gave there; need not be NUL-terminated
 * @length: length of @json in bytes, at most 256 KiB
 * @ret: where to put the snapshot; yours, release with mlx5lm_host_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * The text is not trusted: sizes, types and ranges are checked (doc/snapshot.md lists the
 * limits). Keys that the library does not know are kept and written again.
 *
 * Return: 0; -EINVAL; -ENOMEM; -EBADMSG if the document is refused, the message names the
 * place; -EFBIG if too large.
 * Thread: any. Since: 0.1
 */
int mlx5lm_host_parse(const char *json, size_t length, struct mlx5lm_host **ret,
		      struct mlx5lm_error **reterr);

/**
 * mlx5lm_host_parse_with_limit() - read a snapshot of another host that may be large
 * @json: as for mlx5lm_host_parse()
 * @length: length of @json in bytes
 * @limit_bytes: refuse more than this; at most 64 MiB
 * @ret: as for mlx5lm_host_parse()
 * @reterr: as for mlx5lm_host_parse()
 *
 * A VF takes about 1 KiB: 256 KiB are enough for one adapter with 127 VFs, not for eight.
 *
 * Return: as mlx5lm_host_parse(); -ERANGE if @limit_bytes is more than 64 MiB.
 * Thread: any. Since: 0.2
 */
int mlx5lm_host_parse_with_limit(const char *json, size_t length, size_t limit_bytes,
				 struct mlx5lm_host **ret, struct mlx5lm_error **reterr);

/**
 * mlx5lm_host_serialize() - write a snapshot as JSON
 * @host: a snapshot
 * @ret: where to put the text; yours, release with mlx5lm_text_free()
 *
 * The same snapshot gives the same bytes. No secrets are in it.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_host_serialize(const struct mlx5lm_host *host, struct mlx5lm_text **ret);

/**
 * mlx5lm_host_free() - release a snapshot
 * @host: a snapshot, may be NULL
 *
 * Its PFs, VFs and strings go with it.
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_host_free(struct mlx5lm_host *host);

/**
 * mlx5lm_host_get_str() - a fact about the host, as text
 * @host: a snapshot
 * @key: which
 * @ret: where to put it; borrowed from @host
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no text or not known to this library.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_host_get_str(const struct mlx5lm_host *host, enum mlx5lm_host_key key,
			const char **ret);

/**
 * mlx5lm_host_get_u64() - a fact about the host, as a number
 * @host: a snapshot
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no number or not known to this library.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_host_get_u64(const struct mlx5lm_host *host, enum mlx5lm_host_key key, uint64_t *ret);

/**
 * mlx5lm_host_get_module_state() - state of a kernel module
 * @host: a snapshot
 * @name: "mlx5_core", "mlx5_vfio_pci", "vfio_pci", "vfio", "vfio_iommu_type1", "iommufd" or
 *	"mlx5_fwctl"
 *
 * Return: the state; MLX5LM_MODULE_UNKNOWN for a module the probe does not look at.
 * Thread: any (immutable). Since: 0.1
 */
enum mlx5lm_module_state mlx5lm_host_get_module_state(const struct mlx5lm_host *host,
						      const char *name);

/**
 * mlx5lm_host_length_modules() - number of kernel modules that were looked at
 * @host: a snapshot, may be NULL
 *
 * Return: the number.
 * Thread: any (immutable). Since: 0.2
 */
size_t mlx5lm_host_length_modules(const struct mlx5lm_host *host);

/**
 * mlx5lm_host_get_module() - one of the kernel modules that were looked at, by its place
 * @host: a snapshot
 * @index: less than mlx5lm_host_length_modules()
 *
 * Return: it, borrowed from the snapshot; NULL if there is none of that index.
 * Thread: any (immutable). Since: 0.2
 */
const struct mlx5lm_module *mlx5lm_host_get_module(const struct mlx5lm_host *host, size_t index);

/**
 * mlx5lm_host_get_module_by_name() - one of the kernel modules that were looked at, by its name
 * @host: a snapshot
 * @name: as its name key tells it
 *
 * Return: it, borrowed from the snapshot; NULL if there is none.
 * Thread: any (immutable). Since: 0.2
 */
const struct mlx5lm_module *mlx5lm_host_get_module_by_name(const struct mlx5lm_host *host,
							   const char *name);

/**
 * mlx5lm_module_get_str() - a fact about a kernel module, as text
 * @module: a kernel module
 * @key: which
 * @ret: where to put it; borrowed from the snapshot
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no text or not known to this library.
 * Thread: any (immutable). Since: 0.2
 */
int mlx5lm_module_get_str(const struct mlx5lm_module *module, enum mlx5lm_module_key key,
			  const char **ret);

/**
 * mlx5lm_module_get_u64() - a fact about a kernel module, as a number
 * @module: a kernel module
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no number or not known to this
 * library.
 * Thread: any (immutable). Since: 0.2
 */
int mlx5lm_module_get_u64(const struct mlx5lm_module *module, enum mlx5lm_module_key key,
			  uint64_t *ret);

/**
 * mlx5lm_host_get_kernel_config() - what the kernel was built with
 * @host: a snapshot
 * @name: such as "CONFIG_MLX5_VFIO_PCI"; "CONFIG_" may be left out
 * @ret: where to put "y", "m", "n" or a value; borrowed from @host
 *
 * The symbols that matter for live migration are there; MLX5LM_HOST_KERNEL_CONFIG_SOURCE names the
 * file they are from.
 *
 * Return: 0; -ENODATA if not known; -EINVAL.
 * Thread: any (immutable). Since: 0.2
 */
int mlx5lm_host_get_kernel_config(const struct mlx5lm_host *host, const char *name,
				  const char **ret);

/**
 * mlx5lm_host_length_privileges() - number of rights that later steps need
 * @host: a snapshot, may be NULL
 *
 * Return: the number.
 * Thread: any (immutable). Since: 0.2
 */
size_t mlx5lm_host_length_privileges(const struct mlx5lm_host *host);

/**
 * mlx5lm_host_get_privilege() - one of the rights that later steps need, by its place
 * @host: a snapshot
 * @index: less than mlx5lm_host_length_privileges()
 *
 * Return: it, borrowed from the snapshot; NULL if there is none of that index.
 * Thread: any (immutable). Since: 0.2
 */
const struct mlx5lm_privilege *mlx5lm_host_get_privilege(const struct mlx5lm_host *host,
							 size_t index);

/**
 * mlx5lm_host_get_privilege_by_name() - one of the rights that later steps need, by its name
 * @host: a snapshot
 * @name: as its name key tells it
 *
 * Return: it, borrowed from the snapshot; NULL if there is none.
 * Thread: any (immutable). Since: 0.2
 */
const struct mlx5lm_privilege *mlx5lm_host_get_privilege_by_name(const struct mlx5lm_host *host,
								 const char *name);

/**
 * mlx5lm_privilege_get_str() - a fact about such a right, as text
 * @privilege: such a right
 * @key: which
 * @ret: where to put it; borrowed from the snapshot
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no text or not known to this library.
 * Thread: any (immutable). Since: 0.2
 */
int mlx5lm_privilege_get_str(const struct mlx5lm_privilege *privilege,
			     enum mlx5lm_privilege_key key, const char **ret);

/**
 * mlx5lm_privilege_get_u64() - a fact about such a right, as a number
 * @privilege: such a right
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no number or not known to this
 * library.
 * Thread: any (immutable). Since: 0.2
 */
int mlx5lm_privilege_get_u64(const struct mlx5lm_privilege *privilege,
			     enum mlx5lm_privilege_key key, uint64_t *ret);

/**
 * mlx5lm_host_length_notes() - number of remarks the probe made
 * @host: a snapshot, may be NULL
 *
 * Return: the number.
 * Thread: any (immutable). Since: 0.1
 */
size_t mlx5lm_host_length_notes(const struct mlx5lm_host *host);

/**
 * mlx5lm_host_get_note() - why something is unknown
 * @host: a snapshot
 * @index: less than mlx5lm_host_length_notes()
 *
 * Return: one line, borrowed from @host; NULL if there is none of that index.
 * Thread: any (immutable). Since: 0.1
 */
const char *mlx5lm_host_get_note(const struct mlx5lm_host *host, size_t index);

/**
 * mlx5lm_host_length_pfs() - number of mlx5 PFs
 * @host: a snapshot, may be NULL
 *
 * Return: the number.
 * Thread: any (immutable). Since: 0.1
 */
size_t mlx5lm_host_length_pfs(const struct mlx5lm_host *host);

/**
 * mlx5lm_host_get_pf() - a PF by its place
 * @host: a snapshot
 * @index: less than mlx5lm_host_length_pfs(); PFs are sorted by BDF
 *
 * Return: the PF, borrowed from @host; NULL if there is none of that index.
 * Thread: any (immutable). Since: 0.1
 */
const struct mlx5lm_pf *mlx5lm_host_get_pf(const struct mlx5lm_host *host, size_t index);

/**
 * mlx5lm_host_get_pf_by_bdf() - a PF by its address
 * @host: a snapshot
 * @bdf: such as "0000:08:00.0"; the domain may be left out
 *
 * Return: the PF, borrowed from @host; NULL if there is none.
 * Thread: any (immutable). Since: 0.1
 */
const struct mlx5lm_pf *mlx5lm_host_get_pf_by_bdf(const struct mlx5lm_host *host, const char *bdf);

/**
 * mlx5lm_pf_get_str() - a fact about a PF, as text
 * @pf: a PF
 * @key: which
 * @ret: where to put it; borrowed from the snapshot
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no text or not known to this library.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_pf_get_str(const struct mlx5lm_pf *pf, enum mlx5lm_pf_key key, const char **ret);

/**
 * mlx5lm_pf_get_u64() - a fact about a PF, as a number
 * @pf: a PF
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no number or not known to this library.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_pf_get_u64(const struct mlx5lm_pf *pf, enum mlx5lm_pf_key key, uint64_t *ret);

/**
 * mlx5lm_pf_length_nvs() - number of parameters of the NV configuration
 * @pf: a PF, may be NULL
 *
 * Return: the number.
 * Thread: any (immutable). Since: 0.2
 */
size_t mlx5lm_pf_length_nvs(const struct mlx5lm_pf *pf);

/**
 * mlx5lm_pf_get_nv() - one of the parameters of the NV configuration, by its place
 * @pf: a PF
 * @index: less than mlx5lm_pf_length_nvs()
 *
 * Return: it, borrowed from the snapshot; NULL if there is none of that index.
 * Thread: any (immutable). Since: 0.2
 */
const struct mlx5lm_nv *mlx5lm_pf_get_nv(const struct mlx5lm_pf *pf, size_t index);

/**
 * mlx5lm_pf_get_nv_by_name() - one of the parameters of the NV configuration, by its name
 * @pf: a PF
 * @name: as its name key tells it
 *
 * Return: it, borrowed from the snapshot; NULL if there is none.
 * Thread: any (immutable). Since: 0.2
 */
const struct mlx5lm_nv *mlx5lm_pf_get_nv_by_name(const struct mlx5lm_pf *pf, const char *name);

/**
 * mlx5lm_nv_get_str() - a fact about such a parameter, as text
 * @nv: such a parameter
 * @key: which
 * @ret: where to put it; borrowed from the snapshot
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no text or not known to this library.
 * Thread: any (immutable). Since: 0.2
 */
int mlx5lm_nv_get_str(const struct mlx5lm_nv *nv, enum mlx5lm_nv_key key, const char **ret);

/**
 * mlx5lm_nv_get_u64() - a fact about such a parameter, as a number
 * @nv: such a parameter
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no number or not known to this
 * library.
 * Thread: any (immutable). Since: 0.2
 */
int mlx5lm_nv_get_u64(const struct mlx5lm_nv *nv, enum mlx5lm_nv_key key, uint64_t *ret);

/**
 * mlx5lm_pf_length_params() - number of devlink parameters
 * @pf: a PF, may be NULL
 *
 * Return: the number.
 * Thread: any (immutable). Since: 0.2
 */
size_t mlx5lm_pf_length_params(const struct mlx5lm_pf *pf);

/**
 * mlx5lm_pf_get_param() - one of the devlink parameters, by its place
 * @pf: a PF
 * @index: less than mlx5lm_pf_length_params()
 *
 * Return: it, borrowed from the snapshot; NULL if there is none of that index.
 * Thread: any (immutable). Since: 0.2
 */
const struct mlx5lm_param *mlx5lm_pf_get_param(const struct mlx5lm_pf *pf, size_t index);

/**
 * mlx5lm_pf_get_param_by_name() - one of the devlink parameters, by its name
 * @pf: a PF
 * @name: as its name key tells it
 *
 * Return: it, borrowed from the snapshot; NULL if there is none.
 * Thread: any (immutable). Since: 0.2
 */
const struct mlx5lm_param *mlx5lm_pf_get_param_by_name(const struct mlx5lm_pf *pf,
						       const char *name);

/**
 * mlx5lm_param_get_str() - a fact about a devlink parameter, as text
 * @param: a devlink parameter
 * @key: which
 * @ret: where to put it; borrowed from the snapshot
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no text or not known to this library.
 * Thread: any (immutable). Since: 0.2
 */
int mlx5lm_param_get_str(const struct mlx5lm_param *param, enum mlx5lm_param_key key,
			 const char **ret);

/**
 * mlx5lm_pf_length_vfs() - number of VFs the PF has now
 * @pf: a PF, may be NULL
 *
 * Return: the number.
 * Thread: any (immutable). Since: 0.1
 */
size_t mlx5lm_pf_length_vfs(const struct mlx5lm_pf *pf);

/**
 * mlx5lm_pf_get_vf() - a VF by its place
 * @pf: a PF
 * @index: less than mlx5lm_pf_length_vfs(); VFs are sorted by their VF index
 *
 * Return: the VF, borrowed from the snapshot; NULL if there is none of that index.
 * Thread: any (immutable). Since: 0.1
 */
const struct mlx5lm_vf *mlx5lm_pf_get_vf(const struct mlx5lm_pf *pf, size_t index);

/**
 * mlx5lm_vf_get_str() - a fact about a VF, as text
 * @vf: a VF
 * @key: which
 * @ret: where to put it; borrowed from the snapshot
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no text or not known to this library.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_vf_get_str(const struct mlx5lm_vf *vf, enum mlx5lm_vf_key key, const char **ret);

/**
 * mlx5lm_vf_get_u64() - a fact about a VF, as a number
 * @vf: a VF
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if not known; -EINVAL if @key is no number or not known to this library.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_vf_get_u64(const struct mlx5lm_vf *vf, enum mlx5lm_vf_key key, uint64_t *ret);

/**
 * mlx5lm_module_state_str() - name of a module state
 * @state: a state
 *
 * Return: a static word such as "loaded"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_module_state_str(enum mlx5lm_module_state state);

/**
 * mlx5lm_lockdown_str() - name of a degree of lockdown
 * @lockdown: a value
 *
 * Return: a static word such as "integrity"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.2
 */
const char *mlx5lm_lockdown_str(enum mlx5lm_lockdown lockdown);

/**
 * mlx5lm_link_type_str() - name of a link type
 * @link_type: a value
 *
 * Return: a static word such as "ethernet"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.2
 */
const char *mlx5lm_link_type_str(enum mlx5lm_link_type link_type);

/**
 * mlx5lm_bind_state_str() - name of a bind state
 * @bind_state: a value
 *
 * Return: a static word such as "needs-rebind"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.2
 */
const char *mlx5lm_bind_state_str(enum mlx5lm_bind_state bind_state);

/**
 * mlx5lm_eswitch_mode_str() - name of an eswitch mode, as devlink spells it
 * @mode: a mode
 *
 * Return: a static word such as "switchdev"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_eswitch_mode_str(enum mlx5lm_eswitch_mode mode);

/**
 * mlx5lm_port_attr_str() - name of a port function attribute, as devlink spells it
 * @attr: an attribute
 *
 * Return: a static word such as "migratable"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_port_attr_str(enum mlx5lm_port_attr attr);

/**
 * mlx5lm_port_attr_state_str() - name of an attribute's state
 * @state: a state
 *
 * Return: a static word: "unsupported", "disable", "enable" or "unknown".
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_port_attr_state_str(enum mlx5lm_port_attr_state state);

#ifdef __cplusplus
}
#endif

#endif
