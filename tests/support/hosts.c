// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/hosts.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/domain_xml.h"

void set_text(char **text, const char *value)
{
	if (str_replace(text, value))
		abort();
}

static void add_module(struct mlx5lm_host *host, const char *name, uint32_t state)
{
	struct mlx5lm_module *module;

	if (host_add_module(host, &module))
		abort();
	set_text(&module->name, name);
	set_text(&module->source, state == MLX5LM_MODULE_LOADED ? "sysfs" : "modules.dep");
	module->state = state;
	module->in_tree = MLX5LM_ANSWER_YES;
	module->blacklisted = MLX5LM_ANSWER_NO;
}

static void add_vf(struct mlx5lm_pf *pf, size_t index)
{
	struct mlx5lm_vf *vf;
	char text[32];

	if (pf_add_vf(pf, &vf))
		abort();
	snprintf(text, sizeof(text), "0000:08:%02zx.%zx", (index + 2) / 8, (index + 2) % 8);
	set_text(&vf->bdf, text);
	vf->index = fact_u64(index);
	vf->vendor_id = fact_u64(0x15b3);
	vf->device_id = fact_u64(0x101e);
	set_text(&vf->driver, "mlx5_vfio_pci");
	set_text(&vf->driver_override, "mlx5_vfio_pci");
	set_text(&vf->best_driver, "mlx5_vfio_pci");
	vf->iommu_group = fact_u64(20 + index);
	vf->iommu_group_viable = MLX5LM_ANSWER_YES;
	vf->msix_count = fact_u64(11);
	snprintf(text, sizeof(text), "02:00:00:00:%02zx:%02zx", index >> 8, index & 0xff);
	set_text(&vf->hw_addr, text);
	snprintf(text, sizeof(text), "eth%zu", index);
	set_text(&vf->representor, text);
	vf->roce = MLX5LM_PORT_ATTR_STATE_ENABLED;
	vf->migratable = MLX5LM_PORT_ATTR_STATE_ENABLED;
	vf->port_index = fact_u64(index + 1);
}

struct mlx5lm_host *bare_host(const char *hostname)
{
	struct mlx5lm_host *host;
	struct mlx5lm_pf *pf;

	if (host_new(&host) || host_add_pf(host, &pf))
		abort();
	set_text(&host->hostname, hostname);
	set_text(&host->kernel_release, "6.12.107+deb13-amd64");
	set_text(&host->architecture, "x86_64");
	host->page_size_bytes = fact_u64(4096);
	host->kernel_lockdown = MLX5LM_LOCKDOWN_NONE;
	host->kernel_modules_disabled = MLX5LM_ANSWER_NO;
	host->iommu_active = MLX5LM_ANSWER_YES;
	host->vfio_noiommu = MLX5LM_ANSWER_NO;
	host->vfio_unsafe_interrupts = MLX5LM_ANSWER_NO;
	set_text(&host->libvirt_uri, "qemu:///system");
	host->libvirt_live_migration = MLX5LM_ANSWER_YES;
	set_text(&host->libvirt_migration_transports, "tcp rdma");
	set_text(&host->libvirt_uuid, hostname);
	host->libvirt_daemon_version = fact_u64(11003000);
	host->qemu_version = fact_u64(10000002);
	add_module(host, "mlx5_core", MLX5LM_MODULE_LOADED);
	add_module(host, "mlx5_vfio_pci", MLX5LM_MODULE_LOADABLE);
	add_module(host, "vfio_pci", MLX5LM_MODULE_LOADABLE);
	add_module(host, "vfio", MLX5LM_MODULE_LOADABLE);
	add_module(host, "vfio_iommu_type1", MLX5LM_MODULE_LOADABLE);
	set_text(&pf->bdf, "0000:08:00.0");
	pf->vendor_id = fact_u64(0x15b3);
	pf->device_id = fact_u64(0x1021);
	pf->class_code = fact_u64(0x020000);
	set_text(&pf->driver, "mlx5_core");
	set_text(&pf->psid, "MT_0000000838");
	set_text(&pf->fw_running, "28.41.1000");
	set_text(&pf->fw_stored, "28.41.1000");
	pf->eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	pf->eswitch_manager = MLX5LM_ANSWER_YES;
	pf->sriov_total_vfs = fact_u64(127);
	pf->sriov_num_vfs = fact_u64(0);
	pf->sriov_offset = fact_u64(2);
	pf->sriov_stride = fact_u64(1);
	pf->sriov_vf_device_id = fact_u64(0x101e);
	pf->sriov_autoprobe = MLX5LM_ANSWER_YES;
	return host;
}

struct mlx5lm_host *ready_host(const char *hostname, size_t num_vfs)
{
	struct mlx5lm_host *host = bare_host(hostname);

	for (size_t i = 0; i < host->num_modules; i++)
		host->modules[i].state = MLX5LM_MODULE_LOADED;
	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_SWITCHDEV;
	host->pfs[0].sriov_num_vfs = fact_u64(num_vfs);
	for (size_t i = 0; i < num_vfs; i++)
		add_vf(&host->pfs[0], i);
	return host;
}

static void add_nv(struct mlx5lm_pf *pf, const char *name, uint64_t value)
{
	struct mlx5lm_nv *nv;

	if (pf_add_nv(pf, &nv))
		abort();
	set_text(&nv->name, name);
	nv->supported = MLX5LM_ANSWER_YES;
	nv->current = fact_u64(value);
	nv->next_boot = fact_u64(value);
}

struct mlx5lm_host *fully_known_host(const char *name, size_t num_vfs)
{
	struct mlx5lm_host *host = ready_host(name, num_vfs);
	struct mlx5lm_pf *pf = &host->pfs[0];

	set_text(&host->boot_id, name);
	set_text(&host->architecture, "x86_64");
	set_text(&host->cpu_vendor, "Intel");
	set_text(&host->cpu_model, "Icelake-Server");
	host->page_size_bytes = fact_u64(4096);
	host->libvirt_daemon_version = fact_u64(11003000);
	pf->subsystem_vendor_id = fact_u64(0x15b3);
	pf->subsystem_device_id = fact_u64(0x0083);
	pf->revision = fact_u64(0);
	pf->numa_node = fact_u64(0);
	add_nv(pf, "SRIOV_EN", 1);
	add_nv(pf, "NUM_OF_VFS", 16);
	add_nv(pf, "VF_MIGRATION_MODE", 2);
	add_nv(pf, "LINK_TYPE_P1", 2);
	for (size_t i = 0; i < num_vfs; i++) {
		struct mlx5lm_vf *vf = &pf->vfs[i];

		vf->ipsec_crypto = MLX5LM_PORT_ATTR_STATE_DISABLED;
		vf->ipsec_packet = MLX5LM_PORT_ATTR_STATE_DISABLED;
		vf->max_io_eqs = fact_u64(8);
		vf->vfio_migration = MLX5LM_ANSWER_YES;
		vf->vfio_migration_flags = fact_u64(7);
		vf->vfio_dirty_tracking = MLX5LM_ANSWER_YES;
	}
	return host;
}

void add_hostdev(struct domain_xml *domain, const char *bdf)
{
	struct hostdev *grown = realloc(domain->hostdevs,
					(domain->num_hostdevs + 1) * sizeof(*grown));

	if (!grown)
		abort();
	domain->hostdevs = grown;
	grown[domain->num_hostdevs] = (struct hostdev){ 0 };
	snprintf(grown[domain->num_hostdevs++].bdf, sizeof(grown->bdf), "%s", bdf);
}
