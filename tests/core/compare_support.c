// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compare_support.h"

#include <criterion/criterion.h>

#include "support/hosts.h"

static void add_nv(struct mlx5lm_pf *pf, const char *name, uint64_t value)
{
	struct mlx5lm_nv *nv;

	cr_assert_eq(pf_add_nv(pf, &nv), 0);
	set_text(&nv->name, name);
	nv->supported = MLX5LM_ANSWER_YES;
	nv->current = fact_u64(value);
	nv->next_boot = fact_u64(value);
}

struct mlx5lm_host *known_host(const char *name, size_t num_vfs)
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

const struct mlx5lm_finding *find_id(const struct mlx5lm_comparison *comparison, const char *id)
{
	for (size_t i = 0; i < comparison->findings.length; i++) {
		if (streq(comparison->findings.items[i].text[MLX5LM_FINDING_ID], id))
			return &comparison->findings.items[i];
	}
	return NULL;
}

struct two_hosts ready_hosts(size_t source_vfs, size_t destination_vfs)
{
	return (struct two_hosts){ .source = ready_host("a", source_vfs),
				   .destination = ready_host("b", destination_vfs) };
}

struct two_hosts known_hosts(size_t source_vfs, size_t destination_vfs)
{
	return (struct two_hosts){ .source = known_host("a", source_vfs),
				   .destination = known_host("b", destination_vfs) };
}

void compare_both(struct two_hosts *hosts)
{
	comparison_release(&hosts->comparison);
	cr_assert_eq(compare_hosts(hosts->source, hosts->destination, NULL, &hosts->comparison,
				   NULL), 0);
}

void two_hosts_release(struct two_hosts *hosts)
{
	comparison_release(&hosts->comparison);
	mlx5lm_host_free(hosts->source);
	mlx5lm_host_free(hosts->destination);
}
