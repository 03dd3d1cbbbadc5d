// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/probe.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/netlink.h>
#include <semaphore.h>

#include "base/clock.h"
#include "support/nl_peer.h"
#include "support/tree.h"
#include "sys/devlink_uapi.h"
#include "sys/netlink.h"
#include "sys/sysfs.h"
#include "sys/vfs.h"

/*
 * Files that wait in the kernel, and a devlink that gives no answer. No file of a tree can be
 * made to wait as one of sysfs does, so the reading functions are replaced at link time.
 */
#define PF "0000:08:00.0"
#define TIMEOUT_MS 300
#define SLACK_MS 200

static const struct tree_pf pf = { .bdf = PF,
				   .device_id = 0x1021,
				   .total_vfs = 8,
				   .num_vfs = 3,
				   .serial_number = "MT2306X",
				   .vf_driver = "mlx5_vfio_pci" };

static const char *waiting_file; /* NULL: none */
static uint32_t waiting_vf;
static sem_t may_go_on;
static struct nl_peer peer;
static struct tree *tree;
static struct root *root;
static struct mlx5lm_host *host;

int __real_sysfs_read(int dir_fd, const char *name, char text[static SYSFS_TEXT_SIZE]);
int __wrap_sysfs_read(int dir_fd, const char *name, char text[static SYSFS_TEXT_SIZE]);
int __real_sysfs_read_u64(int dir_fd, const char *name, int base, uint64_t *ret);
int __wrap_sysfs_read_u64(int dir_fd, const char *name, int base, uint64_t *ret);
int __real_vf_dir_read(const struct vf_dir *dir, uint32_t index, const char *bdf, const char *name,
		       char text[static SYSFS_TEXT_SIZE]);
int __wrap_vf_dir_read(const struct vf_dir *dir, uint32_t index, const char *bdf, const char *name,
		       char text[static SYSFS_TEXT_SIZE]);
int __wrap_netlink_open(const char *family, struct netlink **ret, struct mlx5lm_error **reterr);

int __wrap_sysfs_read(int dir_fd, const char *name, char text[static SYSFS_TEXT_SIZE])
{
	if (streq(waiting_file, name))
		sem_wait(&may_go_on);
	return __real_sysfs_read(dir_fd, name, text);
}

int __wrap_sysfs_read_u64(int dir_fd, const char *name, int base, uint64_t *ret)
{
	if (streq(waiting_file, name))
		sem_wait(&may_go_on);
	return __real_sysfs_read_u64(dir_fd, name, base, ret);
}

int __wrap_vf_dir_read(const struct vf_dir *dir, uint32_t index, const char *bdf, const char *name,
		       char text[static SYSFS_TEXT_SIZE])
{
	if (streq(waiting_file, name) && index == waiting_vf)
		sem_wait(&may_go_on);
	return __real_vf_dir_read(dir, index, bdf, name, text);
}

int __wrap_netlink_open(const char *family, struct netlink **ret, struct mlx5lm_error **reterr)
{
	return netlink_new_from_fd(peer.client_fd, family, ret, reterr);
}

static void open_tree(void)
{
	sem_init(&may_go_on, 0, 0);
	tree = tree_new();
	tree_add_host(tree, true);
	tree_add_pf(tree, &pf);
	tree_write(tree, "up\n", "sys/devices/pci0000:00/" PF "/net/eth0/operstate");
	tree_write(tree, "400000\n", "sys/devices/pci0000:00/" PF "/net/eth0/speed");
	tree_write(tree, "512\n", "sys/devices/pci0000:00/" PF "/sriov_vf_total_msix");
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert(root->native);
	nl_peer_start(&peer);
}

static void close_tree(void)
{
	sem_post(&may_go_on);
	mlx5lm_host_free(host);
	root_unref(root);
	tree_free(tree);
	nl_peer_stop(&peer);
}

TestSuite(probe_late, .init = open_tree, .fini = close_tree);

static void answer_info(void)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = nl_peer_message(buffer, CMD_INFO_GET);
	struct nlattr *nest;

	mnl_attr_put_strz(message, ATTR_INFO_DRIVER_NAME, "mlx5_core");
	mnl_attr_put_strz(message, ATTR_INFO_BOARD_SERIAL_NUMBER, "MT2306X");
	nest = mnl_attr_nest_start(message, ATTR_INFO_VERSION_FIXED);
	mnl_attr_put_strz(message, ATTR_INFO_VERSION_NAME, "fw.psid");
	mnl_attr_put_strz(message, ATTR_INFO_VERSION_VALUE, "MT_0000000838");
	mnl_attr_nest_end(message, nest);
	nest = mnl_attr_nest_start(message, ATTR_INFO_VERSION_RUNNING);
	mnl_attr_put_strz(message, ATTR_INFO_VERSION_NAME, "fw.version");
	mnl_attr_put_strz(message, ATTR_INFO_VERSION_VALUE, "28.41.1000");
	mnl_attr_nest_end(message, nest);
	nl_peer_send(&peer, message);
	nl_peer_ack(&peer, 0, NULL);
	nl_peer_next(&peer);
}

static void answer_eswitch(int error)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = nl_peer_message(buffer, CMD_ESWITCH_GET);

	mnl_attr_put_u16(message, ATTR_ESWITCH_MODE, MODE_SWITCHDEV);
	if (error == 0)
		nl_peer_send(&peer, message);
	nl_peer_ack(&peer, error, NULL);
	nl_peer_next(&peer);
}

static void answer_ports(void)
{
	for (uint16_t i = 0; i < 3; i++) {
		struct nl_peer_port port = { .pf_bdf = PF,
					     .index = 1000u + i,
					     .flavour = 4,
					     .vf_index = i,
					     .caps_selector = CAP_MIGRATABLE,
					     .caps_value = CAP_MIGRATABLE };

		nl_peer_send_port(&peer, &port);
	}
	nl_peer_done(&peer, 0, NULL, 0);
	nl_peer_next(&peer);
}

static void answer_params(int error)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = nl_peer_message(buffer, CMD_PARAM_GET);
	struct nlattr *param;

	message->nlmsg_flags = NLM_F_MULTI;
	mnl_attr_put_strz(message, ATTR_BUS_NAME, "pci");
	mnl_attr_put_strz(message, ATTR_DEV_NAME, PF);
	param = mnl_attr_nest_start(message, ATTR_PARAM);
	mnl_attr_put_strz(message, ATTR_PARAM_NAME, "total_vfs");
	mnl_attr_put_u8(message, ATTR_PARAM_TYPE, TYPE_U32);
	mnl_attr_nest_end(message, param);
	if (error == 0)
		nl_peer_send(&peer, message);
	nl_peer_done(&peer, error, NULL, 0);
	nl_peer_next(&peer);
}

static void answer_all(void)
{
	answer_info();
	answer_eswitch(0);
	answer_ports();
	answer_params(0);
}

/* Probes and returns how long that took. */
static int64_t probe(void)
{
	int64_t start_ms = clock_now_ms();
	struct probe_options options = { .until_ms = (uint64_t)start_ms + TIMEOUT_MS };

	cr_assert_eq(probe_host(root, NULL, &options, &host, NULL), 0);
	cr_assert_eq(host->num_pfs, 1);
	return clock_now_ms() - start_ms;
}

static void assert_files_known(void)
{
	const struct mlx5lm_pf *found = &host->pfs[0];

	cr_assert_str_eq(found->netdev, "eth0");
	cr_assert_str_eq(found->link_state, "up");
	cr_assert_eq(found->link_speed_mbps.value, 400000);
	cr_assert_eq(found->sriov_vf_total_msix.value, 512);
	cr_assert_str_eq(found->serial_number, "MT2306X");
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(found->vfs[i].msix_count.value, 64);
}

static void assert_devlink_known(void)
{
	const struct mlx5lm_pf *found = &host->pfs[0];

	cr_assert_str_eq(found->psid, "MT_0000000838");
	cr_assert_str_eq(found->devlink_driver, "mlx5_core");
	cr_assert_str_eq(found->board_serial_number, "MT2306X");
	cr_assert_eq(found->eswitch_mode, MLX5LM_ESWITCH_SWITCHDEV);
	cr_assert_eq(found->eswitch_manager, MLX5LM_ANSWER_YES);
	cr_assert_eq(found->vfs[2].port_index.value, 1002);
	cr_assert_eq(found->vfs[2].migratable, MLX5LM_PORT_ATTR_STATE_ENABLED);
	cr_assert_eq(found->num_params, 1);
	cr_assert_str_eq(found->params[0].name, "total_vfs");
}

static void assert_links_known(void)
{
	for (size_t i = 0; i < 3; i++) {
		cr_assert_str_eq(host->pfs[0].vfs[i].driver, "mlx5_vfio_pci");
		cr_assert_eq(host->pfs[0].vfs[i].iommu_group.value, 100 + i);
	}
}

Test(probe_late, with_all_answers_does_not_wait)
{
	answer_all();
	probe();
	assert_files_known();
	assert_devlink_known();
	assert_links_known();
}

Test(probe_late, a_devlink_without_answer_costs_the_deadline_and_its_own_facts)
{
	int64_t took_ms = probe();

	cr_assert_geq(took_ms, TIMEOUT_MS - 1);
	cr_assert_lt(took_ms, TIMEOUT_MS + SLACK_MS);
	assert_files_known();
	assert_links_known();
	cr_assert_null(host->pfs[0].psid);
	for (const char *const *fact =
		     (const char *const[]){ "psid", "eswitch_mode", "migratable", "params", NULL };
	     *fact; fact++)
		cr_assert(strstr(host_find_note(host, PF, *fact)->text, "devlink gives no answer"));
}

Test(probe_late, what_devlink_said_before_it_fell_silent_is_kept)
{
	answer_info();
	answer_eswitch(0);
	cr_assert_lt(probe(), TIMEOUT_MS + SLACK_MS);
	cr_assert_str_eq(host->pfs[0].psid, "MT_0000000838");
	cr_assert_eq(host->pfs[0].eswitch_mode, MLX5LM_ESWITCH_SWITCHDEV);
	cr_assert_null(host_find_note(host, PF, "psid"));
	cr_assert_null(host_find_note(host, PF, "eswitch_mode"));
	cr_assert_not_null(host_find_note(host, PF, "migratable"));
	cr_assert_not_null(host_find_note(host, PF, "params"));
	assert_files_known();
}

Test(probe_late, parameters_that_are_refused_are_noted_and_cost_nothing_else)
{
	answer_info();
	answer_eswitch(0);
	answer_ports();
	answer_params(-EOPNOTSUPP);
	probe();
	cr_assert_eq(host->pfs[0].num_params, 0);
	cr_assert_not_null(host_find_note(host, PF, "params"));
	cr_assert_eq(host->pfs[0].vfs[0].port_index.value, 1000);
}

Test(probe_late, without_rights_the_eswitch_and_its_manager_are_unknown)
{
	answer_info();
	answer_eswitch(-EPERM);
	answer_ports();
	answer_params(0);
	probe();
	cr_assert_eq(host->pfs[0].eswitch_manager, MLX5LM_ANSWER_UNKNOWN);
	cr_assert(strstr(host_find_note(host, PF, "eswitch_manager")->text, "run as root"));
}

#define CONFIG "boot/config-" TREE_RELEASE

static void probe_without_eswitch(void)
{
	answer_info();
	answer_eswitch(-EOPNOTSUPP);
	answer_ports();
	answer_params(0);
	probe();
}

Test(probe_late, an_ethernet_function_without_eswitch_is_managed_from_elsewhere)
{
	tree_write(tree, "CONFIG_MODULES=y\nCONFIG_MLX5_ESWITCH=y\n", CONFIG);
	probe_without_eswitch();
	cr_assert_eq(host->pfs[0].eswitch_manager, MLX5LM_ANSWER_NO);
	cr_assert_not_null(host_find_note(host, PF, "eswitch_mode"));
}

Test(probe_late, an_infiniband_function_without_eswitch_says_nothing_of_its_manager)
{
	tree_write(tree, "CONFIG_MODULES=y\nCONFIG_MLX5_ESWITCH=y\n", CONFIG);
	tree_write(tree, "0x020700\n", "sys/devices/pci0000:00/" PF "/class");
	probe_without_eswitch();
	cr_assert_eq(host->pfs[0].eswitch_manager, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_not_null(host_find_note(host, PF, "eswitch_manager"));
}

Test(probe_late, a_driver_built_without_eswitch_says_nothing_of_its_manager)
{
	tree_write(tree, "CONFIG_MODULES=y\nCONFIG_MLX5_CORE=m\n", CONFIG);
	probe_without_eswitch();
	cr_assert_eq(host->pfs[0].eswitch_manager, MLX5LM_ANSWER_UNKNOWN);
	cr_assert(strstr(host_find_note(host, PF, "eswitch_manager")->text, "MLX5_ESWITCH"));
}

Test(probe_late, a_network_device_that_waits_costs_the_files_behind_it)
{
	const struct mlx5lm_pf *found;

	answer_all();
	waiting_file = "operstate";
	cr_assert_lt(probe(), TIMEOUT_MS + SLACK_MS);
	found = &host->pfs[0];
	assert_devlink_known();
	assert_links_known();
	cr_assert_null(found->link_state);
	cr_assert_not(found->sriov_vf_total_msix.known);
	cr_assert_eq(found->vfs[2].msix_count.value, 64);
	cr_assert(strstr(host_find_note(host, PF, "link_state")->text, "waits"));
}

Test(probe_late, a_change_of_the_vfs_costs_what_waits_for_it_and_no_more)
{
	answer_all();
	waiting_file = "sriov_vf_total_msix";
	cr_assert_lt(probe(), TIMEOUT_MS + SLACK_MS);
	cr_assert_str_eq(host->pfs[0].netdev, "eth0");
	cr_assert_eq(host->pfs[0].link_speed_mbps.value, 400000);
	cr_assert_not(host->pfs[0].sriov_vf_total_msix.known);
	cr_assert(strstr(host_find_note(host, PF, "sriov_vf_total_msix")->text, "number of VFs"));
	assert_devlink_known();
}

Test(probe_late, a_vf_that_waits_costs_itself_and_those_behind_it)
{
	answer_all();
	waiting_file = "driver_override";
	waiting_vf = 1;
	cr_assert_lt(probe(), TIMEOUT_MS + SLACK_MS);
	cr_assert_eq(host->pfs[0].vfs[0].msix_count.value, 64);
	cr_assert_not(host->pfs[0].vfs[1].msix_count.known);
	cr_assert_not(host->pfs[0].vfs[2].msix_count.known);
	cr_assert(strstr(host_find_note(host, PF, "msix_count")->text, "0000:08:00.3"));
	assert_links_known();
	assert_devlink_known();
}
