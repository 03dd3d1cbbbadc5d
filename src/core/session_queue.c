// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/session_queue.h"

#include <errno.h>

#include "base/array.h"

static bool has(const struct strv *names, const char *name)
{
	for (size_t i = 0; i < names->length; i++) {
		if (streq(names->items[i], name))
			return true;
	}
	return false;
}

/* Adds name, which is taken over, unless it is there; NULL is -ENOMEM. */
static int add(struct strv *names, char *name)
{
	if (!name)
		return -ENOMEM;
	if (has(names, name)) {
		free(name);
		return 0;
	}
	return strv_take(names, name);
}

/*
 * What a URI calls its host: between user and port, in lower case. One that names none leads to
 * this host, and perhaps by its path to another daemon.
 */
static char *host_of(const char *uri)
{
	const char *scheme = strstr(uri, "://"), *start, *end, *at;
	char *host;

	if (!scheme)
		return strdup(uri);
	start = scheme + strlen("://");
	end = start + strcspn(start, "/?#");
	at = memrchr(start, '@', (size_t)(end - start));
	start = at ? at + 1 : start;
	if (*start == '[')
		end = start + strcspn(start, "]/?#");
	else
		end = start + strcspn(start, ":/?#");
	if (end == start)
		return strdup(uri);
	host = strndup(start, (size_t)(end - start));
	for (char *letter = host; letter && *letter; letter++) {
		if (*letter >= 'A' && *letter <= 'Z')
			*letter = (char)(*letter - 'A' + 'a');
	}
	return host;
}

static int fill(struct queue_ticket *ticket, const char *source, const char *destination,
		const struct mlx5lm_pair *pairs, size_t num_pairs)
{
	int r;

	r = add(&ticket->hosts, strdup(source));
	if (r == 0)
		r = add(&ticket->hosts, strdup(destination));
	for (size_t i = 0; r == 0 && i < num_pairs; i++) {
		r = add(&ticket->pfs, str_printf("%s %s", source, pairs[i].source_pf));
		if (r == 0)
			r = add(&ticket->pfs,
				str_printf("%s %s", destination, pairs[i].destination_pf));
	}
	return r;
}

int queue_ticket_init(struct queue_ticket *ticket, const char *source_uri,
		      const char *destination_uri, const struct mlx5lm_pair *pairs,
		      size_t num_pairs)
{
	_cleanup_free_ char *source = host_of(source_uri), *destination = host_of(destination_uri);
	int r = source && destination ? 0 : -ENOMEM;

	*ticket = (struct queue_ticket){ 0 };
	if (r == 0)
		r = fill(ticket, source, destination, pairs, num_pairs);
	if (r < 0)
		queue_ticket_release(ticket);
	return r;
}

void queue_ticket_release(struct queue_ticket *ticket)
{
	strv_release(&ticket->hosts);
	strv_release(&ticket->pfs);
	*ticket = (struct queue_ticket){ 0 };
}

static bool have_common(const struct strv *a, const struct strv *b)
{
	for (size_t i = 0; i < a->length; i++) {
		if (has(b, a->items[i]))
			return true;
	}
	return false;
}

/* Do both need places of which there is a limited number? */
static bool compete(const struct session_queue *queue, const struct queue_ticket *a,
		    const struct queue_ticket *b)
{
	return (queue->max_per_host && have_common(&a->hosts, &b->hosts)) ||
	       (queue->max_per_pf && have_common(&a->pfs, &b->pfs));
}

static size_t count_running(const struct session_queue *queue, bool pfs, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < queue->length; i++) {
		const struct queue_ticket *ticket = queue->tickets[i];

		count += ticket->runs && has(pfs ? &ticket->pfs : &ticket->hosts, name);
	}
	return count;
}

static bool has_places(const struct session_queue *queue, const struct queue_ticket *ticket)
{
	for (size_t i = 0; queue->max_per_host && i < ticket->hosts.length; i++) {
		if (count_running(queue, false, ticket->hosts.items[i]) >= queue->max_per_host)
			return false;
	}
	for (size_t i = 0; queue->max_per_pf && i < ticket->pfs.length; i++) {
		if (count_running(queue, true, ticket->pfs.items[i]) >= queue->max_per_pf)
			return false;
	}
	return true;
}

/*
 * Whoever waits keeps its place at all that it needs, at what is free as well: if others got in
 * there, it might wait for one of its places after the other, and never have all at once.
 */
static bool is_held_back(const struct session_queue *queue, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (!queue->tickets[i]->runs &&
		    compete(queue, queue->tickets[i], queue->tickets[index]))
			return true;
	}
	return false;
}

static void let_in(struct session_queue *queue)
{
	for (size_t i = 0; i < queue->length; i++) {
		struct queue_ticket *ticket = queue->tickets[i];

		if (!ticket->runs)
			ticket->runs = has_places(queue, ticket) && !is_held_back(queue, i);
	}
}

int session_queue_enter(struct session_queue *queue, struct queue_ticket *ticket)
{
	if (array_reserve(&queue->tickets, &queue->allocated, queue->length + 1,
			  sizeof(struct queue_ticket *)) < 0)
		return -ENOMEM;
	ticket->runs = false;
	queue->tickets[queue->length++] = ticket;
	let_in(queue);
	return 0;
}

void session_queue_leave(struct session_queue *queue, struct queue_ticket *ticket)
{
	size_t kept = 0;

	for (size_t i = 0; i < queue->length; i++) {
		if (queue->tickets[i] != ticket)
			queue->tickets[kept++] = queue->tickets[i];
	}
	queue->length = kept;
	ticket->runs = false;
	let_in(queue);
}

void session_queue_set_limits(struct session_queue *queue, uint32_t per_host, uint32_t per_pf)
{
	queue->max_per_host = per_host;
	queue->max_per_pf = per_pf;
	let_in(queue);
}

size_t session_queue_position(const struct session_queue *queue, const struct queue_ticket *ticket)
{
	size_t position = 0;
	bool is_behind = false;

	for (size_t i = 0; !ticket->runs && i < queue->length; i++) {
		const struct queue_ticket *other = queue->tickets[i];

		if (other == ticket)
			is_behind = true;
		else if ((other->runs || !is_behind) && compete(queue, other, ticket))
			position++;
	}
	return is_behind ? position : 0;
}

void session_queue_release(struct session_queue *queue)
{
	free(queue->tickets);
	*queue = (struct session_queue){ 0 };
}
