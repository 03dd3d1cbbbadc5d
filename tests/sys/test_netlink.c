// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/netlink.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <time.h>

#include "support/nl_peer.h"

static struct nl_peer peer;
static struct netlink *netlink;

static void open_pair(void)
{
	char buffer[NL_PEER_SIZE];

	nl_peer_start(&peer);
	cr_assert_eq(netlink_new_from_fd(peer.client_fd, "devlink", &netlink, NULL), 0);
	nl_peer_receive(&peer, buffer, sizeof(buffer));
}

static void close_pair(void)
{
	netlink_free(netlink);
	nl_peer_stop(&peer);
}

TestSuite(netlink, .init = open_pair, .fini = close_pair);

static int ask(uint16_t flags, netlink_fn fn, void *userdata)
{
	char buffer[NETLINK_REQUEST_SIZE];

	return netlink_request(netlink, netlink_start(netlink, buffer, 1, flags), fn, userdata);
}

static int count(const struct nlmsghdr *message, void *userdata)
{
	int *counter = userdata;

	*counter = message ? *counter + 1 : 0;
	return 0;
}

static void send_empty(uint16_t flags)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = nl_peer_message(buffer, 1);

	message->nlmsg_flags = flags;
	nl_peer_send(&peer, message);
}

Test(netlink, resolves_the_id_of_the_family)
{
	cr_assert_eq(netlink->family, NL_PEER_FAMILY);
}

Test(netlink, says_that_a_kernel_without_the_family_lacks_it)
{
	struct mlx5lm_error *error = NULL;
	struct netlink *other = NULL;
	struct nl_peer old;

	nl_peer_start_without_family(&old);
	cr_assert_eq(netlink_new_from_fd(old.client_fd, "devlink", &other, &error), -ENOENT);
	cr_assert_null(other);
	cr_assert_eq(error->code, MLX5LM_ERROR_NOT_SUPPORTED);
	cr_assert_not_null(error->remedy);
	mlx5lm_error_free(error);
	nl_peer_stop(&old);
}

Test(netlink, keeps_the_words_of_an_error)
{
	nl_peer_ack(&peer, -EOPNOTSUPP, "mlx5_core: Device doesn't support migration");
	cr_assert_eq(ask(0, NULL, NULL), -EOPNOTSUPP);
	cr_assert_str_eq(netlink->words, "mlx5_core: Device doesn't support migration");
}

Test(netlink, keeps_the_words_of_a_success_and_forgets_them_at_the_next_request)
{
	nl_peer_ack(&peer, 0, "reload while VFs are present is unfavorable");
	nl_peer_next(&peer);
	nl_peer_ack(&peer, 0, NULL);
	cr_assert_eq(ask(0, NULL, NULL), 0);
	cr_assert_str_eq(netlink->words, "reload while VFs are present is unfavorable");
	cr_assert_eq(ask(0, NULL, NULL), 0);
	cr_assert_null(netlink->words);
}

Test(netlink, finds_the_words_behind_a_request_that_is_echoed)
{
	char buffer[NL_PEER_SIZE] = { 0 };
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nlmsgerr *end = mnl_nlmsg_put_extra_header(message, sizeof(*end));

	message->nlmsg_type = NLMSG_ERROR;
	message->nlmsg_flags = NLM_F_ACK_TLVS;
	end->error = -EINVAL;
	end->msg.nlmsg_len = NLMSG_HDRLEN + 8;
	mnl_nlmsg_put_extra_header(message, 8);
	mnl_attr_put_strz(message, NLMSGERR_ATTR_MSG, "echoed");
	nl_peer_send(&peer, message);
	cr_assert_eq(ask(0, NULL, NULL), -EINVAL);
	cr_assert_str_eq(netlink->words, "echoed");
}

Test(netlink, ignores_a_late_reply_to_an_earlier_request)
{
	int counter = 0;

	peer.sequence--;
	send_empty(0);
	nl_peer_ack(&peer, -EIO, "late");
	nl_peer_next(&peer);
	send_empty(0);
	nl_peer_ack(&peer, 0, NULL);
	cr_assert_eq(ask(0, count, &counter), 0);
	cr_assert_eq(counter, 1);
}

Test(netlink, gives_up_at_the_deadline)
{
	struct timespec before, after;

	netlink->timeout_ms = 50;
	clock_gettime(CLOCK_MONOTONIC, &before);
	cr_assert_eq(ask(0, NULL, NULL), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &after);
	cr_assert_lt(after.tv_sec - before.tv_sec, 5);
}

Test(netlink, works_again_after_a_deadline)
{
	netlink->timeout_ms = 50;
	cr_assert_eq(ask(0, NULL, NULL), -ETIMEDOUT);
	nl_peer_ack(&peer, -EIO, NULL);
	nl_peer_next(&peer);
	nl_peer_ack(&peer, 0, NULL);
	cr_assert_eq(ask(0, NULL, NULL), 0);
}

Test(netlink, reports_an_error_at_the_end_of_a_dump)
{
	send_empty(NLM_F_MULTI);
	nl_peer_done(&peer, -EMSGSIZE, "too much", 0);
	cr_assert_eq(ask(NLM_F_DUMP, NULL, NULL), -EMSGSIZE);
	cr_assert_str_eq(netlink->words, "too much");
}

Test(netlink, starts_an_interrupted_dump_over)
{
	int counter = 0;

	send_empty(NLM_F_MULTI | NLM_F_DUMP_INTR);
	send_empty(NLM_F_MULTI);
	nl_peer_done(&peer, 0, NULL, 0);
	nl_peer_next(&peer);
	send_empty(NLM_F_MULTI);
	nl_peer_done(&peer, 0, NULL, 0);
	cr_assert_eq(ask(NLM_F_DUMP, count, &counter), 0);
	cr_assert_eq(counter, 1);
}

Test(netlink, gives_up_a_dump_that_is_always_interrupted)
{
	for (int i = 0; i < 16; i++) {
		nl_peer_done(&peer, 0, NULL, NLM_F_DUMP_INTR);
		nl_peer_next(&peer);
	}
	cr_assert_eq(ask(NLM_F_DUMP, NULL, NULL), -EAGAIN);
}

Test(netlink, notices_that_the_other_end_is_gone)
{
	nl_peer_stop(&peer);
	cr_assert_lt(ask(0, NULL, NULL), 0);
	nl_peer_start(&peer);
	close(peer.client_fd);
}

Test(netlink, does_not_believe_a_positive_error)
{
	nl_peer_ack(&peer, 1, NULL);
	cr_assert_eq(ask(0, NULL, NULL), -EBADMSG);
}

Test(netlink, refuses_a_datagram_cut_in_a_header)
{
	char bytes[NLMSG_HDRLEN - 4] = { 0 };

	nl_peer_send_bytes(&peer, bytes, sizeof(bytes));
	cr_assert_eq(ask(0, NULL, NULL), -EBADMSG);
}

Test(netlink, asks_for_an_acknowledgement_each_time)
{
	char buffer[NL_PEER_SIZE];
	const struct nlmsghdr *request = (const struct nlmsghdr *)buffer;

	nl_peer_ack(&peer, 0, NULL);
	ask(0, NULL, NULL);
	nl_peer_receive(&peer, buffer, sizeof(buffer));
	cr_assert_eq(request->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	cr_assert_eq(request->nlmsg_type, NL_PEER_FAMILY);
}

static struct netlink_window window;

static void fill(size_t length)
{
	for (size_t i = 0; i < length; i++)
		netlink_window_add(&window,
				   netlink_start(netlink, netlink_window_room(&window),
						 (uint8_t)(10 + i), 0));
}

/* The answer to request i of the window, which is the first thing that is asked. */
static void answer(uint32_t i, int error, const char *words)
{
	peer.sequence = 2 + i;
	nl_peer_ack(&peer, error, words);
}

Test(netlink, requests_of_a_window_go_out_at_once_and_end_in_any_order)
{
	char sent[NL_PEER_SIZE];

	fill(3);
	answer(2, -EINVAL, "third");
	answer(0, 0, NULL);
	answer(1, 0, "a warning to the second");
	cr_assert_eq(netlink_request_window(netlink, &window), 0);
	cr_assert_eq(window.ends[0].result, 0);
	cr_assert_null(window.ends[0].words);
	cr_assert_eq(window.ends[1].result, 0);
	cr_assert_str_eq(window.ends[1].words, "a warning to the second");
	cr_assert_eq(window.ends[2].result, -EINVAL);
	cr_assert_str_eq(window.ends[2].words, "third");
	cr_assert_eq(nl_peer_receive(&peer, sent, sizeof(sent)), 3 * 20);
	for (uint32_t i = 0; i < 3; i++) {
		const struct nlmsghdr *request = (const struct nlmsghdr *)(sent + 20 * i);

		cr_assert_eq(request->nlmsg_seq, 2 + i);
		cr_assert_eq(((const struct genlmsghdr *)mnl_nlmsg_get_payload(request))->cmd,
			     10 + i);
	}
	netlink_window_release(&window);
	cr_assert_eq(window.length, 0);
}

Test(netlink, a_request_of_a_window_without_an_end_is_told_from_the_others)
{
	netlink->timeout_ms = 50;
	fill(3);
	answer(0, 0, NULL);
	answer(2, -EBUSY, NULL);
	cr_assert_eq(netlink_request_window(netlink, &window), -ETIMEDOUT);
	cr_assert(window.ends[0].ended);
	cr_assert_not(window.ends[1].ended);
	cr_assert_eq(window.ends[1].result, -ETIMEDOUT);
	cr_assert_eq(window.ends[2].result, -EBUSY);
	netlink_window_release(&window);
}

Test(netlink, a_window_takes_no_answer_twice_and_none_of_others)
{
	fill(2);
	answer(0, 0, NULL);
	answer(0, -EIO, "again");
	peer.sequence = 1;
	nl_peer_ack(&peer, -EIO, "late");
	peer.sequence = 4;
	nl_peer_ack(&peer, -EIO, "early");
	answer(1, 0, NULL);
	cr_assert_eq(netlink_request_window(netlink, &window), 0);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(window.ends[i].result, 0);
		cr_assert_null(window.ends[i].words);
	}
	netlink_window_release(&window);
}

Test(netlink, a_full_window_has_room_for_the_longest_requests)
{
	for (uint32_t i = 0; i < NETLINK_WINDOW; i++) {
		struct nlmsghdr *request =
			netlink_start(netlink, netlink_window_room(&window), 1, 0);
		static const char text[NETLINK_REQUEST_SIZE - 32];

		mnl_attr_put(request, 1, sizeof(text), text);
		netlink_window_add(&window, request);
		answer(i, 0, NULL);
	}
	cr_assert_leq(window.size, sizeof(window.requests));
	cr_assert_eq(netlink_request_window(netlink, &window), 0);
	netlink_window_release(&window);
}

Test(netlink, an_empty_window_asks_nothing)
{
	cr_assert_eq(netlink_request_window(netlink, &window), 0);
}

Test(netlink, knows_the_group_of_the_family)
{
	char buffer[NL_PEER_SIZE];
	struct netlink *other = NULL;
	struct nlmsghdr *message;
	struct nlattr *groups, *group;
	struct nl_peer kernel;

	nl_peer_start_silent(&kernel);
	message = nl_peer_message(buffer, CTRL_CMD_NEWFAMILY);
	message->nlmsg_type = GENL_ID_CTRL;
	mnl_attr_put_u16(message, CTRL_ATTR_FAMILY_ID, NL_PEER_FAMILY);
	groups = mnl_attr_nest_start(message, CTRL_ATTR_MCAST_GROUPS);
	for (uint16_t i = 1; i <= 2; i++) {
		group = mnl_attr_nest_start(message, i);
		mnl_attr_put_strz(message, CTRL_ATTR_MCAST_GRP_NAME, i == 1 ? "other" : "config");
		mnl_attr_put_u32(message, CTRL_ATTR_MCAST_GRP_ID, 6 + i);
		mnl_attr_nest_end(message, group);
	}
	mnl_attr_nest_end(message, groups);
	nl_peer_send(&kernel, message);
	nl_peer_ack(&kernel, 0, NULL);
	cr_assert_eq(netlink_new_from_fd(kernel.client_fd, "devlink", &other, NULL), 0);
	cr_assert_eq(other->group, 8);
	netlink_free(other);
	nl_peer_stop(&kernel);
}
