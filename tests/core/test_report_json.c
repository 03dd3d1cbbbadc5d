// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/report_json.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/error.h"
#include "support/hosts.h"

static struct mlx5lm_host *full_host(void)
{
	struct mlx5lm_host *host = ready_host("a", 127);

	set_text(&host->modules[0].srcversion, "0123456789ABCDEF");
	set_text(&host->pfs[0].vfs[3].in_use_by, "g\xc3\xa4st \"1\"");
	cr_assert_eq(host_add_note(host, "host", "iommu_active", "a note"), 0);
	return host;
}

Test(report_json, what_is_written_is_read_again)
{
	_cleanup_text_ struct mlx5lm_text *first = NULL, *second = NULL;
	struct mlx5lm_host *host = full_host(), *copy = NULL;

	cr_assert_eq(report_write(host, &first), 0);
	cr_assert_eq(report_read(first->text, first->length, REPORT_DEFAULT_BYTES, &copy, NULL), 0);
	cr_assert_eq(report_write(copy, &second), 0);
	cr_assert_str_eq(first->text, second->text);
	cr_assert_eq(copy->pfs[0].num_vfs, 127);
	cr_assert_str_eq(copy->pfs[0].vfs[3].in_use_by, "g\xc3\xa4st \"1\"");
	cr_assert_eq(copy->pfs[0].vfs[0].migratable, MLX5LM_PORT_ATTR_STATE_ENABLED);
	mlx5lm_host_free(host);
	mlx5lm_host_free(copy);
}

Test(report_json, what_is_unknown_is_left_out)
{
	_cleanup_text_ struct mlx5lm_text *text = NULL;
	struct mlx5lm_host *host;

	cr_assert_eq(host_new(&host), 0);
	cr_assert_eq(report_write(host, &text), 0);
	cr_expect_null(strstr(text->text, "hostname"));
	cr_expect_null(strstr(text->text, "iommu"));
	mlx5lm_host_free(host);
}

#define DOCUMENT(rest) "{\"schema\": \"mlx5lm.host\", \"schema_version\": 1" rest "}"

Test(report_json, unknown_keys_and_words_of_a_newer_library_are_passed_over)
{
	static const char json[] = DOCUMENT(", \"new\": {\"a\": [1]}, \"iommu_active\": \"maybe\", "
					    "\"pfs\": [{\"bdf\": \"0000:08:00.0\", \"x\": 1}]");
	struct mlx5lm_host *host = NULL;

	cr_assert_eq(report_read(json, strlen(json), REPORT_DEFAULT_BYTES, &host, NULL), 0);
	cr_expect_eq(host->iommu_active, MLX5LM_ANSWER_UNKNOWN);
	cr_expect_eq(host->num_pfs, 1);
	mlx5lm_host_free(host);
}

Test(report_json, a_bad_document_is_refused_with_a_reason)
{
	static const struct {
		const char *json, *word;
	} cases[] = {
		{ "", "JSON" },
		{ "{", "JSON" },
		{ "[]", "schema" },
		{ "{}", "schema" },
		{ "{\"schema\": \"mlx5lm.host\", \"schema_version\": 2}", "schema_version" },
		{ DOCUMENT(", \"hostname\": 1"), "hostname" },
		{ DOCUMENT(", \"hostname\": \"a\", \"hostname\": \"b\""), "JSON" },
		{ DOCUMENT(", \"qemu_version\": -1"), "qemu_version" },
		{ DOCUMENT(", \"qemu_version\": 1.5"), "qemu_version" },
		{ DOCUMENT(", \"qemu_version\": 99999999999999999999"), "JSON" },
		{ DOCUMENT(", \"pfs\": {}"), "pfs" },
		{ DOCUMENT(", \"pfs\": [1]"), "object" },
		{ DOCUMENT(", \"pfs\": [{}]"), "bdf" },
		{ DOCUMENT(", \"pfs\": [{\"bdf\": \"../../etc\"}]"), "bdf" },
		{ DOCUMENT(", \"pfs\": [{\"bdf\": \"08:00.0\", \"vfs\": [{\"bdf\": \"08:00.2\"}]}]"),
		  "index" },
		{ DOCUMENT(", \"notes\": [1]"), "note" },
		{ DOCUMENT(", \"modules\": \"x\""), "modules" },
		{ DOCUMENT(", \"hostname\": \"\\u0000\""), "JSON" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		_cleanup_error_ struct mlx5lm_error *error = NULL;
		struct mlx5lm_host *host = NULL;

		cr_expect_eq(report_read(cases[i].json, strlen(cases[i].json), REPORT_DEFAULT_BYTES, &host, &error),
			     -EBADMSG, "%s", cases[i].json);
		cr_expect(error && strstr(error->message, cases[i].word), "%s: %s", cases[i].json,
			  mlx5lm_error_get_message(error));
		cr_expect_null(host);
	}
}

Test(report_json, a_huge_document_is_refused_unread)
{
	struct mlx5lm_host *host = NULL;

	cr_assert_eq(report_read("", REPORT_DEFAULT_BYTES + 1, REPORT_DEFAULT_BYTES, &host, NULL), -EFBIG);
}

Test(report_json, a_long_string_is_refused)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	struct strbuf buf = { 0 };
	_cleanup_free_ char *json = NULL;
	struct mlx5lm_host *host = NULL;

	strbuf_add(&buf, "{\"schema\": \"mlx5lm.host\", \"schema_version\": 1, \"hostname\": \"");
	for (unsigned int i = 0; i <= REPORT_MAX_STRING; i++)
		strbuf_add(&buf, "a");
	strbuf_add(&buf, "\"}");
	cr_assert_eq(strbuf_take(&buf, &json), 0);
	cr_assert_eq(report_read(json, strlen(json), REPORT_DEFAULT_BYTES, &host, &error), -EBADMSG);
	cr_assert(strstr(error->message, "too long"));
}

Test(report_json, no_truncation_of_a_document_crashes)
{
	_cleanup_text_ struct mlx5lm_text *text = NULL;
	struct mlx5lm_host *host = ready_host("a", 2);

	cr_assert_eq(report_write(host, &text), 0);
	for (size_t length = 0; length < text->length - 1; length++) {
		struct mlx5lm_host *copy = NULL;

		cr_assert_eq(report_read(text->text, length, REPORT_DEFAULT_BYTES, &copy, NULL), -EBADMSG, "%zu", length);
	}
	mlx5lm_host_free(host);
}
