// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <mlx5lm/mlx5lm.h>

#include "support/tree.h"

static const struct tree_pf pf_a = { .bdf = "0000:08:00.0",
				     .device_id = 0x1021,
				     .total_vfs = 8,
				     .num_vfs = 2,
				     .serial_number = "MT2306X",
				     .vf_driver = "mlx5_vfio_pci" };

static struct tree *tree;
static struct mlx5lm_ctx *ctx;
static struct mlx5lm_host *host;

static void probe(void)
{
	tree = tree_new();
	tree_add_host(tree, false);
	tree_add_pf(tree, &pf_a);
	cr_assert_eq(mlx5lm_ctx_new(&ctx), 0);
	cr_assert_eq(mlx5lm_ctx_set_root(ctx, tree_path(tree), NULL), 0);
	cr_assert_eq(mlx5lm_host_probe(ctx, NULL, &host, NULL), 0);
}

static void release(void)
{
	mlx5lm_host_free(host);
	mlx5lm_ctx_unref(ctx);
	tree_free(tree);
}

TestSuite(host, .init = probe, .fini = release);

Test(host, facts_have_their_keys)
{
	const struct mlx5lm_pf *pf = mlx5lm_host_get_pf_by_bdf(host, "08:00.0");
	const struct mlx5lm_vf *vf = mlx5lm_pf_get_vf(pf, 1);
	const char *text;
	uint64_t number;

	cr_assert_eq(mlx5lm_host_get_str(host, MLX5LM_HOST_HOSTNAME, &text), 0);
	cr_expect_str_eq(text, "host-a");
	cr_assert_eq(mlx5lm_host_get_u64(host, MLX5LM_HOST_IOMMU_ACTIVE, &number), 0);
	cr_expect_eq(number, MLX5LM_ANSWER_YES);
	cr_assert_eq(mlx5lm_host_length_pfs(host), 1);
	cr_assert_eq(mlx5lm_host_get_pf(host, 0), pf);
	cr_assert_eq(mlx5lm_pf_get_u64(pf, MLX5LM_PF_DEVICE_ID, &number), 0);
	cr_expect_eq(number, 0x1021);
	cr_assert_eq(mlx5lm_pf_length_vfs(pf), 2);
	cr_assert_eq(mlx5lm_vf_get_str(vf, MLX5LM_VF_BDF, &text), 0);
	cr_expect_str_eq(text, "0000:08:00.3");
	cr_assert_eq(mlx5lm_vf_get_u64(vf, MLX5LM_VF_INDEX, &number), 0);
	cr_expect_eq(number, 1);
}

Test(host, what_is_not_known_is_told_apart_from_what_is_asked_wrongly)
{
	const struct mlx5lm_pf *pf = mlx5lm_host_get_pf(host, 0);
	const char *text = "untouched";
	uint64_t number = 7;

	cr_expect_eq(mlx5lm_pf_get_str(pf, MLX5LM_PF_PSID, &text), -ENODATA);
	cr_expect_eq(mlx5lm_pf_get_u64(pf, MLX5LM_PF_ESWITCH_MODE, &number), -ENODATA);
	cr_expect_eq(mlx5lm_pf_get_u64(pf, MLX5LM_PF_PSID, &number), -EINVAL);
	cr_expect_eq(mlx5lm_pf_get_str(pf, MLX5LM_PF_DEVICE_ID, &text), -EINVAL);
	cr_expect_eq(mlx5lm_pf_get_str(pf, (enum mlx5lm_pf_key)9999, &text), -EINVAL);
	cr_expect_eq(mlx5lm_pf_get_str(pf, MLX5LM_PF_UNKNOWN, &text), -EINVAL);
	cr_expect_eq(mlx5lm_pf_get_str(NULL, MLX5LM_PF_BDF, &text), -EINVAL);
	cr_expect_eq(mlx5lm_pf_get_str(pf, MLX5LM_PF_BDF, NULL), -EINVAL);
	cr_expect_str_eq(text, "untouched");
	cr_expect_eq(number, 7);
}

Test(host, an_index_too_far_gives_nothing)
{
	const struct mlx5lm_pf *pf = mlx5lm_host_get_pf(host, 0);

	cr_expect_null(mlx5lm_host_get_pf(host, 1));
	cr_expect_null(mlx5lm_pf_get_vf(pf, 2));
	cr_expect_null(mlx5lm_host_get_note(host, mlx5lm_host_length_notes(host)));
	cr_expect_null(mlx5lm_host_get_pf_by_bdf(host, "0000:09:00.0"));
	cr_expect_null(mlx5lm_host_get_pf_by_bdf(host, "nonsense"));
	cr_expect_eq(mlx5lm_pf_length_vfs(NULL), 0);
}

Test(host, a_tree_of_another_machine_is_read_without_asking_this_one)
{
	bool noted = false;

	for (size_t i = 0; i < mlx5lm_host_length_notes(host); i++)
		noted |= strstr(mlx5lm_host_get_note(host, i), "libvirt") != NULL;
	cr_assert(noted, "nothing says why libvirt is unknown");
}

Test(host, a_snapshot_travels_as_json)
{
	struct mlx5lm_text *first = NULL, *second = NULL;
	struct mlx5lm_host *copy = NULL;

	cr_assert_eq(mlx5lm_host_serialize(host, &first), 0);
	cr_assert_eq(strlen(mlx5lm_text_get_str(first)), mlx5lm_text_length(first));
	cr_assert_eq(mlx5lm_host_parse(mlx5lm_text_get_str(first), mlx5lm_text_length(first), &copy,
				       NULL), 0);
	cr_assert_eq(mlx5lm_host_serialize(copy, &second), 0);
	cr_assert_str_eq(mlx5lm_text_get_str(first), mlx5lm_text_get_str(second));
	mlx5lm_text_free(first);
	mlx5lm_text_free(second);
	mlx5lm_host_free(copy);
}

Test(host, a_root_without_a_pci_bus_is_an_error)
{
	struct mlx5lm_error *error = NULL;
	struct tree *empty = tree_new();
	struct mlx5lm_host *none = NULL;

	cr_assert_eq(mlx5lm_ctx_set_root(ctx, tree_path(empty), NULL), 0);
	cr_assert_eq(mlx5lm_host_probe(ctx, NULL, &none, &error), -ENOENT);
	cr_assert_null(none);
	cr_assert_not_null(mlx5lm_error_get_message(error));
	mlx5lm_error_free(error);
	tree_free(empty);
}
