// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/session_queue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "little_memory.h"

#define HERE "qemu:///system"
#define THERE "qemu+ssh://b/system"

#define MAX_TICKETS 64

static struct session_queue queue;
static struct queue_ticket tickets[MAX_TICKETS];

static void teardown(void)
{
	for (size_t i = 0; i < MAX_TICKETS; i++)
		queue_ticket_release(&tickets[i]);
	session_queue_release(&queue);
}

TestSuite(session_queue, .fini = teardown);

static struct mlx5lm_pair pair_of(const char *source_pf, const char *destination_pf)
{
	struct mlx5lm_pair pair = { 0 };

	snprintf(pair.source_pf, sizeof(pair.source_pf), "%s", source_pf);
	snprintf(pair.destination_pf, sizeof(pair.destination_pf), "%s", destination_pf);
	return pair;
}

/* The wish of a session that moves a VF from one PF to another. */
static void make(size_t i, const char *source, const char *source_pf, const char *destination,
		 const char *destination_pf)
{
	const struct mlx5lm_pair pair = pair_of(source_pf, destination_pf);

	queue_ticket_release(&tickets[i]);
	cr_assert_eq(queue_ticket_init(&tickets[i], source, destination, &pair, 1), 0);
}

static void enter(size_t i)
{
	cr_assert_eq(session_queue_enter(&queue, &tickets[i]), 0);
}

static void leave(size_t i)
{
	session_queue_leave(&queue, &tickets[i]);
}

static size_t position(size_t i)
{
	return session_queue_position(&queue, &tickets[i]);
}

static size_t running(void)
{
	size_t count = 0;

	for (size_t i = 0; i < MAX_TICKETS; i++)
		count += tickets[i].runs;
	return count;
}

Test(session_queue, without_limits_nobody_waits)
{
	for (size_t i = 0; i < MAX_TICKETS; i++) {
		make(i, HERE, "0000:08:00.0", THERE, "0000:08:00.0");
		enter(i);
		cr_expect(tickets[i].runs);
		cr_expect_eq(position(i), 0);
	}
}

Test(session_queue, ten_sessions_between_two_hosts_run_four_at_once_in_order)
{
	session_queue_set_limits(&queue, 4, 0);
	for (size_t i = 0; i < 10; i++) {
		make(i, HERE, "0000:08:00.0", THERE, "0000:08:00.0");
		enter(i);
		cr_expect_eq(position(i), i < 4 ? 0 : i);
	}
	for (size_t done = 0; done < 10; done++) {
		for (size_t i = 0; i < 10; i++) {
			cr_expect_eq(tickets[i].runs, i >= done && i < done + 4, "%zu at %zu", i,
				     done);
			cr_expect_eq(position(i), i < done + 4 ? 0 : i - done, "%zu at %zu", i,
				     done);
		}
		leave(done);
	}
	cr_expect_eq(running(), 0);
	cr_expect_eq(queue.length, 0);
}

Test(session_queue, a_pf_has_places_of_its_own)
{
	session_queue_set_limits(&queue, 4, 1);
	make(0, HERE, "0000:08:00.0", THERE, "0000:08:00.0");
	make(1, HERE, "0000:08:00.0", THERE, "0000:09:00.0");
	make(2, HERE, "0000:09:00.0", THERE, "0000:0a:00.0");
	for (size_t i = 0; i < 3; i++)
		enter(i);
	cr_expect(tickets[0].runs);
	cr_expect_not(tickets[1].runs, "the source's PF is taken");
	cr_expect_not(tickets[2].runs, "it needs the same hosts as one that waits before it");
	cr_expect_eq(position(1), 1);
	cr_expect_eq(position(2), 2);
	leave(0);
	cr_expect(tickets[1].runs && tickets[2].runs);
}

Test(session_queue, the_same_address_on_another_host_is_another_pf)
{
	session_queue_set_limits(&queue, 0, 1);
	make(0, "qemu+ssh://a/system", "0000:08:00.0", "qemu+ssh://b/system", "0000:08:00.0");
	make(1, "qemu+ssh://c/system", "0000:08:00.0", "qemu+ssh://d/system", "0000:08:00.0");
	make(2, "qemu+ssh://b/system", "0000:08:00.0", "qemu+ssh://e/system", "0000:08:00.0");
	for (size_t i = 0; i < 3; i++)
		enter(i);
	cr_expect(tickets[0].runs && tickets[1].runs);
	cr_expect_not(tickets[2].runs, "the one's destination is the other's source");
}

Test(session_queue, who_waits_holds_back_no_others)
{
	session_queue_set_limits(&queue, 1, 0);
	make(0, "qemu+ssh://a/system", "0000:08:00.0", "qemu+ssh://b/system", "0000:08:00.0");
	make(1, "qemu+ssh://b/system", "0000:08:00.0", "qemu+ssh://c/system", "0000:08:00.0");
	make(2, "qemu+ssh://c/system", "0000:08:00.0", "qemu+ssh://d/system", "0000:08:00.0");
	make(3, "qemu+ssh://e/system", "0000:08:00.0", "qemu+ssh://f/system", "0000:08:00.0");
	for (size_t i = 0; i < 4; i++)
		enter(i);
	cr_expect(tickets[0].runs);
	cr_expect_not(tickets[1].runs);
	cr_expect_not(tickets[2].runs, "c is free, but kept for the one that came before");
	cr_expect(tickets[3].runs);
	cr_expect_eq(position(2), 1);
	leave(1);
	cr_expect(tickets[2].runs, "nobody keeps c any more");
	cr_expect_not(tickets[1].runs, "it has left");
}

Test(session_queue, a_session_that_leaves_while_it_waits_makes_room_behind_it)
{
	session_queue_set_limits(&queue, 1, 0);
	for (size_t i = 0; i < 3; i++) {
		make(i, HERE, "0000:08:00.0", THERE, "0000:08:00.0");
		enter(i);
	}
	leave(1);
	cr_expect_eq(position(2), 1);
	cr_expect_not(tickets[2].runs);
	leave(0);
	cr_expect(tickets[2].runs);
	leave(0);
	leave(1);
	cr_expect(tickets[2].runs, "to leave twice is to leave once");
	cr_expect_eq(position(0), 0);
}

Test(session_queue, new_limits_let_in_and_stop_nobody)
{
	session_queue_set_limits(&queue, 1, 0);
	for (size_t i = 0; i < 6; i++) {
		make(i, HERE, "0000:08:00.0", THERE, "0000:08:00.0");
		enter(i);
	}
	session_queue_set_limits(&queue, 3, 0);
	cr_expect_eq(running(), 3);
	cr_expect(tickets[2].runs && !tickets[3].runs);
	session_queue_set_limits(&queue, 1, 0);
	cr_expect_eq(running(), 3);
	leave(0);
	leave(1);
	cr_expect_eq(running(), 1, "one is left, and one is allowed");
	cr_expect_eq(position(3), 1);
	session_queue_set_limits(&queue, 0, 0);
	cr_expect_eq(running(), 4);
}

Test(session_queue, each_host_and_pf_is_needed_once)
{
	const struct mlx5lm_pair pairs[] = {
		pair_of("0000:08:00.0", "0000:08:00.0"),
		pair_of("0000:08:00.0", "0000:08:00.1"),
		pair_of("0000:08:00.0", "0000:08:00.0"),
	};

	cr_assert_eq(queue_ticket_init(&tickets[0], HERE, THERE, pairs, 3), 0);
	cr_expect_eq(tickets[0].hosts.length, 2);
	cr_expect_eq(tickets[0].pfs.length, 3);
	cr_assert_eq(queue_ticket_init(&tickets[1], HERE, HERE, NULL, 0), 0);
	cr_expect_eq(tickets[1].hosts.length, 1, "one place is enough for both ends");
	cr_expect_eq(tickets[1].pfs.length, 0);
	session_queue_set_limits(&queue, 1, 1);
	enter(1);
	cr_expect(tickets[1].runs);
}

Test(session_queue, one_host_has_one_name_however_it_is_reached)
{
	static const struct {
		const char *uri, *host;
	} names[] = {
		{ "qemu+ssh://b/system", "b" },
		{ "qemu+tls://B:16514/system", "b" },
		{ "qemu+ssh://root@b/system?keyfile=/a@c", "b" },
		{ "qemu+tcp://b", "b" },
		{ "qemu+tls://user@[fd00::1]:16514/system", "[fd00::1" },
		{ "qemu:///system", "qemu:///system" },
		{ "qemu:///system?socket=/run/x", "qemu:///system?socket=/run/x" },
		{ "xyz", "xyz" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		cr_assert_eq(queue_ticket_init(&tickets[i], names[i].uri, "qemu+ssh://z/system",
					       NULL, 0), 0);
		cr_expect_str_eq(tickets[i].hosts.items[0], names[i].host);
	}
}

/* ---- whatever happens in whatever order ---- */

static uint64_t seed = 42;

static uint32_t random_below(uint32_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 11) % limit);
}

static bool have_common(const struct strv *a, const struct strv *b)
{
	for (size_t i = 0; i < a->length; i++) {
		for (size_t j = 0; j < b->length; j++) {
			if (streq(a->items[i], b->items[j]))
				return true;
		}
	}
	return false;
}

static bool compete(size_t i, size_t j)
{
	return (queue.max_per_host && have_common(&tickets[i].hosts, &tickets[j].hosts)) ||
	       (queue.max_per_pf && have_common(&tickets[i].pfs, &tickets[j].pfs));
}

/* What a test knows of the queue beside it: who is in, and since when. */
static struct {
	bool in, ran;
	uint64_t arrival;
	size_t position;
} seen[MAX_TICKETS];
static uint64_t arrivals;

/* The most that have one of the names that a ticket needs. */
static size_t most_used(size_t index, bool pfs)
{
	const struct strv *names = pfs ? &tickets[index].pfs : &tickets[index].hosts;
	size_t most = 0;

	for (size_t n = 0; n < names->length; n++) {
		const struct strv one = { .items = &names->items[n], .length = 1 };
		size_t count = 0;

		for (size_t i = 0; i < MAX_TICKETS; i++)
			count += tickets[i].runs &&
				 have_common(&one, pfs ? &tickets[i].pfs : &tickets[i].hosts);
		most = count > most ? count : most;
	}
	return most;
}

static bool waits_before(size_t i, size_t j)
{
	return seen[i].in && !tickets[i].runs && seen[i].arrival < seen[j].arrival;
}

static void expect_admitted_rightly(size_t index)
{
	cr_assert(!queue.max_per_host || most_used(index, false) <= queue.max_per_host);
	cr_assert(!queue.max_per_pf || most_used(index, true) <= queue.max_per_pf);
	for (size_t i = 0; i < MAX_TICKETS; i++)
		cr_assert_not(waits_before(i, index) && compete(i, index),
			      "%zu has overtaken %zu", index, i);
}

/* Who waits does so for a reason: something is full, or somebody who waits came before. */
static void expect_waits_rightly(size_t index)
{
	bool is_full = (queue.max_per_host && most_used(index, false) >= queue.max_per_host) ||
		       (queue.max_per_pf && most_used(index, true) >= queue.max_per_pf);
	bool is_behind = false;

	for (size_t i = 0; i < MAX_TICKETS; i++)
		is_behind = is_behind || (waits_before(i, index) && compete(i, index));
	cr_assert(is_full || is_behind);
}

static void look(bool same_limits)
{
	for (size_t i = 0; i < MAX_TICKETS; i++) {
		size_t now = position(i);

		if (!seen[i].in) {
			cr_assert_not(tickets[i].runs);
			cr_assert_eq(now, 0);
			continue;
		}
		if (seen[i].ran)
			cr_assert(tickets[i].runs, "nobody is stopped");
		else if (tickets[i].runs)
			expect_admitted_rightly(i);
		else
			expect_waits_rightly(i);
		cr_assert_eq(now == 0, tickets[i].runs);
		if (same_limits)
			cr_assert_leq(now, seen[i].position);
		seen[i].ran = tickets[i].runs;
		seen[i].position = now;
	}
}

static void make_random(size_t i)
{
	struct mlx5lm_pair pairs[3];
	char source[32], destination[32];
	size_t num_pairs = random_below(4);

	for (size_t p = 0; p < num_pairs; p++) {
		pairs[p] = pair_of(random_below(2) ? "0000:08:00.0" : "0000:08:00.1",
				   random_below(2) ? "0000:08:00.0" : "0000:08:00.1");
	}
	snprintf(source, sizeof(source), "qemu+ssh://%c/system", 'a' + (char)random_below(5));
	snprintf(destination, sizeof(destination), "qemu+tls://%c/system",
		 'a' + (char)random_below(5));
	queue_ticket_release(&tickets[i]);
	cr_assert_eq(queue_ticket_init(&tickets[i], source, destination, pairs, num_pairs), 0);
}

static void do_anything(void)
{
	size_t i = random_below(MAX_TICKETS);
	bool same_limits = random_below(50) > 0;

	if (!same_limits) {
		session_queue_set_limits(&queue, random_below(5), random_below(4));
	} else if (seen[i].in) {
		leave(i);
		seen[i].in = false;
	} else {
		make_random(i);
		enter(i);
		seen[i].in = true;
		seen[i].ran = false;
		seen[i].arrival = ++arrivals;
		seen[i].position = SIZE_MAX;
	}
	look(same_limits);
}

/* Whoever runs ends some time; then everybody has had its turn. */
static void drain(void)
{
	size_t left = 0;

	for (size_t i = 0; i < MAX_TICKETS; i++)
		left += seen[i].in;
	for (; left; left--) {
		size_t i = random_below(MAX_TICKETS), tried = 0;

		for (; !tickets[i].runs && tried < MAX_TICKETS; tried++)
			i = (i + 1) % MAX_TICKETS;
		cr_assert(tickets[i].runs, "%zu wait for nobody", left);
		leave(i);
		seen[i].in = false;
		look(true);
	}
	cr_assert_eq(queue.length, 0);
}

Test(session_queue, limits_order_and_turn_hold_whatever_happens)
{
	for (unsigned int round = 0; round < 20; round++) {
		session_queue_set_limits(&queue, random_below(5), random_below(4));
		for (unsigned int i = 0; i < 500; i++)
			do_anything();
		drain();
	}
}

/* Sessions come and come; the one that needs two busy hosts is not passed over for ever. */
Test(session_queue, nobody_starves_among_many_that_need_less)
{
	size_t steps = 0;

	session_queue_set_limits(&queue, 1, 0);
	make(0, "qemu+ssh://a/system", "0000:08:00.0", "qemu+ssh://x/system", "0000:08:00.0");
	make(1, "qemu+ssh://b/system", "0000:08:00.0", "qemu+ssh://y/system", "0000:08:00.0");
	make(2, "qemu+ssh://a/system", "0000:08:00.0", "qemu+ssh://b/system", "0000:08:00.0");
	for (size_t i = 0; i < 3; i++)
		enter(i);
	/* a and b become free in turn, and each time there is somebody who wants just that one. */
	for (; !tickets[2].runs && steps < 10; steps++) {
		size_t i = steps % 2;

		leave(i);
		enter(i);
	}
	cr_expect_eq(steps, 2, "those that came later had to wait");
	cr_expect_eq(position(0), 1);
	cr_expect_eq(position(1), 1);
}

Test(session_queue, where_memory_ends_nothing_changes)
{
	const struct mlx5lm_pair pair = pair_of("0000:08:00.0", "0000:08:00.0");
	size_t tries;

	for (tries = 0;; tries++) {
		int r;

		little_memory_allow(tries);
		r = queue_ticket_init(&tickets[0], HERE, THERE, &pair, 1);
		little_memory_end();
		if (r == 0)
			break;
		cr_assert_eq(r, -ENOMEM);
		cr_assert_null(tickets[0].hosts.items);
	}
	cr_expect_geq(tries, 5, "%zu", tries);
	little_memory_allow(0);
	cr_expect_eq(session_queue_enter(&queue, &tickets[0]), -ENOMEM);
	little_memory_end();
	cr_expect_eq(queue.length, 0);
	cr_expect_not(tickets[0].runs);
}
