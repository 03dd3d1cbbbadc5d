// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "core/fleet_internal.h"
#include "fleet_support.h"

static void expect_nearest(const struct mlx5lm_fleet *fleet, size_t index, size_t wanted)
{
	const struct mlx5lm_class *cls = fleet_get_class(fleet, index);
	size_t nearest = SIZE_MAX;

	cr_assert(cls);
	cr_expect_eq(class_get_nearest(cls, &nearest), wanted == SIZE_MAX ? -ENODATA : 0);
	cr_expect_eq(nearest, wanted, "class %zu: %zu instead of %zu", index, nearest, wanted);
}

static struct mlx5lm_findings joined(const struct mlx5lm_fleet *fleet, size_t from, size_t to)
{
	struct mlx5lm_findings findings = { 0 };

	cr_assert_eq(fleet_join(fleet, from, to, &findings), 0);
	return findings;
}

/* The join consists of this one finding, and the text of key contains part (NULL: has none). */
static void expect_join(const struct mlx5lm_fleet *fleet, size_t from, size_t to, const char *id,
			enum mlx5lm_status status, enum mlx5lm_finding_key key, const char *part)
{
	struct mlx5lm_findings findings = joined(fleet, from, to);
	const char *text;

	cr_assert_eq(findings.length, 1);
	cr_expect_str_eq(findings.items[0].text[MLX5LM_FINDING_ID], id);
	cr_expect_str_eq(findings.items[0].text[MLX5LM_FINDING_OBJECT], "each PF");
	cr_expect_eq(findings.items[0].status, status, "%s", id);
	text = findings.items[0].text[key];
	if (part)
		cr_expect(text && strstr(text, part), "%s", text);
	else
		cr_expect_null(text, "%s", text);
	findings_release(&findings);
}

static struct fleet_nearest nearest_of(const struct mlx5lm_fleet *fleet, size_t index)
{
	const struct fleet_view *view;
	struct fleet_nearest nearest;

	cr_assert_eq(fleet_get_view(fleet, &view), 0);
	cr_assert_eq(fleet_find_nearest(view, index, &nearest), 0);
	return nearest;
}

static void expect_advice(const struct mlx5lm_fleet *fleet, size_t index,
			  enum fleet_advice advice, enum fleet_odd odd)
{
	struct fleet_nearest nearest = nearest_of(fleet, index);

	cr_expect_eq(nearest.advice, advice, "class %zu: advice %d", index, nearest.advice);
	cr_expect_eq(nearest.odd, odd, "class %zu: odd %d", index, nearest.odd);
	fleet_nearest_release(&nearest);
}

Test(fleet_join, the_largest_class_has_no_nearest_one)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	add_many(fleet, 2, "a", "28.41.1000");
	expect_nearest(fleet, 0, SIZE_MAX);
	expect_advice(fleet, 0, ADVICE_NONE, ODD_NOT);
	add_many(fleet, 1, "b", "28.39.1002");
	expect_nearest(fleet, 0, SIZE_MAX);
	expect_nearest(fleet, 1, 0);
}

Test(fleet_join, of_two_that_are_equally_large_each_is_the_nearest_of_the_other)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	add_many(fleet, 2, "a", "28.41.1000");
	add_many(fleet, 2, "b", "28.39.1002");
	expect_nearest(fleet, 0, 1);
	expect_nearest(fleet, 1, 0);
	/* The first has newer firmware: the second is to be updated, and is the odd one. */
	expect_advice(fleet, 0, ADVICE_OTHER, ODD_NOT);
	expect_advice(fleet, 1, ADVICE_THIS, ODD_SMALLER);
}

Test(fleet_join, the_nearest_class_takes_the_fewest_changes_and_no_other_hardware)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	struct mlx5lm_host *host;

	for (size_t i = 0; i < 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "other%zu", i);
		add(fleet, host_with_psid(name, "MT_0000000999"));
	}
	add_many(fleet, 3, "new", "28.42.1000");
	for (size_t i = 0; i < 2; i++) {
		char name[16];

		snprintf(name, sizeof(name), "old%zu", i);
		host = host_with_firmware(name, "28.39.1002");
		set_migration_mode(host, 1);
		add(fleet, host);
	}
	host = host_with_firmware("this", "28.41.1000");
	set_migration_mode(host, 1);
	add(fleet, host);
	/* From 0 another PSID, from 1 firmware and NV configuration, from 2 only firmware. */
	expect_nearest(fleet, 3, 2);
	expect_nearest(fleet, 2, 1);
	expect_nearest(fleet, 1, 0);
	expect_advice(fleet, 1, ADVICE_NONE, ODD_NOT);
}

Test(fleet_join, a_class_that_is_not_known_is_nearest_to_none)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	add_many(fleet, 3, "unknown", NULL);
	add_many(fleet, 2, "a", "28.41.1000");
	add_many(fleet, 1, "b", "28.39.1002");
	add(fleet, host_with_psid("c", NULL));
	expect_nearest(fleet, 0, SIZE_MAX);
	expect_nearest(fleet, 1, SIZE_MAX);
	expect_nearest(fleet, 2, 1);
	expect_nearest(fleet, 3, 1);
	expect_advice(fleet, 0, ADVICE_NONE, ODD_UNKNOWN);
	expect_advice(fleet, 3, ADVICE_NONE, ODD_UNKNOWN);
}

Test(fleet_join, among_thousands_of_classes_those_of_the_same_hardware_are_found)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	/* 1500 adapters in two hosts each, and in one host each with older firmware. */
	for (unsigned int i = 0; i < 1500; i++) {
		char name[32], psid[32];

		snprintf(psid, sizeof(psid), "MT_%010u", i);
		for (unsigned int j = 0; j < 3; j++) {
			struct mlx5lm_host *host;

			snprintf(name, sizeof(name), "h%u-%u", i, j);
			host = host_with_psid(name, psid);
			if (j == 2)
				set_text(&host->pfs[0].fw_running, "28.39.1002");
			add(fleet, host);
		}
	}
	cr_assert_eq(fleet_num_classes(fleet), 3000);
	for (size_t i = 1500; i < 3000; i++) {
		const struct mlx5lm_class *cls = fleet_get_class(fleet, i), *other;
		size_t nearest = 0;

		cr_assert_eq(class_get_nearest(cls, &nearest), 0);
		other = fleet_get_class(fleet, nearest);
		cr_assert_str_eq(class_get_value(cls, "firmware.psid"),
				 class_get_value(other, "firmware.psid"));
	}
}

Test(fleet_join, firmware_can_change_both_ways_and_the_words_say_which)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	add_many(fleet, 2, "a", "28.41.1000");
	add_many(fleet, 1, "b", "28.9.1000");
	expect_join(fleet, 1, 0, "firmware.version", MLX5LM_STATUS_WARN, MLX5LM_FINDING_REMEDY,
		    "update the firmware of each PF from 28.9.1000 to 28.41.1000 and reboot: "
		    "mstflint ");
	expect_join(fleet, 0, 1, "firmware.version", MLX5LM_STATUS_WARN, MLX5LM_FINDING_REMEDY,
		    "downgrade the firmware of each PF from 28.41.1000 to 28.9.1000");
	expect_join(fleet, 0, 1, "firmware.version", MLX5LM_STATUS_WARN, MLX5LM_FINDING_SIDE,
		    "source");
	expect_join(fleet, 0, 1, "firmware.version", MLX5LM_STATUS_WARN, MLX5LM_FINDING_SOURCE,
		    "28.41.1000");
	expect_join(fleet, 0, 1, "firmware.version", MLX5LM_STATUS_WARN,
		    MLX5LM_FINDING_DESTINATION, "28.9.1000");
}

Test(fleet_join, firmware_of_another_branch_cannot_be_had)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	add_many(fleet, 2, "a", "28.41.1000");
	add_many(fleet, 1, "b", "32.41.1000");
	expect_join(fleet, 1, 0, "firmware.version", MLX5LM_STATUS_FAIL, MLX5LM_FINDING_REMEDY,
		    NULL);
	expect_advice(fleet, 1, ADVICE_NONE, ODD_ALONE);
}

Test(fleet_join, another_psid_cannot_be_changed)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	add_many(fleet, 2, "a", "28.41.1000");
	add(fleet, host_with_psid("b", "MT_0000000999"));
	expect_join(fleet, 1, 0, "firmware.psid", MLX5LM_STATUS_FAIL, MLX5LM_FINDING_REMEDY, NULL);
	expect_join(fleet, 0, 1, "firmware.psid", MLX5LM_STATUS_FAIL, MLX5LM_FINDING_SIDE, NULL);
	expect_advice(fleet, 1, ADVICE_NONE, ODD_ALONE);
}

Test(fleet_join, vf_migration_is_enabled_and_never_disabled_to_join)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	struct mlx5lm_host *host = ready_host("c", 1);

	set_migration_mode(host, 1);
	add(fleet, host);
	add_many(fleet, 2, "a", "28.41.1000");
	expect_join(fleet, 1, 0, "nv.vf_migration_mode", MLX5LM_STATUS_WARN, MLX5LM_FINDING_REMEDY,
		    "mstconfig -d PF set VF_MIGRATION_MODE=2");
	expect_join(fleet, 0, 1, "nv.vf_migration_mode", MLX5LM_STATUS_FAIL, MLX5LM_FINDING_SIDE,
		    "destination");
	expect_advice(fleet, 1, ADVICE_THIS, ODD_SMALLER);
}

Test(fleet_join, the_others_are_to_change_if_only_they_can)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	for (size_t i = 0; i < 9; i++) {
		struct mlx5lm_host *host;
		char name[16];

		snprintf(name, sizeof(name), "off%zu", i);
		host = ready_host(name, 1);
		set_migration_mode(host, 1);
		add(fleet, host);
	}
	add_many(fleet, 1, "on", "28.41.1000");
	expect_advice(fleet, 1, ADVICE_OTHER, ODD_SMALLER);
}

Test(fleet_join, firmware_goes_back_only_for_far_fewer_hosts)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	struct fleet_nearest nearest;

	add_many(fleet, 4, "old", "28.39.1002");
	add_many(fleet, 1, "new", "28.41.1000");
	expect_advice(fleet, 1, ADVICE_OTHER, ODD_SMALLER);
	add_many(fleet, 1, "older", "28.39.1002");
	nearest = nearest_of(fleet, 1);
	cr_expect_eq(nearest.advice, ADVICE_THIS);
	cr_expect(nearest.is_downgrade);
	cr_expect_eq(nearest.other->num_hosts, 5);
	fleet_nearest_release(&nearest);
}

Test(fleet_join, what_is_not_known_cannot_be_joined)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	struct mlx5lm_findings findings;

	add_many(fleet, 3, "a", "28.41.1000");
	add_many(fleet, 2, "b", NULL);
	add_many(fleet, 1, "c", "");
	expect_join(fleet, 1, 0, "firmware.version", MLX5LM_STATUS_UNKNOWN, MLX5LM_FINDING_SIDE,
		    "source");
	expect_join(fleet, 0, 1, "firmware.version", MLX5LM_STATUS_UNKNOWN, MLX5LM_FINDING_SIDE,
		    "destination");
	expect_join(fleet, 2, 0, "firmware.version", MLX5LM_STATUS_WARN, MLX5LM_FINDING_REMEDY,
		    "bring the firmware");
	expect_join(fleet, 2, 0, "firmware.version", MLX5LM_STATUS_WARN, MLX5LM_FINDING_SOURCE,
		    "empty");
	findings = joined(fleet, 1, 1);
	cr_expect_eq(findings.length, 0);
	findings_release(&findings);
	cr_expect_eq(fleet_join(fleet, 3, 0, &findings), -ENOENT);
	cr_expect_eq(fleet_join(fleet, 0, 3, &findings), -ENOENT);
}

/*
 * 50 made-up hosts. Which of them VFs can move among is found here by asking the rules for each
 * pair, and the largest set by trying: it must be what the fleet says.
 */
#define NUM_HOSTS 50

static struct mlx5lm_host *made_up_host(size_t number)
{
	struct mlx5lm_host *host;
	char name[16];

	snprintf(name, sizeof(name), "host%02zu", number);
	host = ready_host(name, 2);
	if (number >= 22) /* 22..37: 16 with older firmware */
		set_text(&host->pfs[0].fw_running, "28.39.1002");
	if (number >= 38) { /* 38..43: 6 with VF migration disabled, too */
		set_text(&host->pfs[0].fw_running, number < 44 ? "28.39.1002" : "28.41.1000");
		set_migration_mode(host, number < 44 ? 1 : 2);
	}
	if (number >= 44) /* 44..48: 5 with other boards, 1 of them with other firmware */
		set_text(&host->pfs[0].psid, "MT_0000000999");
	if (number == 48)
		set_text(&host->pfs[0].fw_running, "28.42.1000");
	if (number == 49)
		set_text(&host->pfs[0].psid, NULL);
	return host;
}

static bool can_move(const struct mlx5lm_host *a, const struct mlx5lm_host *b)
{
	enum mlx5lm_status status = pf_rules_status(a, &a->pfs[0], b, &b->pfs[0]);

	return status != MLX5LM_STATUS_FAIL && status != MLX5LM_STATUS_UNKNOWN;
}

/* Largest set of hosts, all of candidates, among whom VFs can move in all directions. */
static size_t largest_set(struct mlx5lm_host *const *hosts, uint64_t candidates, size_t chosen,
			  size_t best)
{
	if (chosen > best)
		best = chosen;
	while (candidates && chosen + (size_t)__builtin_popcountll(candidates) > best) {
		int first = __builtin_ctzll(candidates);
		uint64_t rest = 0;

		candidates &= candidates - 1;
		for (int i = first + 1; i < NUM_HOSTS; i++) {
			if (candidates >> i & 1 && can_move(hosts[first], hosts[i]) &&
			    can_move(hosts[i], hosts[first]))
				rest |= UINT64_C(1) << i;
		}
		best = largest_set(hosts, rest, chosen + 1, best);
	}
	return best;
}

/* By how many facts that count two hosts differ. */
static size_t differences(const struct mlx5lm_host *a, const struct mlx5lm_host *b)
{
	size_t number = 0;

	for (size_t i = 0; i < num_pf_rules; i++) {
		struct rule_value x = { 0 }, y = { 0 };

		pf_rules[i].get(a, &a->pfs[0], &x);
		pf_rules[i].get(b, &b->pfs[0], &y);
		number += pf_rules[i].differs == MLX5LM_STATUS_FAIL &&
			  !(x.text && y.text && streq(x.text, y.text));
	}
	return number;
}

Test(fleet_join, fifty_hosts_have_the_known_optimum)
{
	static const size_t sizes[] = { 22, 16, 6, 4, 1, 1 };
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	struct mlx5lm_host *hosts[NUM_HOSTS];

	for (size_t i = 0; i < NUM_HOSTS; i++) {
		hosts[i] = made_up_host(i);
		cr_assert_eq(fleet_add(fleet, hosts[i], NULL, NULL), 0);
	}
	cr_assert_eq(fleet_num_classes(fleet), ARRAY_LENGTH(sizes));
	for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++)
		cr_expect_eq(class_num_hosts(fleet_get_class(fleet, i)), sizes[i]);
	cr_expect_eq(largest_set(hosts, (UINT64_C(1) << NUM_HOSTS) - 1, 0, 0), sizes[0]);
	/* What a join takes is what the hosts differ in, no more and no less. */
	for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
		for (size_t j = 0; j < ARRAY_LENGTH(sizes); j++) {
			size_t a, b;
			struct mlx5lm_findings findings = joined(fleet, i, j);

			cr_assert_eq(fleet_find_host(fleet,
						     class_get_host(fleet_get_class(fleet, i), 0),
						     &a), 0);
			cr_assert_eq(fleet_find_host(fleet,
						     class_get_host(fleet_get_class(fleet, j), 0),
						     &b), 0);
			cr_expect_eq(findings.length, i == j ? 0 : differences(hosts[a], hosts[b]));
			findings_release(&findings);
		}
	}
	/* 16 hosts to newer firmware, then 6 more with another NV configuration. */
	expect_nearest(fleet, 1, 0);
	expect_advice(fleet, 1, ADVICE_THIS, ODD_SMALLER);
	expect_nearest(fleet, 2, 1);
	expect_advice(fleet, 2, ADVICE_THIS, ODD_SMALLER);
	/* 4 other boards, of which one has newer firmware; one host tells nothing. */
	expect_nearest(fleet, 3, 0);
	expect_advice(fleet, 3, ADVICE_NONE, ODD_NOT);
	expect_nearest(fleet, 4, 3);
	expect_advice(fleet, 4, ADVICE_OTHER, ODD_SMALLER);
	expect_advice(fleet, 5, ADVICE_NONE, ODD_UNKNOWN);
	for (size_t i = 0; i < NUM_HOSTS; i++)
		mlx5lm_host_free(hosts[i]);
}
