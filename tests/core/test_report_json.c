// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/report_json.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <time.h>

#include "base/error.h"
#include "core/json_text.h"
#include "support/full_host.h"
#include "support/hosts.h"

#define DOCUMENT(rest) "{\"schema\": \"mlx5lm.host\", \"schema_version\": 1" rest "}"
#define PF(rest) DOCUMENT(", \"pfs\": [{\"bdf\": \"0000:08:00.0\"" rest "}]")
#define VFS(list) PF(", \"vfs\": [" list "]")

static struct mlx5lm_host *read_text(const char *json)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	struct mlx5lm_host *host = NULL;

	cr_assert_eq(report_read(json, strlen(json), REPORT_MAX_BYTES, &host, &error), 0, "%s",
		     mlx5lm_error_get_message(error));
	return host;
}

static struct mlx5lm_text *write_host(const struct mlx5lm_host *host)
{
	struct mlx5lm_text *text = NULL;

	cr_assert_eq(report_write(host, &text), 0);
	return text;
}

/* What becomes of a document that is read and written. */
static struct mlx5lm_text *pass_through(const char *json)
{
	_cleanup_host_ struct mlx5lm_host *host = read_text(json);

	return write_host(host);
}

Test(report_json, what_is_written_is_read_again)
{
	_cleanup_host_ struct mlx5lm_host *host = full_host(2, 127);
	_cleanup_text_ struct mlx5lm_text *first = NULL, *second = NULL;
	_cleanup_host_ struct mlx5lm_host *copy = NULL;

	set_text(&host->pfs[0].vfs[3].in_use_by, "g\xc3\xa4st \"1\"");
	first = write_host(host);
	copy = read_text(first->text);
	second = write_host(copy);
	cr_assert_str_eq(first->text, second->text);
	cr_assert_eq(copy->num_pfs, 2);
	cr_assert_eq(copy->pfs[0].num_vfs, 127);
	cr_assert_eq(copy->num_configs, host->num_configs);
	cr_assert_eq(copy->num_notes, host->num_notes);
	cr_assert_str_eq(copy->notes[0].line, host->notes[0].line);
	cr_assert_str_eq(copy->pfs[0].vfs[3].in_use_by, "g\xc3\xa4st \"1\"");
	cr_assert_eq(copy->pfs[1].nvs[2].next_boot.value, host->pfs[1].nvs[2].next_boot.value);
}

static void expect_same_facts(const struct fact_table *table, const void *a, const void *b)
{
	for (size_t i = 0; i < table->length; i++) {
		const struct fact_field *field = &table->fields[i];
		const void *x = fact_at(field, a), *y = fact_at(field, b);

		if (field->type == FACT_STR)
			cr_expect_str_eq(*(char *const *)x, *(char *const *)y, "%s", field->name);
		else if (field->type == FACT_ENUM)
			cr_expect_eq(*(const uint32_t *)x, *(const uint32_t *)y, "%s", field->name);
		else if (field->type == FACT_U64)
			cr_expect(((const struct fact_u64 *)y)->known &&
					  ((const struct fact_u64 *)x)->value ==
						  ((const struct fact_u64 *)y)->value,
				  "%s", field->name);
	}
}

Test(report_json, every_fact_of_every_table_arrives)
{
	_cleanup_host_ struct mlx5lm_host *host = full_host(1, 3);
	_cleanup_text_ struct mlx5lm_text *text = write_host(host);
	_cleanup_host_ struct mlx5lm_host *copy = read_text(text->text);

	expect_same_facts(&host_table, host, copy);
	expect_same_facts(&module_table, &host->modules[7], &copy->modules[7]);
	expect_same_facts(&config_table, &host->configs[7], &copy->configs[7]);
	expect_same_facts(&privilege_table, &host->privileges[7], &copy->privileges[7]);
	expect_same_facts(&note_table, &host->notes[2], &copy->notes[2]);
	expect_same_facts(&pf_table, &host->pfs[0], &copy->pfs[0]);
	expect_same_facts(&nv_table, &host->pfs[0].nvs[4], &copy->pfs[0].nvs[4]);
	expect_same_facts(&param_table, &host->pfs[0].params[4], &copy->pfs[0].params[4]);
	expect_same_facts(&vf_table, &host->pfs[0].vfs[2], &copy->pfs[0].vfs[2]);
}

Test(report_json, a_full_card_fits_into_the_default_limit)
{
	_cleanup_host_ struct mlx5lm_host *host = full_host(1, 127);
	_cleanup_text_ struct mlx5lm_text *text = write_host(host);

	cr_assert_leq(text->length, REPORT_DEFAULT_BYTES, "%zu bytes", text->length);
}

/* The same with the keys of each object the other way round. */
static json_t *turn_around(json_t *json)
{
	json_t *turned = json_object(), *value;
	const char *key;

	for (size_t i = 0; i < json_array_size(json); i++)
		json_array_set_new(json, i, turn_around(json_array_get(json, i)));
	json_object_foreach(json, key, value) {
		_cleanup_json_ json_t *behind = turned;

		turned = json_object();
		json_object_set_new(turned, key, turn_around(value));
		json_object_update(turned, behind);
	}
	if (json_is_object(json))
		return turned;
	json_decref(turned);
	return json_incref(json);
}

Test(report_json, keys_may_stand_in_any_order)
{
	_cleanup_host_ struct mlx5lm_host *host = full_host(2, 3), *again = NULL;
	_cleanup_text_ struct mlx5lm_text *text = write_host(host), *second = NULL;
	_cleanup_json_ json_t *json = json_loads(text->text, 0, NULL);
	_cleanup_json_ json_t *turned = turn_around(json);
	_cleanup_free_ char *turned_text = json_dumps(turned, JSON_COMPACT);

	cr_assert_str_neq(turned_text, text->text);
	again = read_text(turned_text);
	second = write_host(again);
	cr_expect_str_eq(second->text, text->text);
}

Test(report_json, what_is_unknown_is_left_out)
{
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	_cleanup_text_ struct mlx5lm_text *text = NULL;

	cr_assert_eq(host_new(&host), 0);
	text = write_host(host);
	cr_expect_null(strstr(text->text, "hostname"));
	cr_expect_null(strstr(text->text, "iommu"));
}

/* In any table, in any type of value. The words of enums are those of a newer library, too. */
static const char newer[] = DOCUMENT(
	", \"new\": {\"b\": [1, null, {\"c\": -2.5}], \"a\": \"\\u0001\"}"
	", \"iommu_active\": \"partly\", \"hostname\": \"h\""
	", \"modules\": [{\"name\": \"m\", \"state\": \"coming\", \"x\": 1}]"
	", \"kernel_config\": [{\"name\": \"c\", \"value\": \"y\", \"x\": 2}]"
	", \"privileges\": [{\"name\": \"p\", \"granted\": \"later\"}]"
	", \"notes\": [{\"object\": \"host\", \"text\": \"t\", \"x\": 3}]"
	", \"pfs\": [{\"bdf\": \"0000:08:00.0\", \"z\": 4, \"y\": 5"
	", \"nv\": [{\"name\": \"n\", \"x\": 6}]"
	", \"params\": [{\"name\": \"q\", \"x\": 7}]"
	", \"vfs\": [{\"bdf\": \"0000:08:00.2\", \"index\": 0, \"roce\": \"auto\", \"x\": 8}]}]");

Test(report_json, nothing_of_a_newer_document_gets_lost)
{
	_cleanup_json_ json_t *before = json_loads(newer, 0, NULL), *after = NULL;
	_cleanup_text_ struct mlx5lm_text *first = pass_through(newer), *second = NULL;
	_cleanup_host_ struct mlx5lm_host *host = read_text(newer);

	after = json_loads(first->text, 0, NULL);
	cr_expect(json_equal(before, after), "%s", first->text);
	second = pass_through(first->text);
	cr_expect_str_eq(first->text, second->text);
	cr_expect_eq(host->iommu_active, MLX5LM_ANSWER_UNKNOWN);
	cr_expect_eq(host->pfs[0].vfs[0].roce, MLX5LM_PORT_ATTR_STATE_UNKNOWN);
	cr_expect_str_eq(host->pfs[0].extra, "{\"z\":4,\"y\":5}");
}

Test(report_json, the_word_of_a_newer_library_outlives_what_is_derived_here)
{
	_cleanup_host_ struct mlx5lm_host *host =
		read_text(VFS("{\"bdf\": \"08:00.2\", \"index\": 0, \"bind_state\": \"warm\"}"));
	_cleanup_text_ struct mlx5lm_text *text = NULL;

	host->pfs[0].vfs[0].bind_state = MLX5LM_BIND_STATE_UNBOUND;
	text = write_host(host);
	cr_expect_not_null(strstr(text->text, "\"bind_state\": \"warm\""), "%s", text->text);
	cr_expect_null(strstr(text->text, "unbound"), "%s", text->text);
}

Test(report_json, null_and_unknown_are_no_answers)
{
	_cleanup_host_ struct mlx5lm_host *host =
		read_text(DOCUMENT(", \"hostname\": null, \"iommu_active\": \"unknown\""));

	cr_expect_null(host->hostname);
	cr_expect_null(host->extra);
}

Test(report_json, functions_are_put_in_order_and_their_addresses_in_full)
{
	_cleanup_host_ struct mlx5lm_host *host = read_text(
		DOCUMENT(", \"pfs\": [{\"bdf\": \"10000:01:00.0\"}, {\"bdf\": \"41:00.0\"}, "
			 "{\"bdf\": \"08:00.0\", \"vfs\": [{\"bdf\": \"08:01.0\", \"index\": 6}, "
			 "{\"bdf\": \"08:00.3\", \"index\": 1}]}]"));

	cr_expect_str_eq(host->pfs[0].bdf, "0000:08:00.0");
	cr_expect_str_eq(host->pfs[1].bdf, "0000:41:00.0");
	cr_expect_str_eq(host->pfs[2].bdf, "10000:01:00.0");
	cr_expect_str_eq(host->pfs[0].vfs[0].bdf, "0000:08:00.3");
	cr_expect_str_eq(host->pfs[0].vfs[1].bdf, "0000:08:01.0");
}

static void expect_refusal(const char *json, size_t length, const char *words, const char *remedy)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	struct mlx5lm_host *host = NULL;

	cr_expect_eq(report_read(json, length, REPORT_MAX_BYTES, &host, &error), -EBADMSG, "%.200s",
		     json);
	cr_expect(error && strstr(error->message, words), "%.200s: %s, not %s", json,
		  mlx5lm_error_get_message(error), words);
	cr_expect(error && error->remedy && strstr(error->remedy, remedy), "%.200s: %s", json,
		  mlx5lm_error_get_remedy(error));
	cr_expect_null(host);
}

Test(report_json, a_bad_document_is_refused_with_its_place)
{
	static const struct {
		const char *json, *words;
	} cases[] = {
		{ "", "no valid JSON at line 1, column 0 (byte 0)" },
		{ "{", "no valid JSON at line 1, column 1 (byte 1)" },
		{ "{\n\"a\": nul\n}", "no valid JSON at line 2, column 8 (byte 10)" },
		{ DOCUMENT("") "x", "no valid JSON at line 1" },
		{ "[]", "the document is not an object" },
		{ "{}", "/schema is not \"mlx5lm.host\"" },
		{ "{\"schema\": \"mlx5lm.host\"}", "/schema_version is not a number" },
		{ "{\"schema\": \"mlx5lm.host\", \"schema_version\": \"1\"}", "/schema_version" },
		{ "{\"schema\": \"mlx5lm.host\", \"schema_version\": 0}", "/schema_version" },
		{ DOCUMENT(", \"hostname\": 1"), "/hostname is not a string" },
		{ DOCUMENT(", \"hostname\": \"a\", \"hostname\": \"b\""), "no valid JSON" },
		{ DOCUMENT(", \"hostname\": \"a\\nb\""), "/hostname holds a control" },
		{ DOCUMENT(", \"hostname\": \"\\u007f\""), "/hostname holds a control" },
		{ DOCUMENT(", \"hostname\": \"\\u009b0m\""), "/hostname holds a control" },
		{ DOCUMENT(", \"hostname\": \"a\nb\""), "no valid JSON" },
		{ DOCUMENT(", \"hostname\": \"\\u0000\""), "no valid JSON" },
		{ DOCUMENT(", \"hostname\": \"\xc0\xaf\""), "no valid JSON" },
		{ DOCUMENT(", \"hostname\": \"\xed\xa0\x80\""), "no valid JSON" },
		{ DOCUMENT(", \"qemu_version\": -1"), "/qemu_version is less than 0" },
		{ DOCUMENT(", \"qemu_version\": 1.5"), "/qemu_version is not a whole number" },
		{ DOCUMENT(", \"qemu_version\": 9223372036854775808"), "no valid JSON" },
		{ DOCUMENT(", \"iommu_active\": 1"), "/iommu_active is not a string" },
		{ DOCUMENT(", \"pfs\": {}"), "/pfs is not a list" },
		{ DOCUMENT(", \"pfs\": null"), "/pfs is not a list" },
		{ DOCUMENT(", \"pfs\": [1]"), "/pfs/0 is not an object" },
		{ DOCUMENT(", \"pfs\": [{}]"), "/pfs/0/bdf is not there" },
		{ DOCUMENT(", \"pfs\": [{\"bdf\": \"../../etc\"}]"), "/pfs/0/bdf is not a PCI" },
		{ VFS("{\"bdf\": \"08:00.2\"}"), "/pfs/0/vfs/0/index is not there" },
		{ VFS("{\"bdf\": \"08:00.2\", \"index\": 65536}"), "/pfs/0/vfs/0/index is more" },
		{ VFS("{\"index\": 1}"), "/pfs/0/vfs/0/bdf is not there" },
		{ VFS("{\"bdf\": \"08:00.2\", \"index\": 1}, {\"bdf\": \"08:00.3\", \"index\": 1}"),
		  "/pfs/0/vfs/1/index stands there twice: 1" },
		{ VFS("{\"bdf\": \"08:00.2\", \"index\": 1}, {\"bdf\": \"0000:08:00.2\", "
		      "\"index\": 0}"),
		  "/pfs/0/vfs/1/bdf is the address of another" },
		{ VFS("{\"bdf\": \"08:00.0\", \"index\": 1}"), "/pfs/0/" },
		{ DOCUMENT(", \"pfs\": [{\"bdf\": \"08:00.0\"}, {\"bdf\": \"09:00.0\"}, "
			   "{\"bdf\": \"08:00.0\"}]"),
		  "/pfs/2/bdf is the address of another" },
		{ DOCUMENT(", \"notes\": [1]"), "/notes/0 is not an object" },
		{ DOCUMENT(", \"notes\": [{\"object\": \"host\"}]"), "/notes/0/text is not there" },
		{ DOCUMENT(", \"notes\": [{\"text\": \"a\"}]"), "/notes/0/object is not there" },
		{ DOCUMENT(", \"modules\": \"x\""), "/modules is not a list" },
		{ DOCUMENT(", \"modules\": [{}]"), "/modules/0/name is not there" },
		{ DOCUMENT(", \"modules\": [{\"name\": \"a\"}, {\"name\": \"b\"}, {\"name\": "
			   "\"a\"}]"),
		  "/modules/2/name stands there twice: \"a\"" },
		{ PF(", \"nv\": [{\"name\": \"a\"}, {\"name\": \"a\"}]"), "/pfs/0/nv/1/name" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		expect_refusal(cases[i].json, strlen(cases[i].json), cases[i].words, "anew");
}

Test(report_json, a_document_of_a_newer_version_asks_for_a_newer_library)
{
	static const char json[] = "{\"schema\": \"mlx5lm.host\", \"schema_version\": 2}";

	expect_refusal(json, strlen(json), "/schema_version is 2, this library reads up to 1",
		       "update libmlx5lm");
}

Test(report_json, another_kind_of_document_is_named)
{
	static const char json[] = "{\"schema\": \"mlx5lm.plan\", \"schema_version\": 1}";

	expect_refusal(json, strlen(json), "/schema is \"mlx5lm.plan\", not \"mlx5lm.host\"",
		       "mlx5lm-probe --json");
}

Test(report_json, a_huge_document_is_refused_unread)
{
	struct mlx5lm_host *host = NULL;

	cr_assert_eq(report_read("", REPORT_DEFAULT_BYTES + 1, REPORT_DEFAULT_BYTES, &host, NULL),
		     -EFBIG);
}

/* head, then piece as often as told, then tail. */
static char *repeat(const char *head, const char *piece, size_t times, const char *tail)
{
	struct strbuf buf = { 0 };
	char *text = NULL;

	strbuf_add(&buf, head);
	for (size_t i = 0; i < times; i++)
		strbuf_add(&buf, piece);
	strbuf_add(&buf, tail);
	cr_assert_eq(strbuf_take(&buf, &text), 0);
	return text;
}

Test(report_json, the_limits_are_as_documented)
{
	static const struct {
		const char *head, *piece, *tail;
		size_t max;
		const char *words;
	} cases[] = {
		{ "\"hostname\": \"", "a", "\"", REPORT_MAX_STRING, "/hostname is too long: 4097" },
		{ "\"notes\": [{\"object\":\"a\",\"text\":\"b\"}",
		  ",{\"object\":\"a\",\"text\":\"b\"}", "]", REPORT_MAX_NOTES - 1,
		  "/notes has too many entries: 4097, not up to 4096" },
		{ "\"x\": [", "[", "", 14, "nested deeper than 16 at byte" },
		/* {"x":"..."} */
		{ "\"x\": \"", "a", "\"", REPORT_MAX_EXTRA - 8, "the document has more keys" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		_cleanup_free_ char *head = str_printf("{\"schema\": \"mlx5lm.host\", "
						       "\"schema_version\": 1, %s",
						       cases[i].head);
		_cleanup_free_ char *tail = str_printf("%s}", cases[i].tail);
		_cleanup_free_ char *most = repeat(head, cases[i].piece, cases[i].max, tail);
		_cleanup_free_ char *more = repeat(head, cases[i].piece, cases[i].max + 1, tail);

		if (cases[i].tail[0])
			mlx5lm_host_free(read_text(most));
		expect_refusal(more, strlen(more), cases[i].words, "");
	}
}

Test(report_json, brackets_in_strings_are_no_nesting)
{
	static const char json[] =
		DOCUMENT(", \"hostname\": \"[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[[[[\"");

	mlx5lm_host_free(read_text(json));
}

Test(report_json, a_million_brackets_do_not_reach_the_parser)
{
	_cleanup_free_ char *json = repeat("", "[", 1000000, "");

	expect_refusal(json, strlen(json), "nested deeper than 16 at byte 16", "");
}

Test(report_json, whatever_a_host_says_of_itself_can_be_read_again)
{
	_cleanup_host_ struct mlx5lm_host *host = NULL, *copy = NULL;
	_cleanup_text_ struct mlx5lm_text *text = NULL;
	_cleanup_free_ char *longer = repeat("", "\xe2\x82\xac", 2000, "");

	cr_assert_eq(host_new(&host), 0);
	set_text(&host->hostname, "a\x1b[1m\xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xc3");
	set_text(&host->architecture, "\xc2\x9b\x7f\xe2\x82\xac\xf0\x9f\x90\xa7");
	set_text(&host->kernel_cmdline, longer);
	host->kernel_tainted = fact_u64(UINT64_C(1) << 63);
	host->memlock_limit_bytes = fact_u64(INT64_MAX);
	text = write_host(host);
	copy = read_text(text->text);
	cr_expect_str_eq(copy->hostname, "a [1m??????????"
					 "?");
	cr_expect_str_eq(copy->architecture, "  \xe2\x82\xac\xf0\x9f\x90\xa7");
	cr_expect_eq(strlen(copy->kernel_cmdline), 4095);
	cr_expect_not(copy->kernel_tainted.known);
	cr_expect_eq(copy->memlock_limit_bytes.value, INT64_MAX);
}

Test(report_json, no_truncation_of_a_document_crashes)
{
	_cleanup_host_ struct mlx5lm_host *host = ready_host("a", 2);
	_cleanup_text_ struct mlx5lm_text *text = write_host(host);

	for (size_t length = 0; length < text->length - 1; length++) {
		struct mlx5lm_host *copy = NULL;

		cr_assert_eq(report_read(text->text, length, REPORT_DEFAULT_BYTES, &copy, NULL),
			     -EBADMSG, "%zu", length);
	}
}

/* CPU time: this machine may do other things. */
static double seconds_of_reading(size_t num_vfs)
{
	_cleanup_host_ struct mlx5lm_host *host = full_host(1, num_vfs);
	_cleanup_text_ struct mlx5lm_text *text = write_host(host);
	clock_t best = 0;

	for (int i = 0; i < 5; i++) {
		clock_t start = clock();

		mlx5lm_host_free(read_text(text->text));
		if (i == 0 || clock() - start < best)
			best = clock() - start;
	}
	return (double)best / CLOCKS_PER_SEC;
}

Test(report_json, the_time_to_read_grows_with_the_number_of_vfs_and_not_its_square)
{
	double few = seconds_of_reading(127), many = seconds_of_reading(127 * 32);

	/* 32 times the VFs: squared it would be 1024 times. */
	cr_assert_lt(many, few * 32 * 5, "%f s, %f s", few, many);
}
