// SPDX-License-Identifier: LGPL-2.1-or-later
/* Wherever memory ends, there is a whole plan or none. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>

#include "base/error.h"
#include "evacuation_support.h"
#include "little_memory.h"

/* One for which everything is needed: searches, spreading over PFs, and reasons to stay. */
static struct mlx5lm_fleet *difficult_fleet(void)
{
	struct mlx5lm_fleet *fleet = hand_made_fleet();

	add_host(fleet, "a");
	add_pf(fleet, 0, 12);
	add_pf(fleet, 0, 12);
	give(fleet, "unready", 0, 1);
	fleet->hosts[0].pfs[0].vfs[0].ready = false;
	give(fleet, "vm1", 0, 3);
	give(fleet, "vm2", 0, 2);
	give(fleet, "vm2", 1, 1);
	give(fleet, "vm3", 1, 3);
	give(fleet, "vm4", 0, 2);
	give(fleet, "vm5", 1, 2);
	give(fleet, "vm6", 1, 2);
	give(fleet, "large", 0, 4);
	add_host(fleet, "b");
	add_pf(fleet, 0, 5);
	add_host(fleet, "c");
	add_pf(fleet, 0, 3);
	add_pf(fleet, 0, 2);
	return fleet;
}

typedef int (*write_fn)(const struct mlx5lm_evacuation *evacuation, struct mlx5lm_text **ret);

static void write_with_little_memory(const struct mlx5lm_evacuation *evacuation, write_fn write)
{
	struct mlx5lm_text *text;
	size_t tries;
	int r = -ENOMEM;

	for (tries = 0; r < 0; tries++) {
		little_memory_allow(tries);
		r = write(evacuation, &text);
		little_memory_end();
		cr_assert_eq(r, little_memory_failed() ? -ENOMEM : 0, "after %zu: %d", tries, r);
	}
	mlx5lm_text_free(text);
	cr_expect_gt(tries, 10, "%zu", tries);
}

Test(evacuation_memory, a_plan_is_made_as_a_whole_or_not_at_all)
{
	struct mlx5lm_evacuation_options options = { .max_vfs_per_pf = 4 };
	struct mlx5lm_fleet *fleet = difficult_fleet();
	struct mlx5lm_evacuation *evacuation = NULL;
	size_t tries;
	int r = -ENOMEM;

	for (tries = 0; r < 0; tries++) {
		struct mlx5lm_error *error = NULL;

		little_memory_allow(tries);
		r = evacuation_make(fleet, "a", &options, &evacuation, &error);
		little_memory_end();
		cr_assert_eq(r, little_memory_failed() ? -ENOMEM : 0, "after %zu: %d", tries, r);
		if (r < 0)
			cr_assert_eq(error->code, MLX5LM_ERROR_NO_MEMORY);
		mlx5lm_error_free(error);
	}
	cr_expect_gt(tries, 100, "%zu", tries);
	expect_valid(fleet, &options, evacuation);
	evacuation_free(evacuation);
	release_fleet(fleet);
}

Test(evacuation_memory, it_is_written_as_a_whole_or_not_at_all)
{
	struct mlx5lm_evacuation_options options = { .max_vfs_per_pf = 4 };
	struct mlx5lm_fleet *fleet = difficult_fleet();
	struct mlx5lm_evacuation *evacuation = evacuate(fleet, &options);

	write_with_little_memory(evacuation, evacuation_to_plain_text);
	json_set_alloc_funcs(little_memory_malloc, free);
	write_with_little_memory(evacuation, evacuation_to_json_text);
	json_set_alloc_funcs(malloc, free);
	evacuation_free(evacuation);
	release_fleet(fleet);
}
