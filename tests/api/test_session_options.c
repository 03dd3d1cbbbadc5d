// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_scene.h"

#include <errno.h>


static void each(void)
{
	fake_reset();
}

TestSuite(session_options, .init = each, .fini = fake_reset, .timeout = 60);

Test(session_options, need_a_domain_and_a_destination)
{
	struct mlx5lm_session_options *options;
	struct mlx5lm_session *session = NULL;
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_ctx *ctx;

	cr_assert_eq(mlx5lm_ctx_new(&ctx), 0);
	cr_assert_eq(mlx5lm_session_options_new(&options), 0);
	cr_expect_eq(mlx5lm_session_new(ctx, options, &session, NULL), -EINVAL);
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_DOMAIN, "guest");
	cr_expect_eq(mlx5lm_session_new(ctx, options, &session, NULL), -EINVAL);
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_DESTINATION_URI, "fake://b");
	cr_expect_eq(mlx5lm_session_new(ctx, NULL, &session, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_new(NULL, options, &session, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_new(ctx, options, NULL, NULL), -EINVAL);
	cr_expect_null(session);
	cr_expect_eq(mlx5lm_session_new(ctx, options, &session, NULL), 0);
	mlx5lm_session_unref(session);
	cr_expect_eq(mlx5lm_session_options_set_hosts(options, host, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_hosts(options, host, host), 0);
	mlx5lm_session_options_free(options);
	mlx5lm_host_free(host);
	mlx5lm_ctx_unref(ctx);
}

/* Two that contradict one another: each alone is taken, both are not. */
static void expect_contradiction(enum mlx5lm_session_key first, uint64_t first_value,
				 enum mlx5lm_session_key second, uint64_t second_value)
{
	struct mlx5lm_error *error = NULL;
	struct scene scene;

	set_scene(&scene, "s");
	set_u64(&scene, first, first_value);
	cr_assert_eq(mlx5lm_session_new(scene.ctx, scene.options, &scene.session, NULL), 0);
	scene.session = mlx5lm_session_unref(scene.session);
	set_u64(&scene, second, second_value);
	cr_expect_eq(mlx5lm_session_new(scene.ctx, scene.options, &scene.session, &error), -EINVAL);
	cr_expect_not_null(mlx5lm_error_get_message(error));
	mlx5lm_error_free(error);
	end_scene(&scene);
}

Test(session_options, that_contradict_one_another_are_refused)
{
	expect_contradiction(MLX5LM_SESSION_DOWNTIME_CEILING_MS, 500,
			     MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 501);
	expect_contradiction(MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 500,
			     MLX5LM_SESSION_STALL_ACTION, MLX5LM_ACTION_RAISE_DOWNTIME);
}

Test(session_options, refuse_what_cannot_be)
{
	static const struct {
		enum mlx5lm_session_key key;
		uint64_t value;
		int result;
	} numbers[] = {
		{ MLX5LM_SESSION_UNKNOWN, 1, -EINVAL },
		{ MLX5LM_SESSION_DOMAIN, 1, -EINVAL },
		{ (enum mlx5lm_session_key)4711, 1, -EINVAL },
		{ MLX5LM_SESSION_CONTROL, 0, -ERANGE },
		{ MLX5LM_SESSION_CONTROL, 3, -ERANGE },
		{ MLX5LM_SESSION_PERSISTENT, 2, -ERANGE },
		{ MLX5LM_SESSION_BANDWIDTH_MIB_PER_S, UINT64_MAX, -ERANGE },
		{ MLX5LM_SESSION_SWITCHOVER_BANDWIDTH_MIB_PER_S, UINT64_MAX, -ERANGE },
		{ MLX5LM_SESSION_TLS, 2, -ERANGE },
		{ MLX5LM_SESSION_INTERVAL_MS, 49, -ERANGE },
		{ MLX5LM_SESSION_INTERVAL_MS, 60001, -ERANGE },
		{ MLX5LM_SESSION_INTERVAL_MS, 60000, 0 },
		{ MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 2000001, -ERANGE },
		{ MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 2000000, 0 },
		{ MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 0, 0 },
		{ MLX5LM_SESSION_DOWNTIME_CEILING_MS, 2000001, -ERANGE },
		{ MLX5LM_SESSION_DOWNTIME_STEPS, 0, -ERANGE },
		{ MLX5LM_SESSION_DOWNTIME_STEPS, 101, -ERANGE },
		{ MLX5LM_SESSION_STALL_ITERATIONS, 0, -ERANGE },
		{ MLX5LM_SESSION_STALL_ITERATIONS, 1001, -ERANGE },
		{ MLX5LM_SESSION_STALL_ACTION, MLX5LM_ACTION_UNKNOWN, -ERANGE },
		{ MLX5LM_SESSION_STALL_ACTION, 5, -ERANGE },
		{ MLX5LM_SESSION_DEADLINE_ACTION, MLX5LM_ACTION_CONTINUE, -ERANGE },
		{ MLX5LM_SESSION_DEADLINE_ACTION, MLX5LM_ACTION_ABORT, 0 },
		{ MLX5LM_SESSION_TOTAL_DEADLINE_MS, UINT64_MAX, -ERANGE },
		{ MLX5LM_SESSION_ANSWER_DEADLINE_MS, 999, -ERANGE },
		{ MLX5LM_SESSION_ANSWER_DEADLINE_MS, 3600001, -ERANGE },
		{ MLX5LM_SESSION_MAKEABLE, 2, -ERANGE },
	};
	struct mlx5lm_session_options *options;

	cr_assert_eq(mlx5lm_session_options_new(&options), 0);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		cr_expect_eq(mlx5lm_session_options_set_u64(options, numbers[i].key,
							    numbers[i].value),
			     numbers[i].result, "case %zu", i);
	cr_expect_eq(mlx5lm_session_options_set_str(options, MLX5LM_SESSION_DOMAIN, ""), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_str(NULL, MLX5LM_SESSION_DOMAIN, "a"), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_str(options, MLX5LM_SESSION_TLS, "a"), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_u64(NULL, MLX5LM_SESSION_TLS, 1), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_vf(options, "8.2", "08:00.3"), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_vf(options, "08:00.2", "08:00.3"), 0);
	cr_expect_eq(mlx5lm_session_options_set_vf(options, "0000:08:00.2", "08:00.4"), -EEXIST);
	cr_expect_eq(mlx5lm_session_options_set_vf(options, "08:00.4", "0000:08:00.3"), -EEXIST);
	cr_expect_eq(mlx5lm_session_options_set_source_connection(NULL, NULL), -EINVAL);
	mlx5lm_session_options_free(options);
}

static void expect_number(const struct mlx5lm_session_options *options,
			  enum mlx5lm_session_key key, uint64_t expected)
{
	uint64_t value = UINT64_MAX;

	cr_expect_eq(mlx5lm_session_options_get_u64(options, key, &value), 0);
	cr_expect_eq(value, expected, "key %d: %llu", (int)key, (unsigned long long)value);
}

Test(session_options, tell_what_holds_until_it_is_set)
{
	struct mlx5lm_session_options *options;
	const char *text = NULL;
	uint64_t value = 4711;

	cr_assert_eq(mlx5lm_session_options_new(&options), 0);
	expect_number(options, MLX5LM_SESSION_CONTROL, MLX5LM_CONTROL_P2P);
	expect_number(options, MLX5LM_SESSION_PERSISTENT, 1);
	expect_number(options, MLX5LM_SESSION_INTERVAL_MS, 200);
	expect_number(options, MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 0);
	expect_number(options, MLX5LM_SESSION_DOWNTIME_CEILING_MS, 0);
	expect_number(options, MLX5LM_SESSION_DOWNTIME_STEPS, 5);
	expect_number(options, MLX5LM_SESSION_STALL_ITERATIONS, 3);
	expect_number(options, MLX5LM_SESSION_CONNECT_DEADLINE_MS, 30000);
	expect_number(options, MLX5LM_SESSION_SETUP_DEADLINE_MS, 0);
	expect_number(options, MLX5LM_SESSION_TOTAL_DEADLINE_MS, 0);
	expect_number(options, MLX5LM_SESSION_ANSWER_DEADLINE_MS, 30000);
	expect_number(options, MLX5LM_SESSION_DEADLINE_ACTION, MLX5LM_ACTION_ABORT);
	expect_number(options, MLX5LM_SESSION_MAKEABLE, 0);
	cr_expect_eq(mlx5lm_session_options_get_u64(options, MLX5LM_SESSION_CHANNELS, &value),
		     -ENODATA);
	cr_expect_eq(mlx5lm_session_options_get_u64(options, MLX5LM_SESSION_VF_STATE_BYTES, &value),
		     -ENODATA);
	cr_expect_eq(value, 4711);
	cr_expect_eq(mlx5lm_session_options_get_str(options, MLX5LM_SESSION_DOMAIN, &text),
		     -ENODATA);
	cr_expect_eq(mlx5lm_session_options_get_str(options, MLX5LM_SESSION_SOURCE_URI, &text), 0);
	cr_expect_str_eq(text, "qemu:///system");
	mlx5lm_session_options_free(options);
}

Test(session_options, take_a_text_back)
{
	struct mlx5lm_session_options *options;
	const char *text = NULL;

	cr_assert_eq(mlx5lm_session_options_new(&options), 0);
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_SOURCE_URI, "fake://a");
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_DATA_URI, "tcp://a");
	cr_expect_eq(mlx5lm_session_options_get_str(options, MLX5LM_SESSION_DATA_URI, &text), 0);
	cr_expect_str_eq(text, "tcp://a");
	cr_expect_eq(mlx5lm_session_options_set_str(options, MLX5LM_SESSION_DATA_URI, NULL), 0);
	cr_expect_eq(mlx5lm_session_options_set_str(options, MLX5LM_SESSION_SOURCE_URI, NULL), 0);
	cr_expect_eq(mlx5lm_session_options_get_str(options, MLX5LM_SESSION_DATA_URI, &text),
		     -ENODATA);
	cr_expect_eq(mlx5lm_session_options_get_str(options, MLX5LM_SESSION_SOURCE_URI, &text), 0);
	cr_expect_str_eq(text, "qemu:///system");
	mlx5lm_session_options_free(options);
}
