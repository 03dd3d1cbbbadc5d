// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/nv.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"

#define BDF "0000:08:00.0"
#define YES MLX5LM_ANSWER_YES
#define NO MLX5LM_ANSWER_NO
#define UNKNOWN MLX5LM_ANSWER_UNKNOWN

struct file {
	char *text;
	size_t length;
};

/* With no byte behind its end, so that a sanitizer sees who goes there. */
static struct file read_data(const char *name)
{
	char path[512], text[16384];
	struct file file = { 0 };
	FILE *stream;

	snprintf(path, sizeof(path), "%s/nv/%s", TEST_DATA, name);
	stream = fopen(path, "r");
	cr_assert_not_null(stream, "%s: %s", path, strerror(errno));
	file.length = fread(text, 1, sizeof(text), stream);
	cr_assert_lt(file.length, sizeof(text));
	fclose(stream);
	file.text = malloc(file.length);
	cr_assert_not_null(file.text);
	memcpy(file.text, text, file.length);
	return file;
}

static void file_release(struct file *file)
{
	free(file->text);
}

#define _cleanup_file_ _cleanup_(file_release)
#define _cleanup_pf_ _cleanup_(pf_release)

static struct mlx5lm_pf new_pf(const char *bdf)
{
	struct mlx5lm_pf pf = { 0 };

	cr_assert_eq(str_replace(&pf.bdf, bdf), 0);
	return pf;
}

static struct mlx5lm_pf read_text(const char *name, const char *bdf, int expected)
{
	_cleanup_file_ struct file file = read_data(name);
	struct mlx5lm_pf pf = new_pf(bdf);

	cr_assert_eq(nv_parse_text(file.text, file.length, &pf), expected, "%s", name);
	return pf;
}

static struct mlx5lm_pf read_json(const char *name, const char *bdf, int expected)
{
	_cleanup_file_ struct file file = read_data(name);
	struct mlx5lm_pf pf = new_pf(bdf);

	cr_assert_eq(nv_parse_json(file.text, file.length, &pf), expected, "%s", name);
	return pf;
}

static int parse(struct mlx5lm_pf *pf, const char *text)
{
	return nv_parse_text(text, strlen(text), pf);
}

static void append(char text[static 32], const struct fact_u64 *value)
{
	size_t length = strlen(text);

	if (value->known)
		snprintf(text + length, 32 - length, " %llu", (unsigned long long)value->value);
	else
		snprintf(text + length, 32 - length, " -");
}

/* "default current next", a value that is not known as "-". */
static void expect(const struct mlx5lm_pf *pf, const char *name, const char *values)
{
	const struct mlx5lm_nv *nv = pf_find_nv(pf, name);
	char text[32] = "";

	cr_assert_not_null(nv, "%s", name);
	cr_expect_eq(nv->supported, YES, "%s", name);
	append(text, &nv->default_value);
	append(text, &nv->current);
	append(text, &nv->next_boot);
	cr_expect_str_eq(text + 1, values, "%s", name);
}

static void expect_support(const struct mlx5lm_pf *pf, const char *name, uint32_t supported)
{
	const struct mlx5lm_nv *nv = pf_find_nv(pf, name);

	cr_expect_eq(nv ? nv->supported : UNKNOWN, supported, "%s", name);
}

Test(nv, default_current_and_next_boot_of_mstconfig_4_21)
{
	_cleanup_pf_ struct mlx5lm_pf pf = read_text("mstconfig-4.21/pending.txt", BDF, 0);

	cr_expect_eq(pf.num_nvs, NV_COUNT);
	expect(&pf, "SRIOV_EN", "0 1 1");
	expect(&pf, "NUM_OF_VFS", "0 8 16");
	expect(&pf, "VF_MIGRATION_MODE", "0 0 2");
	expect(&pf, "LINK_TYPE_P1", "2 2 2");
	expect(&pf, "LINK_TYPE_P2", "2 2 2");
	cr_expect_eq(pf.nvs[0].read_only, UNKNOWN);
}

Test(nv, parameters_are_in_their_order_whatever_the_tool_s)
{
	_cleanup_pf_ struct mlx5lm_pf pf = read_text("mstconfig-4.22/bluefield-3.txt",
						     "0002:01:00.0", 0);

	cr_assert_eq(pf.num_nvs, NV_COUNT);
	for (unsigned int i = 0; i < NV_COUNT; i++)
		cr_expect_str_eq(pf.nvs[i].name, nv_name(i));
	expect(&pf, "SRIOV_EN", "- - 1");
	expect(&pf, "NUM_OF_VFS", "- - 16");
	expect(&pf, "VF_MIGRATION_MODE", "- - 0");
}

Test(nv, a_table_without_a_device_is_ours_if_it_is_the_only_one)
{
	_cleanup_pf_ struct mlx5lm_pf pf = read_text("mlxconfig-4.30/connectx-7.txt", BDF, 0);

	cr_expect_eq(pf.num_nvs, 3);
	expect(&pf, "NUM_OF_VFS", "- - 8");
	expect(&pf, "LINK_TYPE_P1", "- - 2");
}

Test(nv, a_heading_may_lack_a_column)
{
	_cleanup_pf_ struct mlx5lm_pf pf = read_text("mstconfig-4.11/connectx-3-pro.txt",
						     "0000:20:00.0", 0);
	_cleanup_pf_ struct mlx5lm_pf bare = read_text("mstconfig-4.21/no-default-no-current.txt",
						       BDF, 0);

	expect(&pf, "SRIOV_EN", "1 - 1");
	expect(&pf, "NUM_OF_VFS", "16 - 16");
	expect(&pf, "LINK_TYPE_P2", "3 - 3");
	cr_expect_not(nv_is_complete(&pf));
	expect(&bare, "NUM_OF_VFS", "- - 16");
	cr_expect_not(nv_is_complete(&bare));
}

Test(nv, wider_tables_read_the_same)
{
	_cleanup_pf_ struct mlx5lm_pf pf = read_text("mstconfig-4.36/good.txt", BDF, 0);

	expect(&pf, "SRIOV_EN", "1 1 1");
	expect(&pf, "NUM_OF_VFS", "16 16 16");
	expect(&pf, "VF_MIGRATION_MODE", "2 2 2");
	cr_expect(nv_is_complete(&pf));
}

Test(nv, of_several_devices_ours_is_read)
{
	_cleanup_pf_ struct mlx5lm_pf first = read_text("mstconfig-4.34/two-devices.txt", BDF, 0);
	_cleanup_pf_ struct mlx5lm_pf second = read_text("mstconfig-4.34/two-devices.txt",
							 "0000:08:00.1", 0);
	_cleanup_pf_ struct mlx5lm_pf third = read_text("mstconfig-4.34/two-devices.txt",
							"0000:08:00.2", -ENODATA);

	expect(&first, "SRIOV_EN", "0 1 1");
	expect(&first, "NUM_OF_VFS", "8 8 8");
	cr_expect_eq(pf_find_nv(&first, "SRIOV_EN")->read_only, YES);
	cr_expect_eq(pf_find_nv(&first, "VF_MIGRATION_MODE")->read_only, YES);
	cr_expect_eq(pf_find_nv(&first, "NUM_OF_VFS")->read_only, UNKNOWN);
	expect(&second, "SRIOV_EN", "0 0 0");
	expect(&second, "NUM_OF_VFS", "0 0 4");
	expect(&second, "VF_MIGRATION_MODE", "0 1 1");
	cr_expect_eq(third.num_nvs, 0);
}

Test(nv, a_value_that_is_not_there_is_not_known)
{
	_cleanup_pf_ struct mlx5lm_pf pf = read_text("mstconfig-4.34/two-devices.txt", BDF, 0);

	expect(&pf, "VF_MIGRATION_MODE", "0 - 0");
}

Test(nv, what_a_whole_table_lacks_the_adapter_lacks)
{
	_cleanup_pf_ struct mlx5lm_pf pf =
		read_text("mstconfig-4.21/whole-no-migration-mode.txt", BDF, 0);

	expect_support(&pf, "VF_MIGRATION_MODE", UNKNOWN);
	cr_assert_eq(nv_mark_missing(&pf, NV_ALL), 0);
	expect_support(&pf, "VF_MIGRATION_MODE", NO);
	expect_support(&pf, "LINK_TYPE_P2", NO);
	expect(&pf, "NUM_OF_VFS", "0 8 16");
	cr_expect(nv_is_complete(&pf));
}

Test(nv, a_tool_s_refusal_is_no_table)
{
	static const char *const names[] = {
		"mstconfig-4.21/no-device.txt",		   "mstconfig-4.21/no-json.txt",
		"mstconfig-4.21/refused-link-type-p2.txt", "mstconfig-4.21/version.txt",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		_cleanup_pf_ struct mlx5lm_pf pf = read_text(names[i], BDF, -ENODATA);

		cr_expect_eq(pf.num_nvs, 0);
	}
}

/* Reads the refusal of a query for all; returns what is left to ask. */
static unsigned int refuse(struct mlx5lm_pf *pf, const char *name, char **reason)
{
	_cleanup_file_ struct file file = read_data(name);
	unsigned int asked = NV_ALL;

	cr_assert_eq(nv_parse_refusal(file.text, file.length, pf, &asked, reason), 0);
	return asked;
}

Test(nv, an_adapter_that_cannot_migrate_vfs_says_so)
{
	_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);
	_cleanup_free_ char *reason = NULL;

	cr_expect_eq(refuse(&pf, "mstconfig-4.21/refused-migration-mode.txt", &reason),
		     NV_ALL & ~(1U << 2));
	cr_expect_str_eq(reason, "The Device doesn't support VF_MIGRATION_MODE parameter");
	cr_expect_eq(pf.num_nvs, 1);
	expect_support(&pf, "VF_MIGRATION_MODE", NO);
}

Test(nv, a_port_that_is_not_there_is_refused_in_other_words)
{
	static const char *const names[] = { "mstconfig-4.21/refused-link-type-p2.txt",
					     "mstconfig-4.34/refused-link-type-p2.txt" };

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);
		_cleanup_free_ char *reason = NULL;

		cr_expect_eq(refuse(&pf, names[i], &reason), NV_ALL & ~(1U << 4), "%s", names[i]);
		expect_support(&pf, "LINK_TYPE_P2", NO);
		expect_support(&pf, "LINK_TYPE_P1", UNKNOWN);
	}
}

Test(nv, a_tool_older_than_the_parameter_says_nothing_about_the_adapter)
{
	static const char text[] = "-E- Unknown Parameter: VF_MIGRATION_MODE\n";
	_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);
	_cleanup_free_ char *reason = NULL;
	unsigned int asked = NV_ALL;

	cr_assert_eq(nv_parse_refusal(text, strlen(text), &pf, &asked, &reason), 0);
	cr_expect_eq(asked, NV_ALL & ~(1U << 2));
	cr_expect_eq(pf.num_nvs, 0);
}

Test(nv, other_refusals_take_nothing_away)
{
	_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);
	_cleanup_free_ char *reason = NULL;
	_cleanup_free_ char *option = NULL;
	_cleanup_free_ char *none = NULL;

	cr_expect_eq(refuse(&pf, "mstconfig-4.21/no-device.txt", &reason), NV_ALL);
	cr_expect_str_eq(reason, "Failed to open the device");
	cr_expect_eq(refuse(&pf, "mstconfig-4.21/no-json.txt", &option), NV_ALL);
	cr_expect_str_eq(option, "invalid argument: -j");
	cr_expect_eq(refuse(&pf, "mstconfig-4.21/pending.txt", &none), NV_ALL);
	cr_expect_null(none);
	cr_expect_eq(pf.num_nvs, 0);
}

Test(nv, a_part_of_another_name_is_not_meant)
{
	static const char text[] = "-E- The Device doesn't support PF_NUM_OF_VFS parameter\n"
				   "-E- The Device doesn't support NUM_OF_VFS_2 parameter\n"
				   "no -E- The Device doesn't support SRIOV_EN parameter\n";
	_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);
	_cleanup_free_ char *reason = NULL;
	unsigned int asked = NV_ALL;

	cr_assert_eq(nv_parse_refusal(text, strlen(text), &pf, &asked, &reason), 0);
	cr_expect_eq(asked, NV_ALL);
	cr_expect_eq(pf.num_nvs, 0);
}

Test(nv, a_reason_is_one_short_line_that_a_terminal_can_show)
{
	char text[1000] = "-E- \033[2Jno\tdevice\r\n";
	_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);
	_cleanup_free_ char *reason = NULL;
	unsigned int asked = NV_ALL;

	cr_assert_eq(nv_parse_refusal(text, strlen(text), &pf, &asked, &reason), 0);
	cr_expect_str_eq(reason, " [2Jno device");
	memset(text + 4, 'x', sizeof(text) - 4);
	cr_assert_eq(nv_parse_refusal(text, sizeof(text), &pf, &asked, &reason), 0);
	cr_expect_eq(strlen(reason), 200);
}

Test(nv, json_of_mstconfig_4_34)
{
	_cleanup_pf_ struct mlx5lm_pf pf = read_json("mstconfig-4.34/pending.json", BDF, 0);

	expect(&pf, "SRIOV_EN", "0 1 1");
	expect(&pf, "NUM_OF_VFS", "0 8 16");
	expect(&pf, "VF_MIGRATION_MODE", "0 0 2");
	cr_expect_eq(pf_find_nv(&pf, "SRIOV_EN")->read_only, NO);
	cr_expect_eq(pf_find_nv(&pf, "LINK_TYPE_P1")->read_only, YES);
	cr_expect(nv_is_complete(&pf));
}

Test(nv, json_of_a_plain_query)
{
	_cleanup_pf_ struct mlx5lm_pf pf = read_json("mstconfig-4.34/next-boot-only.json", BDF, 0);
	_cleanup_pf_ struct mlx5lm_pf other =
		read_json("mstconfig-4.34/pending.json", "0000:08:00.1", -ENODATA);

	cr_expect_eq(pf.num_nvs, 3);
	expect(&pf, "SRIOV_EN", "- - 1");
	expect(&pf, "NUM_OF_VFS", "- - 8");
	expect(&pf, "VF_MIGRATION_MODE", "- - -");
	cr_expect_eq(other.num_nvs, 0);
}

Test(nv, json_that_is_none_or_of_another_shape)
{
	static const struct {
		const char *text;
		int expected;
	} cases[] = {
		{ "", -EBADMSG },
		{ "{}\n", -ENODATA },
		{ "[1]", -ENODATA },
		{ "{\"Device #1\": 5}", -ENODATA },
		{ "{\"Device #1\": {\"device\": 5, \"tlv_configuration\": []}}", -ENODATA },
		{ "{\"d\": {\"tlv_configuration\": {\"SRIOV_EN\": 1}}}", -ENODATA },
		{ "{\"d\": {\"tlv_configuration\": {\"SRIOV_EN\": {\"next_value\": -1}}}}", 0 },
		{ "{\"Device #1\": {\"device\":", -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);

		cr_expect_eq(nv_parse_json(cases[i].text, strlen(cases[i].text), &pf),
			     cases[i].expected, "%s", cases[i].text);
		if (cases[i].expected == 0)
			expect(&pf, "SRIOV_EN", "- - -");
	}
}

#define TABLE "Device: 08:00.0\r\nConfigurations:  Default  Current  Next Boot\r\n"

Test(nv, cells_of_all_kinds)
{
	_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);

	cr_assert_eq(parse(&pf, TABLE "  SRIOV_EN\tTrue(1)  False(0x0)\tN/A\r\n"
				      "  NUM_OF_VFS 0x10 08 Array[0..7]\r\n"
				      "* LINK_TYPE_P1 )  (2) ETH(2\r\n"
				      "  LINK_TYPE_P2 ETH(-2) 99999999999999999999 +1\r\n"
				      "  SOMETHING_NEW 1 2 3\r\n"),
		     0);
	expect(&pf, "SRIOV_EN", "1 0 -");
	expect(&pf, "NUM_OF_VFS", "16 8 -");
	expect(&pf, "LINK_TYPE_P1", "- 2 -");
	expect(&pf, "LINK_TYPE_P2", "- - -");
	cr_expect_eq(pf.num_nvs, 4);
}

Test(nv, a_row_that_does_not_fit_the_heading_tells_no_values)
{
	_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);

	cr_assert_eq(parse(&pf, TABLE " SRIOV_EN 1 2\n NUM_OF_VFS 1 2 3 4\n LINK_TYPE_P1"), 0);
	expect(&pf, "SRIOV_EN", "- - -");
	expect(&pf, "NUM_OF_VFS", "- - -");
	expect(&pf, "LINK_TYPE_P1", "- - -");
}

Test(nv, a_heading_without_rows_does_not_get_those_of_the_next_device)
{
	_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);

	cr_expect_eq(parse(&pf, "Device #1:\nDevice: 08:00.0\nConfigurations: Next Boot\n"
				"Device #2:\nDevice: 09:00.0\nConfigurations: Next Boot\n"
				" SRIOV_EN 1\n"),
		     -ENODATA);
	cr_expect_eq(pf.num_nvs, 0);
	cr_expect_eq(parse(&pf, "Device #1:\nDevice: /dev/mst/mt4129_pciconf0\n"
				"Configurations: Next Boot\n SRIOV_EN 1\n"
				"Device #2:\nDevice: 09:00.0\nConfigurations: Next Boot\n"),
		     -ENODATA);
	cr_expect_eq(pf.num_nvs, 0);
}

Test(nv, a_text_may_end_anywhere)
{
	_cleanup_file_ struct file file = read_data("mstconfig-4.34/two-devices.txt");

	for (size_t length = 0; length <= file.length; length++) {
		_cleanup_pf_ struct mlx5lm_pf pf = new_pf("0000:08:00.1");
		char *text = malloc(length ?: 1);

		cr_assert_not_null(text);
		memcpy(text, file.text, length);
		nv_parse_text(text, length, &pf);
		free(text);
		cr_assert_leq(pf.num_nvs, 3);
	}
}

static void add_param(struct mlx5lm_pf *pf, const char *name, const char *permanent)
{
	struct mlx5lm_param *param;

	cr_assert_eq(pf_add_param(pf, &param), 0);
	cr_assert_eq(str_replace(&param->name, name), 0);
	cr_assert_eq(str_replace(&param->permanent, permanent), 0);
}

Test(nv, devlink_tells_what_the_next_boot_finds)
{
	_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);

	add_param(&pf, "enable_sriov", "true");
	add_param(&pf, "total_vfs", "16");
	cr_assert_eq(nv_from_params(&pf), 0);
	cr_expect_eq(pf.num_nvs, 2);
	expect(&pf, "SRIOV_EN", "- - 1");
	expect(&pf, "NUM_OF_VFS", "- - 16");
	cr_expect_str_eq(pf.nv_source, "devlink");
	cr_expect_not(nv_is_complete(&pf));
}

Test(nv, without_devlink_parameters_nothing_is_known)
{
	_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);

	add_param(&pf, "enable_sriov", NULL);
	add_param(&pf, "total_vfs", "many");
	add_param(&pf, "enable_roce", "true");
	cr_assert_eq(nv_from_params(&pf), 0);
	cr_expect_eq(pf.num_nvs, 0);
	cr_expect_null(pf.nv_source);
}

Test(nv, a_tool_completes_what_devlink_tells_and_takes_nothing_away)
{
	_cleanup_pf_ struct mlx5lm_pf pf = new_pf(BDF);

	add_param(&pf, "enable_sriov", "false");
	add_param(&pf, "total_vfs", "4");
	cr_assert_eq(nv_from_params(&pf), 0);
	cr_assert_eq(parse(&pf, TABLE " NUM_OF_VFS 1 2 N/A\n LINK_TYPE_P1 2 2 2\n"), 0);
	cr_assert_eq(nv_mark_missing(&pf, NV_ALL), 0);
	expect(&pf, "SRIOV_EN", "- - 0");
	expect(&pf, "NUM_OF_VFS", "1 2 4");
	expect(&pf, "LINK_TYPE_P1", "2 2 2");
	expect_support(&pf, "VF_MIGRATION_MODE", NO);
	expect_support(&pf, "LINK_TYPE_P2", NO);
}

Test(nv, versions_of_both_tools)
{
	static const struct {
		const char *text;
		const char *version;
		bool json;
	} cases[] = {
		{ "mstconfig, mstflint 4.21.0, Git SHA Hash: N/A\n", "4.21.0", false },
		{ "mlxconfig, mft 4.30.1-8, built on Nov 28 2024", "4.30.1-8", false },
		{ "mstconfig, mstflint 4.31.0, Git SHA Hash: N/A\n", "4.31.0", true },
		{ "mlxconfig, mft 4.100.0-1", "4.100.0-1", true },
		{ "mlxconfig 5.0", "5.0", true },
		{ "mlxconfig, mft, built on Nov 28 2024, 15:24:25", NULL, false },
		{ "", NULL, false },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		_cleanup_free_ char *version = NULL;

		cr_assert_eq(nv_parse_version(cases[i].text, strlen(cases[i].text), &version), 0);
		if (cases[i].version)
			cr_expect_str_eq(version, cases[i].version);
		else
			cr_expect_null(version);
		cr_expect_eq(nv_version_has_json(version), cases[i].json, "%s", cases[i].text);
	}
}

Test(nv, recorded_versions)
{
	static const char *const cases[][2] = { { "mstconfig-4.21/version.txt", "4.21.0" },
						{ "mlxconfig-4.30/version.txt", "4.30.1-8" } };

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		_cleanup_file_ struct file file = read_data(cases[i][0]);
		_cleanup_free_ char *version = NULL;

		cr_assert_eq(nv_parse_version(file.text, file.length, &version), 0);
		cr_expect_str_eq(version, cases[i][1]);
	}
}

Test(nv, people_get_the_whole_command)
{
	_cleanup_free_ char *command = nv_command(BDF);

	cr_expect_str_eq(command, "mstconfig -d 0000:08:00.0 -e q SRIOV_EN NUM_OF_VFS "
				  "VF_MIGRATION_MODE LINK_TYPE_P1 LINK_TYPE_P2");
}
