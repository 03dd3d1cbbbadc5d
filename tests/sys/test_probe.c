// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/probe.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/error.h"
#include "support/tree.h"

static const struct tree_pf pf_a = { .bdf = "0000:08:00.0",
				     .device_id = 0x1021,
				     .total_vfs = 127,
				     .num_vfs = 2,
				     .serial_number = "MT2306X",
				     .vf_driver = "mlx5_vfio_pci" };

static const struct probe_options options = { .until_ms = INT64_MAX };
static struct tree *tree;
static struct root *root;
static struct mlx5lm_host *host;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, false);
}

static void close_tree(void)
{
	mlx5lm_host_free(host);
	root_unref(root);
	tree_free(tree);
}

TestSuite(probe, .init = open_tree, .fini = close_tree);

static void probe(void)
{
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(probe_host(root, NULL, &options, &host, NULL), 0);
}

static bool is_noted(const char *text)
{
	for (size_t i = 0; i < host->num_notes; i++) {
		if (strstr(host->notes[i].line, text))
			return true;
	}
	return false;
}

Test(probe, reads_a_pf)
{
	const struct mlx5lm_pf *pf;

	tree_add_pf(tree, &pf_a);
	probe();
	cr_assert_eq(host->num_pfs, 1);
	pf = &host->pfs[0];
	cr_assert_str_eq(pf->bdf, "0000:08:00.0");
	cr_assert_eq(pf->vendor_id.value, 0x15b3);
	cr_assert_eq(pf->device_id.value, 0x1021);
	cr_assert_eq(pf->subsystem_device_id.value, 0x40);
	cr_assert_eq(pf->class_code.value, 0x020000);
	cr_assert_eq(pf->revision.value, 1);
	cr_assert_not(pf->numa_node.known);
	cr_assert_str_eq(pf->driver, "mlx5_core");
	cr_assert_str_eq(pf->netdev, "eth0");
	cr_assert_str_eq(pf->serial_number, "MT2306X");
	cr_assert_eq(pf->sriov_total_vfs.value, 127);
	cr_assert_eq(pf->sriov_num_vfs.value, 2);
	cr_assert_eq(pf->sriov_offset.value, 2);
	cr_assert_eq(pf->sriov_stride.value, 1);
	cr_assert_eq(pf->sriov_vf_device_id.value, 0x101e);
	cr_assert_eq(pf->sriov_autoprobe, MLX5LM_ANSWER_YES);
}

#define FUNCTION "sys/devices/pci0000:00/0000:08:00.0/"

Test(probe, reads_the_links_of_a_pf)
{
	const struct mlx5lm_pf *pf;

	tree_add_pf(tree, &pf_a);
	tree_write(tree, "up\n", FUNCTION "net/eth0/operstate");
	tree_write(tree, "200000\n", FUNCTION "net/eth0/speed");
	tree_write(tree, "16.0 GT/s PCIe\n", FUNCTION "current_link_speed");
	tree_write(tree, "8\n", FUNCTION "current_link_width");
	tree_write(tree, "2304\n", FUNCTION "sriov_vf_total_msix");
	tree_make_dir(tree, FUNCTION "infiniband/mlx5_0");
	probe();
	pf = &host->pfs[0];
	cr_assert_str_eq(pf->link_state, "up");
	cr_assert_eq(pf->link_speed_mbps.value, 200000);
	cr_assert_str_eq(pf->pcie_link_speed, "16.0 GT/s PCIe");
	cr_assert_eq(pf->pcie_link_width.value, 8);
	cr_assert_eq(pf->sriov_vf_total_msix.value, 2304);
	cr_assert_str_eq(pf->rdma_device, "mlx5_0");
}

Test(probe, names_that_are_no_plain_text_are_unknown)
{
	const struct mlx5lm_pf *pf;

	tree_add_pf(tree, &pf_a);
	tree_link(tree, "../../../bus/pci/drivers/a\xff", FUNCTION "driver");
	tree_write(tree, "16.0\x1b GT/s\n", FUNCTION "current_link_speed");
	tree_make_dir(tree, FUNCTION "infiniband/mlx5\xff");
	tree_make_dir(tree, FUNCTION "net/eth\xff");
	probe();
	pf = &host->pfs[0];
	cr_assert_null(pf->driver);
	cr_assert_null(pf->pcie_link_speed);
	cr_assert_null(pf->rdma_device);
	cr_assert_null(pf->netdev);
}

Test(probe, links_that_are_down_have_no_speed)
{
	const struct mlx5lm_pf *pf;

	tree_add_pf(tree, &pf_a);
	tree_write(tree, "down\n", FUNCTION "net/eth0/operstate");
	tree_write(tree, "-1\n", FUNCTION "net/eth0/speed");
	tree_write(tree, "Unknown\n", FUNCTION "current_link_speed");
	tree_write(tree, "0\n", FUNCTION "current_link_width");
	probe();
	pf = &host->pfs[0];
	cr_assert_str_eq(pf->link_state, "down");
	cr_assert_not(pf->link_speed_mbps.known);
	cr_assert_null(pf->pcie_link_speed);
	cr_assert_not(pf->pcie_link_width.known);
	cr_assert_null(pf->rdma_device);
}

Test(probe, reads_vfs)
{
	const struct mlx5lm_vf *vf;

	tree_add_pf(tree, &pf_a);
	tree_write(tree, "mlx5_vfio_pci\n", "sys/devices/pci0000:00/0000:08:00.3/driver_override");
	probe();
	vf = pf_find_vf(&host->pfs[0], 1);
	cr_assert_str_eq(vf->bdf, "0000:08:00.3");
	cr_assert_eq(vf->vendor_id.value, 0x15b3);
	cr_assert_eq(vf->device_id.value, 0x101e);
	cr_assert_str_eq(vf->driver, "mlx5_vfio_pci");
	cr_assert_str_eq(vf->driver_override, "mlx5_vfio_pci");
	cr_assert_eq(vf->iommu_group.value, 101);
	cr_assert_eq(vf->msix_count.value, 64);
	cr_assert_null(pf_find_vf(&host->pfs[0], 0)->driver_override);
}

Test(probe, reads_what_vfs_without_a_driver_are_set_aside_for)
{
	struct tree_pf pf = pf_a;

	pf.vf_driver = NULL;
	pf.num_vfs = 127;
	tree_add_pf(tree, &pf);
	for (int i = 2; i < 8; i += 2)
		tree_write(tree, "mlx5_vfio_pci\n",
			   "sys/devices/pci0000:00/0000:08:00.%d/driver_override", i);
	tree_link(tree, "../../../bus/pci/drivers/mlx5_core",
		  "sys/devices/pci0000:00/0000:08:00.3/driver");
	probe();
	for (unsigned int i = 0; i < 6; i++) {
		const struct mlx5lm_vf *vf = pf_find_vf(&host->pfs[0], i);

		if (i % 2 == 0)
			cr_assert_str_eq(vf->driver_override, "mlx5_vfio_pci");
		else
			cr_assert_null(vf->driver_override);
	}
	cr_assert_null(host->pfs[0].vfs[0].driver);
}

Test(probe, does_not_touch_the_lock_of_a_vf_that_is_unbound_while_a_process_holds_it)
{
	struct tree_pf pf = pf_a;

	pf.vf_driver = NULL;
	tree_add_pf(tree, &pf);
	for (int i = 2; i < 4; i++) {
		tree_write(tree, "mlx5_vfio_pci\n",
			   "sys/devices/pci0000:00/0000:08:00.%d/driver_override", i);
		tree_write(tree, i == 2 ? "1\n" : "0\n",
			   "sys/devices/pci0000:00/0000:08:00.%d/enable", i);
	}
	probe();
	cr_assert_null(host->pfs[0].vfs[0].driver_override);
	cr_assert(is_noted("0000:08:00.2: driver_override is not known: the VF is being unbound"));
	cr_assert_str_eq(host->pfs[0].vfs[1].driver_override, "mlx5_vfio_pci");
}

Test(probe, reads_127_vfs_on_two_buses_in_order)
{
	struct tree_pf pf = pf_a;
	const struct mlx5lm_pf *found;
	char bdf[13];

	pf.num_vfs = 127;
	pf.first_offset = 200; /* 0000:08:19.0 up to 0000:09:08.6 */
	tree_add_pf(tree, &pf);
	probe();
	found = &host->pfs[0];
	cr_assert_eq(found->num_vfs, 127);
	for (unsigned int i = 0; i < 127; i++) {
		tree_vf_bdf(&pf, i, bdf);
		cr_assert_eq(found->vfs[i].index.value, i);
		cr_assert_str_eq(found->vfs[i].bdf, bdf);
	}
	cr_assert_str_eq(found->vfs[126].bdf, "0000:09:08.6");
	cr_assert_eq(host->num_pfs, 1);
}

Test(probe, counts_vfs_without_the_file_that_waits_for_changes)
{
	tree_add_pf(tree, &pf_a);
	tree_remove(tree, "sys/devices/pci0000:00/0000:08:00.0/sriov_numvfs");
	probe();
	cr_assert_eq(host->pfs[0].sriov_num_vfs.value, 2);
}

Test(probe, sorts_pfs_and_takes_nothing_else_for_one)
{
	struct tree_pf pf_b = pf_a;

	pf_b.bdf = "0000:05:00.1";
	tree_add_pf(tree, &pf_a);
	tree_add_pf(tree, &pf_b);
	tree_write(tree, "0x8086\n", "sys/devices/pci0000:00/0000:00:1f.0/vendor");
	tree_link(tree, "../../../devices/pci0000:00/0000:00:1f.0",
		  "sys/bus/pci/devices/0000:00:1f.0");
	/* A bridge on a BlueField is Mellanox, too. */
	tree_write(tree, "0x15b3\n", "sys/devices/pci0000:00/0000:00:01.0/vendor");
	tree_write(tree, "0x060400\n", "sys/devices/pci0000:00/0000:00:01.0/class");
	tree_link(tree, "../../../devices/pci0000:00/0000:00:01.0",
		  "sys/bus/pci/devices/0000:00:01.0");
	probe();
	cr_assert_eq(host->num_pfs, 2);
	cr_assert_str_eq(host->pfs[0].bdf, "0000:05:00.1");
	cr_assert_str_eq(host->pfs[1].bdf, "0000:08:00.0");
}

Test(probe, takes_the_uplink_and_not_a_representor_for_the_netdev)
{
	tree_add_pf(tree, &pf_a);
	tree_write(tree, "pf0vf0\n", "sys/devices/pci0000:00/0000:08:00.0/net/eth0/phys_port_name");
	tree_write(tree, "p0\n", "sys/devices/pci0000:00/0000:08:00.0/net/eth7/phys_port_name");
	probe();
	cr_assert_str_eq(host->pfs[0].netdev, "eth7");
}

Test(probe, of_another_machine_does_not_ask_the_devlink_of_this_one)
{
	tree_add_pf(tree, &pf_a);
	probe();
	cr_assert_eq(host->pfs[0].eswitch_mode, MLX5LM_ESWITCH_UNKNOWN);
	cr_assert_null(host->pfs[0].psid);
	cr_assert_eq(host->pfs[0].vfs[0].migratable, MLX5LM_PORT_ATTR_STATE_UNKNOWN);
	cr_assert(is_noted("devlink was not asked"));
}

Test(probe, a_pf_without_sriov_is_noted_with_the_remedy)
{
	struct tree_pf pf = pf_a;

	pf.total_vfs = 0;
	pf.num_vfs = 0;
	tree_add_pf(tree, &pf);
	probe();
	cr_assert_not(host->pfs[0].sriov_total_vfs.known);
	cr_assert_not(host->pfs[0].sriov_num_vfs.known);
	cr_assert(is_noted("SRIOV_EN"));
}

Test(probe, configuration_space_cut_at_64_bytes_leaves_the_vectors_unknown)
{
	static const uint8_t config[64] = { [0x34] = 0x40 };

	tree_add_pf(tree, &pf_a);
	for (int i = 2; i < 4; i++)
		tree_write_bytes(tree, config, sizeof(config),
				 "sys/devices/pci0000:00/0000:08:00.%d/config", i);
	probe();
	cr_assert_not(host->pfs[0].vfs[0].msix_count.known);
	cr_assert(is_noted("run as root"));
}

Test(probe, a_capability_list_that_bites_its_tail_ends)
{
	static const uint8_t config[256] = { [0x34] = 0x40, [0x40] = 0x01, [0x41] = 0x40 };

	tree_add_pf(tree, &pf_a);
	tree_write_bytes(tree, config, sizeof(config),
			 "sys/devices/pci0000:00/0000:08:00.2/config");
	probe();
	cr_assert_not(host->pfs[0].vfs[0].msix_count.known);
	cr_assert(host->pfs[0].vfs[1].msix_count.known);
}

Test(probe, a_vf_that_goes_meanwhile_is_noted)
{
	tree_add_pf(tree, &pf_a);
	tree_remove(tree, "sys/bus/pci/devices/0000:08:00.3");
	probe();
	cr_assert_eq(host->pfs[0].num_vfs, 2);
	cr_assert_not(host->pfs[0].vfs[1].device_id.known);
	cr_assert(is_noted("0000:08:00.3"));
}

Test(probe, a_link_that_is_no_address_is_never_part_of_a_path)
{
	tree_add_pf(tree, &pf_a);
	tree_link(tree, "../../../../etc", "sys/devices/pci0000:00/0000:08:00.0/virtfn0");
	probe();
	cr_assert_eq(host->pfs[0].num_vfs, 1);
	cr_assert_eq(host->pfs[0].vfs[0].index.value, 1);
}

Test(probe, a_device_that_leads_out_of_the_tree_is_not_followed)
{
	tree_link(tree, "../../../../../../../../../../tmp", "sys/bus/pci/devices/0000:08:00.0");
	probe();
	cr_assert_eq(host->num_pfs, 0);
}

Test(probe, without_a_pci_bus_fails_and_says_what_to_mount)
{
	struct mlx5lm_error *error = NULL;

	tree_remove(tree, "sys/bus");
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(probe_host(root, NULL, &options, &host, &error), -ENOENT);
	cr_assert_eq(error->code, MLX5LM_ERROR_NOT_FOUND);
	cr_assert(strstr(error->remedy, tree_path(tree)));
	mlx5lm_error_free(error);
}

Test(probe, of_one_pf_leaves_the_others_out)
{
	struct tree_pf pf_b = pf_a;

	pf_b.bdf = "0000:05:00.0";
	tree_add_pf(tree, &pf_a);
	tree_add_pf(tree, &pf_b);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(probe_pf(root, NULL, "0000:08:00.0", &host, NULL), 0);
	cr_assert_eq(host->num_pfs, 1);
	cr_assert_str_eq(host->pfs[0].bdf, "0000:08:00.0");
}

Test(probe, of_a_pf_that_is_not_there_fails)
{
	struct mlx5lm_error *error = NULL;

	tree_add_pf(tree, &pf_a);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(probe_pf(root, NULL, "0000:09:00.0", &host, &error), -ENOENT);
	mlx5lm_error_free(error);
	/* A VF is no PF. */
	cr_assert_eq(probe_pf(root, NULL, "0000:08:00.2", &host, NULL), -ENOENT);
	cr_assert_eq(probe_pf(root, NULL, "../0000:08:00.0", &host, NULL), -EINVAL);
	cr_assert_null(host);
}
