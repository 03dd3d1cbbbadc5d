// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "support/nl_peer.h"
#include "support/tree.h"
#include "sys/applier_internal.h"
#include "sys/devlink_uapi.h"

#define PF "0000:08:00.0"

static const struct tree_pf pf_a = { .bdf = PF, .device_id = 0x1021, .total_vfs = 8 };

static struct tree *tree;
static struct root *root;
static struct applier *applier;
static struct nl_peer peer;
static struct mlx5lm_error *error; /* the last one */
static char events[64];		   /* "S0S1D0F1" */
static size_t cancel_at;	   /* after so many events; 0: never */

static void setup(void)
{
	char buffer[NL_PEER_SIZE];

	tree = tree_new();
	tree_add_host(tree, true);
	tree_add_pf(tree, &pf_a);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(applier_new(root, NULL, PF, &applier, NULL), 0);
	applier->timeout_ms = 10000;
	nl_peer_start(&peer);
	cr_assert_eq(netlink_new_from_fd(peer.client_fd, "devlink", &applier->netlink, NULL), 0);
	nl_peer_receive(&peer, buffer, sizeof(buffer));
}

static void teardown(void)
{
	mlx5lm_error_free(error);
	applier_free(applier);
	nl_peer_stop(&peer);
	root_unref(root);
	tree_free(tree);
}

TestSuite(applier_nv, .init = setup, .fini = teardown);

static int note(void *data, size_t index, enum mlx5lm_step_state state, struct mlx5lm_error *reason)
{
	size_t length = strlen(events);

	(void)data;
	snprintf(events + length, sizeof(events) - length, "%c%zu",
		 state == MLX5LM_STEP_STATE_STARTED ? 'S' :
		 state == MLX5LM_STEP_STATE_DONE    ? 'D' :
						      'F',
		 index);
	cr_expect_eq(reason != NULL, state == MLX5LM_STEP_STATE_FAILED);
	if (reason) {
		mlx5lm_error_free(error);
		error = reason;
	}
	return cancel_at && strlen(events) / 2 >= cancel_at ? -ECANCELED : 0;
}

static const struct applier_watch watch = { .fn = note };

static int set_two(const char *backend)
{
	const struct mlx5lm_step enable = {
		.kind = STEP_NV, .text = (char *)"SRIOV_EN", .value = 1, .backend = (char *)backend
	};
	const struct mlx5lm_step number = { .kind = STEP_NV,
					    .text = (char *)"NUM_OF_VFS",
					    .value = 16,
					    .backend = (char *)backend };
	const struct mlx5lm_step *const steps[] = { &enable, &number };

	return applier_run(applier, steps, 2, &watch);
}

static int set_one(const char *name, uint64_t value, const char *backend)
{
	const struct mlx5lm_step step = {
		.kind = STEP_NV, .text = (char *)name, .value = value, .backend = (char *)backend
	};
	const struct mlx5lm_step *const steps[] = { &step };

	return applier_run(applier, steps, 1, &watch);
}

/* A tool that notes what it was given, a line for each run, and then does as the script says. */
static void add_tool(const char *name, const char *script)
{
	char text[512], path[256];

	snprintf(text, sizeof(text), "#!/bin/sh\necho \"$*\" >>'%s/log'\n%s", tree_path(tree),
		 script);
	tree_write(tree, text, "usr/bin/%s", name);
	snprintf(path, sizeof(path), "%s/usr/bin/%s", tree_path(tree), name);
	cr_assert_eq(chmod(path, 0755), 0);
}

static void expect_nothing_sent(void)
{
	char byte;

	cr_expect_eq(recv(peer.fd, &byte, 1, MSG_DONTWAIT), -1);
	cr_expect_eq(errno, EAGAIN);
}

Test(applier_nv, a_tool_is_run_once_for_all)
{
	add_tool("mstconfig", "echo '-I- Please reboot machine to load new configurations.'\n");
	cr_assert_eq(set_two("mstconfig"), 0);
	cr_expect_str_eq(tree_read(tree, "log"), "-d " PF " -y set SRIOV_EN=1 NUM_OF_VFS=16");
	cr_expect_str_eq(events, "S0S1D0D1");
	cr_expect_eq(applier_get_counts(applier).writes, 1);
	cr_expect_eq(applier_get_counts(applier).messages, 0);
	expect_nothing_sent();
}

Test(applier_nv, the_tool_is_the_one_that_told_the_value)
{
	add_tool("mstconfig", "exit 1\n");
	add_tool("mlxconfig", "");
	cr_assert_eq(set_one("VF_MIGRATION_MODE", 2, "mlxconfig"), 0);
	cr_expect_str_eq(tree_read(tree, "log"), "-d " PF " -y set VF_MIGRATION_MODE=2");
}

Test(applier_nv, the_words_of_a_tool_that_refuses_are_told)
{
	add_tool("mstconfig", "echo 'Device #1:'\n"
			      "echo '-E- The Device does not support \033[2JNUM_OF_VFS'\n"
			      "echo '-E- more'\nexit 3\n");
	cr_assert_eq(set_two("mstconfig"), -EIO);
	cr_expect_str_eq(events, "S0S1F0F1");
	cr_expect_eq(error->source, MLX5LM_SOURCE_NVCONFIG);
	cr_expect_str_eq(error->message, PF ": mstconfig refuses to set it: The Device does not "
					    "support ?[2JNUM_OF_VFS");
	cr_expect_str_eq(error->detail, "mstconfig -d " PF " -y set SRIOV_EN=1 NUM_OF_VFS=16");
	cr_expect_not_null(error->remedy);
}

Test(applier_nv, a_tool_that_fails_without_a_word_is_told_by_its_code)
{
	add_tool("mstconfig", "exit 7\n");
	cr_assert_eq(set_two("mstconfig"), -EIO);
	cr_expect_str_eq(error->message, PF ": mstconfig refuses to set it: it ended with code 7");
	add_tool("mstconfig", "echo 'no such library' >&2\nexit 127\n");
	cr_assert_eq(set_two("mstconfig"), -EIO);
	cr_expect_str_eq(error->message, PF ": mstconfig refuses to set it: no such library");
}

Test(applier_nv, a_tool_that_hangs_is_ended)
{
	applier->timeout_ms = 200;
	add_tool("mstconfig", "sleep 100\n");
	cr_assert_eq(set_two("mstconfig"), -ETIMEDOUT);
	cr_expect_str_eq(events, "S0S1F0F1");
	cr_expect_eq(error->code, MLX5LM_ERROR_TIMEOUT);
	cr_expect_not_null(strstr(error->remedy, "mstconfig -d " PF " -e q"));
}

Test(applier_nv, a_tool_that_is_not_there_is_named_with_its_package)
{
	cr_assert_eq(set_one("NUM_OF_VFS", 16, "mstconfig"), -ENOENT);
	cr_expect_eq(error->code, MLX5LM_ERROR_NOT_FOUND);
	cr_expect_str_eq(error->remedy, "install it: mstflint has it");
	cr_expect_eq(applier_get_counts(applier).writes, 0);
}

Test(applier_nv, what_is_no_program_is_not_taken_for_a_missing_one)
{
	add_tool("mstconfig", "");
	tree_write(tree, "#!/nonexistent/shell\n", "usr/bin/mstconfig");
	cr_assert_eq(set_one("NUM_OF_VFS", 16, "mstconfig"), -ENOEXEC);
	cr_expect_not_null(strstr(error->message, "mstconfig cannot be run"));
}

Test(applier_nv, what_was_cancelled_before_it_began_is_not_set)
{
	add_tool("mstconfig", "");
	cancel_at = 1;
	cr_assert_eq(set_two("mstconfig"), -ECANCELED);
	cr_expect_str_eq(events, "S0", "the one that was refused gets no other call");
	cr_expect_eq(applier_get_counts(applier).writes, 0);
}

Test(applier_nv, what_was_begun_before_the_cancelling_is_set)
{
	add_tool("mstconfig", "");
	cancel_at = 2;
	cr_assert_eq(set_two("mstconfig"), -ECANCELED);
	cr_expect_str_eq(events, "S0S1D0");
	cr_expect_str_eq(tree_read(tree, "log"), "-d " PF " -y set SRIOV_EN=1");
}

Test(applier_nv, nobody_else_sets_anything)
{
	cr_assert_eq(set_two("a-tool"), -EINVAL);
	cr_expect_str_eq(events, "S0F0S1F1");
	cr_assert_eq(set_one("NUM_OF_VFS", 1, NULL), -EINVAL);
	expect_nothing_sent();
}

/* The value of a parameter as the kernel tells it. */
static void send_param(const char *name, uint8_t type, uint32_t value)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = nl_peer_message(buffer, CMD_PARAM_GET);
	struct nlattr *param, *list, *one;

	mnl_attr_put_strz(message, ATTR_BUS_NAME, "pci");
	mnl_attr_put_strz(message, ATTR_DEV_NAME, PF);
	param = mnl_attr_nest_start(message, ATTR_PARAM);
	mnl_attr_put_strz(message, ATTR_PARAM_NAME, name);
	mnl_attr_put_u8(message, ATTR_PARAM_TYPE, type);
	list = mnl_attr_nest_start(message, ATTR_PARAM_VALUES_LIST);
	one = mnl_attr_nest_start(message, ATTR_PARAM_VALUE);
	if (type == TYPE_U32)
		mnl_attr_put_u32(message, ATTR_PARAM_VALUE_DATA, value);
	else if (value)
		mnl_attr_put(message, ATTR_PARAM_VALUE_DATA, 0, NULL);
	mnl_attr_put_u8(message, ATTR_PARAM_VALUE_CMODE, CMODE_PERMANENT);
	mnl_attr_nest_end(message, one);
	mnl_attr_nest_end(message, list);
	mnl_attr_nest_end(message, param);
	message->nlmsg_flags |= NLM_F_MULTI;
	nl_peer_send(&peer, message);
}

/* The kernel sets a parameter, and tells this value of it afterwards. */
static void queue_success(const char *name, uint8_t type, uint32_t value)
{
	nl_peer_ack(&peer, 0, NULL);
	nl_peer_next(&peer);
	send_param(name, type, value);
	nl_peer_done(&peer, 0, NULL, 0);
	nl_peer_next(&peer);
}

static struct nlmsghdr *start_expected(char *buffer, uint8_t command)
{
	struct nlmsghdr *expected = nl_peer_message(buffer, command);

	mnl_attr_put_strz(expected, ATTR_BUS_NAME, "pci");
	mnl_attr_put_strz(expected, ATTR_DEV_NAME, PF);
	return expected;
}

/* The next request is this one, byte by byte behind the head. */
static void expect_request(const struct nlmsghdr *expected)
{
	union {
		char bytes[NL_PEER_SIZE];
		struct nlmsghdr head;
	} received;
	size_t length = nl_peer_receive(&peer, &received, sizeof(received));

	cr_assert_eq(length, expected->nlmsg_len);
	cr_expect_eq(received.head.nlmsg_len, expected->nlmsg_len);
	cr_expect_eq(received.head.nlmsg_type, NL_PEER_FAMILY);
	cr_expect_eq(received.head.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	cr_expect_arr_eq(received.bytes + NLMSG_HDRLEN, (const char *)expected + NLMSG_HDRLEN,
			 length - NLMSG_HDRLEN);
}

static void skip_request(void)
{
	char buffer[NL_PEER_SIZE];

	nl_peer_receive(&peer, buffer, sizeof(buffer));
}

Test(applier_nv, devlink_sets_a_permanent_number)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *expected = start_expected(buffer, CMD_PARAM_SET);

	queue_success("total_vfs", TYPE_U32, 16);
	cr_assert_eq(set_one("NUM_OF_VFS", 16, "devlink"), 0, "%s", error ? error->message : "");
	cr_expect_str_eq(events, "S0D0");
	mnl_attr_put_strz(expected, ATTR_PARAM_NAME, "total_vfs");
	mnl_attr_put_u8(expected, ATTR_PARAM_TYPE, 3);
	mnl_attr_put_u8(expected, ATTR_PARAM_VALUE_CMODE, 2);
	mnl_attr_put_u32(expected, ATTR_PARAM_VALUE_DATA, 16);
	expect_request(expected);
	cr_expect_eq(applier_get_counts(applier).messages, 1);
	cr_expect_eq(applier_get_counts(applier).writes, 0);
}

/* A flag that is there is true; one that is not is false. */
Test(applier_nv, devlink_sets_a_permanent_flag)
{
	for (unsigned int value = 0; value < 2; value++) {
		char buffer[NL_PEER_SIZE];
		struct nlmsghdr *expected = start_expected(buffer, CMD_PARAM_SET);

		queue_success("enable_sriov", TYPE_FLAG, value);
		cr_assert_eq(set_one("SRIOV_EN", value, "devlink"), 0);
		mnl_attr_put_strz(expected, ATTR_PARAM_NAME, "enable_sriov");
		mnl_attr_put_u8(expected, ATTR_PARAM_TYPE, 6);
		mnl_attr_put_u8(expected, ATTR_PARAM_VALUE_CMODE, 2);
		if (value)
			mnl_attr_put(expected, ATTR_PARAM_VALUE_DATA, 0, NULL);
		expect_request(expected);
		skip_request();
	}
}

Test(applier_nv, devlink_goes_on_past_a_parameter_that_fails)
{
	nl_peer_ack(&peer, -EOPNOTSUPP, "SRIOV is not per PF on this device");
	nl_peer_next(&peer);
	queue_success("total_vfs", TYPE_U32, 16);
	cr_assert_eq(set_two("devlink"), -EOPNOTSUPP);
	cr_expect_str_eq(events, "S0F0S1D1");
	cr_expect_eq(error->code, MLX5LM_ERROR_NOT_SUPPORTED);
	cr_expect_str_eq(error->message,
			 PF ": cannot set SRIOV_EN (devlink parameter enable_sriov) to 1: "
			    "Operation not supported");
	cr_expect_str_eq(error->detail, "SRIOV is not per PF on this device");
	cr_expect_str_eq(error->remedy,
			 "set it for the whole adapter: mstconfig -d " PF " -y set SRIOV_EN=1");
}

Test(applier_nv, a_value_of_devlink_that_did_not_stay_is_noticed)
{
	queue_success("total_vfs", TYPE_U32, 8);
	cr_assert_eq(set_one("NUM_OF_VFS", 16, "devlink"), -EIO);
	cr_expect_eq(error->code, MLX5LM_ERROR_VERIFY_FAILED);
	cr_expect_str_eq(error->message, PF ": NUM_OF_VFS (devlink parameter total_vfs) is 8 after "
					    "16 was set");
}

Test(applier_nv, devlink_has_not_all_parameters_and_values)
{
	cr_expect_eq(set_one("VF_MIGRATION_MODE", 2, "devlink"), -EINVAL);
	cr_expect_eq(set_one("NUM_OF_VFS", UINT64_C(1) << 32, "devlink"), -EINVAL);
	cr_expect_eq(set_one("SRIOV_EN", 2, "devlink"), -EINVAL);
	expect_nothing_sent();
}

Test(applier_nv, devlink_that_does_not_answer_is_given_up)
{
	applier->timeout_ms = 100;
	cr_assert_eq(set_one("NUM_OF_VFS", 16, "devlink"), -ETIMEDOUT);
	cr_expect_eq(error->code, MLX5LM_ERROR_TIMEOUT);
	cr_expect_not_null(strstr(error->remedy, "devlink dev param show pci/" PF));
}

static int reset(void)
{
	const struct mlx5lm_step step = { .kind = STEP_FIRMWARE_RESET };
	const struct mlx5lm_step *const steps[] = { &step };

	return applier_run(applier, steps, 1, &watch);
}

Test(applier_nv, firmware_is_restarted_by_devlink)
{
	char buffer[NL_PEER_SIZE], reply[NL_PEER_SIZE];
	struct nlmsghdr *expected = start_expected(buffer, CMD_RELOAD);

	/* What was done comes before the end, and is not asked for. */
	nl_peer_send(&peer, start_expected(reply, CMD_RELOAD));
	nl_peer_ack(&peer, 0, NULL);
	applier->ports_known = true;
	cr_assert_eq(reset(), 0, "%s", error ? error->message : "");
	cr_expect_str_eq(events, "S0D0");
	mnl_attr_put_u8(expected, ATTR_RELOAD_ACTION, 2);
	expect_request(expected);
	cr_expect_not(applier->ports_known, "they are others now");
	cr_expect_eq(applier_get_counts(applier).messages, 1);
}

Test(applier_nv, firmware_is_not_restarted_under_vfs)
{
	tree_link(tree, "../0000:08:00.2", "sys/devices/pci0000:00/" PF "/virtfn0");
	cr_assert_eq(reset(), -EBUSY);
	cr_expect_eq(error->code, MLX5LM_ERROR_BUSY);
	cr_expect_str_eq(error->message,
			 PF ": the adapter is not restarted while there are VFs (1)");
	cr_expect_not_null(strstr(error->remedy, "/sys/bus/pci/devices/" PF "/sriov_numvfs"));
	expect_nothing_sent();
}

Test(applier_nv, firmware_that_does_not_restart_is_told_with_another_way)
{
	static const struct {
		int errnum;
		const char *words;
		const char *remedy;
	} refusals[] = {
		{ EINVAL, "FW activate requires reboot", "reboot of the host" },
		{ EOPNOTSUPP, "FW activate is unsupported for this function", "mstfwreset -d " PF },
		{ EBUSY, NULL, "try again" },
		{ EIO, "Sync reset negotiation timeout", "dmesg" },
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		nl_peer_ack(&peer, -refusals[i].errnum, refusals[i].words);
		nl_peer_next(&peer);
		cr_assert_eq(reset(), -refusals[i].errnum);
		if (refusals[i].words)
			cr_expect_str_eq(error->detail, refusals[i].words);
		cr_expect_not_null(strstr(error->remedy, refusals[i].remedy), "%s", error->remedy);
		cr_expect_neq(error->code, MLX5LM_ERROR_INVALID_ARGUMENT);
	}
}

Test(applier_nv, firmware_that_takes_too_long_is_not_waited_for)
{
	applier->timeout_ms = 100;
	cr_assert_eq(reset(), -ETIMEDOUT);
	cr_expect_not_null(strstr(error->remedy, "devlink dev info pci/" PF));
}
