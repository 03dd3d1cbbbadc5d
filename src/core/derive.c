// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/derive.h"

#include <errno.h>

#include "core/profile.h"
#include "core/version_rule.h"
#include "core/vf_ready.h"

#define PCI_CLASS_NETWORK_ETHERNET 0x0200
#define PCI_CLASS_NETWORK_INFINIBAND 0x0207

static void derive_kernel_version(struct mlx5lm_host *host)
{
	struct version version;

	host->kernel_version = (struct fact_u64){ 0 };
	if (host->kernel_release && version_parse(host->kernel_release, &version) == 0)
		host->kernel_version = fact_u64(version.part[0] * UINT64_C(1000000) +
						version.part[1] * UINT64_C(1000) + version.part[2]);
}

static uint32_t link_type(const struct mlx5lm_pf *pf)
{
	switch (pf->class_code.known ? pf->class_code.value >> 8 : 0) {
	case PCI_CLASS_NETWORK_ETHERNET:
		return MLX5LM_LINK_TYPE_ETHERNET;
	case PCI_CLASS_NETWORK_INFINIBAND:
		return MLX5LM_LINK_TYPE_INFINIBAND;
	default:
		return MLX5LM_LINK_TYPE_UNKNOWN;
	}
}

static uint32_t nv_pending(const struct mlx5lm_pf *pf)
{
	uint32_t pending = MLX5LM_ANSWER_UNKNOWN;

	for (size_t i = 0; i < pf->num_nvs; i++) {
		const struct mlx5lm_nv *nv = &pf->nvs[i];

		if (!nv->current.known || !nv->next_boot.known)
			continue;
		if (nv->current.value != nv->next_boot.value)
			return MLX5LM_ANSWER_YES;
		pending = MLX5LM_ANSWER_NO;
	}
	return pending;
}

/*
 * mlx5_vfio_pci looks at "migratable" only when it is bound, and says nothing if it finds it
 * off (Linux, drivers/vfio/pci/mlx5/cmd.c, mlx5vf_cmd_set_migratable).
 */
static uint32_t bind_state(const struct mlx5lm_vf *vf)
{
	if (!vf->driver)
		return MLX5LM_BIND_STATE_UNBOUND;
	if (!streq(vf->driver, VARIANT_DRIVER))
		return MLX5LM_BIND_STATE_WRONG_DRIVER;
	if (vf->migratable == MLX5LM_PORT_ATTR_STATE_ENABLED &&
	    vf->vfio_migration == MLX5LM_ANSWER_NO)
		return MLX5LM_BIND_STATE_NEEDS_REBIND;
	return MLX5LM_BIND_STATE_GOOD;
}

int host_derive(struct mlx5lm_host *host)
{
	derive_kernel_version(host);
	for (size_t i = 0; i < host->num_pfs; i++) {
		struct mlx5lm_pf *pf = &host->pfs[i];

		pf->link_type = link_type(pf);
		pf->nv_pending = nv_pending(pf);
		if (str_replace(&pf->model, pf->device_id.known ?
						    adapter_model(pf->device_id.value) : NULL))
			return -ENOMEM;
		for (size_t j = 0; j < pf->num_vfs; j++)
			pf->vfs[j].bind_state = bind_state(&pf->vfs[j]);
	}
	return 0;
}
