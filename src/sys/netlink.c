// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/netlink.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"

/* The kernel fills no more than 32 KiB at once, whatever room there is. */
#define BUFFER_SIZE 65536
#define DEFAULT_TIMEOUT_MS 10000
#define MAX_DUMPS 5
#define MAX_WORDS 1024

/*
 * The walk over attributes is not libmnl's: nothing that a kernel (or a test) sends may be
 * believed before its length was compared with what arrived.
 */
static const struct nlattr *attr_at(const char *start, size_t length)
{
	const struct nlattr *attr = (const struct nlattr *)start;

	if (length < sizeof(*attr) || attr->nla_len < sizeof(*attr) || attr->nla_len > length)
		return NULL;
	return attr;
}

static void parse(const char *start, size_t length, const struct nlattr **table, uint16_t max)
{
	const struct nlattr *attr;

	for (uint16_t i = 0; i <= max; i++)
		table[i] = NULL;
	while ((attr = attr_at(start, length))) {
		size_t step = NLA_ALIGN(attr->nla_len);

		if ((attr->nla_type & NLA_TYPE_MASK) <= max)
			table[attr->nla_type & NLA_TYPE_MASK] = attr;
		if (step >= length)
			return;
		start += step;
		length -= step;
	}
}

void netlink_parse(const struct nlmsghdr *message, const struct nlattr **table, uint16_t max)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;

	parse((const char *)message + head,
	      message->nlmsg_len < head ? 0 : message->nlmsg_len - head, table, max);
}

static const struct nlattr *next(const char *at, const char *end, const struct nlattr *attr)
{
	if (attr)
		at = (const char *)attr + NLA_ALIGN(attr->nla_len);
	return at < end ? attr_at(at, (size_t)(end - at)) : NULL;
}

const struct nlattr *netlink_next(const struct nlmsghdr *message, const struct nlattr *attr)
{
	const char *at = (const char *)message + NLMSG_HDRLEN + GENL_HDRLEN;

	return next(at, (const char *)message + message->nlmsg_len, attr);
}

const struct nlattr *netlink_next_nested(const struct nlattr *nest, const struct nlattr *attr)
{
	return next((const char *)nest + NLA_HDRLEN, (const char *)nest + nest->nla_len, attr);
}

void netlink_parse_nested(const struct nlattr *nest, const struct nlattr **table, uint16_t max)
{
	parse((const char *)nest + NLA_HDRLEN, nest->nla_len - (size_t)NLA_HDRLEN, table, max);
}

const uint8_t *netlink_get_bytes(const struct nlattr *attr, size_t size)
{
	if (!attr || attr->nla_len - (size_t)NLA_HDRLEN != size)
		return NULL;
	return (const uint8_t *)attr + NLA_HDRLEN;
}

static bool get(const struct nlattr *attr, void *ret, size_t size)
{
	const uint8_t *bytes = netlink_get_bytes(attr, size);

	if (bytes)
		memcpy(ret, bytes, size);
	return bytes;
}

bool netlink_get_u8(const struct nlattr *attr, uint8_t *ret)
{
	return get(attr, ret, sizeof(*ret));
}

bool netlink_get_u16(const struct nlattr *attr, uint16_t *ret)
{
	return get(attr, ret, sizeof(*ret));
}

bool netlink_get_u32(const struct nlattr *attr, uint32_t *ret)
{
	return get(attr, ret, sizeof(*ret));
}

bool netlink_get_u64(const struct nlattr *attr, uint64_t *ret)
{
	return get(attr, ret, sizeof(*ret));
}

const char *netlink_get_str(const struct nlattr *attr)
{
	const char *text;

	if (!attr)
		return NULL;
	text = (const char *)attr + NLA_HDRLEN;
	return memchr(text, '\0', attr->nla_len - (size_t)NLA_HDRLEN) ? text : NULL;
}

struct nlmsghdr *netlink_start(const struct netlink *netlink, char buffer[NETLINK_REQUEST_SIZE],
			       uint8_t command, uint16_t flags)
{
	struct nlmsghdr *request;
	struct genlmsghdr *head;

	/* libmnl leaves what is between the attributes as it finds it. */
	memset(buffer, 0, NETLINK_REQUEST_SIZE);
	request = mnl_nlmsg_put_header(buffer);
	request->nlmsg_type = netlink->family;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	head = mnl_nlmsg_put_extra_header(request, sizeof(*head));
	head->cmd = command;
	head->version = 1;
	return request;
}

/* Keeps the text that stands in the attributes behind an error or the end of a dump. */
static int keep_words(const struct nlmsghdr *message, size_t offset, char **words)
{
	const struct nlattr *table[NLMSGERR_ATTR_MSG + 1];
	const char *text;

	offset = NLMSG_ALIGN(offset);
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || offset >= message->nlmsg_len)
		return 0;
	parse((const char *)message + offset, message->nlmsg_len - offset, table,
	      NLMSGERR_ATTR_MSG);
	text = netlink_get_str(table[NLMSGERR_ATTR_MSG]);
	if (!text)
		return 0;
	free(*words);
	*words = strndup(text, MAX_WORDS);
	return *words ? 0 : -ENOMEM;
}

static int end_of_request(const struct nlmsghdr *message, char **words)
{
	const struct nlmsgerr *end =
		(const struct nlmsgerr *)((const char *)message + NLMSG_HDRLEN);
	size_t offset = NLMSG_HDRLEN + sizeof(*end);
	int r;

	if (message->nlmsg_len < offset || end->error > 0 || end->error < -4095)
		return -EBADMSG;
	/* The request is echoed, unless the kernel was asked not to. */
	if (!(message->nlmsg_flags & NLM_F_CAPPED)) {
		if (end->msg.nlmsg_len < NLMSG_HDRLEN)
			return -EBADMSG;
		offset += end->msg.nlmsg_len - (size_t)NLMSG_HDRLEN;
	}
	r = keep_words(message, offset, words);
	return r < 0 ? r : end->error;
}

static int end_of_dump(const struct nlmsghdr *message, char **words)
{
	int32_t error = 0;
	int r;

	if (message->nlmsg_len < NLMSG_HDRLEN + sizeof(error))
		return 0;
	memcpy(&error, (const char *)message + NLMSG_HDRLEN, sizeof(error));
	if (error < -4095)
		return -EBADMSG;
	r = keep_words(message, NLMSG_HDRLEN + sizeof(error), words);
	if (r < 0)
		return r;
	return error < 0 ? error : 0;
}

/* What one request is waiting for. */
struct exchange {
	netlink_fn fn;
	void *userdata;
	uint32_t sequence;
	struct netlink_window *window; /* its first request has this number */
	size_t num_ended;	       /* of those */
	bool interrupted; /* the dump is not of one moment */
	bool ended;
};

static int take_end(struct exchange *exchange, const struct nlmsghdr *message)
{
	struct netlink_window *window = exchange->window;
	size_t index = message->nlmsg_seq - exchange->sequence;

	/* A late reply to a request that was given up, or what nobody asked for. */
	if (index >= window->length || window->ends[index].ended ||
	    message->nlmsg_type != NLMSG_ERROR)
		return 0;
	window->ends[index].result = end_of_request(message, &window->ends[index].words);
	window->ends[index].ended = true;
	exchange->ended = ++exchange->num_ended == window->length;
	return 0;
}

static int take_message(struct netlink *netlink, struct exchange *exchange,
			const struct nlmsghdr *message)
{
	if (exchange->window)
		return take_end(exchange, message);
	/* A late reply to a request that was given up. */
	if (message->nlmsg_seq != exchange->sequence)
		return 0;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		exchange->interrupted = true;
	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		return 0;
	case NLMSG_ERROR:
		exchange->ended = true;
		return end_of_request(message, &netlink->words);
	case NLMSG_DONE:
		exchange->ended = true;
		return end_of_dump(message, &netlink->words);
	case NLMSG_OVERRUN:
		return -ENOBUFS;
	}
	if (message->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN)
		return -EBADMSG;
	return exchange->fn ? exchange->fn(message, exchange->userdata) : 0;
}

static int take_datagram(struct netlink *netlink, struct exchange *exchange, size_t length)
{
	const char *at = netlink->buffer;

	while (length >= NLMSG_HDRLEN && !exchange->ended) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)at;
		size_t step;
		int r;

		if (message->nlmsg_len < NLMSG_HDRLEN || message->nlmsg_len > length)
			return -EBADMSG;
		r = take_message(netlink, exchange, message);
		if (r < 0)
			return r;
		step = NLMSG_ALIGN(message->nlmsg_len);
		if (step >= length)
			return 0;
		at += step;
		length -= step;
	}
	return length && !exchange->ended ? -EBADMSG : 0;
}

static int wait_readable(int fd, int64_t deadline_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	int64_t left_ms;
	int r;

	do {
		left_ms = deadline_ms - clock_now_ms();
		if (left_ms <= 0)
			return -ETIMEDOUT;
		r = poll(&pollfd, 1, (int)left_ms);
	} while (r == 0 || (r < 0 && errno == EINTR));
	return r < 0 ? -errno : 0;
}

static int receive(struct netlink *netlink, struct exchange *exchange, int64_t deadline_ms)
{
	union {
		struct sockaddr_nl netlink;
		struct sockaddr_storage any;
	} from = { 0 };
	struct iovec iov = { .iov_base = netlink->buffer, .iov_len = BUFFER_SIZE };
	struct msghdr head = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t length;

	/* The kernel answers most requests before send() returns: no need to wait first. */
	length = recvmsg(netlink->fd, &head, MSG_DONTWAIT);
	if (length < 0 && errno == EAGAIN)
		return wait_readable(netlink->fd, deadline_ms);
	if (length < 0)
		return errno == EINTR ? 0 : -errno;
	if (length == 0)
		return -ECONNRESET;
	/* Anybody may send to a netlink socket; only the kernel has port 0. */
	if (from.any.ss_family == AF_NETLINK && from.netlink.nl_pid != 0)
		return wait_readable(netlink->fd, deadline_ms);
	if (head.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	return take_datagram(netlink, exchange, (size_t)length);
}

static int request_once(struct netlink *netlink, const void *request, size_t length,
			struct exchange *exchange, int64_t deadline_ms)
{
	ssize_t sent;
	int r = 0;

	do {
		sent = send(netlink->fd, request, length, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	while (r == 0 && !exchange->ended)
		r = receive(netlink, exchange, deadline_ms);
	return r;
}

int netlink_request(struct netlink *netlink, struct nlmsghdr *request, netlink_fn fn,
		    void *userdata)
{
	int64_t deadline_ms = clock_now_ms() + netlink->timeout_ms;
	int r;

	for (int i = 0; i < MAX_DUMPS; i++) {
		struct exchange exchange = { .fn = fn, .userdata = userdata };

		free(netlink->words);
		netlink->words = NULL;
		request->nlmsg_seq = ++netlink->sequence;
		exchange.sequence = request->nlmsg_seq;
		r = request_once(netlink, request, request->nlmsg_len, &exchange, deadline_ms);
		if (r < 0 || !exchange.interrupted)
			return r;
		r = fn ? fn(NULL, userdata) : 0;
		if (r < 0)
			return r;
	}
	return -EAGAIN;
}

char *netlink_window_room(struct netlink_window *window)
{
	return window->requests + window->size;
}

void netlink_window_add(struct netlink_window *window, struct nlmsghdr *request)
{
	window->size += NLMSG_ALIGN(request->nlmsg_len);
	window->length++;
}

int netlink_request_window(struct netlink *netlink, struct netlink_window *window)
{
	int64_t deadline_ms = clock_now_ms() + netlink->timeout_ms;
	struct exchange exchange = { .window = window, .sequence = netlink->sequence + 1 };
	int r;

	if (!window->length)
		return 0;
	for (size_t at = 0; at < window->size;) {
		struct nlmsghdr *request = (struct nlmsghdr *)(window->requests + at);

		request->nlmsg_seq = ++netlink->sequence;
		at += NLMSG_ALIGN(request->nlmsg_len);
	}
	r = request_once(netlink, window->requests, window->size, &exchange, deadline_ms);
	for (size_t i = 0; r < 0 && i < window->length; i++) {
		if (!window->ends[i].ended)
			window->ends[i].result = r;
	}
	return r;
}

void netlink_window_release(struct netlink_window *window)
{
	for (size_t i = 0; i < window->length; i++)
		free(window->ends[i].words);
	memset(window->ends, 0, sizeof(window->ends));
	window->length = 0;
	window->size = 0;
}

static void take_group(struct netlink *netlink, const struct nlattr *group)
{
	const struct nlattr *table[CTRL_ATTR_MCAST_GRP_ID + 1];
	uint32_t id;

	netlink_parse_nested(group, table, CTRL_ATTR_MCAST_GRP_ID);
	if (streq(netlink_get_str(table[CTRL_ATTR_MCAST_GRP_NAME]), "config") &&
	    netlink_get_u32(table[CTRL_ATTR_MCAST_GRP_ID], &id))
		netlink->group = id;
}

static int take_family(const struct nlmsghdr *message, void *userdata)
{
	const struct nlattr *table[CTRL_ATTR_MCAST_GROUPS + 1];
	const struct nlattr *group = NULL;
	struct netlink *netlink = userdata;

	if (!message)
		return 0;
	netlink_parse(message, table, CTRL_ATTR_MCAST_GROUPS);
	while (table[CTRL_ATTR_MCAST_GROUPS] &&
	       (group = netlink_next_nested(table[CTRL_ATTR_MCAST_GROUPS], group)))
		take_group(netlink, group);
	return netlink_get_u16(table[CTRL_ATTR_FAMILY_ID], &netlink->family) ? 0 : -EBADMSG;
}

static int resolve_family(struct netlink *netlink, const char *family, struct mlx5lm_error **reterr)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request;
	int r;

	netlink->family = GENL_ID_CTRL;
	request = netlink_start(netlink, buffer, CTRL_CMD_GETFAMILY, 0);
	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, family);
	r = netlink_request(netlink, request, take_family, netlink);
	if (r == 0 && netlink->family <= GENL_ID_CTRL)
		r = -EBADMSG;
	if (r == 0)
		return 0;
	error_set(reterr, r == -ENOENT ? MLX5LM_ERROR_NOT_SUPPORTED : error_code_from_errno(-r), -r,
		  MLX5LM_SOURCE_DEVLINK, "the kernel does not answer to \"%s\" netlink: %s", family,
		  strerror(-r));
	if (r == -ENOENT)
		error_add_remedy(reterr, "use a kernel with CONFIG_NET_DEVLINK");
	return r;
}

static int netlink_new(int fd, struct netlink **ret)
{
	_cleanup_netlink_ struct netlink *netlink = calloc(1, sizeof(*netlink));

	if (!netlink) {
		close(fd);
		return -ENOMEM;
	}
	netlink->fd = fd;
	netlink->timeout_ms = DEFAULT_TIMEOUT_MS;
	netlink->buffer = malloc(BUFFER_SIZE);
	if (!netlink->buffer)
		return -ENOMEM;
	*ret = TAKE(netlink);
	return 0;
}

int netlink_new_from_fd(int fd, const char *family, struct netlink **ret,
			struct mlx5lm_error **reterr)
{
	_cleanup_netlink_ struct netlink *netlink = NULL;
	int r;

	r = netlink_new(fd, &netlink);
	if (r < 0)
		return error_no_memory(reterr);
	r = resolve_family(netlink, family, reterr);
	if (r < 0)
		return r;
	*ret = TAKE(netlink);
	return 0;
}

static int open_socket(int protocol, struct mlx5lm_error **reterr)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	_cleanup_close_ int fd = -1;
	int on = 1;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set(reterr, error_code_from_errno(errno), errno, MLX5LM_SOURCE_DEVLINK,
				 "cannot open a netlink socket: %s", strerror(errno));
	/* Without these there is only less to tell; kernels before 4.12 do not know them. */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	return TAKE_FD(fd);
}

int netlink_open(const char *family, struct netlink **ret, struct mlx5lm_error **reterr)
{
	int fd = open_socket(NETLINK_GENERIC, reterr);

	return fd < 0 ? fd : netlink_new_from_fd(fd, family, ret, reterr);
}

int netlink_open_route(struct netlink **ret, struct mlx5lm_error **reterr)
{
	int fd = open_socket(NETLINK_ROUTE, reterr);

	if (fd < 0)
		return fd;
	return netlink_new(fd, ret) < 0 ? error_no_memory(reterr) : 0;
}

void netlink_free(struct netlink *netlink)
{
	if (!netlink)
		return;
	close(netlink->fd);
	free(netlink->words);
	free(netlink->buffer);
	free(netlink);
}
