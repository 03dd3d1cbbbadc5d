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
			pf->vfs[j].bind_state = vf_bind_state(&pf->vfs[j]);
	}
	return 0;
}
