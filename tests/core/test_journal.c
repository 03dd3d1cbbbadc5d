// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/journal.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "support/hosts.h"

#define PF "0000:08:00.0"
#define BOOT "11111111-2222-3333-4444-555555555555"
#define NEXT_BOOT "66666666-2222-3333-4444-555555555555"

static struct mlx5lm_host *host;
static struct mlx5lm_config *wanted;
static struct strbuf text;
static struct journal journal;
static struct mlx5lm_error *error;

static void setup(void)
{
	host = ready_host("a", 3);
	set_text(&host->boot_id, BOOT);
	cr_assert_eq(mlx5lm_config_new(&wanted), 0);
	cr_assert_eq(mlx5lm_config_set_num_vfs(wanted, 8), 0);
	cr_assert_eq(mlx5lm_config_set_vf_driver(wanted, 2, "mlx5_vfio_pci"), 0);
}

static void teardown(void)
{
	mlx5lm_host_free(host);
	mlx5lm_config_free(wanted);
	strbuf_release(&text);
	journal_release(&journal);
	mlx5lm_error_free(error);
}

TestSuite(journal, .init = setup, .fini = teardown);

/* Adds a line that was made; it is one line. */
static void add(char *line)
{
	cr_assert_not_null(line);
	cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1);
	strbuf_add(&text, line);
	free(line);
}

static void begin(void)
{
	add(journal_begin_line(host, &host->pfs[0], wanted, 4711));
}

static void add_step(enum step_kind kind, const char *object, size_t length, bool undo)
{
	const struct mlx5lm_step step = { .kind = kind, .object = (char *)object };

	add(journal_step_line(&step, length, undo));
}

static int parse(void)
{
	journal_release(&journal);
	mlx5lm_error_free(error);
	error = NULL;
	return journal_parse(text.text, text.length, &journal, &error);
}

static void expect_refusal(const char *words)
{
	cr_assert_eq(parse(), -EBADMSG, "%s", text.text);
	cr_expect_eq(error->code, MLX5LM_ERROR_INVALID_DOCUMENT);
	cr_expect_not_null(strstr(error->message, words), "%s", error->message);
	cr_expect_not_null(error->remedy);
	cr_expect_null(journal.before, "nothing half is handed out");
}

Test(journal, its_first_line_has_all_that_an_undo_needs)
{
	begin();
	cr_assert_eq(parse(), 0);
	cr_expect_str_eq(journal.pf_bdf, PF);
	cr_expect_str_eq(journal.boot_id, BOOT);
	cr_expect_eq(journal.pid, 4711);
	cr_expect_eq(journal.end, JOURNAL_OPEN);
	cr_expect_null(journal.last);
	cr_assert_eq(journal.before->num_pfs, 1);
	cr_expect_eq(journal.before->pfs[0].eswitch_mode, MLX5LM_ESWITCH_SWITCHDEV);
	cr_expect_eq(journal.before->pfs[0].num_vfs, 3);
	cr_expect_str_eq(journal.before->pfs[0].vfs[2].hw_addr, "02:00:00:00:00:02");
	cr_expect_eq(journal.wanted->num_vfs.value, 8);
	cr_expect_str_eq(config_driver(journal.wanted, 2), "mlx5_vfio_pci");
}

Test(journal, other_pfs_and_the_rest_of_the_host_are_not_in_it)
{
	struct mlx5lm_pf *other;

	cr_assert_eq(host_add_pf(host, &other), 0);
	set_text(&other->bdf, "0000:09:00.0");
	begin();
	cr_expect_null(strstr(text.text, "0000:09:00.0"));
	cr_expect_null(strstr(text.text, "vfio_iommu_type1"));
	cr_assert_eq(parse(), 0);
	cr_expect_eq(journal.before->num_pfs, 1);
}

Test(journal, a_step_is_announced_and_the_end_is_told)
{
	begin();
	add_step(STEP_ESWITCH_MODE, PF, 1, false);
	cr_assert_eq(parse(), 0);
	cr_expect_str_eq(journal.last, "eswitch-mode of " PF);
	add_step(STEP_BIND, "0000:08:00.2", 4, false);
	cr_assert_eq(parse(), 0);
	cr_expect_str_eq(journal.last, "bind of 0000:08:00.2 and 3 more");
	cr_expect_eq(journal.end, JOURNAL_OPEN);
	add(journal_end_line(JOURNAL_DONE));
	cr_assert_eq(parse(), 0);
	cr_expect_eq(journal.end, JOURNAL_DONE);
}

Test(journal, an_undo_after_the_end_opens_it_again)
{
	begin();
	add(journal_end_line(JOURNAL_DONE));
	add_step(STEP_UNBIND, "0000:08:00.2", 1, true);
	cr_assert_eq(parse(), 0);
	cr_expect_eq(journal.end, JOURNAL_OPEN);
	add(journal_end_line(JOURNAL_UNDONE));
	cr_assert_eq(parse(), 0);
	cr_expect_eq(journal.end, JOURNAL_UNDONE);
}

Test(journal, what_is_learned_later_completes_what_was_before)
{
	struct mlx5lm_vf *vf = &host->pfs[0].vfs[1];
	char *line;

	vf->migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	set_text(&vf->hw_addr, NULL);
	begin();
	vf->migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	set_text(&vf->hw_addr, "02:00:00:00:00:77");
	set_text(&host->pfs[0].vfs[2].hw_addr, "02:00:00:00:00:78");
	line = journal_before_line(host, &host->pfs[0]);
	cr_assert_not_null(strstr(line, "02:00:00:00:00:77"));
	cr_expect_null(strstr(line, "driver"), "the first line has it: %s", line);
	add(line);
	cr_assert_eq(parse(), 0);
	cr_expect_eq(journal.before->pfs[0].vfs[1].migratable, MLX5LM_PORT_ATTR_STATE_DISABLED);
	cr_expect_str_eq(journal.before->pfs[0].vfs[1].hw_addr, "02:00:00:00:00:77");
	cr_expect_str_eq(journal.before->pfs[0].vfs[2].hw_addr, "02:00:00:00:00:02",
			 "it was known, and that is what counts");
}

/* Wherever a crash cuts the text: the first line is whole or it is refused, the rest is read. */
Test(journal, every_torn_end_is_passed_over)
{
	size_t first, step;

	begin();
	first = text.length;
	add_step(STEP_NUM_VFS, PF, 1, false);
	step = text.length;
	add(journal_end_line(JOURNAL_DONE));
	for (size_t length = 0; length <= text.length; length++) {
		int r;

		journal_release(&journal);
		r = journal_parse(text.text, length, &journal, NULL);
		cr_assert_eq(r, length < first ? -EBADMSG : 0, "%zu of %zu", length, text.length);
		if (r == 0) {
			cr_assert_eq(journal.last != NULL, length >= step, "%zu", length);
			cr_assert_eq(journal.end == JOURNAL_DONE, length == text.length, "%zu",
				     length);
		}
	}
}

Test(journal, zeros_of_a_lost_append_are_passed_over)
{
	char *padded;

	begin();
	add_step(STEP_NUM_VFS, PF, 1, false);
	padded = calloc(1, text.length + 4096);
	cr_assert_not_null(padded);
	memcpy(padded, text.text, text.length);
	cr_assert_eq(journal_parse(padded, text.length + 4096, &journal, NULL), 0);
	cr_expect_str_eq(journal.last, "num-vfs of " PF);
	free(padded);
}

Test(journal, what_is_no_journal_is_refused_with_the_line)
{
	strbuf_add(&text, "");
	cr_assert_eq(journal_parse("", 0, &journal, &error), -EBADMSG);
	cr_expect_not_null(strstr(error->message, "line 1"));
	strbuf_add(&text, "{}\n");
	expect_refusal("line 1: schema");
	strbuf_release(&text);
	begin();
	strbuf_add(&text, "{\"step\":\"bind\",\"obj\n");
	expect_refusal("line 2: no valid JSON");
}

/* Puts other words in the place of some of the first line. */
static void change(const char *old, const char *new)
{
	char *at = strstr(text.text, old);
	struct strbuf changed = { 0 };

	cr_assert_not_null(at, "%s", old);
	strbuf_printf(&changed, "%.*s%s%s", (int)(at - text.text), text.text, new,
		      at + strlen(old));
	strbuf_release(&text);
	text = changed;
}

Test(journal, a_newer_format_is_refused_with_the_way_out)
{
	begin();
	change("\"schema\":\"mlx5lm.journal\",\"schema_version\":1",
	       "\"schema\":\"mlx5lm.journal\",\"schema_version\":2");
	expect_refusal("schema_version is 2, this library reads 1");
	cr_expect_not_null(strstr(error->remedy, "the version of libmlx5lm that wrote it"));
}

Test(journal, facts_of_another_pf_are_refused)
{
	begin();
	change("\"pf\":\"" PF "\"", "\"pf\":\"0000:09:00.0\"");
	expect_refusal("line 1: before is not about 0000:09:00.0 alone");
}

Test(journal, an_address_that_is_none_is_refused)
{
	begin();
	change("\"pf\":\"" PF "\"", "\"pf\":\"../../etc\"");
	expect_refusal("line 1: pf is not a PCI address");
}

Test(journal, a_configuration_that_makes_no_sense_is_refused)
{
	begin();
	change("\"num_vfs\":8", "\"num_vfs\":-8");
	expect_refusal("line 1: ");
}

Test(journal, words_for_a_terminal_are_refused)
{
	begin();
	strbuf_add(&text, "{\"step\":\"bind\\u001b[2J\",\"object\":\"" PF "\"}\n");
	expect_refusal("line 2: step is not a short text");
}

Test(journal, a_line_of_an_unknown_kind_is_refused_as_such)
{
	begin();
	strbuf_add(&text, "{\"note\":\"hello\"}\n");
	expect_refusal("line 2: has neither before, step nor end");
	strbuf_release(&text);
	begin();
	strbuf_add(&text, "{\"end\":\"gone\"}\n");
	expect_refusal("line 2: end is neither done nor undone");
}

Test(journal, deep_nesting_is_refused)
{
	begin();
	for (int i = 0; i < 100000; i++)
		strbuf_add(&text, "[");
	strbuf_add(&text, "\n");
	expect_refusal("line 2: nested deeper");
}

/* The record of the NV configuration. */
static struct nv_record record;
static struct mlx5lm_nv *nv;

static void setup_record(void)
{
	setup();
	cr_assert_eq(mlx5lm_config_set_nv(wanted, "NUM_OF_VFS", 16), 0);
	cr_assert_eq(pf_add_nv(&host->pfs[0], &nv), 0);
	set_text(&nv->name, "NUM_OF_VFS");
	nv->current = fact_u64(8);
	nv->next_boot = fact_u64(16);
	cr_assert_eq(nv_record_set(&record, 1, 16, BOOT), 0);
	cr_assert_str_eq(nv_name(1), "NUM_OF_VFS");
}

static void teardown_record(void)
{
	nv_record_release(&record);
	teardown();
}

TestSuite(nv_record, .init = setup_record, .fini = teardown_record);

static int check(const char *boot_id)
{
	return nv_record_check(&record, boot_id, &host->pfs[0], wanted, &error);
}

Test(nv_record, is_read_as_it_was_written)
{
	_cleanup_nv_record_ struct nv_record other = { 0 };
	_cleanup_free_ char *written = nv_record_text(&record);

	cr_assert_not_null(written);
	cr_assert_eq(nv_record_parse(written, strlen(written), &other), 0);
	cr_expect_eq(other.value[1].value, 16);
	cr_expect_str_eq(other.boot_id[1], BOOT);
	cr_expect_not(other.value[0].known);
}

#define RECORD(version, value, boot_id)                                                            \
	("{\"schema\": \"mlx5lm.nv\", \"schema_version\": " version ", \"set\": {"                 \
	 "\"NUM_OF_VFS\": {\"value\": " value ", \"boot_id\": \"" boot_id "\"}}}")

Test(nv_record, a_damaged_one_counts_as_none)
{
	static const char *const texts[] = {
		"", "{", "[]", "{\"schema\": \"mlx5lm.nv\"}",
		RECORD("2", "16", BOOT),
		RECORD("1", "-1", BOOT),
		RECORD("1", "16", "\\u001b[2J"),
	};
	static const char *const good = RECORD("1", "16", BOOT);
	_cleanup_nv_record_ struct nv_record other = { 0 };

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		_cleanup_nv_record_ struct nv_record damaged = { 0 };

		cr_assert_eq(nv_record_parse(texts[i], strlen(texts[i]), &damaged), 0);
		cr_expect_not(damaged.value[1].known, "%s", texts[i]);
	}
	cr_assert_eq(nv_record_parse(NULL, 0, &(struct nv_record){ 0 }), 0);
	/* Nothing but what was wrong with them made them so. */
	cr_assert_eq(nv_record_parse(good, strlen(good), &other), 0);
	cr_expect_eq(other.value[1].value, 16);
}

Test(nv_record, nothing_is_said_before_the_host_has_booted)
{
	cr_expect_eq(check(BOOT), 0);
}

Test(nv_record, a_value_that_did_not_take_effect_is_not_set_again)
{
	cr_assert_eq(check(NEXT_BOOT), -ENOTRECOVERABLE);
	cr_expect_eq(error->code, MLX5LM_ERROR_NV_NOT_APPLIED);
	cr_expect_str_eq(error->message,
			 PF ": NUM_OF_VFS was set to 16 before the host booted, and the adapter "
			    "still runs with 8");
	cr_expect_not_null(strstr(error->detail, "still stored"));
	cr_expect_not_null(strstr(error->remedy, "mstconfig -d " PF " -e q NUM_OF_VFS"));
}

Test(nv_record, a_value_that_fell_back_is_told_as_such)
{
	nv->next_boot = fact_u64(8);
	cr_assert_eq(check(NEXT_BOOT), -ENOTRECOVERABLE);
	cr_expect_not_null(strstr(error->detail, "the value for the next start is 8"));
}

Test(nv_record, a_value_that_holds_is_no_matter)
{
	nv->current = fact_u64(16);
	cr_expect_eq(check(NEXT_BOOT), 0);
}

Test(nv_record, another_wish_is_no_repetition)
{
	cr_assert_eq(mlx5lm_config_set_nv(wanted, "NUM_OF_VFS", 32), 0);
	cr_expect_eq(check(NEXT_BOOT), 0);
}

Test(nv_record, what_the_adapter_runs_with_may_be_unknown)
{
	nv->current = (struct fact_u64){ 0 };
	cr_expect_eq(check(NEXT_BOOT), 0);
	cr_expect_eq(check(NULL), 0);
}
