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
	MLX5LM_HOST_QEMU_VERSION = 10
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
	MLX5LM_PF_SRIOV_AUTOPROBE = 21
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
	MLX5LM_VF_PORT_INDEX = 17
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
 * Reads only, starts no program, needs no rights. What cannot be found out stays unknown
 * and is explained by mlx5lm_host_get_note(); it is never a failure and never a "no".
 * Reading the eswitch mode needs CAP_NET_ADMIN.
 *
 * Return: 0; -EINVAL; -ENOMEM; -ENOENT if the context's root has no sys/bus/pci.
 * Thread: blocks (milliseconds; as long as libvirt takes to answer). Since: 0.1
 */
int mlx5lm_host_probe(struct mlx5lm_ctx *ctx, const struct mlx5lm_probe_options *options,
		      struct mlx5lm_host **ret, struct mlx5lm_error **reterr);

/**
 * mlx5lm_host_parse() - read a snapshot of another host
 * @json: what mlx5lm_host_serialize() gave there; need not be NUL-terminated
 * @length: length of @json in bytes, at most 16 MiB
 * @ret: where to put the snapshot; yours, release with mlx5lm_host_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * The text is not trusted: sizes, types and ranges are checked. Unknown keys are ignored.
 *
 * Return: 0; -EINVAL; -ENOMEM; -EBADMSG if the document is refused; -EFBIG if too large.
 * Thread: any. Since: 0.1
 */
int mlx5lm_host_parse(const char *json, size_t length, struct mlx5lm_host **ret,
		      struct mlx5lm_error **reterr);

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
 * @name: "mlx5_core", "mlx5_vfio_pci", "vfio_pci", "vfio" or "vfio_iommu_type1"
 *
 * Return: the state; MLX5LM_MODULE_UNKNOWN for a module the probe does not look at.
 * Thread: any (immutable). Since: 0.1
 */
enum mlx5lm_module_state mlx5lm_host_get_module_state(const struct mlx5lm_host *host,
						      const char *name);

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
