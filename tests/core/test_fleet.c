// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/fleet.h"

#include <errno.h>

#include "base/error.h"
#include "fleet_support.h"

/* The names of a class, "a b c". */
static const char *names_of(const struct mlx5lm_fleet *fleet, size_t index)
{
	const struct mlx5lm_class *cls = fleet_get_class(fleet, index);
	static char text[4096];
	size_t length = 0;

	cr_assert(cls);
	for (size_t i = 0; i < class_num_hosts(cls); i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
					   i ? " " : "", class_get_host(cls, i));
	cr_expect_null(class_get_host(cls, class_num_hosts(cls)));
	return text;
}

static void add_pf(struct mlx5lm_host *host, struct mlx5lm_host *from, const char *bdf)
{
	struct mlx5lm_pf *pf;

	cr_assert_eq(host_add_pf(host, &pf), 0);
	*pf = from->pfs[0];
	from->num_pfs = 0;
	set_text(&pf->bdf, bdf);
	for (size_t i = 0; i < pf->num_vfs; i++) {
		char text[32];

		snprintf(text, sizeof(text), "%.8s%zx.%zx", bdf, (i + 16) / 8, (i + 16) % 8);
		set_text(&pf->vfs[i].bdf, text);
	}
	mlx5lm_host_free(from);
}

Test(fleet, ten_hosts_with_one_odd_one_are_two_classes)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	add_many(fleet, 4, "a", "28.41.1000");
	add(fleet, host_with_firmware("odd", "28.39.1002"));
	add_many(fleet, 5, "b", "28.41.1000");
	cr_assert_eq(fleet_num_hosts(fleet), 10);
	cr_assert_eq(fleet_num_classes(fleet), 2);
	cr_expect_str_eq(names_of(fleet, 0), "a0 a1 a2 a3 b0 b1 b2 b3 b4");
	cr_expect_str_eq(names_of(fleet, 1), "odd");
	cr_expect_null(fleet_get_class(fleet, 2));
	cr_expect_str_eq(class_get_value(fleet_get_class(fleet, 1), "firmware.version"),
			 "28.39.1002");
	cr_expect_str_eq(class_get_value(fleet_get_class(fleet, 1), "firmware.psid"),
			 "MT_0000000838");
	cr_expect_null(class_get_value(fleet_get_class(fleet, 1), "no.such_rule"));
}

Test(fleet, an_empty_fleet_has_no_classes)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	size_t index = 7;

	cr_expect_eq(fleet_num_hosts(fleet), 0);
	cr_expect_eq(fleet_num_classes(fleet), 0);
	cr_expect_null(fleet_get_class(fleet, 0));
	cr_expect_null(fleet_get_host(fleet, 0));
	cr_expect_eq(fleet_find_host(fleet, "a", &index), -ENOENT);
	cr_expect_eq(index, 7);
}

Test(fleet, classes_of_one_size_are_in_the_order_of_their_first_hosts)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	add(fleet, host_with_firmware("c", "28.41.1000"));
	add(fleet, host_with_firmware("b", "28.40.1000"));
	add(fleet, host_with_firmware("a", "28.39.1000"));
	cr_expect_str_eq(names_of(fleet, 0), "a");
	cr_expect_str_eq(names_of(fleet, 1), "b");
	cr_expect_str_eq(names_of(fleet, 2), "c");
}

Test(fleet, a_host_is_in_a_class_for_each_kind_of_adapter)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	struct mlx5lm_host *both = ready_host("both", 1);

	add_pf(both, ready_host("", 1), "0000:08:00.1");
	add_pf(both, host_with_psid("", "MT_0000000999"), "0000:0a:00.0");
	add(fleet, both);
	add(fleet, ready_host("a", 1));
	add(fleet, host_with_psid("b", "MT_0000000999"));
	add(fleet, host_with_psid("c", "MT_0000000999"));
	cr_assert_eq(fleet_num_classes(fleet), 2);
	cr_expect_str_eq(names_of(fleet, 0), "b both c");
	cr_expect_str_eq(names_of(fleet, 1), "a both");
	cr_expect_eq(fleet_get_host(fleet, 0)->num_pfs, 3);
	cr_expect_eq(fleet_get_host(fleet, 0)->pfs[0].cls, fleet_get_host(fleet, 0)->pfs[1].cls);
	cr_expect_neq(fleet_get_host(fleet, 0)->pfs[0].cls, fleet_get_host(fleet, 0)->pfs[2].cls);
}

Test(fleet, a_host_without_adapter_is_in_no_class)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	struct mlx5lm_host *host = ready_host("a", 0);

	pf_release(&host->pfs[0]);
	host->num_pfs = 0;
	add(fleet, host);
	cr_expect_eq(fleet_num_hosts(fleet), 1);
	cr_expect_eq(fleet_num_classes(fleet), 0);
}

Test(fleet, hosts_of_which_the_same_is_unknown_are_a_class_that_is_not_known)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	add(fleet, ready_host("a", 1));
	add(fleet, host_with_firmware("b", NULL));
	add(fleet, host_with_firmware("c", NULL));
	add(fleet, host_with_psid("d", NULL));
	cr_assert_eq(fleet_num_classes(fleet), 3);
	cr_expect_str_eq(names_of(fleet, 0), "b c");
	cr_expect_not(class_is_known(fleet_get_class(fleet, 0)));
	cr_expect_null(class_get_value(fleet_get_class(fleet, 0), "firmware.version"));
	cr_expect(class_is_known(fleet_get_class(fleet, 1)));
	cr_expect(fleet_class_is_known(fleet, fleet_get_host(fleet, 0)->pfs[0].cls));
	cr_expect_not(fleet_class_is_known(fleet, fleet_get_host(fleet, 1)->pfs[0].cls));
	cr_expect_not(fleet_class_is_known(fleet, 3));
}

static void expect_refused(struct mlx5lm_fleet *fleet, const char *name, int wanted,
			   const char *part)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	_cleanup_host_ struct mlx5lm_host *host = host_with_psid("a", "of another class");
	size_t num_hosts = fleet_num_hosts(fleet), num_classes = fleet_num_classes(fleet);

	if (!name)
		set_text(&host->hostname, NULL);
	cr_expect_eq(fleet_add(fleet, host, name, &error), wanted, "%s", name);
	cr_assert(error);
	cr_expect(strstr(error->message, part), "%s", error->message);
	cr_expect_eq(fleet_num_hosts(fleet), num_hosts);
	cr_expect_eq(fleet_num_classes(fleet), num_classes);
}

Test(fleet, a_name_is_a_short_line_that_nobody_else_has)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	char name[257] = "";

	add(fleet, ready_host("a", 1));
	expect_refused(fleet, "a", -EEXIST, "there is a host a already");
	expect_refused(fleet, NULL, -EINVAL, "no hostname");
	expect_refused(fleet, "", -EINVAL, "no hostname");
	expect_refused(fleet, "a\033[2J", -EINVAL, "control characters");
	expect_refused(fleet, "\302\205", -EINVAL, "control characters");
	expect_refused(fleet, "\377", -EINVAL, "UTF-8");
	memset(name, 'x', 256);
	expect_refused(fleet, name, -EINVAL, "256 bytes");
	name[255] = '\0';
	{
		_cleanup_host_ struct mlx5lm_host *host = ready_host("a", 1);
		size_t index = 0;

		cr_expect_eq(fleet_add(fleet, host, name, NULL), 0);
		cr_expect_eq(fleet_find_host(fleet, name, &index), 0);
		cr_expect_eq(index, 1);
	}
}

Test(fleet, of_vfs_is_kept_where_they_are_and_who_has_them)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	struct mlx5lm_host *host = ready_host("a", 4);
	const struct fleet_host *kept;
	const struct fleet_vf *vfs;

	host->pfs[0].numa_node = fact_u64(1);
	set_text(&host->pfs[0].vfs[0].in_use_by, "web");
	set_text(&host->pfs[0].vfs[1].in_use_by, "db");
	set_text(&host->pfs[0].vfs[3].in_use_by, "web");
	set_text(&host->pfs[0].vfs[3].driver, "mlx5_core");
	add(fleet, host);
	kept = fleet_get_host(fleet, 0);
	cr_assert_eq(kept->num_pfs, 1);
	cr_expect_eq(kept->pfs[0].pci_domain, 0);
	cr_expect_eq(kept->pfs[0].bus, 8);
	cr_expect_eq(kept->pfs[0].devfn, 0);
	cr_expect_eq(kept->pfs[0].numa_node, 1);
	cr_assert_eq(kept->num_domains, 2);
	cr_expect_str_eq(kept->domains[0], "db");
	cr_expect_str_eq(kept->domains[1], "web");
	cr_assert_eq(kept->pfs[0].num_vfs, 4);
	vfs = kept->pfs[0].vfs;
	cr_expect_eq(vfs[1].index, 1);
	cr_expect_eq(vfs[1].bus, 8);
	cr_expect_eq(vfs[1].devfn, 3);
	cr_expect_eq(vfs[0].domain, 2);
	cr_expect_eq(vfs[1].domain, 1);
	cr_expect_eq(vfs[2].domain, 0);
	cr_expect_eq(vfs[3].domain, 2);
	/* One in use can only give its state away; one that is bound wrong can do nothing. */
	cr_expect(vfs[0].ready && !vfs[0].free);
	cr_expect(vfs[2].ready && vfs[2].free);
	cr_expect(!vfs[3].ready && !vfs[3].free);
}

Test(fleet, a_vf_at_an_impossible_address_is_not_kept)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	struct mlx5lm_host *host = ready_host("a", 4);

	set_text(&host->pfs[0].vfs[0].bdf, "0001:08:00.2");
	set_text(&host->pfs[0].vfs[1].bdf, "nonsense");
	host->pfs[0].vfs[2].index = fact_u64(65536);
	add(fleet, host);
	cr_assert_eq(fleet_get_host(fleet, 0)->pfs[0].num_vfs, 1);
	cr_expect_eq(fleet_get_host(fleet, 0)->pfs[0].vfs[0].index, 3);
}

Test(fleet, a_domain_of_which_a_vf_is_not_kept_has_none)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	struct mlx5lm_host *host = ready_host("a", 3);
	const struct fleet_host *kept;

	set_text(&host->pfs[0].vfs[0].in_use_by, "torn");
	set_text(&host->pfs[0].vfs[1].in_use_by, "torn");
	set_text(&host->pfs[0].vfs[1].bdf, "0001:08:00.3");
	set_text(&host->pfs[0].vfs[2].in_use_by, "whole");
	add(fleet, host);
	kept = fleet_get_host(fleet, 0);
	cr_assert_eq(kept->num_domains, 2);
	cr_assert_eq(kept->pfs[0].num_vfs, 2);
	cr_expect_eq(kept->pfs[0].vfs[0].domain, 0);
	cr_expect_not(kept->pfs[0].vfs[0].free, "somebody has it all the same");
	cr_expect_eq(kept->pfs[0].vfs[1].domain, 2);
}

/* A host with so many VFs, each in a domain of its own. */
static struct mlx5lm_host *crowded_host(size_t num_vfs)
{
	struct mlx5lm_host *host = ready_host("crowded", 0);

	for (size_t i = 0; i < num_vfs; i++) {
		struct mlx5lm_pf *pf = &host->pfs[host->num_pfs - 1];
		struct mlx5lm_vf *vf;
		char text[32];

		if (i == 65536) {
			add_pf(host, ready_host("", 0), "0000:09:00.0");
			pf = &host->pfs[1];
		}
		cr_assert_eq(pf_add_vf(pf, &vf), 0);
		vf->index = fact_u64(i % 65536);
		snprintf(text, sizeof(text), "0000:%02zx:%02zx.%zx", i >> 8 & 0xff, i >> 3 & 0x1f,
			 i & 7);
		set_text(&vf->bdf, text);
		snprintf(text, sizeof(text), "guest-%05zu", i);
		set_text(&vf->in_use_by, text);
	}
	return host;
}

Test(fleet, as_many_domains_as_can_be_numbered_are_kept_and_one_more_is_refused)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	_cleanup_host_ struct mlx5lm_host *host = crowded_host(65536);
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	const struct fleet_host *kept;

	cr_assert_eq(fleet_add(fleet, host, NULL, &error), -EINVAL);
	cr_expect(strstr(error->message, "65536 domains"), "%s", error->message);
	cr_expect_eq(fleet_num_classes(fleet), 0);
	set_text(&host->pfs[0].vfs[65535].in_use_by, "guest-00000");
	cr_assert_eq(fleet_add(fleet, host, NULL, NULL), 0);
	kept = fleet_get_host(fleet, 0);
	cr_assert_eq(kept->num_domains, 65535);
	cr_assert_eq(kept->pfs[0].num_vfs, 65536);
	cr_expect_eq(kept->pfs[0].vfs[65534].domain, 65535);
	cr_expect_str_eq(kept->domains[65534], "guest-65534");
	cr_expect_eq(kept->pfs[0].vfs[65535].domain, 1);
	cr_expect_eq(kept->pfs[0].vfs[65535].index, 65535);
}

Test(fleet, what_is_asked_between_two_hosts_does_not_grow_old)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

	add(fleet, host_with_firmware("b", "28.41.1000"));
	cr_expect_str_eq(names_of(fleet, 0), "b");
	add(fleet, host_with_firmware("c", "28.42.1000"));
	add(fleet, host_with_firmware("a", "28.42.1000"));
	cr_expect_str_eq(names_of(fleet, 0), "a c");
	cr_expect_str_eq(names_of(fleet, 1), "b");
}

/* xorshift64: the same numbers in every run. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Changes a few facts of a host, those that make classes and others. */
static void mutate(struct mlx5lm_host *host, uint64_t *random)
{
	static const char *const firmware[] = { "28.39.1002", "28.41.1000", "28.42.1000", "" };
	static const char *const psids[] = { "MT_0000000838", "MT_0000000999", NULL };
	static const char *const machines[] = { "x86_64", "aarch64", NULL };
	struct mlx5lm_pf *pf = &host->pfs[0];

	set_text(&pf->fw_running, firmware[next_random(random) % 4]);
	if (next_random(random) % 4 == 0)
		set_text(&pf->psid, psids[next_random(random) % 3]);
	if (next_random(random) % 8 == 0)
		set_text(&host->architecture, machines[next_random(random) % 3]);
	if (next_random(random) % 8 == 0)
		pf->device_id = fact_u64(0xa2dc);
	if (next_random(random) % 8 == 0)
		pf->sriov_vf_device_id = fact_u64(0x101a);
	if (next_random(random) % 8 == 0)
		pf->class_code = fact_u64(0x020700);
	if (next_random(random) % 16 == 0)
		pf->class_code = (struct fact_u64){ 0 };
	if (next_random(random) % 4 == 0)
		set_migration_mode(host, next_random(random) % 3);
	if (next_random(random) % 4 == 0)
		pf->revision = fact_u64(next_random(random) % 3);
	host->page_size_bytes = fact_u64(4096u << 4 * (next_random(random) % 2));
}

#define NUM_RANDOM 200

struct random_hosts {
	struct mlx5lm_host *hosts[NUM_RANDOM];
};

static void make_random(struct random_hosts *random, uint64_t seed)
{
	char name[32];

	for (size_t i = 0; i < NUM_RANDOM; i++) {
		snprintf(name, sizeof(name), "host-%zu", i * 7919 % NUM_RANDOM);
		random->hosts[i] = ready_host(name, i % 3);
		mutate(random->hosts[i], &seed);
	}
}

static void release_random(struct random_hosts *random)
{
	for (size_t i = 0; i < NUM_RANDOM; i++)
		mlx5lm_host_free(random->hosts[i]);
}

Test(fleet, hosts_are_in_one_class_exactly_if_a_comparison_finds_nothing_that_blocks)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	struct random_hosts random;
	size_t seen[MLX5LM_STATUS_FAIL + 1] = { 0 };

	make_random(&random, 5);
	for (size_t i = 0; i < NUM_RANDOM; i++)
		cr_assert_eq(fleet_add(fleet, random.hosts[i], NULL, NULL), 0);
	for (size_t i = 0; i < NUM_RANDOM; i++) {
		for (size_t j = 0; j < NUM_RANDOM; j++) {
			const struct mlx5lm_host *a = random.hosts[i], *b = random.hosts[j];
			uint32_t x = fleet_get_host(fleet, i)->pfs[0].cls;
			uint32_t y = fleet_get_host(fleet, j)->pfs[0].cls;
			enum mlx5lm_status status =
				pf_rules_status(a, &a->pfs[0], b, &b->pfs[0]);

			seen[status]++;
			if (status == MLX5LM_STATUS_FAIL)
				cr_assert_neq(x, y, "%zu, %zu", i, j);
			else if (status == MLX5LM_STATUS_UNKNOWN)
				cr_assert(x != y || !fleet_class_is_known(fleet, x), "%zu, %zu", i,
					  j);
			else
				cr_assert(x == y && fleet_class_is_known(fleet, x), "%zu, %zu", i,
					  j);
		}
	}
	/* All of it was tried. */
	cr_expect_gt(seen[MLX5LM_STATUS_FAIL], 1000);
	cr_expect_gt(seen[MLX5LM_STATUS_UNKNOWN], 100);
	cr_expect_gt(seen[MLX5LM_STATUS_PASS] + seen[MLX5LM_STATUS_INFO] +
			     seen[MLX5LM_STATUS_WARN], 1000);
	release_random(&random);
}

static struct mlx5lm_text *report(const struct mlx5lm_fleet *fleet, bool json)
{
	struct mlx5lm_text *text = NULL;

	cr_assert_eq(json ? fleet_to_json_text(fleet, &text) : fleet_to_plain_text(fleet, &text),
		     0);
	return text;
}

Test(fleet, the_order_of_adding_makes_no_difference)
{
	struct random_hosts random;
	struct mlx5lm_text *first[2] = { NULL, NULL };

	make_random(&random, 9);
	for (size_t step = 1; step < 20; step += 6) {
		_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();

		/* All of them, since step and their number have no common divisor. */
		for (size_t i = 0; i < NUM_RANDOM; i++)
			cr_assert_eq(fleet_add(fleet, random.hosts[(i * step + step) % NUM_RANDOM],
					       NULL, NULL), 0);
		for (int json = 0; json < 2; json++) {
			struct mlx5lm_text *text = report(fleet, json);
			_cleanup_text_ struct mlx5lm_text *again = report(fleet, json);

			cr_assert_str_eq(text->text, again->text);
			if (first[json]) {
				cr_assert_str_eq(text->text, first[json]->text);
				mlx5lm_text_free(text);
			} else {
				first[json] = text;
			}
		}
	}
	mlx5lm_text_free(first[0]);
	mlx5lm_text_free(first[1]);
	release_random(&random);
}
