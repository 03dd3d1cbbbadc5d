// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>

#include "support/hosts.h"

static void add(struct mlx5lm_fleet *fleet, struct mlx5lm_host *host)
{
	cr_assert_eq(mlx5lm_fleet_add(fleet, host, NULL, NULL), 0);
	mlx5lm_host_free(host);
}

/* Host "a" with as many VFs as names; beside it "b" and "c" with so many free ones. */
static struct mlx5lm_fleet *fleet_of(const char *const *domains, size_t num_domains, size_t b,
				     size_t c)
{
	struct mlx5lm_host *host = ready_host("a", num_domains);
	struct mlx5lm_fleet *fleet;

	cr_assert_eq(mlx5lm_fleet_new(&fleet), 0);
	for (size_t i = 0; i < num_domains; i++)
		set_text(&host->pfs[0].vfs[i].in_use_by, domains[i]);
	add(fleet, host);
	add(fleet, ready_host("b", b));
	add(fleet, ready_host("c", c));
	return fleet;
}

static struct mlx5lm_evacuation *evacuate(const struct mlx5lm_fleet *fleet,
					  const struct mlx5lm_evacuation_options *options)
{
	struct mlx5lm_evacuation *evacuation;

	cr_assert_eq(mlx5lm_evacuation_new(fleet, "a", options, &evacuation, NULL), 0);
	return evacuation;
}

static uint64_t number(const struct mlx5lm_evacuation *evacuation,
		       enum mlx5lm_evacuation_key key)
{
	uint64_t value;

	cr_assert_eq(mlx5lm_evacuation_get_u64(evacuation, key, &value), 0);
	return value;
}

static const char *text_of(const struct mlx5lm_move *move, enum mlx5lm_move_key key)
{
	const char *text;

	cr_assert_eq(mlx5lm_move_get_str(move, key, &text), 0);
	return text;
}

static const char *const two_domains[] = { "vm1", "vm2", "vm2" };

Test(evacuation, domains_of_snapshots_go_where_their_vfs_are_free)
{
	struct mlx5lm_fleet *fleet = fleet_of(two_domains, 3, 1, 2);
	struct mlx5lm_evacuation *evacuation = evacuate(fleet, NULL);
	const struct mlx5lm_move *move = mlx5lm_evacuation_get_move(evacuation, 1);
	const char *source, *destination;
	uint64_t value;

	mlx5lm_fleet_free(fleet);
	cr_expect_eq(number(evacuation, MLX5LM_EVACUATION_NUM_WAVES), 1);
	cr_expect_eq(number(evacuation, MLX5LM_EVACUATION_NUM_LEFT), 0);
	cr_expect_eq(number(evacuation, MLX5LM_EVACUATION_OPTIMAL), MLX5LM_ANSWER_YES);
	cr_assert_eq(mlx5lm_evacuation_length_moves(evacuation), 2);
	cr_expect_str_eq(text_of(move, MLX5LM_MOVE_DOMAIN), "vm2");
	cr_expect_str_eq(text_of(move, MLX5LM_MOVE_DESTINATION), "c");
	cr_assert_eq(mlx5lm_move_get_u64(move, MLX5LM_MOVE_NUM_VFS, &value), 0);
	cr_expect_eq(value, 2);
	cr_assert_eq(mlx5lm_move_get_u64(move, MLX5LM_MOVE_WAVE, &value), 0);
	cr_expect_eq(value, 1);
	cr_expect_eq(mlx5lm_move_get_u64(move, MLX5LM_MOVE_DOWNTIME_MS, &value), -ENODATA);
	cr_assert_eq(mlx5lm_move_get_vf(move, 1, &source, &destination), 0);
	cr_expect_str_eq(source, "0000:08:00.4");
	cr_expect_str_eq(destination, "0000:08:00.3");
	cr_expect_eq(mlx5lm_move_get_vf(move, 2, &source, &destination), -ENOENT);
	cr_expect_null(mlx5lm_evacuation_get_move(evacuation, 2));
	cr_expect_eq(mlx5lm_findings_length(mlx5lm_evacuation_get_findings(evacuation)), 0);
	mlx5lm_evacuation_free(evacuation);
}

Test(evacuation, other_firmware_is_no_place_to_go)
{
	struct mlx5lm_fleet *fleet = fleet_of(two_domains, 1, 0, 0);
	struct mlx5lm_host *newer = ready_host("d", 4);
	struct mlx5lm_evacuation *evacuation;

	set_text(&newer->pfs[0].fw_running, "28.42.1000");
	add(fleet, newer);
	evacuation = evacuate(fleet, NULL);
	cr_expect_eq(number(evacuation, MLX5LM_EVACUATION_NUM_LEFT), 1);
	cr_expect_eq(mlx5lm_findings_get_status(mlx5lm_evacuation_get_findings(evacuation)),
		     MLX5LM_STATUS_FAIL);
	mlx5lm_evacuation_free(evacuation);
	add(fleet, ready_host("e", 1));
	evacuation = evacuate(fleet, NULL);
	cr_expect_str_eq(text_of(mlx5lm_evacuation_get_move(evacuation, 0),
				 MLX5LM_MOVE_DESTINATION), "e");
	mlx5lm_evacuation_free(evacuation);
	mlx5lm_fleet_free(fleet);
}

Test(evacuation, its_bounds_are_those_of_the_options)
{
	static const char *const domains[] = { "1", "2", "3", "4", "5", "6", "7", "8" };
	struct mlx5lm_fleet *fleet = fleet_of(domains, 8, 8, 8);
	struct mlx5lm_evacuation_options *options;
	struct mlx5lm_evacuation *evacuation;
	uint64_t downtime_ms;

	cr_assert_eq(mlx5lm_evacuation_options_new(&options), 0);
	/* Red Hat's four, unless it is said otherwise. */
	evacuation = evacuate(fleet, options);
	cr_expect_eq(number(evacuation, MLX5LM_EVACUATION_NUM_WAVES), 2);
	mlx5lm_evacuation_free(evacuation);
	evacuation = evacuate(fleet, NULL);
	cr_expect_eq(number(evacuation, MLX5LM_EVACUATION_NUM_WAVES), 2);
	mlx5lm_evacuation_free(evacuation);
	mlx5lm_evacuation_options_set_u64(options, MLX5LM_EVACUATION_OPTION_MAX_VFS_PER_PF, 0);
	mlx5lm_evacuation_options_set_u64(options, MLX5LM_EVACUATION_OPTION_BANDWIDTH_MIB_PER_S,
					  10);
	mlx5lm_evacuation_options_set_u64(options, MLX5LM_EVACUATION_OPTION_STATE_BYTES_PER_VF,
					  1 << 20);
	mlx5lm_evacuation_options_set_u64(options, MLX5LM_EVACUATION_OPTION_DOWNTIME_LIMIT_MS,
					  299);
	cr_assert_eq(mlx5lm_evacuation_options_exclude_host(options, "b"), 0);
	evacuation = evacuate(fleet, options);
	cr_expect_eq(number(evacuation, MLX5LM_EVACUATION_NUM_WAVES), 4);
	for (size_t i = 0; i < 8; i++) {
		const struct mlx5lm_move *move = mlx5lm_evacuation_get_move(evacuation, i);

		cr_assert_eq(mlx5lm_move_get_u64(move, MLX5LM_MOVE_DOWNTIME_MS, &downtime_ms), 0);
		cr_expect_eq(downtime_ms, 200);
		cr_expect_str_eq(text_of(move, MLX5LM_MOVE_DESTINATION), "c");
	}
	mlx5lm_evacuation_free(evacuation);
	mlx5lm_evacuation_options_free(options);
	mlx5lm_fleet_free(fleet);
}

Test(evacuation, it_is_written_as_json_and_as_text)
{
	struct mlx5lm_fleet *fleet = fleet_of(two_domains, 3, 1, 1);
	struct mlx5lm_evacuation *evacuation = evacuate(fleet, NULL);
	struct mlx5lm_text *text;
	const char *optimal, *domain, *stays;
	json_t *json;

	cr_assert_eq(mlx5lm_evacuation_serialize(evacuation, MLX5LM_FORMAT_JSON, &text), 0);
	json = json_loads(mlx5lm_text_get_str(text), 0, NULL);
	cr_assert_eq(json_unpack(json, "{s:s, s:[{s:[{s:s}]}], s:[{s:s}]}", "optimal", &optimal,
				 "waves", "moves", "domain", &domain, "findings", "object",
				 &stays), 0);
	cr_expect_str_eq(optimal, "yes");
	cr_expect_str_eq(domain, "vm1");
	cr_expect_str_eq(stays, "vm2");
	json_decref(json);
	mlx5lm_text_free(text);
	cr_assert_eq(mlx5lm_evacuation_serialize(evacuation, MLX5LM_FORMAT_TEXT, &text), 0);
	cr_expect(strstr(mlx5lm_text_get_str(text), "Staying:\n  vm2: "));
	mlx5lm_text_free(text);
	cr_expect_eq(mlx5lm_evacuation_serialize(evacuation, MLX5LM_FORMAT_UNKNOWN, &text),
		     -EINVAL);
	cr_expect_eq(mlx5lm_evacuation_serialize(evacuation, (enum mlx5lm_format)77, &text),
		     -EINVAL);
	mlx5lm_evacuation_free(evacuation);
	mlx5lm_fleet_free(fleet);
}

Test(evacuation, bad_arguments_are_refused)
{
	struct mlx5lm_fleet *fleet = fleet_of(two_domains, 1, 1, 1);
	struct mlx5lm_evacuation *evacuation = evacuate(fleet, NULL), *none;
	const struct mlx5lm_move *move = mlx5lm_evacuation_get_move(evacuation, 0);
	struct mlx5lm_evacuation_options *options;
	struct mlx5lm_error *error = NULL;
	const char *text;
	uint64_t value;

	cr_expect_eq(mlx5lm_evacuation_options_new(NULL), -EINVAL);
	cr_assert_eq(mlx5lm_evacuation_options_new(&options), 0);
	cr_expect_eq(mlx5lm_evacuation_options_set_u64(options, 77, 1), -EINVAL);
	cr_expect_eq(mlx5lm_evacuation_options_set_u64(NULL, 1, 1), -EINVAL);
	cr_expect_eq(mlx5lm_evacuation_options_exclude_host(options, NULL), -EINVAL);
	mlx5lm_evacuation_options_free(options);
	mlx5lm_evacuation_options_free(NULL);
	cr_expect_eq(mlx5lm_evacuation_new(NULL, "a", NULL, &none, &error), -EINVAL);
	mlx5lm_error_free(error);
	cr_expect_eq(mlx5lm_evacuation_new(fleet, NULL, NULL, &none, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_evacuation_new(fleet, "a", NULL, NULL, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_evacuation_new(fleet, "z", NULL, &none, NULL), -ENOENT);
	cr_expect_eq(mlx5lm_evacuation_get_u64(evacuation, 77, &value), -EINVAL);
	cr_expect_eq(mlx5lm_evacuation_get_u64(NULL, MLX5LM_EVACUATION_OPTIMAL, &value), -EINVAL);
	cr_expect_eq(mlx5lm_move_get_str(move, MLX5LM_MOVE_WAVE, &text), -EINVAL);
	cr_expect_eq(mlx5lm_move_get_u64(move, MLX5LM_MOVE_DOMAIN, &value), -EINVAL);
	cr_expect_eq(mlx5lm_move_get_vf(move, 0, &text, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_evacuation_length_moves(NULL), 0);
	cr_expect_null(mlx5lm_evacuation_get_move(NULL, 0));
	cr_expect_null(mlx5lm_evacuation_get_findings(NULL));
	mlx5lm_evacuation_free(evacuation);
	mlx5lm_evacuation_free(NULL);
	mlx5lm_fleet_free(fleet);
}
