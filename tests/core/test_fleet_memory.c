// SPDX-License-Identifier: LGPL-2.1-or-later
/* Wherever memory ends, a fleet says so, is what it was before, and can go on. */
#include <errno.h>
#include <jansson.h>

#include "base/error.h"
#include "fleet_support.h"
#include "little_memory.h"

static struct mlx5lm_host *some_host(const char *name, const char *firmware)
{
	struct mlx5lm_host *host = host_with_firmware(name, firmware);

	set_text(&host->pfs[0].vfs[0].in_use_by, "guest");
	return host;
}

/* Adds as often as it takes, with one more allocation each time. */
static size_t add_with_little_memory(struct mlx5lm_fleet *fleet, struct mlx5lm_host *host)
{
	size_t num_hosts = fleet_num_hosts(fleet), num_classes = fleet_num_classes(fleet), tries;

	for (tries = 0;; tries++) {
		struct mlx5lm_error *error = NULL;
		int r;

		little_memory_allow(tries);
		r = fleet_add(fleet, host, NULL, &error);
		little_memory_end();
		if (!little_memory_failed()) {
			cr_assert_eq(r, 0);
			break;
		}
		cr_assert_eq(r, -ENOMEM);
		cr_assert_eq(error->code, MLX5LM_ERROR_NO_MEMORY);
		mlx5lm_error_free(error);
		cr_assert_eq(fleet_num_hosts(fleet), num_hosts);
		cr_assert_eq(fleet_num_classes(fleet), num_classes);
	}
	mlx5lm_host_free(host);
	return tries;
}

Test(fleet_memory, a_host_is_added_as_a_whole_or_not_at_all)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	size_t index = 0;

	/* Name, domains, room for the key, the block, the class with its values, the trees. */
	cr_expect_gt(add_with_little_memory(fleet, some_host("a", "28.41.1000")), 10);
	cr_expect_gt(add_with_little_memory(fleet, some_host("b", "28.39.1002")), 4);
	cr_expect_gt(add_with_little_memory(fleet, some_host("c", "28.41.1000")), 2);
	cr_expect_eq(fleet_num_hosts(fleet), 3);
	cr_expect_eq(fleet_num_classes(fleet), 2);
	cr_expect_eq(fleet_find_host(fleet, "b", &index), 0);
	cr_expect_eq(index, 1);
	cr_expect_eq(class_num_hosts(fleet_get_class(fleet, 0)), 2);
}

Test(fleet_memory, a_fleet_is_made_as_a_whole_or_not_at_all)
{
	struct mlx5lm_fleet *fleet = NULL;

	for (size_t tries = 0; tries < 3; tries++) {
		little_memory_allow(tries);
		cr_expect_eq(fleet_new(&fleet), -ENOMEM);
		little_memory_end();
		cr_assert_null(fleet);
	}
	little_memory_allow(3);
	cr_expect_eq(fleet_new(&fleet), 0);
	little_memory_end();
	fleet_free(fleet);
}

typedef int (*write_fn)(const struct mlx5lm_fleet *fleet, struct mlx5lm_text **ret);

static void write_with_little_memory(write_fn write)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	_cleanup_text_ struct mlx5lm_text *wanted = NULL;
	size_t tries;
	int r;

	add(fleet, some_host("a", "28.41.1000"));
	add(fleet, some_host("b", "28.41.1000"));
	add(fleet, some_host("c", "28.39.1002"));
	cr_assert_eq(write(fleet, &wanted), 0);
	/* So that nothing that is sorted is there yet. */
	add(fleet, some_host("0", "28.41.1000"));
	mlx5lm_text_free(TAKE(wanted));
	for (tries = 0, r = -ENOMEM; r < 0; tries++) {
		little_memory_allow(tries);
		r = write(fleet, &wanted);
		little_memory_end();
		cr_assert_eq(r < 0, little_memory_failed(), "after %zu: %d", tries, r);
		cr_assert(r == 0 || r == -ENOMEM);
	}
	cr_expect_gt(tries, 10, "%zu", tries);
}

Test(fleet_memory, a_report_is_written_as_a_whole_or_not_at_all)
{
	write_with_little_memory(fleet_to_plain_text);
	json_set_alloc_funcs(little_memory_malloc, free);
	write_with_little_memory(fleet_to_json_text);
	json_set_alloc_funcs(malloc, free);
}
