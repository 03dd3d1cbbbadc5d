// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "evacuation_support.h"

/* A fleet whose first host has a PF of class 0 with VFs, and which is then given away. */
static struct mlx5lm_fleet *source_with(uint32_t num_vfs)
{
	struct mlx5lm_fleet *fleet = hand_made_fleet();

	add_host(fleet, "a");
	add_pf(fleet, 0, num_vfs);
	return fleet;
}

static void add_destination(struct mlx5lm_fleet *fleet, const char *name, uint32_t num_vfs)
{
	add_host(fleet, name);
	add_pf(fleet, 0, num_vfs);
}

static const struct mlx5lm_evacuation_options no_limits = { 0 };
static const struct mlx5lm_evacuation_options four_per_pf = { .max_vfs_per_pf = 4 };

/* Plans, and expects so many waves and domains left, and that nothing could be better. */
static struct mlx5lm_evacuation *expect_plan(const struct mlx5lm_fleet *fleet,
					     const struct mlx5lm_evacuation_options *options,
					     uint64_t waves, uint64_t left)
{
	struct mlx5lm_evacuation *evacuation = evacuate(fleet, options);

	expect_valid(fleet, options, evacuation);
	cr_expect_eq(evacuation->num_waves, waves, "%d waves", (int)evacuation->num_waves);
	cr_expect_eq(evacuation->num_left, left, "%d left", (int)evacuation->num_left);
	cr_expect_eq(evacuation->optimal, MLX5LM_ANSWER_YES);
	return evacuation;
}

static void done(struct mlx5lm_fleet *fleet, struct mlx5lm_evacuation *evacuation)
{
	evacuation_free(evacuation);
	release_fleet(fleet);
}

/* The only finding: its texts hold these words. */
static void expect_stay(const struct mlx5lm_evacuation *evacuation, enum mlx5lm_status status,
			const char *id, const char *message, const char *remedy)
{
	const struct mlx5lm_finding *finding = evacuation->findings.items;

	cr_assert_eq(evacuation->findings.length, 1);
	cr_expect_eq(finding->status, status);
	cr_expect_str_eq(finding->text[MLX5LM_FINDING_ID], id);
	cr_expect(strstr(finding->text[MLX5LM_FINDING_MESSAGE], message), "%s",
		  finding->text[MLX5LM_FINDING_MESSAGE]);
	cr_expect(strstr(finding->text[MLX5LM_FINDING_REMEDY], remedy), "%s",
		  finding->text[MLX5LM_FINDING_REMEDY]);
}

Test(evacuation, a_host_without_domains_is_empty_already)
{
	struct mlx5lm_fleet *fleet = source_with(4);

	add_destination(fleet, "b", 4);
	done(fleet, expect_plan(fleet, &four_per_pf, 0, 0));
}

Test(evacuation, a_host_that_is_not_in_the_fleet_is_refused)
{
	struct mlx5lm_fleet *fleet = source_with(4);
	struct mlx5lm_evacuation *evacuation;
	struct mlx5lm_error *error = NULL;

	cr_assert_eq(evacuation_make(fleet, "x", NULL, &evacuation, &error), -ENOENT);
	cr_expect(strstr(error->message, "\"x\""));
	cr_expect(error->remedy);
	mlx5lm_error_free(error);
	release_fleet(fleet);
}

Test(evacuation, vfs_of_a_domain_go_to_one_host)
{
	struct mlx5lm_fleet *fleet = source_with(2);
	struct mlx5lm_evacuation *evacuation;

	give(fleet, "vm", 0, 2);
	add_destination(fleet, "b", 1);
	add_destination(fleet, "c", 2);
	evacuation = expect_plan(fleet, &four_per_pf, 1, 0);
	cr_expect_str_eq(evacuation->moves[0].destination, "c");
	cr_expect_str_eq(evacuation->moves[0].vfs[1].source, "0000:08:00.3");
	cr_expect_str_eq(evacuation->moves[0].vfs[1].destination, "0000:08:00.3");
	done(fleet, evacuation);
}

Test(evacuation, vfs_that_others_have_or_that_are_not_ready_are_not_given_away)
{
	struct mlx5lm_fleet *fleet = source_with(1);
	struct mlx5lm_evacuation *evacuation;

	give(fleet, "vm", 0, 1);
	add_destination(fleet, "b", 3);
	fleet->hosts[1].pfs[0].vfs[0].free = false;
	fleet->hosts[1].pfs[0].vfs[1].domain = 1;
	evacuation = expect_plan(fleet, &four_per_pf, 1, 0);
	cr_expect_str_eq(evacuation->moves[0].vfs[0].destination, "0000:08:00.4");
	done(fleet, evacuation);
}

Test(evacuation, no_more_vfs_of_a_pf_of_the_source_migrate_at_a_time_than_the_limit)
{
	struct mlx5lm_fleet *fleet = source_with(9);
	char name[16];

	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "vm%d", i);
		give(fleet, name, 0, 1);
	}
	add_destination(fleet, "b", 9);
	evacuation_free(expect_plan(fleet, &four_per_pf, 3, 0));
	done(fleet, expect_plan(fleet, &no_limits, 1, 0));
}

Test(evacuation, the_limit_of_a_pf_of_a_destination_is_kept_by_spreading)
{
	struct mlx5lm_fleet *fleet = source_with(4);

	add_pf(fleet, 0, 4);
	give(fleet, "vm1", 0, 4);
	give(fleet, "vm2", 1, 4);
	add_destination(fleet, "b", 8);
	evacuation_free(expect_plan(fleet, &four_per_pf, 2, 0));
	/* Another host, and both can go at once. */
	add_destination(fleet, "c", 4);
	done(fleet, expect_plan(fleet, &four_per_pf, 1, 0));
}

Test(evacuation, a_domain_with_more_vfs_than_the_limit_goes_alone)
{
	struct mlx5lm_fleet *fleet = source_with(6);
	struct mlx5lm_evacuation *evacuation;

	give(fleet, "large", 0, 5);
	give(fleet, "small", 0, 1);
	add_destination(fleet, "b", 6);
	evacuation = expect_plan(fleet, &four_per_pf, 2, 0);
	cr_expect_str_eq(evacuation->moves[0].domain, "large");
	done(fleet, evacuation);
}

Test(evacuation, as_few_hosts_as_possible_are_used)
{
	struct mlx5lm_fleet *fleet = source_with(8);
	struct mlx5lm_evacuation *evacuation;
	char name[16];

	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "vm%d", i);
		give(fleet, name, 0, 1);
	}
	add_destination(fleet, "b", 5);
	add_destination(fleet, "c", 8);
	add_destination(fleet, "d", 6);
	evacuation = expect_plan(fleet, &four_per_pf, 2, 0);
	for (size_t i = 0; i < 8; i++)
		cr_expect_str_eq(evacuation->moves[i].destination, "c");
	done(fleet, evacuation);
}

Test(evacuation, a_better_fit_than_the_first_is_searched)
{
	struct mlx5lm_fleet *fleet = source_with(13);
	struct mlx5lm_evacuation *evacuation;

	/* The largest to the largest host needs all three. */
	give(fleet, "six", 0, 6);
	give(fleet, "four", 0, 4);
	give(fleet, "three", 0, 3);
	add_destination(fleet, "b", 7);
	add_destination(fleet, "c", 6);
	add_destination(fleet, "d", 3);
	evacuation = expect_plan(fleet, &no_limits, 1, 0);
	cr_expect_str_eq(evacuation->moves[0].destination, "b");
	cr_expect_str_eq(evacuation->moves[1].domain, "six");
	cr_expect_str_eq(evacuation->moves[1].destination, "c");
	cr_expect_str_eq(evacuation->moves[2].destination, "b");
	done(fleet, evacuation);
}

Test(evacuation, vfs_of_different_pfs_go_to_different_pfs)
{
	struct mlx5lm_fleet *fleet = source_with(2);
	struct mlx5lm_evacuation *evacuation;

	add_pf(fleet, 0, 2);
	give(fleet, "vm1", 0, 1);
	give(fleet, "vm1", 1, 1);
	give(fleet, "vm2", 0, 1);
	give(fleet, "vm2", 1, 1);
	add_destination(fleet, "b", 8);
	add_pf(fleet, 0, 2);
	evacuation = expect_plan(fleet, &four_per_pf, 1, 0);
	for (size_t i = 0; i < 2; i++) {
		cr_expect_eq(strncmp(evacuation->moves[i].vfs[0].destination, "0000:08:", 8), 0);
		cr_expect_eq(strncmp(evacuation->moves[i].vfs[1].destination, "0000:0a:", 8), 0);
	}
	done(fleet, evacuation);
}

Test(evacuation, an_excluded_host_gets_nothing)
{
	struct mlx5lm_evacuation_options options = { .max_vfs_per_pf = 4 };
	struct mlx5lm_fleet *fleet = source_with(1);
	struct mlx5lm_evacuation *evacuation;

	give(fleet, "vm", 0, 1);
	add_destination(fleet, "b", 1);
	cr_assert_eq(strv_take(&options.excluded, strdup("b")), 0);
	cr_assert_eq(strv_take(&options.excluded, strdup("nobody")), 0);
	evacuation = expect_plan(fleet, &options, 0, 1);
	expect_stay(evacuation, MLX5LM_STATUS_FAIL, "evacuation.no_class", "no other host",
		    "mlx5lm-compare");
	strv_release(&options.excluded);
	done(fleet, evacuation);
}

Test(evacuation, a_vf_that_is_not_ready_keeps_its_domain)
{
	struct mlx5lm_fleet *fleet = source_with(3);
	struct mlx5lm_evacuation *evacuation;

	give(fleet, "other", 0, 1);
	give(fleet, "vm", 0, 2);
	fleet->hosts[0].pfs[0].vfs[2].ready = false;
	add_destination(fleet, "b", 4);
	evacuation = expect_plan(fleet, &four_per_pf, 1, 1);
	expect_stay(evacuation, MLX5LM_STATUS_FAIL, "evacuation.not_ready", "0000:08:00.4",
		    "on host a: mlx5lm-probe --scope 0000:08:00.4");
	cr_expect_str_eq(evacuation->findings.items[0].text[MLX5LM_FINDING_OBJECT], "vm");
	done(fleet, evacuation);
}

Test(evacuation, what_is_not_known_is_not_called_a_failure)
{
	struct mlx5lm_fleet *fleet = source_with(1);
	struct mlx5lm_evacuation *evacuation;

	give(fleet, "vm", 0, 1);
	add_destination(fleet, "b", 4);
	fleet->unknown_class = 0;
	evacuation = expect_plan(fleet, &four_per_pf, 0, 1);
	expect_stay(evacuation, MLX5LM_STATUS_UNKNOWN, "evacuation.class_unknown", "PF 0000:08:00.0",
		    "mlx5lm-probe");
	done(fleet, evacuation);
}

Test(evacuation, a_domain_of_which_no_vf_is_known_stays)
{
	struct mlx5lm_fleet *fleet = source_with(1);
	struct mlx5lm_evacuation *evacuation;

	give(fleet, "vm", 0, 1);
	fleet->hosts[0].pfs[0].vfs[0].domain = 0;
	add_destination(fleet, "b", 4);
	evacuation = expect_plan(fleet, &four_per_pf, 0, 1);
	expect_stay(evacuation, MLX5LM_STATUS_UNKNOWN, "evacuation.vf_unknown", "all of its VFs",
		    "mlx5lm-probe");
	done(fleet, evacuation);
}

Test(evacuation, the_remedy_names_the_host_that_lacks_least)
{
	struct mlx5lm_fleet *fleet = source_with(4);
	struct mlx5lm_evacuation *evacuation;

	give(fleet, "vm", 0, 4);
	add_destination(fleet, "b", 1);
	add_destination(fleet, "c", 2);
	add_destination(fleet, "d", 0);
	evacuation = expect_plan(fleet, &four_per_pf, 0, 1);
	expect_stay(evacuation, MLX5LM_STATUS_FAIL, "evacuation.no_room", "no host has 4 free VFs",
		    "make 2 more VFs of host c ready (free, migratable, bound to mlx5_vfio_pci), "
		    "there: mlx5lm-configure --pf 0000:08:00.0 --vfs 4 --apply");
	evacuation_free(evacuation);
	/* Those that nobody uses are made ready before new ones are made. */
	add_destination(fleet, "0", 4);
	fleet->hosts[4].pfs[0].vfs[0].free = false;
	fleet->hosts[4].pfs[0].vfs[3].free = false;
	fleet->hosts[4].pfs[0].vfs[3].domain = 1;
	evacuation = expect_plan(fleet, &four_per_pf, 0, 1);
	expect_stay(evacuation, MLX5LM_STATUS_FAIL, "evacuation.no_room", "",
		    "make 2 more VFs of host 0 ready (free, migratable, bound to mlx5_vfio_pci), "
		    "there: mlx5lm-configure --pf 0000:08:00.0 --vfs 5 --apply");
	done(fleet, evacuation);
}

Test(evacuation, a_domain_stays_if_others_get_the_vfs)
{
	struct mlx5lm_fleet *fleet = source_with(4);
	struct mlx5lm_evacuation *evacuation;

	give(fleet, "large", 0, 2);
	give(fleet, "vm1", 0, 1);
	give(fleet, "vm2", 0, 1);
	add_destination(fleet, "b", 2);
	evacuation = expect_plan(fleet, &four_per_pf, 1, 1);
	expect_stay(evacuation, MLX5LM_STATUS_FAIL, "evacuation.full", "other domains get them",
		    "make 2 more VFs of host b");
	cr_expect_str_eq(evacuation->findings.items[0].text[MLX5LM_FINDING_OBJECT], "large");
	done(fleet, evacuation);
}

Test(evacuation, the_downtime_of_a_wave_is_that_of_all_its_vfs)
{
	/* 10 ms for each VF. */
	struct mlx5lm_evacuation_options options = {
		.max_vfs_per_pf = 4,
		.bandwidth_mib_per_s = 100,
		.state_bytes_per_vf = 1 << 20,
		.downtime_limit_ms = 39,
	};
	struct mlx5lm_fleet *fleet = source_with(8);
	struct mlx5lm_evacuation *evacuation;

	give(fleet, "large", 0, 4);
	give(fleet, "vm1", 0, 2);
	give(fleet, "vm2", 0, 1);
	give(fleet, "vm3", 0, 1);
	add_destination(fleet, "b", 8);
	evacuation = expect_plan(fleet, &options, 2, 1);
	cr_expect_eq(evacuation->moves[0].downtime_ms.value, 30);
	cr_expect_eq(evacuation->moves[evacuation->num_moves - 1].downtime_ms.value, 10);
	expect_stay(evacuation, MLX5LM_STATUS_FAIL, "evacuation.downtime", "40 ms",
		    "allow a downtime of 40 ms");
	evacuation_free(evacuation);
	/* What it says would do does. */
	options.downtime_limit_ms = 40;
	done(fleet, expect_plan(fleet, &options, 2, 0));
}

Test(evacuation, a_limit_of_downtime_needs_bandwidth_and_size)
{
	struct mlx5lm_evacuation_options options = {
		.max_vfs_per_pf = 4,
		.state_bytes_per_vf = UINT64_MAX,
		.downtime_limit_ms = 1,
	};
	struct mlx5lm_fleet *fleet = source_with(4);
	struct mlx5lm_evacuation *evacuation;

	give(fleet, "vm", 0, 4);
	add_destination(fleet, "b", 4);
	evacuation = expect_plan(fleet, &options, 1, 0);
	cr_expect_not(evacuation->moves[0].downtime_ms.known);
	evacuation_free(evacuation);
	options.bandwidth_mib_per_s = 1;
	evacuation = expect_plan(fleet, &options, 0, 1);
	expect_stay(evacuation, MLX5LM_STATUS_FAIL, "evacuation.downtime", "limit of 1 ms", "allow");
	done(fleet, evacuation);
}

Test(evacuation, the_same_fleet_gives_the_same_plan_in_whatever_order_it_was_made)
{
	struct mlx5lm_text *texts[2];
	static const char *const names[2][3] = { { "b", "c", "d" }, { "d", "b", "c" } };

	for (size_t i = 0; i < 2; i++) {
		struct mlx5lm_fleet *fleet = source_with(3);
		struct mlx5lm_evacuation *evacuation;

		give(fleet, "vm1", 0, 1);
		give(fleet, "vm2", 0, 2);
		for (size_t j = 0; j < 3; j++)
			add_destination(fleet, names[i][j], 2);
		evacuation = expect_plan(fleet, &four_per_pf, 1, 0);
		cr_assert_eq(evacuation_to_json_text(evacuation, &texts[i]), 0);
		done(fleet, evacuation);
	}
	cr_expect_str_eq(texts[0]->text, texts[1]->text);
	mlx5lm_text_free(texts[0]);
	mlx5lm_text_free(texts[1]);
}

/* A wave and a domain that stays, with names as long as they get and as bad as they get. */
static struct mlx5lm_text *text_of_names(const char *domain, const char *host)
{
	struct mlx5lm_evacuation_options options = {
		.max_vfs_per_pf = 4,
		.bandwidth_mib_per_s = 1000,
		.state_bytes_per_vf = 10 << 20,
	};
	struct mlx5lm_fleet *fleet = source_with(5);
	struct mlx5lm_evacuation *evacuation;
	struct mlx5lm_text *text;

	give(fleet, domain, 0, 2);
	give(fleet, "large", 0, 3);
	add_destination(fleet, host, 2);
	evacuation = expect_plan(fleet, &options, 1, 1);
	cr_assert_eq(evacuation_to_plain_text(evacuation, &text), 0);
	done(fleet, evacuation);
	return text;
}

Test(evacuation, its_text_is_read_as_it_stands_here)
{
	struct mlx5lm_text *text = text_of_names("vm", "node-17");

	cr_expect_str_eq(
		text->text,
		"Evacuation of host a: 1 domain can go in 1 wave, 1 stays. No plan does better.\n"
		"\n"
		"Wave 1: 2 VFs, at most 20 ms of downtime by the network\n"
		"  domain  goes to  VF            becomes\n"
		"  vm      node-17  0000:08:00.2  0000:08:00.2\n"
		"                   0000:08:00.3  0000:08:00.3\n"
		"\n"
		"Staying:\n"
		"  large: no host has 3 free VFs that could take its VFs over\n"
		"    > make 3 more VFs of host node-17 ready (free, migratable, bound to\n"
		"      mlx5_vfio_pci), there:\n"
		"      mlx5lm-configure --pf 0000:08:00.0 --vfs 5 --apply\n");
	mlx5lm_text_free(text);
}

Test(evacuation, names_break_neither_the_table_nor_the_terminal)
{
	struct mlx5lm_text *text =
		text_of_names("an-instance-of-24-bytes-", "a-host-with-24-byte-name");
	const char *line = text->text;

	while (*line) {
		size_t length = strcspn(line, "\n");

		cr_expect_leq(length, 80, "%.*s", (int)length, line);
		line += length + 1;
	}
	mlx5lm_text_free(text);
	text = text_of_names("vm\x1b[2J", "b\nWave 2");
	for (const char *c = text->text; *c; c++)
		cr_expect(*c == '\n' || (unsigned char)*c >= ' ');
	cr_expect_null(strstr(text->text, "\nWave 2"));
	mlx5lm_text_free(text);
}
