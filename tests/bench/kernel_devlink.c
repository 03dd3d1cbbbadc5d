// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel_devlink.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

#include "sys/devlink_uapi.h"

#define FAMILY 0x1d
#define CONFIG_GROUP 0x5
#define FIRST_PORT_INDEX 0x10000 /* as the kernel numbers them, not by VF */

/* A dump comes in parts as large as Linux makes them for a reader with room enough. */
#define DATAGRAM_SIZE 32768
#define LONGEST_MESSAGE 512

enum {
	FLAVOUR_PHYSICAL = 0,
	ATTR_PORT_TYPE = 4,
	ATTR_PORT_PCI_PF_NUMBER = 127,
	TYPE_ETH = 2,
};

/* Messages that wait to be sent in one datagram. */
struct reply {
	int fd;
	const struct nlmsghdr *request;
	char buffer[DATAGRAM_SIZE];
	size_t length;
};

static void flush(struct reply *reply)
{
	if (reply->length && send(reply->fd, reply->buffer, reply->length, MSG_NOSIGNAL) < 0 &&
	    errno != EPIPE) {
		perror("send");
		abort();
	}
	reply->length = 0;
}

static struct nlmsghdr *start(struct reply *reply, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message;

	if (reply->length + LONGEST_MESSAGE > sizeof(reply->buffer))
		flush(reply);
	memset(reply->buffer + reply->length, 0, LONGEST_MESSAGE);
	message = mnl_nlmsg_put_header(reply->buffer + reply->length);
	message->nlmsg_type = type;
	message->nlmsg_flags = flags;
	message->nlmsg_seq = reply->request->nlmsg_seq;
	return message;
}

static void end(struct reply *reply, const struct nlmsghdr *message)
{
	reply->length += MNL_ALIGN(message->nlmsg_len);
}

static struct nlmsghdr *start_generic(struct reply *reply, uint8_t command, uint16_t flags)
{
	struct nlmsghdr *message = start(reply, reply->request->nlmsg_type, flags);
	struct genlmsghdr *head = mnl_nlmsg_put_extra_header(message, sizeof(*head));

	head->cmd = command;
	head->version = 1;
	return message;
}

static struct nlmsghdr *start_devlink(struct reply *reply, const struct kernel_pf *pf,
				      uint8_t command, uint16_t flags)
{
	struct nlmsghdr *message = start_generic(reply, command, flags);

	mnl_attr_put_strz(message, ATTR_BUS_NAME, "pci");
	mnl_attr_put_strz(message, ATTR_DEV_NAME, pf->bdf);
	return message;
}

/* The kernel sends an acknowledgement by itself, behind what it acknowledges. */
static void acknowledge(struct reply *reply, int error)
{
	struct nlmsghdr *message;
	struct nlmsgerr *what;

	flush(reply);
	message = start(reply, NLMSG_ERROR, NLM_F_CAPPED);
	what = mnl_nlmsg_put_extra_header(message, sizeof(*what));
	what->error = error;
	what->msg = *reply->request;
	end(reply, message);
	flush(reply);
}

static void end_dump(struct reply *reply)
{
	struct nlmsghdr *message = start(reply, NLMSG_DONE, NLM_F_MULTI);

	mnl_nlmsg_put_extra_header(message, sizeof(int32_t));
	end(reply, message);
	flush(reply);
}

static void tell_family(struct reply *reply)
{
	struct nlmsghdr *message = start_generic(reply, CTRL_CMD_NEWFAMILY, 0);
	struct nlattr *groups, *group;

	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, DEVLINK_FAMILY);
	mnl_attr_put_u16(message, CTRL_ATTR_FAMILY_ID, FAMILY);
	groups = mnl_attr_nest_start(message, CTRL_ATTR_MCAST_GROUPS);
	group = mnl_attr_nest_start(message, 1);
	mnl_attr_put_strz(message, CTRL_ATTR_MCAST_GRP_NAME, "config");
	mnl_attr_put_u32(message, CTRL_ATTR_MCAST_GRP_ID, CONFIG_GROUP);
	mnl_attr_nest_end(message, group);
	mnl_attr_nest_end(message, groups);
	end(reply, message);
	acknowledge(reply, 0);
}

static void put_version(struct nlmsghdr *message, uint16_t kind, const char *name,
			const char *value)
{
	struct nlattr *nest = mnl_attr_nest_start(message, kind);

	mnl_attr_put_strz(message, ATTR_INFO_VERSION_NAME, name);
	mnl_attr_put_strz(message, ATTR_INFO_VERSION_VALUE, value);
	mnl_attr_nest_end(message, nest);
}

static void tell_info(struct reply *reply, const struct kernel_pf *pf)
{
	struct nlmsghdr *message = start_devlink(reply, pf, CMD_INFO_GET, 0);

	mnl_attr_put_strz(message, ATTR_INFO_DRIVER_NAME, "mlx5_core");
	put_version(message, ATTR_INFO_VERSION_FIXED, "fw.psid", "MT_0000000838");
	put_version(message, ATTR_INFO_VERSION_RUNNING, "fw.version", "28.41.1000");
	put_version(message, ATTR_INFO_VERSION_STORED, "fw.version", "28.41.1000");
	end(reply, message);
	acknowledge(reply, 0);
}

static void tell_eswitch(struct reply *reply, const struct kernel_pf *pf)
{
	struct nlmsghdr *message = start_devlink(reply, pf, CMD_ESWITCH_GET, 0);

	mnl_attr_put_u16(message, ATTR_ESWITCH_MODE, pf->switchdev ? MODE_SWITCHDEV : MODE_LEGACY);
	end(reply, message);
	acknowledge(reply, 0);
}

static void put_function(struct nlmsghdr *message, const struct kernel_vf *vf)
{
	struct nla_bitfield32 caps = { vf->caps, CAP_ROCE | CAP_MIGRATABLE };
	struct nlattr *nest = mnl_attr_nest_start(message, ATTR_PORT_FUNCTION);

	mnl_attr_put(message, PORT_FN_HW_ADDR, sizeof(vf->hw_addr), vf->hw_addr);
	mnl_attr_put(message, PORT_FN_CAPS, sizeof(caps), &caps);
	mnl_attr_put_u32(message, PORT_FN_MAX_IO_EQS, 32);
	mnl_attr_nest_end(message, nest);
}

static void tell_port(struct reply *reply, const struct kernel_pf *pf, unsigned int index,
		      uint16_t flags)
{
	struct nlmsghdr *message = start_devlink(reply, pf, CMD_PORT_GET, flags);
	char netdev[32];

	snprintf(netdev, sizeof(netdev), "rep%u", index);
	mnl_attr_put_u32(message, ATTR_PORT_INDEX, FIRST_PORT_INDEX + index);
	mnl_attr_put_u16(message, ATTR_PORT_TYPE, TYPE_ETH);
	mnl_attr_put_strz(message, ATTR_PORT_NETDEV_NAME, netdev);
	mnl_attr_put_u16(message, ATTR_PORT_FLAVOUR, FLAVOUR_PCI_VF);
	mnl_attr_put_u32(message, ATTR_PORT_CONTROLLER_NUMBER, 0);
	mnl_attr_put_u16(message, ATTR_PORT_PCI_PF_NUMBER, 0);
	mnl_attr_put_u16(message, ATTR_PORT_PCI_VF_NUMBER, (uint16_t)index);
	mnl_attr_put_u8(message, ATTR_PORT_EXTERNAL, 0);
	put_function(message, &pf->vfs[index]);
	end(reply, message);
}

static void tell_uplink(struct reply *reply, const struct kernel_pf *pf)
{
	struct nlmsghdr *message = start_devlink(reply, pf, CMD_PORT_GET, NLM_F_MULTI);

	mnl_attr_put_u32(message, ATTR_PORT_INDEX, FIRST_PORT_INDEX - 1);
	mnl_attr_put_u16(message, ATTR_PORT_TYPE, TYPE_ETH);
	mnl_attr_put_u16(message, ATTR_PORT_FLAVOUR, FLAVOUR_PHYSICAL);
	end(reply, message);
}

static void dump_ports(struct reply *reply, const struct kernel_pf *pf)
{
	tell_uplink(reply, pf);
	for (unsigned int i = 0; pf->switchdev && i < pf->num_vfs; i++)
		tell_port(reply, pf, i, NLM_F_MULTI);
	end_dump(reply);
}

/* The attribute of a type in a list of them; NULL if it is not there or not of that size. */
static const struct nlattr *find(const void *first, size_t length, uint16_t type, size_t size)
{
	const struct nlattr *attr;

	mnl_attr_for_each_payload(first, length) {
		if (mnl_attr_get_type(attr) == type && mnl_attr_get_payload_len(attr) >= size)
			return attr;
	}
	return NULL;
}

static const struct nlattr *find_in_request(const struct nlmsghdr *request, uint16_t type,
					    size_t size)
{
	return find(mnl_nlmsg_get_payload_offset(request, GENL_HDRLEN),
		    mnl_nlmsg_get_payload_len(request) - GENL_HDRLEN, type, size);
}

static struct kernel_vf *find_vf(struct kernel_pf *pf, const struct nlmsghdr *request)
{
	const struct nlattr *attr = find_in_request(request, ATTR_PORT_INDEX, 4);
	uint32_t index = attr ? mnl_attr_get_u32(attr) - FIRST_PORT_INDEX : UINT32_MAX;

	return pf->switchdev && index < pf->num_vfs ? &pf->vfs[index] : NULL;
}

static int set_port(struct kernel_pf *pf, const struct nlmsghdr *request)
{
	const struct nlattr *nest = find_in_request(request, ATTR_PORT_FUNCTION, 0), *attr;
	struct kernel_vf *vf = find_vf(pf, request);
	struct nla_bitfield32 caps;

	if (!vf)
		return -ENODEV;
	if (!nest)
		return -EINVAL;
	attr = find(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), PORT_FN_HW_ADDR,
		    sizeof(vf->hw_addr));
	if (attr)
		memcpy(vf->hw_addr, mnl_attr_get_payload(attr), sizeof(vf->hw_addr));
	attr = find(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), PORT_FN_CAPS,
		    sizeof(caps));
	if (!attr)
		return 0;
	memcpy(&caps, mnl_attr_get_payload(attr), sizeof(caps));
	/* As mlx5_core: not while a driver has the VF. */
	if (vf->driver[0])
		return -EBUSY;
	vf->caps = (vf->caps & ~caps.selector) | (caps.value & caps.selector);
	return 0;
}

static int set_eswitch(struct kernel_pf *pf, const struct nlmsghdr *request)
{
	const struct nlattr *attr = find_in_request(request, ATTR_ESWITCH_MODE, 2);

	if (!attr)
		return -EINVAL;
	pf->switchdev = mnl_attr_get_u16(attr) == MODE_SWITCHDEV;
	return 0;
}

static void get_port(struct reply *reply, struct kernel_pf *pf)
{
	const struct kernel_vf *vf = find_vf(pf, reply->request);

	if (vf)
		tell_port(reply, pf, (unsigned int)(vf - pf->vfs), 0);
	acknowledge(reply, vf ? 0 : -ENODEV);
}

static void answer_one(struct reply *reply, struct kernel_pf *pf)
{
	const struct genlmsghdr *head = mnl_nlmsg_get_payload(reply->request);
	bool is_dump = (reply->request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	if (reply->request->nlmsg_type == GENL_ID_CTRL) {
		tell_family(reply);
		return;
	}
	switch (head->cmd) {
	case CMD_INFO_GET:
		tell_info(reply, pf);
		break;
	case CMD_ESWITCH_GET:
		tell_eswitch(reply, pf);
		break;
	case CMD_ESWITCH_SET:
		acknowledge(reply, set_eswitch(pf, reply->request));
		break;
	case CMD_PORT_GET:
		if (is_dump)
			dump_ports(reply, pf);
		else
			get_port(reply, pf);
		break;
	case CMD_PORT_SET:
		acknowledge(reply, set_port(pf, reply->request));
		break;
	default:
		/* No parameters, no reload. */
		if (is_dump)
			end_dump(reply);
		else
			acknowledge(reply, -EOPNOTSUPP);
	}
}

bool kernel_answer(struct kernel_pf *pf, int socket_fd)
{
	static struct reply reply;
	static char buffer[DATAGRAM_SIZE];
	ssize_t received = recv(socket_fd, buffer, sizeof(buffer), 0);
	const struct nlmsghdr *request = (const struct nlmsghdr *)buffer;
	int left = (int)received;

	if (received <= 0)
		return false;
	for (; mnl_nlmsg_ok(request, left); request = mnl_nlmsg_next(request, &left)) {
		reply.fd = socket_fd;
		reply.request = request;
		answer_one(&reply, pf);
	}
	return true;
}
