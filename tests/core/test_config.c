// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/config_json.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "core/json_text.h"
#include "support/hosts.h"

#define HEAD "{\"schema\":\"mlx5lm.config\",\"schema_version\":1"

static const char full[] =
	HEAD ",\"num_vfs\":8,\"eswitch_mode\":\"switchdev\","
	     "\"nv\":{\"SRIOV_EN\":1,\"NUM_OF_VFS\":8,\"VF_MIGRATION_MODE\":2},"
	     "\"firmware_reset\":true,\"live_guests\":true,"
	     "\"all_vfs\":{\"roce\":\"disable\",\"migratable\":\"enable\","
	     "\"ipsec_crypto\":\"disable\",\"ipsec_packet\":\"enable\",\"max_io_eqs\":16,"
	     "\"msix_count\":64,\"driver\":\"mlx5_vfio_pci\",\"representor_state\":\"up\"},"
	     "\"vfs\":[{\"index\":0,\"hw_addr\":\"02:00:00:00:00:01\",\"driver\":\"\"},"
	     "{\"index\":4095,\"migratable\":\"disable\",\"driver\":\"mlx5_core\"}]}";

static struct mlx5lm_config *parsed(const char *json)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	struct mlx5lm_config *config = NULL;

	cr_assert_eq(config_parse(json, strlen(json), &config, &error), 0, "%s: %s", json,
		     error ? error->message : "");
	cr_assert_null(error);
	return config;
}

static char *written(const struct mlx5lm_config *config)
{
	_cleanup_json_ json_t *json = config_to_json(config);
	size_t length;
	char *text;

	cr_assert_not_null(json);
	cr_assert_eq(json_to_str(json, JSON_COMPACT, &text, &length), 0);
	return text;
}

/* A document of size bytes, and what the error says of it. */
static void expect_refused_bytes(const char *json, size_t size, int errnum,
				 enum mlx5lm_error_code code, const char *part)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	struct mlx5lm_config *config = NULL;

	cr_assert_eq(config_parse(json, size, &config, &error), -errnum, "%.200s", json);
	cr_expect_null(config);
	cr_expect_eq(error->code, code, "%.200s", json);
	cr_expect_eq(error->errnum, errnum);
	cr_expect(strstr(error->message, part), "\"%s\" is not in \"%s\"", part, error->message);
	cr_expect_eq(config_parse(json, size, &config, NULL), -errnum);
}

static void expect_code(const char *json, int errnum, enum mlx5lm_error_code code,
			const char *part)
{
	expect_refused_bytes(json, strlen(json), errnum, code, part);
}

static void expect_refused(const char *json, const char *part)
{
	expect_code(json, EBADMSG, MLX5LM_ERROR_INVALID_DOCUMENT, part);
}

Test(config, everything_that_can_be_wanted_is_read)
{
	_cleanup_config_ struct mlx5lm_config *config = parsed(full);

	cr_expect_eq(config->num_vfs.value, 8);
	cr_expect_eq(config->eswitch_mode, MLX5LM_ESWITCH_SWITCHDEV);
	cr_expect_eq(config->nv[0].value, 1);
	cr_expect_eq(config->nv[1].value, 8);
	cr_expect_eq(config->nv[2].value, 2);
	cr_expect_not(config->nv[3].known);
	cr_expect(config->firmware_reset);
	cr_expect(config->live_guests);
	cr_expect_str_eq(config_hw_addr(config, 0), "02:00:00:00:00:01");
	cr_expect_null(config_hw_addr(config, 1));
	cr_expect_eq(config_attr(config, 1, MLX5LM_PORT_ATTR_ROCE),
		     MLX5LM_PORT_ATTR_STATE_DISABLED);
	cr_expect_eq(config_attr(config, 1, MLX5LM_PORT_ATTR_MIGRATABLE),
		     MLX5LM_PORT_ATTR_STATE_ENABLED);
	cr_expect_eq(config_attr(config, 1, MLX5LM_PORT_ATTR_IPSEC_CRYPTO),
		     MLX5LM_PORT_ATTR_STATE_DISABLED);
	cr_expect_eq(config_attr(config, 1, MLX5LM_PORT_ATTR_IPSEC_PACKET),
		     MLX5LM_PORT_ATTR_STATE_ENABLED);
	cr_expect_eq(config_max_io_eqs(config, 0).value, 16);
	cr_expect_eq(config_msix_count(config, 0).value, 64);
	cr_expect_eq(config_representor_state(config, 0), MLX5LM_ADMIN_STATE_UP);
	cr_expect_str_eq(config_driver(config, 0), "");
	cr_expect_str_eq(config_driver(config, 1), "mlx5_vfio_pci");
	cr_expect_str_eq(config_driver(config, 4095), "mlx5_core");
	cr_expect_eq(config_attr(config, 4095, MLX5LM_PORT_ATTR_MIGRATABLE),
		     MLX5LM_PORT_ATTR_STATE_DISABLED);
}

Test(config, what_is_written_is_what_was_read)
{
	_cleanup_config_ struct mlx5lm_config *config = parsed(full), *again = NULL;
	_cleanup_free_ char *first = written(config), *second = NULL;

	cr_expect_str_eq(first, full);
	again = parsed(first);
	second = written(again);
	cr_expect_str_eq(second, first);
}

Test(config, what_is_not_wanted_is_not_written)
{
	_cleanup_config_ struct mlx5lm_config *config = parsed(HEAD ",\"live_guests\":false}");
	_cleanup_free_ char *text = written(config);

	cr_expect_str_eq(text, HEAD "}");
	cr_expect_not(config->num_vfs.known);
	cr_expect_eq(config->eswitch_mode, MLX5LM_ESWITCH_UNKNOWN);
	cr_expect_eq(config_attr(config, 0, MLX5LM_PORT_ATTR_ROCE), 0);
	cr_expect_not(config_max_io_eqs(config, 0).known);
	cr_expect_not(config_msix_count(config, 0).known);
	cr_expect_eq(config_representor_state(config, 0), 0);
	cr_expect_null(config_driver(config, 0));
	cr_expect_null(config_driver_override(config, 0));
}

Test(config, the_order_of_the_document_does_not_matter)
{
	_cleanup_config_ struct mlx5lm_config *config =
		parsed("{\"vfs\":[{\"driver\":\"\",\"index\":7},{\"msix_count\":2,\"index\":1}],"
		       "\"num_vfs\":0,\"schema_version\":1,\"schema\":\"mlx5lm.config\"}");
	_cleanup_free_ char *text = written(config);

	cr_expect_str_eq(text, HEAD ",\"num_vfs\":0,\"vfs\":[{\"index\":1,\"msix_count\":2},"
				    "{\"index\":7,\"driver\":\"\"}]}");
}

Test(config, an_address_is_kept_in_one_form)
{
	_cleanup_config_ struct mlx5lm_config *config =
		parsed(HEAD ",\"vfs\":[{\"index\":0,\"hw_addr\":\"0A:bC:00:00:00:0F\"}]}");

	cr_expect_str_eq(config_hw_addr(config, 0), "0a:bc:00:00:00:0f");
}

Test(config, a_wish_that_is_not_known_is_refused)
{
	expect_refused(HEAD ",\"num_vf\":8}", "/num_vf is not known");
	expect_refused(HEAD ",\"all_vfs\":{\"migrateable\":\"enable\"}}",
		       "/all_vfs/migrateable is not known");
	expect_refused(HEAD ",\"all_vfs\":{\"index\":0}}", "/all_vfs/index is not known");
	expect_refused(HEAD ",\"all_vfs\":{\"unknown\":\"enable\"}}", "is not known");
	expect_refused(HEAD ",\"vfs\":[{\"index\":0},{\"index\":1,\"mac\":\"\"}]}",
		       "/vfs/1/mac is not known");
	expect_refused(HEAD ",\"nv\":{\"LINK_TYPE_P1\":2}}", "/nv/LINK_TYPE_P1 is not known");
	expect_refused(HEAD ",\"is_undo\":true}", "/is_undo is not known");
	/* Nothing of it can spoil a terminal. */
	expect_refused(HEAD ",\"a\\u001b[31m\":1}", "/? is not known");
	expect_refused(HEAD ",\"" "0123456789012345678901234567890123456789" "1\":1}",
		       "/? is not known");
}

Test(config, a_value_of_another_type_is_refused)
{
	expect_refused(HEAD ",\"num_vfs\":\"8\"}", "/num_vfs is not a whole number");
	expect_refused(HEAD ",\"num_vfs\":8.0}", "/num_vfs is not a whole number");
	expect_refused(HEAD ",\"num_vfs\":null}", "/num_vfs is not a whole number");
	expect_refused(HEAD ",\"eswitch_mode\":1}", "/eswitch_mode is not \"legacy\" or");
	expect_refused(HEAD ",\"nv\":[]}", "/nv is not an object");
	expect_refused(HEAD ",\"nv\":{\"SRIOV_EN\":true}}", "/nv/SRIOV_EN is not a whole");
	expect_refused(HEAD ",\"firmware_reset\":1}", "/firmware_reset is not true or false");
	expect_refused(HEAD ",\"live_guests\":\"yes\"}", "/live_guests is not true or false");
	expect_refused(HEAD ",\"all_vfs\":[]}", "/all_vfs is not an object");
	expect_refused(HEAD ",\"vfs\":{}}", "/vfs is not a list");
	expect_refused(HEAD ",\"vfs\":[0]}", "/vfs/0 is not an object");
	expect_refused(HEAD ",\"vfs\":[{}]}", "/vfs/0/index is missing");
	expect_refused(HEAD ",\"vfs\":[{\"index\":\"0\"}]}", "/vfs/0/index is not a whole");
	expect_refused(HEAD ",\"vfs\":[{\"index\":0,\"hw_addr\":1}]}",
		       "/vfs/0/hw_addr is not a string");
	expect_refused(HEAD ",\"all_vfs\":{\"roce\":false}}",
		       "/all_vfs/roce is not \"disable\" or \"enable\"");
	expect_refused(HEAD ",\"all_vfs\":{\"driver\":null}}", "/all_vfs/driver is not");
	expect_refused(HEAD ",\"all_vfs\":{\"representor_state\":true}}",
		       "/all_vfs/representor_state is not \"up\" or \"down\"");
}

Test(config, a_value_that_cannot_be_wanted_is_refused)
{
	expect_refused(HEAD ",\"num_vfs\":-1}", "/num_vfs is -1, not 0 to 4096");
	expect_refused(HEAD ",\"eswitch_mode\":\"switchdev_inactive\"}", "/eswitch_mode");
	expect_refused(HEAD ",\"eswitch_mode\":\"unknown\"}", "/eswitch_mode");
	expect_refused(HEAD ",\"nv\":{\"SRIOV_EN\":2}}", "/nv/SRIOV_EN is 2, not 0 to 1");
	expect_refused(HEAD ",\"nv\":{\"VF_MIGRATION_MODE\":3}}", "is 3, not 0 to 2");
	expect_refused(HEAD ",\"all_vfs\":{\"roce\":\"unsupported\"}}", "/all_vfs/roce");
	expect_refused(HEAD ",\"all_vfs\":{\"max_io_eqs\":0}}", "is 0, not 1 to 65535");
	expect_refused(HEAD ",\"all_vfs\":{\"max_io_eqs\":65536}}", "is 65536, not 1 to");
	expect_refused(HEAD ",\"all_vfs\":{\"msix_count\":0}}", "is 0, not 1 to 2048");
	expect_refused(HEAD ",\"all_vfs\":{\"msix_count\":2049}}", "is 2049, not 1 to 2048");
	expect_refused(HEAD ",\"all_vfs\":{\"driver\":\"vfio-pci\"}}", "/all_vfs/driver is not");
	expect_refused(HEAD ",\"all_vfs\":{\"hw_addr\":\"02:00:00:00:00:01\"}}",
		       "/all_vfs/hw_addr can be wanted of one VF only");
	expect_refused(HEAD ",\"vfs\":[{\"index\":3},{\"index\":3}]}",
		       "/vfs/1 is about VF 3 again");
}

Test(config, a_number_that_no_pf_can_have_has_a_code_of_its_own)
{
	expect_code(HEAD ",\"num_vfs\":4097}", ERANGE, MLX5LM_ERROR_TOO_MANY_VFS,
		    "/num_vfs is 4097");
	expect_code(HEAD ",\"nv\":{\"NUM_OF_VFS\":9223372036854775807}}", ERANGE,
		    MLX5LM_ERROR_TOO_MANY_VFS, "/nv/NUM_OF_VFS is 9223372036854775807");
	expect_code(HEAD ",\"vfs\":[{\"index\":0},{\"index\":4096}]}", ERANGE,
		    MLX5LM_ERROR_VF_INDEX, "/vfs/1/index is 4096");
	expect_code(HEAD ",\"vfs\":[{\"index\":-1}]}", ERANGE, MLX5LM_ERROR_VF_INDEX,
		    "/vfs/0/index is -1");
	/* That which means all VFs in C. */
	expect_code(HEAD ",\"vfs\":[{\"index\":4294967295}]}", ERANGE, MLX5LM_ERROR_VF_INDEX,
		    "/vfs/0/index is 4294967295");
}

Test(config, an_address_that_no_vf_can_have_is_refused)
{
	static const char *const addresses[] = {
		"01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "",
		"02:00:00:00:00",    "02:00:00:00:00:0",  "02-00-00-00-00-01", "02:00:00:00:00:01 ",
		"02:00:00:00:00:0g", "02:00:00:00:00:01:02",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++) {
		char json[200];

		snprintf(json, sizeof(json), HEAD ",\"vfs\":[{\"index\":5,\"hw_addr\":\"%s\"}]}",
			 addresses[i]);
		expect_code(json, EADDRNOTAVAIL, MLX5LM_ERROR_HW_ADDR, "VF 5 cannot have");
		expect_code(json, EADDRNOTAVAIL, MLX5LM_ERROR_HW_ADDR, addresses[i]);
	}
	expect_code(HEAD ",\"vfs\":[{\"index\":5,\"hw_addr\":\"\\u001b\"}]}", EADDRNOTAVAIL,
		    MLX5LM_ERROR_HW_ADDR, "\"?\"");
}

Test(config, an_address_for_two_vfs_is_refused)
{
	expect_code(HEAD ",\"vfs\":[{\"index\":9,\"hw_addr\":\"02:00:00:00:00:0A\"},"
			 "{\"index\":1,\"hw_addr\":\"02:00:00:00:00:01\"},"
			 "{\"index\":2,\"hw_addr\":\"02:00:00:00:00:0a\"}]}",
		    EEXIST, MLX5LM_ERROR_HW_ADDR_TAKEN,
		    "VF 2 and VF 9 both want the address 02:00:00:00:00:0a");
}

Test(config, another_document_is_refused)
{
	expect_refused("[]", "wanted state: / is not an object");
	expect_refused("{}", "/schema is not \"mlx5lm.config\"");
	expect_refused("{\"schema\":\"mlx5lm.host\",\"schema_version\":1}", "/schema is not");
	expect_refused("{\"schema\":\"mlx5lm.config\"}", "/schema_version is not one");
	expect_refused("{\"schema\":\"mlx5lm.config\",\"schema_version\":2}", "/schema_version");
	expect_refused("{\"schema\":\"mlx5lm.config\",\"schema_version\":\"1\"}",
		       "/schema_version");
	expect_refused("", "no valid JSON at line 1");
	expect_refused(HEAD ",\"num_vfs\":8", "no valid JSON at line 1");
	expect_refused(HEAD ",\n\"num_vfs\":8,\"num_vfs\":9}", "no valid JSON at line 2");
	expect_refused(HEAD ",\"vfs\":[{\"index\":0,\"roce\":\"enable\",\"roce\":\"disable\"}]}",
		       "no valid JSON at line 1");
	expect_refused(HEAD ",\"num_vfs\":99999999999999999999}", "no valid JSON");
	expect_refused(HEAD ",\"a\\u0000b\":1}", "no valid JSON");
	expect_refused(HEAD ",\"vfs\":[[[[[[[[[0]]]]]]]]]}", "nested deeper than 8 at byte");
	expect_refused_bytes(HEAD "}\0", strlen(HEAD) + 2, EBADMSG,
			     MLX5LM_ERROR_INVALID_DOCUMENT, "no valid JSON");
}

Test(config, the_document_need_not_end_with_a_nul)
{
	static const char text[] = HEAD ",\"num_vfs\":12}";
	_cleanup_config_ struct mlx5lm_config *config = NULL;
	size_t length = strlen(text);
	_cleanup_free_ char *exact = malloc(length);

	cr_assert_not_null(exact);
	memcpy(exact, text, length);
	cr_assert_eq(config_parse(exact, length, &config, NULL), 0);
	cr_expect_eq(config->num_vfs.value, 12);
	expect_refused_bytes(exact, length - 1, EBADMSG, MLX5LM_ERROR_INVALID_DOCUMENT, "JSON");
}

Test(config, a_document_has_a_largest_size)
{
	static const char text[] = HEAD "}";
	_cleanup_config_ struct mlx5lm_config *config = NULL;
	_cleanup_free_ char *large = malloc(CONFIG_MAX_BYTES + 1);

	cr_assert_not_null(large);
	memset(large, ' ', CONFIG_MAX_BYTES + 1);
	memcpy(large, text, strlen(text));
	cr_expect_eq(config_parse(large, CONFIG_MAX_BYTES, &config, NULL), 0);
	expect_refused_bytes(large, CONFIG_MAX_BYTES + 1, EFBIG, MLX5LM_ERROR_INVALID_DOCUMENT,
			     "1048577 bytes are more than the limit of 1048576");
}

Test(config, as_many_vfs_as_there_can_be_fit_into_a_document)
{
	_cleanup_config_ struct mlx5lm_config *config = calloc(1, sizeof(*config)), *again = NULL;
	_cleanup_free_ char *text = NULL, *second = NULL;

	cr_assert_not_null(config);
	for (uint32_t i = CONFIG_MAX_VFS; i-- > 0;) {
		struct vf_config *vf = config_get_vf(config, i);
		char hw_addr[HW_ADDR_TEXT_SIZE];

		cr_assert_not_null(vf);
		snprintf(hw_addr, sizeof(hw_addr), "02:00:00:00:%02x:%02x", (i >> 8) & 0xff,
			 i & 0xff);
		set_text(&vf->hw_addr, hw_addr);
		set_text(&vf->driver, "mlx5_vfio_pci");
		for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++)
			vf->attr[attr] = MLX5LM_PORT_ATTR_STATE_DISABLED;
		vf->max_io_eqs = fact_u64(CONFIG_MAX_IO_EQS);
		vf->msix_count = fact_u64(CONFIG_MAX_MSIX);
		vf->representor_state = MLX5LM_ADMIN_STATE_DOWN;
	}
	text = written(config);
	again = parsed(text);
	cr_expect_eq(again->num_vf_configs, CONFIG_MAX_VFS);
	second = written(again);
	cr_expect_str_eq(text, second);
}

Test(config, settings_stand_in_the_order_of_the_vfs)
{
	static const uint32_t indices[] = { 5, MLX5LM_VF_ALL, 0, 3, 5, 4095, 1 };
	static const uint32_t sorted[] = { 0, 1, 3, 5, 4095, MLX5LM_VF_ALL };
	_cleanup_config_ struct mlx5lm_config *config = calloc(1, sizeof(*config));

	cr_assert_not_null(config);
	for (size_t i = 0; i < ARRAY_LENGTH(indices); i++)
		config_get_vf(config, indices[i])->msix_count = fact_u64(indices[i]);
	cr_assert_eq(config->num_vf_configs, ARRAY_LENGTH(sorted));
	for (size_t i = 0; i < ARRAY_LENGTH(sorted); i++) {
		cr_expect_eq(config->vfs[i].vf_index, sorted[i]);
		cr_expect_eq(config->vfs[i].msix_count.value, sorted[i]);
	}
	cr_expect_null(config_find_vf(config, 2));
	cr_expect_eq(config_find_vf(config, 3), &config->vfs[2]);
}

Test(config, what_holds_for_all_fills_what_one_vf_leaves_open)
{
	_cleanup_config_ struct mlx5lm_config *config =
		parsed(HEAD ",\"all_vfs\":{\"msix_count\":8,\"max_io_eqs\":4,"
			    "\"driver\":\"mlx5_core\","
			    "\"representor_state\":\"up\",\"roce\":\"enable\"},"
			    "\"vfs\":[{\"index\":2,\"msix_count\":16,\"roce\":\"disable\"},"
			    "{\"index\":3,\"max_io_eqs\":6,\"driver\":\"\","
			    "\"representor_state\":\"down\"}]}");

	cr_expect_eq(config_msix_count(config, 1).value, 8);
	cr_expect_eq(config_msix_count(config, 2).value, 16);
	cr_expect_eq(config_msix_count(config, 3).value, 8);
	cr_expect_eq(config_max_io_eqs(config, 2).value, 4);
	cr_expect_eq(config_max_io_eqs(config, 3).value, 6);
	cr_expect_eq(config_representor_state(config, 2), MLX5LM_ADMIN_STATE_UP);
	cr_expect_eq(config_representor_state(config, 3), MLX5LM_ADMIN_STATE_DOWN);
	cr_expect_eq(config_attr(config, 2, MLX5LM_PORT_ATTR_ROCE),
		     MLX5LM_PORT_ATTR_STATE_DISABLED);
	cr_expect_eq(config_attr(config, 3, MLX5LM_PORT_ATTR_ROCE),
		     MLX5LM_PORT_ATTR_STATE_ENABLED);
	cr_expect_str_eq(config_driver(config, 2), "mlx5_core");
	cr_expect_str_eq(config_driver(config, 3), "");
}

Test(config, only_the_variant_driver_takes_an_override)
{
	_cleanup_config_ struct mlx5lm_config *config =
		parsed(HEAD ",\"all_vfs\":{\"driver\":\"mlx5_vfio_pci\"},"
			    "\"vfs\":[{\"index\":1,\"driver\":\"mlx5_core\"},"
			    "{\"index\":2,\"driver\":\"\"},{\"index\":3}]}");

	cr_expect_str_eq(config_driver_override(config, 0), "mlx5_vfio_pci");
	cr_expect_str_eq(config_driver_override(config, 1), "");
	cr_expect_str_eq(config_driver_override(config, 2), "");
	cr_expect_str_eq(config_driver_override(config, 3), "mlx5_vfio_pci");
	/* What was there before may be what no driver of ours takes. */
	set_text(&config_get_vf(config, 1)->driver_override, "vfio-pci");
	cr_expect_str_eq(config_driver_override(config, 1), "vfio-pci");
	set_text(&config_get_vf(config, 0)->driver_override, "");
	cr_expect_str_eq(config_driver_override(config, 0), "");
}

Test(config, a_copy_has_everything_and_stands_alone)
{
	struct mlx5lm_config *config = parsed(full);
	_cleanup_config_ struct mlx5lm_config *copy = NULL;
	_cleanup_free_ char *before = NULL, *after = NULL;

	set_text(&config_get_vf(config, 0)->driver_override, "vfio-pci");
	set_text(&config->order_reason, "the firmware said so");
	config->is_undo = true;
	config->autoprobe = MLX5LM_ANSWER_NO;
	config->order = CONFIG_VFS_FIRST;
	before = written(config);
	cr_assert_eq(config_copy(config, &copy), 0);
	mlx5lm_config_free(config);
	after = written(copy);
	cr_expect_str_eq(after, before);
	cr_expect_str_eq(config_driver_override(copy, 0), "vfio-pci");
	cr_expect_str_eq(copy->order_reason, "the firmware said so");
	cr_expect(copy->is_undo);
	cr_expect_eq(copy->autoprobe, MLX5LM_ANSWER_NO);
	cr_expect_eq(copy->order, CONFIG_VFS_FIRST);
}
