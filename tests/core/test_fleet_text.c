// SPDX-License-Identifier: LGPL-2.1-or-later
#include <jansson.h>

#include "fleet_support.h"

static struct mlx5lm_text *written(const struct mlx5lm_fleet *fleet, bool json)
{
	struct mlx5lm_text *text = NULL;

	cr_assert_eq(json ? fleet_to_json_text(fleet, &text) : fleet_to_plain_text(fleet, &text),
		     0);
	cr_assert_eq(strlen(text->text), text->length);
	return text;
}

/* The text says all of these, in this order (a NULL ends the list). */
static void expect_words(const struct mlx5lm_fleet *fleet, const char *const *parts)
{
	_cleanup_text_ struct mlx5lm_text *text = written(fleet, false);
	const char *at = text->text;

	for (; *parts; parts++) {
		const char *found = strstr(at, *parts);

		cr_assert(found, "\"%s\" is not in, or not here:\n%s", *parts, at);
		at = found + strlen(*parts);
	}
}

static json_t *parsed(const struct mlx5lm_fleet *fleet)
{
	_cleanup_text_ struct mlx5lm_text *text = written(fleet, true);
	json_t *json = json_loadb(text->text, text->length, JSON_REJECT_DUPLICATES, NULL);

	cr_assert(json, "%s", text->text);
	return json;
}

static struct mlx5lm_fleet *mixed_fleet(void)
{
	struct mlx5lm_fleet *fleet = new_fleet();
	struct mlx5lm_host *host;

	add_many(fleet, 30, "compute-a-", "28.41.1000");
	add_many(fleet, 14, "compute-b-", "28.39.1002");
	add_many(fleet, 3, "untold-", NULL);
	add_many(fleet, 8, "newer-", "28.42.1000");
	add(fleet, host_with_psid("lonely", "MT_0000000999"));
	host = ready_host("off", 1);
	set_migration_mode(host, 1);
	add(fleet, host);
	host = ready_host("bare", 1);
	pf_release(&host->pfs[0]);
	host->num_pfs = 0;
	add(fleet, host);
	return fleet;
}

Test(fleet_text, people_are_told_who_is_odd_and_which_side_should_change)
{
	static const char *const parts[] = {
		"58 hosts in 6 classes",
		"    0      30  MT_0000000838    28.41.1000       yes\n",
		"    1      14  MT_0000000838    28.39.1002       yes\n",
		"    3       3  MT_0000000838    unknown          cannot be told\n",
		"nowhere to go\n",
		"Odd ones out",
		"class 1, 14 hosts:\n    compute-b-0, compute-b-1, compute-b-10,",
		" and 2 more\n",
		"Could join class 0 (30 hosts), but it differs in:\n"
		"    firmware.version: 28.39.1002 here, 28.41.1000 there\n"
		"      update the firmware of each PF from 28.39.1002 to 28.41.1000",
		"\n      mstflint -d PF -i IMAGE burn\n",
		"Change these 14 hosts; the other way it would be 30.\n",
		"class 2, 8 hosts:",
		"28.42.1000 here, 28.41.1000 there",
		"update the firmware of each PF from 28.41.1000 to 28.42.1000",
		"Change the 30 hosts of class 0; the other way it would be 8, but with older",
		"class 3, 3 hosts:",
		"but it cannot be told",
		"\n      mlx5lm-probe --json\n",
		"class 4, 1 host:\n    lonely\n",
		"nothing that can be changed joins them:\n"
		"    firmware.psid: MT_0000000999 here, MT_0000000838 there\n",
		"class 5, 1 host:\n    off\n",
		"mstconfig -d PF set VF_MIGRATION_MODE=2\n    Change this 1 host.\n",
		"Without an mlx5 adapter: 1 host\n    bare\n",
		NULL,
	};
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = mixed_fleet();

	expect_words(fleet, parts);
}

Test(fleet_text, no_line_is_longer_than_80_columns)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = mixed_fleet();
	_cleanup_text_ struct mlx5lm_text *text = written(fleet, false);
	size_t lines = 0;

	for (const char *line = text->text; *line; line += strcspn(line, "\n") + 1, lines++)
		cr_expect_leq(strcspn(line, "\n"), 80, "%.100s", line);
	cr_expect_gt(lines, 40);
}

Test(fleet_text, of_long_lists_people_are_shown_the_beginning)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	static const char *const parts[] = {
		"1000 hosts in 500 classes",
		"\nand 480 more classes with 960 hosts\n",
		"and 479 more classes\n",
		NULL,
	};
	_cleanup_text_ struct mlx5lm_text *text = NULL;

	for (unsigned int i = 0; i < 500; i++) {
		char prefix[16], version[32];

		snprintf(prefix, sizeof(prefix), "h%03u-", i);
		snprintf(version, sizeof(version), "28.%u.1000", i);
		add_many(fleet, 2, prefix, version);
	}
	expect_words(fleet, parts);
	text = written(fleet, false);
	cr_expect_lt(text->length, 20000);
}

Test(fleet_text, an_empty_fleet_is_said_to_be_empty)
{
	static const char *const parts[] = { "0 hosts in 0 classes", NULL };
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	json_t *json = parsed(fleet);

	expect_words(fleet, parts);
	cr_expect_eq(json_integer_value(json_object_get(json, "num_hosts")), 0);
	cr_expect_eq(json_array_size(json_object_get(json, "classes")), 0);
	json_decref(json);
}

static const char *text_at(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

Test(fleet_text, json_has_every_host_of_every_class)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = mixed_fleet();
	json_t *json = parsed(fleet), *classes = json_object_get(json, "classes");
	size_t hosts = json_array_size(json_object_get(json, "without_adapter"));
	const json_t *nearest, *cls;

	cr_expect_str_eq(text_at(json, "schema"), "mlx5lm.fleet");
	for (size_t i = 0; i < json_array_size(classes); i++) {
		cls = json_array_get(classes, i);
		cr_expect_eq((size_t)json_integer_value(json_object_get(cls, "class")), i);
		cr_expect_eq((size_t)json_integer_value(json_object_get(cls, "num_hosts")),
			     json_array_size(json_object_get(cls, "hosts")));
		hosts += json_array_size(json_object_get(cls, "hosts"));
	}
	cr_expect_eq(hosts, 58);
	cls = json_array_get(classes, 1);
	nearest = json_object_get(cls, "nearest");
	cr_expect_str_eq(text_at(cls, "odd"), "smaller");
	cr_expect_str_eq(text_at(cls, "firmware"), "28.39.1002");
	cr_expect_str_eq(text_at(json_object_get(cls, "facts"), "firmware.psid"), "MT_0000000838");
	cr_expect_eq(json_integer_value(json_object_get(nearest, "class")), 0);
	cr_expect_eq(json_integer_value(json_object_get(nearest, "num_hosts")), 30);
	cr_expect_str_eq(text_at(nearest, "advice"), "this");
	cr_expect_eq(json_array_size(json_object_get(nearest, "if_this_changes")), 1);
	cr_expect_eq(json_array_size(json_object_get(nearest, "if_other_changes")), 1);
	cls = json_array_get(classes, 3);
	cr_expect(json_is_false(json_object_get(cls, "known")));
	cr_expect_str_eq(text_at(cls, "odd"), "unknown");
	cr_expect_null(json_object_get(cls, "firmware"));
	cr_expect_str_eq(json_string_value(json_array_get(json_object_get(cls, "unknown"), 0)),
			 "firmware.version");
	json_decref(json);
}

/* Of a snapshot that was not read from a document nobody has cleaned the texts. */
Test(fleet_text, values_of_a_broken_snapshot_cannot_reach_the_terminal)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = new_fleet();
	_cleanup_text_ struct mlx5lm_text *text = NULL;

	add_many(fleet, 2, "a", "28.41.1000");
	add(fleet, host_with_psid("b", "\033]0;x\007\377"));
	text = written(fleet, false);
	for (size_t i = 0; i < text->length; i++)
		cr_assert(text->text[i] == '\n' || (text->text[i] >= ' ' && text->text[i] < 0x7f),
			  "%s", text->text);
	json_decref(parsed(fleet));
}
