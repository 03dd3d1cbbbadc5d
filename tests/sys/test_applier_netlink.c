// SPDX-License-Identifier: LGPL-2.1-or-later
/* Steps that are requests to devlink and to network interfaces, with the kernel played. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "support/nl_peer.h"
#include "support/tree.h"
#include "sys/applier_internal.h"
#include "sys/devlink_uapi.h"
#include "sys/notices.h"

#define PF "0000:08:00.0"
#define NUM_VFS 20
#define DEVICES "sys/devices/pci0000:00/"

static const struct tree_pf pf = {
	.bdf = PF, .device_id = 0x1021, .total_vfs = 32, .num_vfs = 2, .vf_driver = NULL
};

static struct tree *tree;
static struct root *root;
static struct applier *applier;
static struct nl_peer peer;  /* devlink */
static struct nl_peer route; /* network interfaces */
static atomic_int uevents = -1; /* the kernel's end of the news */

/* What the watch was told. */
static struct mlx5lm_error *errors[NUM_VFS];
static enum mlx5lm_step_state states[NUM_VFS];
static size_t num_started;
static size_t cancel_at; /* the step that is refused; 0: none */

static struct mlx5lm_step steps[NUM_VFS];

/* The news come from the test. */
void __wrap_notices_open(struct notices *notices, const struct netlink *devlink);
void __wrap_notices_open(struct notices *notices, const struct netlink *devlink)
{
	int fds[2];

	(void)devlink;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	*notices = (struct notices){ fds[0], -1 };
	uevents = fds[1];
}

static void open_route(void)
{
	/* Its messages have no family, but a socket is a socket. */
	nl_peer_start(&route);
	cr_assert_eq(netlink_new_from_fd(route.client_fd, "devlink", &applier->route, NULL), 0);
	route.sequence = 2;
}

static void open_all(void)
{
	char buffer[NL_PEER_SIZE];

	tree = tree_new();
	tree_add_host(tree, true);
	tree_add_pf(tree, &pf);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(applier_new(root, NULL, PF, &applier, NULL), 0);
	applier->timeout_ms = 500;
	nl_peer_start(&peer);
	cr_assert_eq(netlink_new_from_fd(peer.client_fd, "devlink", &applier->netlink, NULL), 0);
	nl_peer_receive(&peer, buffer, sizeof(buffer));
	peer.sequence = 2;
	open_route();
}

static void close_all(void)
{
	for (size_t i = 0; i < NUM_VFS; i++)
		mlx5lm_error_free(errors[i]);
	nl_peer_stop(&peer);
	nl_peer_stop(&route);
	applier_free(applier);
	root_unref(root);
	tree_free(tree);
	if (uevents >= 0)
		close(uevents);
}

TestSuite(applier_netlink, .init = open_all, .fini = close_all);

static int watch(void *data, size_t index, enum mlx5lm_step_state state, struct mlx5lm_error *error)
{
	(void)data;
	if (state == MLX5LM_STEP_STATE_STARTED && cancel_at && index == cancel_at)
		return -1;
	cr_assert_eq(states[index], state == MLX5LM_STEP_STATE_STARTED ? MLX5LM_STEP_STATE_UNKNOWN
								       : MLX5LM_STEP_STATE_STARTED);
	num_started += state == MLX5LM_STEP_STATE_STARTED;
	states[index] = state;
	errors[index] = error;
	return 0;
}

static int run(size_t length)
{
	const struct applier_watch told = { .fn = watch };
	const struct mlx5lm_step *list[NUM_VFS];

	for (size_t i = 0; i < length; i++) {
		steps[i].vf_index = (uint32_t)i;
		list[i] = &steps[i];
	}
	return applier_run(applier, list, length, &told);
}

static void want_migratable(size_t length)
{
	for (size_t i = 0; i < length; i++)
		steps[i] = (struct mlx5lm_step){ .kind = STEP_PORT_ATTR,
						 .attr = MLX5LM_PORT_ATTR_MIGRATABLE,
						 .value = MLX5LM_PORT_ATTR_STATE_ENABLED };
}

static uint32_t port_index(size_t vf)
{
	return (uint32_t)(0x70000 - vf * 17);
}

/* One dump: with ports that are none of ours between those of the VFs. */
static void answer_ports(size_t length, uint32_t caps, size_t spoilt)
{
	for (size_t i = 0; i < length; i++) {
		struct nl_peer_port port = {
			.pf_bdf = PF,
			.index = port_index(i),
			.flavour = 4,
			.vf_index = (uint16_t)i,
			.caps_selector = CAP_ROCE | CAP_MIGRATABLE,
			.caps_value = i == spoilt ? 0 : caps,
			.netdev = "eth1",
			.ifindex = (uint32_t)(100 + i),
		};
		struct nl_peer_port stranger = port;

		stranger.index = 1;
		stranger.external = 1;
		nl_peer_send_port(&peer, &stranger);
		stranger.external = 0;
		stranger.controller = 1;
		nl_peer_send_port(&peer, &stranger);
		stranger.controller = 0;
		stranger.pf_bdf = "0000:08:00.1";
		nl_peer_send_port(&peer, &stranger);
		nl_peer_send_port(&peer, &port);
	}
	nl_peer_done(&peer, 0, NULL, 0);
	nl_peer_next(&peer);
}

static void answer_all(struct nl_peer *from, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		nl_peer_ack(from, 0, NULL);
		nl_peer_next(from);
	}
}

/* The port of each request that was sent, from the next datagram on. */
static size_t sent_ports(uint32_t *ports, size_t room)
{
	char buffer[NL_PEER_SIZE * 2];
	size_t length = nl_peer_receive(&peer, buffer, sizeof(buffer)), number = 0;

	for (size_t at = 0; at < length;) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(buffer + at);
		const struct nlattr *table[ATTR_PORT_INDEX + 1];

		netlink_parse(message, table, ATTR_PORT_INDEX);
		cr_assert_lt(number, room);
		cr_assert(netlink_get_u32(table[ATTR_PORT_INDEX], &ports[number++]));
		at += NLMSG_ALIGN(message->nlmsg_len);
	}
	return number;
}

static void skip_request(void)
{
	char buffer[NL_PEER_SIZE];

	nl_peer_receive(&peer, buffer, sizeof(buffer));
}

Test(applier_netlink, many_ports_take_two_dumps_and_a_send_for_sixteen)
{
	uint32_t ports[NUM_VFS];

	want_migratable(NUM_VFS);
	answer_ports(NUM_VFS, CAP_ROCE, SIZE_MAX);
	answer_all(&peer, NUM_VFS);
	answer_ports(NUM_VFS, CAP_ROCE | CAP_MIGRATABLE, SIZE_MAX);
	cr_assert_eq(run(NUM_VFS), 0);
	for (size_t i = 0; i < NUM_VFS; i++)
		cr_assert_eq(states[i], MLX5LM_STEP_STATE_DONE);
	skip_request();
	cr_assert_eq(sent_ports(ports, NUM_VFS), NETLINK_WINDOW);
	cr_assert_eq(sent_ports(ports + NETLINK_WINDOW, NUM_VFS), NUM_VFS - NETLINK_WINDOW);
	for (size_t i = 0; i < NUM_VFS; i++)
		cr_assert_eq(ports[i], port_index(i));
	skip_request();
	cr_assert_eq(recv(peer.fd, ports, sizeof(ports), MSG_DONTWAIT), -1);
	cr_assert_eq(applier_get_counts(applier).messages, NUM_VFS);
	cr_assert_eq(applier_get_counts(applier).writes, 0);
}

Test(applier_netlink, an_error_stays_with_its_vf_in_whatever_order_they_come)
{
	want_migratable(3);
	answer_ports(3, CAP_ROCE, SIZE_MAX);
	peer.sequence += 2;
	nl_peer_ack(&peer, -EOPNOTSUPP, "mlx5_core: Device doesn't support migration");
	peer.sequence--;
	nl_peer_ack(&peer, 0, NULL);
	peer.sequence--;
	nl_peer_ack(&peer, -EBUSY, "busy");
	peer.sequence += 3;
	answer_ports(3, CAP_ROCE | CAP_MIGRATABLE, SIZE_MAX);
	cr_assert_eq(run(3), -EBUSY);
	cr_assert_eq(states[1], MLX5LM_STEP_STATE_DONE);
	cr_assert_str_eq(errors[0]->detail, "busy");
	cr_assert_eq(errors[0]->code, MLX5LM_ERROR_BUSY);
	cr_assert_str_eq(errors[2]->message,
			 PF ": cannot enable migratable of VF 2: Operation not supported");
	cr_assert_str_eq(errors[2]->detail, "mlx5_core: Device doesn't support migration");
	cr_assert(strstr(errors[2]->remedy, "VF_MIGRATION_MODE=2"));
}

Test(applier_netlink, each_value_is_read_back)
{
	want_migratable(3);
	answer_ports(3, CAP_ROCE, SIZE_MAX);
	answer_all(&peer, 3);
	answer_ports(3, CAP_ROCE | CAP_MIGRATABLE, 1);
	cr_assert_eq(run(3), -EIO);
	cr_assert_eq(states[0], MLX5LM_STEP_STATE_DONE);
	cr_assert_eq(states[2], MLX5LM_STEP_STATE_DONE);
	cr_assert_eq(errors[1]->code, MLX5LM_ERROR_VERIFY_FAILED);
	cr_assert_str_eq(errors[1]->message,
			 PF ": migratable of VF 1 is disable after enable was set");
}

Test(applier_netlink, without_a_second_look_nothing_counts_as_done)
{
	want_migratable(2);
	answer_ports(2, CAP_ROCE, SIZE_MAX);
	answer_all(&peer, 2);
	nl_peer_done(&peer, -ENODEV, NULL, 0);
	cr_assert_eq(run(2), -ENODEV);
	for (size_t i = 0; i < 2; i++)
		cr_assert_str_eq(errors[i]->message,
				 PF ": cannot read the VF ports: No such device");
}

Test(applier_netlink, a_vf_without_a_port_does_not_stop_the_others)
{
	want_migratable(3);
	answer_ports(2, CAP_ROCE, SIZE_MAX);
	answer_all(&peer, 2);
	answer_ports(2, CAP_ROCE | CAP_MIGRATABLE, SIZE_MAX);
	cr_assert_eq(run(3), -ENODEV);
	cr_assert_eq(states[0], MLX5LM_STEP_STATE_DONE);
	cr_assert_eq(states[1], MLX5LM_STEP_STATE_DONE);
	cr_assert_str_eq(errors[2]->message, PF ": VF 2 has no devlink port");
}

Test(applier_netlink, who_cancels_gets_what_was_sent_verified_and_no_more)
{
	uint32_t ports[NUM_VFS];

	want_migratable(5);
	cancel_at = 3;
	answer_ports(5, CAP_ROCE, SIZE_MAX);
	answer_all(&peer, 3);
	answer_ports(5, CAP_ROCE | CAP_MIGRATABLE, SIZE_MAX);
	cr_assert_eq(run(5), -ECANCELED);
	cr_assert_eq(num_started, 3);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(states[i], MLX5LM_STEP_STATE_DONE);
	skip_request();
	cr_assert_eq(sent_ports(ports, NUM_VFS), 3);
}

Test(applier_netlink, a_kernel_that_does_not_answer_is_given_up)
{
	int64_t start_ms = clock_now_ms();

	applier->timeout_ms = 20;
	want_migratable(3);
	answer_ports(3, CAP_ROCE, SIZE_MAX);
	cr_assert_eq(run(3), -ETIMEDOUT);
	cr_assert_lt(clock_now_ms() - start_ms, 1000);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(errors[i]->code, MLX5LM_ERROR_TIMEOUT);
}

Test(applier_netlink, a_send_that_blocks_is_given_up_and_nothing_follows_it)
{
	int64_t start_ms;
	char junk[1024] = "";

	applier->timeout_ms = 20;
	want_migratable(NUM_VFS);
	answer_ports(NUM_VFS, CAP_ROCE, SIZE_MAX);
	cr_assert_eq(applier_read_ports(applier, NULL), 0);
	while (send(applier->netlink->fd, junk, sizeof(junk), MSG_DONTWAIT) > 0)
		;
	start_ms = clock_now_ms();
	cr_assert_eq(run(NUM_VFS), -ETIMEDOUT);
	cr_assert_geq(clock_now_ms() - start_ms, 20);
	cr_assert_lt(clock_now_ms() - start_ms, 2000);
	cr_assert_eq(num_started, NUM_VFS);
	for (size_t i = 0; i < NUM_VFS; i++)
		cr_assert_eq(errors[i]->code, MLX5LM_ERROR_TIMEOUT);
	/* The thread has it. */
	cr_assert_null(applier->netlink);
	cr_assert_eq(applier_get_counts(applier).messages, NETLINK_WINDOW);
}

Test(applier_netlink, sets_hardware_addresses_and_numbers_of_event_queues)
{
	steps[0] =
		(struct mlx5lm_step){ .kind = STEP_HW_ADDR, .text = (char *)"02:00:00:00:00:10" };
	answer_ports(1, CAP_ROCE, SIZE_MAX);
	answer_all(&peer, 1);
	answer_ports(1, CAP_ROCE, SIZE_MAX);
	cr_assert_eq(run(1), 0);
	steps[0] = (struct mlx5lm_step){ .kind = STEP_MAX_IO_EQS, .value = 48 };
	states[0] = MLX5LM_STEP_STATE_UNKNOWN;
	answer_all(&peer, 1);
	answer_ports(1, CAP_ROCE, SIZE_MAX);
	cr_assert_eq(run(1), -EIO);
	cr_assert_str_eq(errors[0]->message, PF ": max_io_eqs of VF 0 is 32 after 48 was set");
}

Test(applier_netlink, refuses_what_is_no_hardware_address)
{
	static const char *const texts[] = { "",
					     "02:00:00:00:00",
					     "02:00:00:00:00:0",
					     "02:00:00:00:00:00:00",
					     "0x:00:00:00:00:00",
					     " 2:00:00:00:00:00",
					     "02-00-00-00-00-00" };

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		steps[i] = (struct mlx5lm_step){ .kind = STEP_HW_ADDR, .text = (char *)texts[i] };
	answer_ports(ARRAY_LENGTH(texts), CAP_ROCE, SIZE_MAX);
	cr_assert_eq(run(ARRAY_LENGTH(texts)), -EINVAL);
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		cr_assert_eq(errors[i]->errnum, EINVAL, "%s", texts[i]);
	cr_assert_eq(applier_get_counts(applier).messages, 0);
}

Test(applier_netlink, refuses_values_that_make_no_sense)
{
	steps[0] = (struct mlx5lm_step){ .kind = STEP_PORT_ATTR,
					 .attr = MLX5LM_PORT_ATTR_ROCE,
					 .value = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED };
	steps[1] = (struct mlx5lm_step){ .kind = STEP_MAX_IO_EQS, .value = 0 };
	answer_ports(2, CAP_ROCE, SIZE_MAX);
	cr_assert_eq(run(2), -EINVAL);
	cr_assert_eq(states[1], MLX5LM_STEP_STATE_FAILED);
	cr_assert_eq(applier_get_counts(applier).messages, 0);
}

static void answer_link(uint32_t ifindex, unsigned int flags)
{
	char buffer[NL_PEER_SIZE] = { 0 };
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof(*link));

	message->nlmsg_type = RTM_NEWLINK;
	message->nlmsg_flags = NLM_F_MULTI;
	link->ifi_index = (int)ifindex;
	link->ifi_flags = flags;
	nl_peer_send(&route, message);
}

static void want_up(size_t length)
{
	for (size_t i = 0; i < length; i++)
		steps[i] = (struct mlx5lm_step){ .kind = STEP_REPRESENTOR,
						 .value = MLX5LM_ADMIN_STATE_UP };
}

Test(applier_netlink, takes_representors_up_by_their_number_and_looks)
{
	char sent[NL_PEER_SIZE];
	const struct nlmsghdr *request = (const struct nlmsghdr *)sent;
	const struct ifinfomsg *link;

	want_up(2);
	answer_ports(2, CAP_ROCE, SIZE_MAX);
	answer_all(&route, 2);
	answer_link(1, IFF_UP | IFF_LOOPBACK);
	answer_link(101, 0);
	answer_link(100, IFF_UP | IFF_RUNNING);
	nl_peer_done(&route, 0, NULL, 0);
	cr_assert_eq(run(2), -EIO);
	cr_assert_eq(states[0], MLX5LM_STEP_STATE_DONE);
	cr_assert_str_eq(errors[1]->message,
			 PF ": the representor of VF 1 (eth1) is down after up was set");
	nl_peer_receive(&route, sent, sizeof(sent)); /* the look-up of the family */
	nl_peer_receive(&route, sent, sizeof(sent));
	link = mnl_nlmsg_get_payload(request);
	cr_assert_eq(request->nlmsg_type, RTM_SETLINK);
	cr_assert_eq(link->ifi_index, 100);
	cr_assert_eq(link->ifi_flags, IFF_UP);
	cr_assert_eq(link->ifi_change, IFF_UP);
}

Test(applier_netlink, a_representor_that_refuses_is_named)
{
	want_up(1);
	answer_ports(1, CAP_ROCE, SIZE_MAX);
	nl_peer_ack(&route, -EPERM, "no way");
	cr_assert_eq(run(1), -EPERM);
	cr_assert_str_eq(errors[0]->message, PF ": cannot take the representor of VF 0 (eth1) up: "
						"Operation not permitted");
	cr_assert_str_eq(errors[0]->detail, "no way");
}

static void answer_mode(uint16_t mode)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = nl_peer_message(buffer, CMD_ESWITCH_GET);

	mnl_attr_put_strz(message, ATTR_BUS_NAME, "pci");
	mnl_attr_put_strz(message, ATTR_DEV_NAME, PF);
	mnl_attr_put_u16(message, ATTR_ESWITCH_MODE, mode);
	nl_peer_send(&peer, message);
	nl_peer_ack(&peer, 0, NULL);
	nl_peer_next(&peer);
}

static void want_mode(uint32_t mode)
{
	steps[0] = (struct mlx5lm_step){ .kind = STEP_ESWITCH_MODE, .value = mode };
}

Test(applier_netlink, a_mode_is_done_when_the_vfs_that_stay_have_their_ports)
{
	want_mode(MLX5LM_ESWITCH_SWITCHDEV);
	answer_all(&peer, 1);
	answer_mode(MODE_SWITCHDEV);
	answer_mode(MODE_SWITCHDEV);
	answer_ports(2, CAP_ROCE, SIZE_MAX);
	cr_assert_eq(run(1), 0);
	cr_assert_eq(applier_get_counts(applier).messages, 1);
}

Test(applier_netlink, a_mode_that_did_not_stay_is_noticed)
{
	want_mode(MLX5LM_ESWITCH_LEGACY);
	answer_all(&peer, 1);
	answer_mode(MODE_SWITCHDEV);
	cr_assert_eq(run(1), -EIO);
	cr_assert_str_eq(errors[0]->message,
			 PF ": the eswitch mode is switchdev after legacy was set");
}

Test(applier_netlink, a_mode_that_is_refused_comes_with_the_words)
{
	want_mode(MLX5LM_ESWITCH_SWITCHDEV);
	nl_peer_ack(&peer, -EBUSY, "Rate node(s) exists.");
	cr_assert_eq(run(1), -EBUSY);
	cr_assert_str_eq(errors[0]->detail, "Rate node(s) exists.");
	cr_assert(strstr(errors[0]->remedy, "rate nodes"));
}

/* Makes the second VF a while after the number was written, and says so if told to. */
static bool say_so;

static void *make_vf(void *data)
{
	const struct timespec tick = { .tv_nsec = 5000000 };

	(void)data;
	while (uevents < 0)
		nanosleep(&tick, NULL);
	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	tree_link(tree, "../0000:08:00.3", DEVICES PF "/virtfn1");
	if (say_so)
		cr_assert_eq(send(uevents, "change@", 8, 0), 8);
	return NULL;
}

static int wait_for_vf(bool told)
{
	pthread_t thread;
	int r;

	say_so = told;
	tree_remove(tree, DEVICES PF "/virtfn1");
	steps[0] = (struct mlx5lm_step){ .kind = STEP_NUM_VFS, .value = 2 };
	answer_mode(MODE_LEGACY);
	cr_assert_eq(pthread_create(&thread, NULL, make_vf, NULL), 0);
	r = run(1);
	pthread_join(thread, NULL);
	return r;
}

Test(applier_netlink, vfs_that_come_late_are_seen_when_the_kernel_tells)
{
	int64_t start_ms = clock_now_ms();

	applier->timeout_ms = 20000;
	cr_assert_eq(wait_for_vf(true), 0);
	cr_assert_lt(clock_now_ms() - start_ms, 5000);
}

Test(applier_netlink, vfs_that_come_late_and_untold_are_seen_at_the_deadline)
{
	int64_t start_ms = clock_now_ms();

	applier->timeout_ms = 1000;
	cr_assert_eq(wait_for_vf(false), 0);
	cr_assert_geq(clock_now_ms() - start_ms, 1000);
}

Test(applier_netlink, vfs_are_done_when_in_switchdev_mode_they_have_ports)
{
	applier->timeout_ms = 50;
	steps[0] = (struct mlx5lm_step){ .kind = STEP_NUM_VFS, .value = 2 };
	answer_mode(MODE_SWITCHDEV);
	answer_ports(1, CAP_ROCE, SIZE_MAX);
	answer_ports(1, CAP_ROCE, SIZE_MAX);
	cr_assert_eq(run(1), -ETIMEDOUT);
	cr_assert_str_eq(errors[0]->detail, "devlink shows ports of 1 of them");
}
