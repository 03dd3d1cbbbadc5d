// SPDX-License-Identifier: LGPL-2.1-or-later
#include "facts.h"

#include <errno.h>

#include "base/array.h"
#include "base/cleanup.h"

#define NAMES(list)                                                                                \
	{                                                                                          \
		(list), ARRAY_LENGTH(list)                                                         \
	}

static const char *const answers[] = { "unknown", "yes", "no" };
static const char *const module_states[] = { "unknown", "missing", "loadable", "loaded",
					     "builtin" };
static const char *const lockdowns[] = { "unknown", "none", "integrity", "confidentiality" };
static const char *const link_types[] = { "unknown", "ethernet", "infiniband" };
static const char *const eswitch_modes[] = { "unknown", "legacy", "switchdev",
					     "switchdev_inactive" };
static const char *const port_attrs[] = { "unknown", "roce", "migratable", "ipsec_crypto",
					  "ipsec_packet" };
static const char *const port_attr_states[] = { "unknown", "unsupported", "disable", "enable" };
static const char *const bind_states[] = { "unknown", "good", "unbound", "wrong-driver",
					   "needs-rebind" };
static const char *const admin_states[] = { "unknown", "up", "down" };

const struct name_list answer_names = NAMES(answers);
const struct name_list module_state_names = NAMES(module_states);
const struct name_list lockdown_names = NAMES(lockdowns);
const struct name_list link_type_names = NAMES(link_types);
const struct name_list eswitch_mode_names = NAMES(eswitch_modes);
const struct name_list port_attr_names = NAMES(port_attrs);
const struct name_list port_attr_state_names = NAMES(port_attr_states);
const struct name_list admin_state_names = NAMES(admin_states);
const struct name_list bind_state_names = NAMES(bind_states);

const char *name_of(const struct name_list *list, uint32_t value)
{
	return list->names[value < list->length ? value : 0];
}

uint32_t name_value(const struct name_list *list, const char *name)
{
	for (uint32_t i = 0; i < list->length; i++) {
		if (streq(list->names[i], name))
			return i;
	}
	return 0;
}

#define STR(type, key, name, member, source)                                                       \
	{                                                                                          \
		name, key, FACT_STR, offsetof(struct type, member), NULL, source                   \
	}
#define U64(type, key, name, member, source)                                                       \
	{                                                                                          \
		name, key, FACT_U64, offsetof(struct type, member), NULL, source                   \
	}
#define ENUM(type, key, name, member, names, source)                                               \
	{                                                                                          \
		name, key, FACT_ENUM, offsetof(struct type, member), &(names), source              \
	}
#define EXTRA(type)                                                                                \
	{                                                                                          \
		NULL, 0, FACT_EXTRA, offsetof(struct type, extra), NULL, NULL                      \
	}

#define DERIVED "derived by the library"

static const struct fact_field host_fields[] = {
#define HOST_STR(key, member, source)                                                              \
	STR(mlx5lm_host, MLX5LM_HOST_##key, #member, member, source)
#define HOST_U64(key, member, source)                                                              \
	U64(mlx5lm_host, MLX5LM_HOST_##key, #member, member, source)
#define HOST_ENUM(key, member, names, source)                                                      \
	ENUM(mlx5lm_host, MLX5LM_HOST_##key, #member, member, names, source)
	HOST_STR(HOSTNAME, hostname, "/proc/sys/kernel/hostname"),
	HOST_STR(BOOT_ID, boot_id, "/proc/sys/kernel/random/boot_id"),
	HOST_STR(KERNEL_RELEASE, kernel_release, "/proc/sys/kernel/osrelease"),
	HOST_U64(KERNEL_VERSION, kernel_version, DERIVED " from kernel_release"),
	HOST_STR(ARCHITECTURE, architecture, "/proc/sys/kernel/arch"),
	HOST_U64(PAGE_SIZE_BYTES, page_size_bytes, "sysconf(_SC_PAGESIZE)"),
	HOST_STR(KERNEL_CMDLINE, kernel_cmdline, "/proc/cmdline"),
	HOST_STR(KERNEL_CONFIG_SOURCE, kernel_config_source, "the file it names"),
	HOST_U64(KERNEL_TAINTED, kernel_tainted, "/proc/sys/kernel/tainted"),
	HOST_ENUM(KERNEL_LOCKDOWN, kernel_lockdown, lockdown_names,
		  "/sys/kernel/security/lockdown"),
	HOST_ENUM(KERNEL_MODULES_DISABLED, kernel_modules_disabled, answer_names,
		  "/proc/sys/kernel/modules_disabled"),
	HOST_ENUM(IOMMU_ACTIVE, iommu_active, answer_names,
		  "/sys/class/iommu, /sys/kernel/iommu_groups"),
	HOST_ENUM(IOMMUFD, iommufd, answer_names, "/dev/iommu"),
	HOST_ENUM(VFIO_CONTAINER, vfio_container, answer_names, "/dev/vfio/vfio"),
	HOST_ENUM(VFIO_CDEV, vfio_cdev, answer_names, "/sys/class/vfio-dev/*/dev"),
	HOST_ENUM(VFIO_NOIOMMU, vfio_noiommu, answer_names,
		  "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"),
	HOST_ENUM(VFIO_UNSAFE_INTERRUPTS, vfio_unsafe_interrupts, answer_names,
		  "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"),
	HOST_STR(VFIO_PCI_IDS, vfio_pci_ids, "/proc/cmdline, modprobe.d"),
	HOST_U64(MEMLOCK_LIMIT_BYTES, memlock_limit_bytes, "getrlimit(RLIMIT_MEMLOCK)"),
	HOST_U64(MEMORY_TOTAL_BYTES, memory_total_bytes, "/proc/meminfo MemTotal"),
	HOST_U64(HUGEPAGE_SIZE_BYTES, hugepage_size_bytes, "/proc/meminfo Hugepagesize"),
	HOST_U64(HUGEPAGES_TOTAL, hugepages_total, "/proc/meminfo HugePages_Total"),
	HOST_U64(HUGEPAGES_FREE, hugepages_free, "/proc/meminfo HugePages_Free"),
	HOST_STR(LIBVIRT_URI, libvirt_uri, "the caller"),
	HOST_STR(LIBVIRT_UUID, libvirt_uuid, "virConnectGetCapabilities host/uuid"),
	HOST_U64(LIBVIRT_CLIENT_VERSION, libvirt_client_version, "virGetVersion"),
	HOST_U64(LIBVIRT_DAEMON_VERSION, libvirt_daemon_version, "virConnectGetLibVersion"),
	HOST_U64(QEMU_VERSION, qemu_version, "virConnectGetVersion"),
	HOST_ENUM(LIBVIRT_LIVE_MIGRATION, libvirt_live_migration, answer_names,
		  "virConnectGetCapabilities host/migration_features/live"),
	HOST_STR(LIBVIRT_MIGRATION_TRANSPORTS, libvirt_migration_transports,
		 "virConnectGetCapabilities host/migration_features/uri_transports"),
	HOST_STR(CPU_MODEL, cpu_model, "virConnectGetCapabilities host/cpu/model"),
	HOST_STR(CPU_VENDOR, cpu_vendor, "virConnectGetCapabilities host/cpu/vendor"),
	EXTRA(mlx5lm_host),
};

static const struct fact_field module_fields[] = {
	STR(mlx5lm_module, MLX5LM_MODULE_KEY_NAME, "name", name, "the library"),
	ENUM(mlx5lm_module, MLX5LM_MODULE_KEY_STATE, "state", state, module_state_names,
	     "the source it names"),
	STR(mlx5lm_module, MLX5LM_MODULE_KEY_SOURCE, "source", source, "the library"),
	STR(mlx5lm_module, MLX5LM_MODULE_KEY_PATH, "path", path,
	    "libkmod; modules.dep of a recorded tree"),
	STR(mlx5lm_module, MLX5LM_MODULE_KEY_VERSION, "version", version,
	    "/sys/module/{name}/version, modinfo"),
	STR(mlx5lm_module, MLX5LM_MODULE_KEY_SRCVERSION, "srcversion", srcversion,
	    "/sys/module/{name}/srcversion, modinfo"),
	ENUM(mlx5lm_module, MLX5LM_MODULE_KEY_IN_TREE, "in_tree", in_tree, answer_names,
	     "/sys/module/{name}/taint, modinfo intree"),
	ENUM(mlx5lm_module, MLX5LM_MODULE_KEY_BLACKLISTED, "blacklisted", blacklisted,
	     answer_names, "modprobe.d, /proc/cmdline"),
	EXTRA(mlx5lm_module),
};

static const struct fact_field config_fields[] = {
	STR(config_fact, 0, "name", name, NULL),
	STR(config_fact, 0, "value", value, NULL),
	EXTRA(config_fact),
};

static const struct fact_field privilege_fields[] = {
	STR(mlx5lm_privilege, MLX5LM_PRIVILEGE_NAME, "name", name, NULL),
	ENUM(mlx5lm_privilege, MLX5LM_PRIVILEGE_GRANTED, "granted", granted, answer_names, NULL),
	STR(mlx5lm_privilege, MLX5LM_PRIVILEGE_NEEDS, "needs", needs, NULL),
	EXTRA(mlx5lm_privilege),
};

static const struct fact_field note_fields[] = {
	STR(note, 0, "object", object, NULL),
	STR(note, 0, "facts", facts, NULL),
	STR(note, 0, "text", text, NULL),
	EXTRA(note),
};

static const struct fact_field pf_fields[] = {
#define D "/sys/bus/pci/devices/{bdf}/"
#define INFO "devlink pci/{bdf} DEVLINK_CMD_INFO_GET "
#define PF_STR(key, member, source) STR(mlx5lm_pf, MLX5LM_PF_##key, #member, member, source)
#define PF_U64(key, member, source) U64(mlx5lm_pf, MLX5LM_PF_##key, #member, member, source)
#define PF_ENUM(key, member, names, source)                                                        \
	ENUM(mlx5lm_pf, MLX5LM_PF_##key, #member, member, names, source)
	PF_STR(BDF, bdf, "/sys/bus/pci/devices"),
	PF_U64(VENDOR_ID, vendor_id, D "vendor"),
	PF_U64(DEVICE_ID, device_id, D "device"),
	PF_STR(MODEL, model, DERIVED " from device_id"),
	PF_U64(SUBSYSTEM_VENDOR_ID, subsystem_vendor_id, D "subsystem_vendor"),
	PF_U64(SUBSYSTEM_DEVICE_ID, subsystem_device_id, D "subsystem_device"),
	PF_U64(REVISION, revision, D "revision"),
	U64(mlx5lm_pf, MLX5LM_PF_CLASS, "class", class_code, D "class"),
	PF_ENUM(LINK_TYPE, link_type, link_type_names, DERIVED " from class"),
	PF_U64(NUMA_NODE, numa_node, D "numa_node"),
	PF_STR(DRIVER, driver, D "driver"),
	PF_STR(NETDEV, netdev, D "net"),
	PF_STR(LINK_STATE, link_state, D "net/*/operstate"),
	PF_U64(LINK_SPEED_MBPS, link_speed_mbps, D "net/*/speed"),
	PF_STR(RDMA_DEVICE, rdma_device, D "infiniband"),
	PF_STR(PCIE_LINK_SPEED, pcie_link_speed, D "current_link_speed"),
	PF_U64(PCIE_LINK_WIDTH, pcie_link_width, D "current_link_width"),
	PF_STR(PSID, psid, INFO "INFO_VERSION_FIXED(100) fw.psid"),
	PF_STR(FW_RUNNING, fw_running, INFO "INFO_VERSION_RUNNING(101) fw.version"),
	PF_STR(FW_STORED, fw_stored, INFO "INFO_VERSION_STORED(102) fw.version"),
	PF_STR(SERIAL_NUMBER, serial_number,
	       INFO "INFO_SERIAL_NUMBER(99), INFO_BOARD_SERIAL_NUMBER(146), " D "vpd SN"),
	PF_STR(BOARD_SERIAL_NUMBER, board_serial_number, INFO "INFO_BOARD_SERIAL_NUMBER(146)"),
	PF_STR(DEVLINK_DRIVER, devlink_driver, INFO "INFO_DRIVER_NAME(98)"),
	PF_ENUM(ESWITCH_MODE, eswitch_mode, eswitch_mode_names,
		"devlink pci/{bdf} DEVLINK_CMD_ESWITCH_GET ESWITCH_MODE(25)"),
	PF_ENUM(ESWITCH_MANAGER, eswitch_manager, answer_names,
		"devlink pci/{bdf} DEVLINK_CMD_ESWITCH_GET"),
	PF_U64(SRIOV_TOTAL_VFS, sriov_total_vfs, D "sriov_totalvfs"),
	PF_U64(SRIOV_NUM_VFS, sriov_num_vfs, D "virtfn*"),
	PF_U64(SRIOV_OFFSET, sriov_offset, D "sriov_offset"),
	PF_U64(SRIOV_STRIDE, sriov_stride, D "sriov_stride"),
	PF_U64(SRIOV_VF_DEVICE_ID, sriov_vf_device_id, D "sriov_vf_device"),
	PF_U64(SRIOV_VF_TOTAL_MSIX, sriov_vf_total_msix, D "sriov_vf_total_msix"),
	PF_ENUM(SRIOV_AUTOPROBE, sriov_autoprobe, answer_names, D "sriov_drivers_autoprobe"),
	PF_STR(NV_SOURCE, nv_source, "the library"),
	PF_STR(NV_SOURCE_VERSION, nv_source_version, "the tool's --version"),
	PF_ENUM(NV_PENDING, nv_pending, answer_names, DERIVED " from nv"),
	EXTRA(mlx5lm_pf),
};

static const struct fact_field nv_fields[] = {
	STR(mlx5lm_nv, MLX5LM_NV_NAME, "name", name, NULL),
	ENUM(mlx5lm_nv, MLX5LM_NV_SUPPORTED, "supported", supported, answer_names, NULL),
	ENUM(mlx5lm_nv, MLX5LM_NV_READ_ONLY, "read_only", read_only, answer_names, NULL),
	U64(mlx5lm_nv, MLX5LM_NV_DEFAULT, "default", default_value, NULL),
	U64(mlx5lm_nv, MLX5LM_NV_CURRENT, "current", current, NULL),
	U64(mlx5lm_nv, MLX5LM_NV_NEXT_BOOT, "next_boot", next_boot, NULL),
	EXTRA(mlx5lm_nv),
};

static const struct fact_field param_fields[] = {
	STR(mlx5lm_param, MLX5LM_PARAM_NAME, "name", name, NULL),
	STR(mlx5lm_param, MLX5LM_PARAM_RUNTIME, "runtime", runtime, NULL),
	STR(mlx5lm_param, MLX5LM_PARAM_DRIVERINIT, "driverinit", driverinit, NULL),
	STR(mlx5lm_param, MLX5LM_PARAM_PERMANENT, "permanent", permanent, NULL),
	EXTRA(mlx5lm_param),
};

static const struct fact_field vf_fields[] = {
#define PORT "devlink pci/{pf}/{port} DEVLINK_CMD_PORT_GET "
#define CAPS PORT "PORT_FUNCTION(145) CAPS(4) bit "
#define VF_STR(key, member, source) STR(mlx5lm_vf, MLX5LM_VF_##key, #member, member, source)
#define VF_U64(key, member, source) U64(mlx5lm_vf, MLX5LM_VF_##key, #member, member, source)
#define VF_ENUM(key, member, names, source)                                                        \
	ENUM(mlx5lm_vf, MLX5LM_VF_##key, #member, member, names, source)
#define VF_ATTR(key, member, source) VF_ENUM(key, member, port_attr_state_names, source)
	VF_STR(BDF, bdf, "/sys/bus/pci/devices/{pf}/virtfn{index}"),
	VF_U64(INDEX, index, "/sys/bus/pci/devices/{pf}/virtfn*"),
	VF_U64(VENDOR_ID, vendor_id, "/sys/bus/pci/devices/{pf}/vendor"),
	VF_U64(DEVICE_ID, device_id, "/sys/bus/pci/devices/{pf}/sriov_vf_device"),
	VF_STR(DRIVER, driver, D "driver"),
	VF_STR(DRIVER_OVERRIDE, driver_override, D "driver_override"),
	VF_STR(BEST_DRIVER, best_driver, "vfio_pci: lines of modules.alias for " D "modalias"),
	VF_ENUM(BIND_STATE, bind_state, bind_state_names,
		DERIVED " from driver, best_driver, migratable and vfio_migration"),
	VF_U64(IOMMU_GROUP, iommu_group, D "iommu_group"),
	VF_ENUM(IOMMU_GROUP_VIABLE, iommu_group_viable, answer_names,
		"/sys/bus/pci/devices/*/iommu_group and driver"),
	VF_U64(MSIX_COUNT, msix_count, D "config, MSI-X capability"),
	VF_STR(HW_ADDR, hw_addr, PORT "PORT_FUNCTION(145) HW_ADDR(1)"),
	VF_STR(REPRESENTOR, representor, PORT "PORT_NETDEV_NAME(7)"),
	VF_ENUM(REPRESENTOR_STATE, representor_state, admin_state_names,
		"/sys/bus/pci/devices/{pf}/net/{representor}/flags"),
	VF_ATTR(ROCE, roce, CAPS "0x1"),
	VF_ATTR(MIGRATABLE, migratable, CAPS "0x2"),
	VF_ATTR(IPSEC_CRYPTO, ipsec_crypto, CAPS "0x4"),
	VF_ATTR(IPSEC_PACKET, ipsec_packet, CAPS "0x8"),
	VF_U64(MAX_IO_EQS, max_io_eqs, PORT "PORT_FUNCTION(145) MAX_IO_EQS(6)"),
	VF_STR(VFIO_DEVICE, vfio_device, "/sys/class/vfio-dev"),
	VF_ENUM(VFIO_MIGRATION, vfio_migration, answer_names, "the source it names"),
	VF_U64(VFIO_MIGRATION_FLAGS, vfio_migration_flags, "the source it names"),
	VF_ENUM(VFIO_DIRTY_TRACKING, vfio_dirty_tracking, answer_names, "the source it names"),
	VF_STR(VFIO_SOURCE, vfio_source, "the library"),
	VF_STR(IN_USE_BY, in_use_by, "virDomainGetXMLDesc of the running domains"),
	VF_U64(IN_USE_PID, in_use_pid, "/proc/*/fd"),
	VF_STR(IN_USE_COMM, in_use_comm, "/proc/*/comm"),
	VF_U64(PORT_INDEX, port_index, "devlink pci/{pf} DEVLINK_CMD_PORT_GET PORT_INDEX(3)"),
	EXTRA(mlx5lm_vf),
};

#define TABLE(fields)                                                                              \
	{                                                                                          \
		fields, ARRAY_LENGTH(fields)                                                       \
	}

const struct fact_table host_table = TABLE(host_fields);
const struct fact_table module_table = TABLE(module_fields);
const struct fact_table config_table = TABLE(config_fields);
const struct fact_table privilege_table = TABLE(privilege_fields);
const struct fact_table note_table = TABLE(note_fields);
const struct fact_table pf_table = TABLE(pf_fields);
const struct fact_table nv_table = TABLE(nv_fields);
const struct fact_table param_table = TABLE(param_fields);
const struct fact_table vf_table = TABLE(vf_fields);

#define LIST(type, name, member, table, item)                                                      \
	{                                                                                          \
		name, &(table), sizeof(item), offsetof(struct type, member),                       \
			offsetof(struct type, num_##member),                                       \
			offsetof(struct type, allocated_##member)                                  \
	}

const struct fact_list host_modules =
	LIST(mlx5lm_host, "modules", modules, module_table, struct mlx5lm_module);
const struct fact_list host_configs =
	LIST(mlx5lm_host, "kernel_config", configs, config_table, struct config_fact);
const struct fact_list host_privileges =
	LIST(mlx5lm_host, "privileges", privileges, privilege_table, struct mlx5lm_privilege);
const struct fact_list host_notes = LIST(mlx5lm_host, "notes", notes, note_table, struct note);
const struct fact_list host_pfs = LIST(mlx5lm_host, "pfs", pfs, pf_table, struct mlx5lm_pf);
const struct fact_list pf_nvs = LIST(mlx5lm_pf, "nv", nvs, nv_table, struct mlx5lm_nv);
const struct fact_list pf_params =
	LIST(mlx5lm_pf, "params", params, param_table, struct mlx5lm_param);
const struct fact_list pf_vfs = LIST(mlx5lm_pf, "vfs", vfs, vf_table, struct mlx5lm_vf);

static const struct fact_field *find_field(const struct fact_table *table, uint32_t key)
{
	for (size_t i = 0; key && i < table->length; i++) {
		if (table->fields[i].key == key)
			return &table->fields[i];
	}
	return NULL;
}

int fact_get_str(const struct fact_table *table, const void *object, uint32_t key,
		 const char **ret)
{
	const struct fact_field *field = find_field(table, key);
	const char *value;

	if (!object || !ret || !field || field->type != FACT_STR)
		return -EINVAL;
	value = *(char **)fact_at(field, object);
	if (!value)
		return -ENODATA;
	*ret = value;
	return 0;
}

int fact_get_u64(const struct fact_table *table, const void *object, uint32_t key, uint64_t *ret)
{
	const struct fact_field *field = find_field(table, key);
	struct fact_u64 value;

	if (!object || !ret || !field || field->type == FACT_STR)
		return -EINVAL;
	if (field->type == FACT_ENUM) {
		value.value = *(uint32_t *)fact_at(field, object);
		value.known = value.value != 0;
	} else {
		value = *(struct fact_u64 *)fact_at(field, object);
	}
	if (!value.known)
		return -ENODATA;
	*ret = value.value;
	return 0;
}

static bool is_text(const struct fact_field *field)
{
	return field->type == FACT_STR || field->type == FACT_EXTRA;
}

void fact_release(const struct fact_table *table, void *object)
{
	for (size_t i = 0; i < table->length; i++) {
		char *text = is_text(&table->fields[i]) ?
				     *(char **)fact_at(&table->fields[i], object) : NULL;

		/* Most are not there: a call for each would cost more than all the rest. */
		if (text)
			free(text);
	}
}

size_t fact_list_length(const struct fact_list *list, const void *owner)
{
	return *(const size_t *)((const char *)owner + list->length);
}

void *fact_list_get(const struct fact_list *list, const void *owner, size_t index)
{
	return *(char *const *)((const char *)owner + list->items) + index * list->item_size;
}

int fact_list_reserve(const struct fact_list *list, void *owner, size_t length)
{
	void **items = (void **)((char *)owner + list->items);
	size_t *allocated = (size_t *)((char *)owner + list->allocated);
	void *grown;

	if (length <= *allocated)
		return 0;
	grown = reallocarray(*items, length, list->item_size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	*allocated = length;
	return 0;
}

void *fact_list_add(const struct fact_list *list, void *owner)
{
	size_t *length = (size_t *)((char *)owner + list->length);
	void *item;

	if (array_reserve((char *)owner + list->items,
			  (size_t *)((char *)owner + list->allocated), *length + 1,
			  list->item_size))
		return NULL;
	item = fact_list_get(list, owner, (*length)++);
	memset(item, 0, list->item_size);
	return item;
}

void *fact_list_find(const struct fact_list *list, const void *owner, const char *name)
{
	for (size_t i = 0; i < fact_list_length(list, owner); i++) {
		void *item = fact_list_get(list, owner, i);

		if (streq(*(char **)fact_at(&list->table->fields[0], item), name))
			return item;
	}
	return NULL;
}

void fact_list_release(const struct fact_list *list, void *owner)
{
	for (size_t i = 0; i < fact_list_length(list, owner); i++)
		fact_release(list->table, fact_list_get(list, owner, i));
	free(*(void **)((char *)owner + list->items));
}
