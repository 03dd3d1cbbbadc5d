// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/config.h"

#include <criterion/criterion.h>
#include <errno.h>

static struct mlx5lm_config *config;

static void start(void)
{
	cr_assert_eq(mlx5lm_config_new(&config), 0);
}

static void release(void)
{
	mlx5lm_config_free(config);
}

TestSuite(config, .init = start, .fini = release);

static void expect_written(const char *part)
{
	struct mlx5lm_text *text = NULL;

	cr_assert_eq(mlx5lm_config_serialize(config, &text), 0);
	cr_expect(strstr(mlx5lm_text_get_str(text), part), "\"%s\" is not in %s", part,
		  mlx5lm_text_get_str(text));
	mlx5lm_text_free(text);
}

Test(config, without_an_object_nothing_happens)
{
	struct mlx5lm_config *made = NULL;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_text *text = NULL;

	cr_expect_eq(mlx5lm_config_new(NULL), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_num_vfs(NULL, 1), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_eswitch_mode(NULL, MLX5LM_ESWITCH_LEGACY), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_hw_addr(NULL, 0, "02:00:00:00:00:01"), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_attr(NULL, 0, MLX5LM_PORT_ATTR_ROCE,
					       MLX5LM_PORT_ATTR_STATE_ENABLED), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_driver(NULL, 0, ""), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_max_io_eqs(NULL, 0, 1), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_msix_count(NULL, 0, 1), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_representor_state(NULL, 0, MLX5LM_ADMIN_STATE_UP),
		     -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_release(NULL, 0), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_nv(NULL, "SRIOV_EN", 1), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_firmware_reset(NULL, 1), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_live_guests(NULL, 1), -EINVAL);
	cr_expect_eq(mlx5lm_config_serialize(NULL, &text), -EINVAL);
	cr_expect_eq(mlx5lm_config_serialize(config, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_config_parse(NULL, 0, &made, &error), -EINVAL);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_INVALID_ARGUMENT);
	mlx5lm_error_free(error);
	cr_expect_eq(mlx5lm_config_parse("{}", 2, NULL, NULL), -EINVAL);
	cr_expect_null(made);
	cr_expect_null(text);
	mlx5lm_config_free(NULL);
}

Test(config, numbers_have_bounds)
{
	cr_expect_eq(mlx5lm_config_set_num_vfs(config, 4096), 0);
	cr_expect_eq(mlx5lm_config_set_num_vfs(config, 4097), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_max_io_eqs(config, 0, 0), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_max_io_eqs(config, 0, 65536), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_msix_count(config, 0, 0), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_msix_count(config, 0, 2049), -EINVAL);
	cr_expect_eq(config->num_vf_configs, 0);
	cr_expect_eq(mlx5lm_config_set_vf_max_io_eqs(config, 0, 65535), 0);
	cr_expect_eq(mlx5lm_config_set_vf_max_io_eqs(config, MLX5LM_VF_ALL, 1), 0);
	cr_expect_eq(mlx5lm_config_set_vf_msix_count(config, 0, 2048), 0);
	cr_expect_eq(mlx5lm_config_set_vf_msix_count(config, MLX5LM_VF_ALL, 1), 0);
	cr_expect_eq(config->num_vfs.value, 4096);
	cr_expect_eq(config_max_io_eqs(config, 0).value, 65535);
	cr_expect_eq(config_max_io_eqs(config, 1).value, 1);
	cr_expect_eq(config_msix_count(config, 0).value, 2048);
	cr_expect_eq(config_msix_count(config, 1).value, 1);
}

Test(config, a_vf_beyond_all_pfs_is_refused)
{
	static const uint32_t beyond[] = { 4096, MLX5LM_VF_ALL - 1 };

	for (size_t i = 0; i < ARRAY_LENGTH(beyond); i++) {
		cr_expect_eq(mlx5lm_config_set_vf_hw_addr(config, beyond[i], "02:00:00:00:00:01"),
			     -EINVAL);
		cr_expect_eq(mlx5lm_config_set_vf_attr(config, beyond[i], MLX5LM_PORT_ATTR_ROCE,
						       MLX5LM_PORT_ATTR_STATE_ENABLED), -EINVAL);
		cr_expect_eq(mlx5lm_config_set_vf_driver(config, beyond[i], ""), -EINVAL);
		cr_expect_eq(mlx5lm_config_set_vf_max_io_eqs(config, beyond[i], 1), -EINVAL);
		cr_expect_eq(mlx5lm_config_set_vf_msix_count(config, beyond[i], 1), -EINVAL);
		cr_expect_eq(mlx5lm_config_set_vf_representor_state(config, beyond[i],
								    MLX5LM_ADMIN_STATE_UP),
			     -EINVAL);
		cr_expect_eq(mlx5lm_config_set_vf_release(config, beyond[i]), -EINVAL);
	}
	cr_expect_eq(config->num_vf_configs, 0);
	cr_expect_eq(mlx5lm_config_set_vf_driver(config, 4095, ""), 0);
}

Test(config, an_address_is_that_of_one_vf)
{
	cr_expect_eq(mlx5lm_config_set_vf_hw_addr(config, MLX5LM_VF_ALL, "02:00:00:00:00:01"),
		     -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_hw_addr(config, 0, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_hw_addr(config, 0, "01:00:00:00:00:01"), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_hw_addr(config, 0, "00:00:00:00:00:00"), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_hw_addr(config, 0, "02:00:00:00:00:0A"), 0);
	cr_expect_str_eq(config_hw_addr(config, 0), "02:00:00:00:00:0a");
}

Test(config, values_of_a_newer_library_are_refused)
{
	cr_expect_eq(mlx5lm_config_set_eswitch_mode(config, MLX5LM_ESWITCH_UNKNOWN), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_eswitch_mode(config, MLX5LM_ESWITCH_SWITCHDEV_INACTIVE),
		     -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_attr(config, 0, MLX5LM_PORT_ATTR_UNKNOWN,
					       MLX5LM_PORT_ATTR_STATE_ENABLED), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_attr(config, 0, (enum mlx5lm_port_attr)5,
					       MLX5LM_PORT_ATTR_STATE_ENABLED), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_attr(config, 0, MLX5LM_PORT_ATTR_ROCE,
					       MLX5LM_PORT_ATTR_STATE_UNSUPPORTED), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_representor_state(config, 0,
							    MLX5LM_ADMIN_STATE_UNKNOWN), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_representor_state(config, 0,
							    (enum mlx5lm_admin_state)3), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_driver(config, 0, "vfio-pci"), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_driver(config, 0, NULL), -EINVAL);
	expect_written("\"schema_version\": 1\n}");
}

Test(config, parameters_of_the_nv_configuration_have_bounds)
{
	cr_expect_eq(mlx5lm_config_set_nv(config, "SRIOV_EN", 2), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_nv(config, "NUM_OF_VFS", 4097), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_nv(config, "VF_MIGRATION_MODE", 3), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_nv(config, "LINK_TYPE_P1", 1), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_nv(config, "sriov_en", 1), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_nv(config, "", 0), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_nv(config, NULL, 0), -EINVAL);
	expect_written("\"schema_version\": 1\n}");
	cr_expect_eq(mlx5lm_config_set_nv(config, "SRIOV_EN", 1), 0);
	cr_expect_eq(mlx5lm_config_set_nv(config, "NUM_OF_VFS", 4096), 0);
	cr_expect_eq(mlx5lm_config_set_nv(config, "VF_MIGRATION_MODE", 0), 0);
	expect_written("\"nv\": {\n    \"SRIOV_EN\": 1,\n    \"NUM_OF_VFS\": 4096,\n"
		       "    \"VF_MIGRATION_MODE\": 0\n  }");
}

Test(config, what_is_allowed_can_be_taken_back)
{
	cr_expect_eq(mlx5lm_config_set_firmware_reset(config, 2), 0);
	cr_expect_eq(mlx5lm_config_set_live_guests(config, -1), 0);
	expect_written("\"firmware_reset\": true,\n  \"live_guests\": true");
	cr_expect_eq(mlx5lm_config_set_firmware_reset(config, 0), 0);
	cr_expect_eq(mlx5lm_config_set_live_guests(config, 0), 0);
	expect_written("\"schema_version\": 1\n}");
}

Test(config, a_released_vf_goes_back_to_the_host)
{
	cr_assert_eq(mlx5lm_config_set_vf_driver(config, 2, "mlx5_vfio_pci"), 0);
	cr_assert_eq(mlx5lm_config_set_vf_attr(config, 2, MLX5LM_PORT_ATTR_MIGRATABLE,
					       MLX5LM_PORT_ATTR_STATE_ENABLED), 0);
	cr_assert_eq(mlx5lm_config_set_vf_attr(config, 2, MLX5LM_PORT_ATTR_ROCE,
					       MLX5LM_PORT_ATTR_STATE_ENABLED), 0);
	cr_assert_eq(mlx5lm_config_set_vf_release(config, 2), 0);
	cr_expect_str_eq(config_driver(config, 2), "mlx5_core");
	cr_expect_str_eq(config_driver_override(config, 2), "");
	cr_expect_eq(config_attr(config, 2, MLX5LM_PORT_ATTR_MIGRATABLE),
		     MLX5LM_PORT_ATTR_STATE_DISABLED);
	cr_expect_eq(config_attr(config, 2, MLX5LM_PORT_ATTR_ROCE),
		     MLX5LM_PORT_ATTR_STATE_ENABLED);
	cr_expect_null(config_driver(config, 1));
}

Test(config, releasing_all_vfs_leaves_none_out)
{
	cr_assert_eq(mlx5lm_config_set_vf_driver(config, 2, "mlx5_vfio_pci"), 0);
	cr_assert_eq(mlx5lm_config_set_vf_attr(config, 3, MLX5LM_PORT_ATTR_MIGRATABLE,
					       MLX5LM_PORT_ATTR_STATE_ENABLED), 0);
	cr_assert_eq(mlx5lm_config_set_vf_msix_count(config, 3, 12), 0);
	cr_assert_eq(mlx5lm_config_set_vf_release(config, MLX5LM_VF_ALL), 0);
	for (uint32_t i = 0; i < 4; i++) {
		cr_expect_str_eq(config_driver(config, i), "mlx5_core");
		cr_expect_eq(config_attr(config, i, MLX5LM_PORT_ATTR_MIGRATABLE),
			     MLX5LM_PORT_ATTR_STATE_DISABLED);
	}
	cr_expect_eq(config_msix_count(config, 3).value, 12);
	/* What is said of one VF later is an exception again. */
	cr_assert_eq(mlx5lm_config_set_vf_driver(config, 2, "mlx5_vfio_pci"), 0);
	cr_expect_str_eq(config_driver(config, 2), "mlx5_vfio_pci");
}

Test(config, what_is_set_is_what_a_document_says)
{
	struct mlx5lm_text *first = NULL, *second = NULL;
	struct mlx5lm_config *copy = NULL;

	cr_assert_eq(mlx5lm_config_set_num_vfs(config, 3), 0);
	cr_assert_eq(mlx5lm_config_set_eswitch_mode(config, MLX5LM_ESWITCH_SWITCHDEV), 0);
	cr_assert_eq(mlx5lm_config_set_vf_hw_addr(config, 1, "02:00:00:00:00:01"), 0);
	cr_assert_eq(mlx5lm_config_set_vf_representor_state(config, MLX5LM_VF_ALL,
							    MLX5LM_ADMIN_STATE_DOWN), 0);
	cr_assert_eq(mlx5lm_config_set_vf_release(config, 0), 0);
	cr_assert_eq(mlx5lm_config_serialize(config, &first), 0);
	cr_assert_eq(mlx5lm_config_parse(mlx5lm_text_get_str(first), mlx5lm_text_length(first),
					 &copy, NULL), 0);
	cr_assert_eq(mlx5lm_config_serialize(copy, &second), 0);
	cr_expect_str_eq(mlx5lm_text_get_str(first), mlx5lm_text_get_str(second));
	cr_expect_str_eq(config_driver(copy, 0), "mlx5_core");
	cr_expect_eq(config_representor_state(copy, 2), MLX5LM_ADMIN_STATE_DOWN);
	mlx5lm_text_free(first);
	mlx5lm_text_free(second);
	mlx5lm_config_free(copy);
}
