// SPDX-License-Identifier: LGPL-2.1-or-later
#include "facts.h"

#include <errno.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "export.h"

#define NAMES(list)                                                                                \
	{                                                                                          \
		(list), ARRAY_LENGTH(list)                                                         \
	}

static const char *const answers[] = { "unknown", "yes", "no" };
static const char *const module_states[] = { "unknown", "missing", "loadable", "loaded",
					     "builtin" };
static const char *const eswitch_modes[] = { "unknown", "legacy", "switchdev",
					     "switchdev_inactive" };
static const char *const port_attrs[] = { "unknown", "roce", "migratable", "ipsec_crypto",
					  "ipsec_packet" };
static const char *const port_attr_states[] = { "unknown", "unsupported", "disable", "enable" };

const struct name_list answer_names = NAMES(answers);
const struct name_list module_state_names = NAMES(module_states);
const struct name_list eswitch_mode_names = NAMES(eswitch_modes);
const struct name_list port_attr_names = NAMES(port_attrs);
const struct name_list port_attr_state_names = NAMES(port_attr_states);

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

#define STR(type, key, name, member) { name, key, FACT_STR, offsetof(struct type, member), NULL }
#define U64(type, key, name, member) { name, key, FACT_U64, offsetof(struct type, member), NULL }
#define ENUM(type, key, name, member, names)                                                       \
	{                                                                                          \
		name, key, FACT_ENUM, offsetof(struct type, member), &(names)                      \
	}

static const struct fact_field host_fields[] = {
#define HOST_STR(key, member) STR(mlx5lm_host, MLX5LM_HOST_##key, #member, member)
#define HOST_U64(key, member) U64(mlx5lm_host, MLX5LM_HOST_##key, #member, member)
	HOST_STR(HOSTNAME, hostname),
	HOST_STR(BOOT_ID, boot_id),
	HOST_STR(KERNEL_RELEASE, kernel_release),
	HOST_STR(ARCHITECTURE, architecture),
	ENUM(mlx5lm_host, MLX5LM_HOST_IOMMU_ACTIVE, "iommu_active", iommu_active, answer_names),
	HOST_STR(LIBVIRT_URI, libvirt_uri),
	HOST_STR(LIBVIRT_UUID, libvirt_uuid),
	HOST_U64(LIBVIRT_CLIENT_VERSION, libvirt_client_version),
	HOST_U64(LIBVIRT_DAEMON_VERSION, libvirt_daemon_version),
	HOST_U64(QEMU_VERSION, qemu_version),
};

static const struct fact_field module_fields[] = {
	STR(module_fact, 0, "name", name),
	ENUM(module_fact, 0, "state", state, module_state_names),
	STR(module_fact, 0, "path", path),
	STR(module_fact, 0, "version", version),
	STR(module_fact, 0, "srcversion", srcversion),
};

static const struct fact_field pf_fields[] = {
#define PF_STR(key, member) STR(mlx5lm_pf, MLX5LM_PF_##key, #member, member)
#define PF_U64(key, member) U64(mlx5lm_pf, MLX5LM_PF_##key, #member, member)
	PF_STR(BDF, bdf),
	PF_U64(VENDOR_ID, vendor_id),
	PF_U64(DEVICE_ID, device_id),
	PF_U64(SUBSYSTEM_VENDOR_ID, subsystem_vendor_id),
	PF_U64(SUBSYSTEM_DEVICE_ID, subsystem_device_id),
	PF_U64(REVISION, revision),
	U64(mlx5lm_pf, MLX5LM_PF_CLASS, "class", class_code),
	PF_U64(NUMA_NODE, numa_node),
	PF_STR(DRIVER, driver),
	PF_STR(NETDEV, netdev),
	PF_STR(PSID, psid),
	PF_STR(FW_RUNNING, fw_running),
	PF_STR(FW_STORED, fw_stored),
	PF_STR(SERIAL_NUMBER, serial_number),
	ENUM(mlx5lm_pf, MLX5LM_PF_ESWITCH_MODE, "eswitch_mode", eswitch_mode, eswitch_mode_names),
	PF_U64(SRIOV_TOTAL_VFS, sriov_total_vfs),
	PF_U64(SRIOV_NUM_VFS, sriov_num_vfs),
	PF_U64(SRIOV_OFFSET, sriov_offset),
	PF_U64(SRIOV_STRIDE, sriov_stride),
	PF_U64(SRIOV_VF_DEVICE_ID, sriov_vf_device_id),
	ENUM(mlx5lm_pf, MLX5LM_PF_SRIOV_AUTOPROBE, "sriov_autoprobe", sriov_autoprobe,
	     answer_names),
};

static const struct fact_field vf_fields[] = {
#define VF_STR(key, member) STR(mlx5lm_vf, MLX5LM_VF_##key, #member, member)
#define VF_U64(key, member) U64(mlx5lm_vf, MLX5LM_VF_##key, #member, member)
#define VF_ATTR(key, member)                                                                       \
	ENUM(mlx5lm_vf, MLX5LM_VF_##key, #member, member, port_attr_state_names)
	VF_STR(BDF, bdf),
	VF_U64(INDEX, index),
	VF_U64(VENDOR_ID, vendor_id),
	VF_U64(DEVICE_ID, device_id),
	VF_STR(DRIVER, driver),
	VF_STR(DRIVER_OVERRIDE, driver_override),
	VF_U64(IOMMU_GROUP, iommu_group),
	VF_U64(MSIX_COUNT, msix_count),
	VF_STR(HW_ADDR, hw_addr),
	VF_STR(REPRESENTOR, representor),
	VF_ATTR(ROCE, roce),
	VF_ATTR(MIGRATABLE, migratable),
	VF_ATTR(IPSEC_CRYPTO, ipsec_crypto),
	VF_ATTR(IPSEC_PACKET, ipsec_packet),
	VF_U64(MAX_IO_EQS, max_io_eqs),
	VF_STR(IN_USE_BY, in_use_by),
	VF_U64(PORT_INDEX, port_index),
};

const struct fact_table host_table = { host_fields, ARRAY_LENGTH(host_fields) };
const struct fact_table module_table = { module_fields, ARRAY_LENGTH(module_fields) };
const struct fact_table pf_table = { pf_fields, ARRAY_LENGTH(pf_fields) };
const struct fact_table vf_table = { vf_fields, ARRAY_LENGTH(vf_fields) };

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

void fact_release(const struct fact_table *table, void *object)
{
	for (size_t i = 0; i < table->length; i++) {
		if (table->fields[i].type == FACT_STR)
			free(*(char **)fact_at(&table->fields[i], object));
	}
}

int host_new(struct mlx5lm_host **ret)
{
	struct mlx5lm_host *host = calloc(1, sizeof(*host));

	if (!host)
		return -ENOMEM;
	refcount_init(&host->refcount);
	*ret = host;
	return 0;
}

void pf_release(struct mlx5lm_pf *pf)
{
	for (size_t i = 0; i < pf->num_vfs; i++)
		fact_release(&vf_table, &pf->vfs[i]);
	free(pf->vfs);
	fact_release(&pf_table, pf);
}

MLX5LM_EXPORT void mlx5lm_host_free(struct mlx5lm_host *host)
{
	if (!host || !refcount_put(&host->refcount))
		return;
	for (size_t i = 0; i < host->num_pfs; i++)
		pf_release(&host->pfs[i]);
	free(host->pfs);
	for (size_t i = 0; i < host->num_modules; i++)
		fact_release(&module_table, &host->modules[i]);
	free(host->modules);
	strv_release(&host->notes);
	fact_release(&host_table, host);
	free(host);
}

int host_add_pf(struct mlx5lm_host *host, struct mlx5lm_pf **ret)
{
	if (array_reserve(&host->pfs, &host->allocated_pfs, host->num_pfs + 1,
			  sizeof(host->pfs[0])))
		return -ENOMEM;
	*ret = &host->pfs[host->num_pfs++];
	**ret = (struct mlx5lm_pf){ 0 };
	return 0;
}

int host_add_module(struct mlx5lm_host *host, struct module_fact **ret)
{
	if (array_reserve(&host->modules, &host->allocated_modules, host->num_modules + 1,
			  sizeof(host->modules[0])))
		return -ENOMEM;
	*ret = &host->modules[host->num_modules++];
	**ret = (struct module_fact){ 0 };
	return 0;
}

int pf_add_vf(struct mlx5lm_pf *pf, struct mlx5lm_vf **ret)
{
	if (array_reserve(&pf->vfs, &pf->allocated_vfs, pf->num_vfs + 1, sizeof(pf->vfs[0])))
		return -ENOMEM;
	*ret = &pf->vfs[pf->num_vfs++];
	**ret = (struct mlx5lm_vf){ 0 };
	return 0;
}

int host_add_note(struct mlx5lm_host *host, const char *format, ...)
{
	va_list args;
	char *note;

	va_start(args, format);
	note = str_vprintf(format, args);
	va_end(args);
	return strv_take(&host->notes, note);
}

const struct module_fact *host_find_module(const struct mlx5lm_host *host, const char *name)
{
	for (size_t i = 0; i < host->num_modules; i++) {
		if (streq(host->modules[i].name, name))
			return &host->modules[i];
	}
	return NULL;
}

const struct mlx5lm_vf *pf_find_vf(const struct mlx5lm_pf *pf, uint64_t index)
{
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (pf->vfs[i].index.known && pf->vfs[i].index.value == index)
			return &pf->vfs[i];
	}
	return NULL;
}

uint32_t vf_attr_state(const struct mlx5lm_vf *vf, enum mlx5lm_port_attr attr)
{
	switch (attr) {
	case MLX5LM_PORT_ATTR_ROCE:
		return vf->roce;
	case MLX5LM_PORT_ATTR_MIGRATABLE:
		return vf->migratable;
	case MLX5LM_PORT_ATTR_IPSEC_CRYPTO:
		return vf->ipsec_crypto;
	case MLX5LM_PORT_ATTR_IPSEC_PACKET:
		return vf->ipsec_packet;
	default:
		return MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	}
}

const char *step_id(enum step_kind kind)
{
	switch (kind) {
	case STEP_AUTOPROBE:
		return "autoprobe";
	case STEP_ESWITCH_MODE:
		return "eswitch-mode";
	case STEP_NUM_VFS:
		return "num-vfs";
	case STEP_LOAD_MODULE:
		return "load-module";
	case STEP_UNBIND:
		return "unbind";
	case STEP_HW_ADDR:
		return "hw-addr";
	case STEP_PORT_ATTR:
		return "port-attr";
	case STEP_DRIVER_OVERRIDE:
		return "driver-override";
	case STEP_BIND:
		return "bind";
	}
	return "unknown";
}

void step_release(struct mlx5lm_step *step)
{
	free(step->text);
	free(step->object);
	free(step->current);
	free(step->wanted);
	free(step->reason);
	free(step->command);
	*step = (struct mlx5lm_step){ 0 };
}
