// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <jansson.h>

#include "compare_support.h"
#include "core/json_text.h"
#include "support/hosts.h"

static struct mlx5lm_text *text_of(const struct two_hosts *hosts)
{
	struct mlx5lm_text *text = NULL;

	cr_assert_eq(comparison_to_plain_text(&hosts->comparison, &text), 0);
	return text;
}

static json_t *json_of(const struct two_hosts *hosts)
{
	_cleanup_text_ struct mlx5lm_text *text = NULL;
	json_t *json;

	cr_assert_eq(comparison_to_json_text(&hosts->comparison, &text), 0);
	json = json_loads(text->text, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(json);
	return json;
}

Test(compare_text, two_hosts_that_match_take_few_lines)
{
	struct two_hosts hosts = known_hosts(2, 2);
	_cleanup_text_ struct mlx5lm_text *text = NULL;

	compare_both(&hosts);
	text = text_of(&hosts);
	cr_expect_str_eq(text->text, "COMPATIBLE: VFs can move from a to b\n"
				     "\n"
				     "VFs, from source to destination\n"
				     "  0000:08:00.2 -> 0000:08:00.2\n"
				     "  0000:08:00.3 -> 0000:08:00.3\n"
				     "\n"
				     "Equal in 28 points.\n");
	two_hosts_release(&hosts);
}

Test(compare_text, what_blocks_comes_first_with_side_and_command)
{
	struct two_hosts hosts = known_hosts(1, 1);
	_cleanup_text_ struct mlx5lm_text *text = NULL;

	set_text(&hosts.destination->pfs[0].fw_running, "28.39.1002");
	set_text(&hosts.destination->pfs[0].fw_stored, "28.39.1002");
	hosts.destination->page_size_bytes = fact_u64(65536);
	hosts.destination->pfs[0].revision = (struct fact_u64){ 0 };
	compare_both(&hosts);
	text = text_of(&hosts);
	cr_expect_str_eq(
		text->text,
		"INCOMPATIBLE: VFs cannot move from a to b\n"
		"\n"
		"What blocks\n"
		"  firmware.version, 0000:08:00.0: the running firmware must be the same\n"
		"      source       28.41.1000\n"
		"      destination  28.39.1002\n"
		"      to change    destination\n"
		"      update the destination's PF 0000:08:00.0 from 28.39.1002 to 28.41.1000 and\n"
		"      reboot, or choose another destination:\n"
		"      mstflint -d 0000:08:00.0 -i IMAGE burn\n"
		"\n"
		"Warnings\n"
		"  host.page_size, 0000:08:00.0: dirty memory is counted in pages of the host,\n"
		"      which differ\n"
		"      source       4096\n"
		"      destination  65536\n"
		"      to change    either\n"
		"      boot a kernel with the same page size on both hosts\n"
		"\n"
		"Equal in 25 points. Not known, but not decisive: 1.\n");
	two_hosts_release(&hosts);
}

/* 127 VFs with one thing in common are not told of 127 times. */
Test(compare_text, the_same_of_many_vfs_is_told_once)
{
	struct two_hosts hosts = known_hosts(127, 127);
	_cleanup_text_ struct mlx5lm_text *text = NULL;
	size_t lines = 0;

	for (size_t i = 0; i < 127; i++)
		hosts.destination->pfs[0].vfs[i].msix_count = fact_u64(5);
	compare_both(&hosts);
	cr_assert_eq(hosts.comparison.pairing.num_pairs, 127);
	text = text_of(&hosts);
	for (const char *at = text->text; *at; at++)
		lines += *at == '\n';
	cr_expect(strstr(text->text, "vf.msix_count, 0000:08:00.2 and 126 more: "), "%s",
		  text->text);
	cr_expect(strstr(text->text, "  and 95 more\n"), "%s", text->text);
	cr_expect_lt(lines, 60, "%zu lines", lines);
	two_hosts_release(&hosts);
}

Test(compare_text, vfs_that_have_no_counterpart_are_told_together)
{
	struct two_hosts hosts = known_hosts(127, 1);
	_cleanup_text_ struct mlx5lm_text *text = NULL;

	compare_both(&hosts);
	text = text_of(&hosts);
	cr_expect(strstr(text->text, "vf.free, 0000:08:00.3 and 125 more: "), "%s", text->text);
	two_hosts_release(&hosts);
}

static size_t columns(const char *line, size_t length)
{
	size_t number = 0;

	for (size_t i = 0; i < length; i++)
		number += ((unsigned char)line[i] & 0xc0) != 0x80;
	return number;
}

Test(compare_text, no_line_has_more_than_80_columns_but_commands)
{
	struct two_hosts hosts = known_hosts(2, 2);
	struct mlx5lm_pf *pf = &hosts.destination->pfs[0];
	_cleanup_text_ struct mlx5lm_text *text = NULL;

	set_text(&hosts.source->hostname, "a-host-with-a-long-name.rack-7.example.com");
	set_text(&hosts.destination->hostname, "another-with-a-long-name.rack-8.example.com");
	set_text(&hosts.destination->architecture, "aarch64");
	set_text(&hosts.destination->cpu_vendor, "AMD");
	set_text(&hosts.destination->libvirt_migration_transports, "unix");
	hosts.destination->qemu_version = fact_u64(8000000);
	set_text(&hosts.destination->kernel_release, "6.1.90");
	hosts.destination->iommu_active = MLX5LM_ANSWER_NO;
	set_text(&pf->psid, NULL);
	set_text(&pf->fw_stored, "28.43.1");
	pf->class_code = fact_u64(0x020700);
	pf->nvs[2].current = fact_u64(1);
	compare_both(&hosts);
	text = text_of(&hosts);
	for (const char *line = text->text; *line; line += strcspn(line, "\n") + 1) {
		size_t length = strcspn(line, "\n");

		cr_expect(columns(line, length) <= 80 ||
				  strncmp(line, "      mlx5lm-", 13) == 0 ||
				  strncmp(line, "      mst", 9) == 0,
			  "%.*s", (int)length, line);
	}
	two_hosts_release(&hosts);
}

Test(compare_text, the_json_form_has_all_in_a_stable_order)
{
	static const char *const keys[] = { "schema", "schema_version", "source", "destination",
					    "verdict", "pairs", "findings" };
	struct two_hosts hosts = known_hosts(2, 2);
	_cleanup_json_ json_t *json = NULL;
	const json_t *pair, *value;
	const char *key;
	size_t i = 0;

	compare_both(&hosts);
	json = json_of(&hosts);
	json_object_foreach(json, key, value) {
		cr_assert_lt(i, ARRAY_LENGTH(keys));
		cr_expect_str_eq(key, keys[i++]);
	}
	cr_expect_eq(i, ARRAY_LENGTH(keys));
	cr_expect_eq(json_array_size(json_object_get(json, "findings")),
		     hosts.comparison.findings.length);
	pair = json_array_get(json_object_get(json, "pairs"), 1);
	cr_expect_str_eq(json_string_value(json_object_get(pair, "source")), "0000:08:00.3");
	cr_expect_str_eq(json_string_value(json_object_get(pair, "destination_pf")),
			 "0000:08:00.0");
	cr_expect(json_is_true(json_object_get(pair, "ready")));
	two_hosts_release(&hosts);
}

Test(compare_text, names_that_are_not_known_are_left_out)
{
	struct two_hosts hosts = known_hosts(1, 1);
	_cleanup_text_ struct mlx5lm_text *text = NULL;
	_cleanup_json_ json_t *json = NULL;

	set_text(&hosts.source->hostname, NULL);
	set_text(&hosts.destination->hostname, NULL);
	compare_both(&hosts);
	json = json_of(&hosts);
	text = text_of(&hosts);
	cr_expect_null(json_object_get(json, "source"));
	cr_expect_eq(strncmp(text->text, "COMPATIBLE: VFs can move from the source to the "
					 "destination\n", 60), 0);
	two_hosts_release(&hosts);
}
