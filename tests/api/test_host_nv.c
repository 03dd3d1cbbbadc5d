// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/host_nv.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "support/hosts.h"
#include "support/tree.h"

#define LONG_MS 20000
#define COMMAND                                                                                    \
	"mstconfig -d 0000:08:00.0 -e q SRIOV_EN NUM_OF_VFS VF_MIGRATION_MODE LINK_TYPE_P1 "       \
	"LINK_TYPE_P2"

static struct tree *tree;
static struct root *root;
static struct mlx5lm_host *host;
static struct mlx5lm_pf *pf;

static void setup(void)
{
	tree = tree_new();
	tree_add_host(tree, true);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	host = bare_host("a");
	pf = &host->pfs[0];
}

static void teardown(void)
{
	mlx5lm_host_free(host);
	root_unref(root);
	tree_free(tree);
}

TestSuite(host_nv, .init = setup, .fini = teardown);

/*
 * A tool that notes how it was called. Behind "$1" in body are -d, the BDF, -e, -j with a file if
 * it knows that, q, and the names.
 */
static void add_tool(const char *name, const char *version, const char *body)
{
	char script[4096], path[512];

	snprintf(script, sizeof(script),
		 "#!/bin/sh\necho \"$@\" >>%s/calls\n"
		 "if test \"$1\" = --version; then echo '%s, %s, Git SHA Hash: N/A'; exit; fi\n"
		 "heading() { echo 'Device #1:'; echo \"Device: $2\"\n"
		 "echo 'Configurations: Default Current Next Boot'; }\n"
		 "%s",
		 tree_path(tree), name, version, body);
	tree_write(tree, script, "usr/bin/%s", name);
	snprintf(path, sizeof(path), "%s/usr/bin/%s", tree_path(tree), name);
	cr_assert_eq(chmod(path, 0755), 0);
}

/* How the tools were called. */
static void expect_calls(const char *expected)
{
	char path[512], text[1024];
	size_t length = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/calls", tree_path(tree));
	file = fopen(path, "r");
	if (file) {
		length = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[length] = '\0';
	cr_expect_str_eq(text, expected);
}

static void add_nv(bool tools, unsigned int timeout_ms)
{
	cr_assert_eq(host_add_nv(host, root, tools, (uint64_t)clock_now_ms() + timeout_ms), 0);
}

/* "name support default current next" of all, a value that is not known as "-". */
static void expect(const char *expected)
{
	_cleanup_(strbuf_release) struct strbuf text = { 0 };

	for (size_t i = 0; i < pf->num_nvs; i++) {
		const struct mlx5lm_nv *nv = &pf->nvs[i];
		const struct fact_u64 *values[] = { &nv->default_value, &nv->current,
						    &nv->next_boot };

		strbuf_printf(&text, "%s%s %s", i ? "; " : "", nv->name,
			      name_of(&answer_names, nv->supported));
		for (size_t j = 0; j < ARRAY_LENGTH(values); j++) {
			if (values[j]->known)
				strbuf_printf(&text, " %d", (int)values[j]->value);
			else
				strbuf_add(&text, " -");
		}
	}
	cr_expect_str_eq(text.text ?: "", expected);
}

static void expect_note(const char *words)
{
	const struct note *note = host_find_note(host, pf->bdf, "nv");

	cr_assert_eq(host->num_notes, words ? 1 : 0);
	if (!words)
		return;
	cr_assert_not_null(note);
	cr_expect_not_null(strstr(note->text, words), "%s", note->text);
	cr_expect_not_null(strstr(note->text, COMMAND), "%s", note->text);
}

static void add_param(const char *name, const char *permanent)
{
	struct mlx5lm_param *param;

	cr_assert_eq(pf_add_param(pf, &param), 0);
	set_text(&param->name, name);
	set_text(&param->permanent, permanent);
}

Test(host_nv, no_tool_is_run_unless_it_is_allowed)
{
	add_tool("mstconfig", "mstflint 4.21.0", "");
	add_nv(false, LONG_MS);
	cr_expect_eq(pf->num_nvs, 0);
	cr_expect_null(pf->nv_source);
	expect_note("the caller does not want a tool to be run");
	expect_calls("");
}

Test(host_nv, no_tool_is_run_for_another_machine)
{
	add_tool("mstconfig", "mstflint 4.21.0", "");
	root->native = false;
	add_nv(true, LONG_MS);
	cr_expect_eq(pf->num_nvs, 0);
	expect_note("the root is another machine's");
}

Test(host_nv, without_a_tool_the_manual_step_is_named)
{
	add_nv(true, LONG_MS);
	expect("");
	expect_note("NV configuration is not known: neither mstconfig nor mlxconfig is installed");
}

Test(host_nv, devlink_is_enough_for_what_it_has)
{
	add_param("enable_sriov", "true");
	add_param("total_vfs", "8");
	add_nv(false, LONG_MS);
	expect("SRIOV_EN yes - - 1; NUM_OF_VFS yes - - 8");
	cr_expect_str_eq(pf->nv_source, "devlink");
	cr_expect_null(pf->nv_source_version);
	expect_note("not fully known");
}

Test(host_nv, an_older_tool_is_asked_for_its_table)
{
	add_param("total_vfs", "4");
	add_tool("mstconfig", "mstflint 4.21.0",
		 "heading \"$@\"\necho '* SRIOV_EN False(0) True(1) True(1)'\n"
		 "echo '* NUM_OF_VFS 0 8 16'\necho '  VF_MIGRATION_MODE X(0) X(0) Y(2)'\n"
		 "echo '  LINK_TYPE_P1 ETH(2) ETH(2) ETH(2)'\n"
		 "echo '  LINK_TYPE_P2 ETH(2) ETH(2) ETH(2)'\n");
	add_tool("mlxconfig", "mft 4.30.1-8", "exit 1\n");
	add_nv(true, LONG_MS);
	expect("SRIOV_EN yes 0 1 1; NUM_OF_VFS yes 0 8 16; VF_MIGRATION_MODE yes 0 0 2; "
	       "LINK_TYPE_P1 yes 2 2 2; LINK_TYPE_P2 yes 2 2 2");
	cr_expect_str_eq(pf->nv_source, "mstconfig");
	cr_expect_str_eq(pf->nv_source_version, "4.21.0");
	expect_note(NULL);
	expect_calls("--version\n-d 0000:08:00.0 -e q SRIOV_EN NUM_OF_VFS VF_MIGRATION_MODE "
		     "LINK_TYPE_P1 LINK_TYPE_P2\n");
}

Test(host_nv, a_newer_tool_is_asked_for_json)
{
	add_tool("mlxconfig", "mft 4.31.0-149",
		 "echo '{\"Device #1\": {\"device\": \"'$2'\", \"tlv_configuration\": {"
		 "\"SRIOV_EN\": {\"next_value\": \"True(1)\", \"current_value\": \"False(0)\","
		 " \"default_value\": \"False(0)\", \"read_only\": true},"
		 "\"NUM_OF_VFS\": {\"next_value\": 8, \"current_value\": 8, \"default_value\": 0}"
		 "}}}' >$5\necho 'Query output saved'\n");
	add_nv(true, LONG_MS);
	expect("SRIOV_EN yes 0 0 1; NUM_OF_VFS yes 0 8 8; VF_MIGRATION_MODE no - - -; "
	       "LINK_TYPE_P1 no - - -; LINK_TYPE_P2 no - - -");
	cr_expect_eq(pf->nvs[0].read_only, MLX5LM_ANSWER_YES);
	cr_expect_str_eq(pf->nv_source, "mlxconfig");
	cr_expect_str_eq(pf->nv_source_version, "4.31.0-149");
	expect_note(NULL);
}

/* What it does not have it refuses, as a whole, and one by one. */
#define REFUSE(name, text)                                                                         \
	"case \"$*\" in *" name "*) echo \"" text "\"; exit 3;; esac\n"

Test(host_nv, what_is_refused_is_not_asked_for_again)
{
	add_tool("mstconfig", "mstflint 4.21.0",
		 "heading \"$@\"\n" REFUSE("VF_MIGRATION_MODE", "-E- The Device doesn't support "
								"VF_MIGRATION_MODE parameter")
			 REFUSE("LINK_TYPE_P2", "-E- Unknown Parameter: LINK_TYPE_P2") "shift 4\n"
		 "for name; do echo \"  $name 1 1 1\"; done\n");
	add_nv(true, LONG_MS);
	expect("SRIOV_EN yes 1 1 1; NUM_OF_VFS yes 1 1 1; VF_MIGRATION_MODE no - - -; "
	       "LINK_TYPE_P1 yes 1 1 1; LINK_TYPE_P2 no - - -");
	expect_note(NULL);
}

Test(host_nv, a_tool_that_does_not_know_a_parameter_leaves_it_unknown)
{
	add_tool("mstconfig", "mstflint 4.14.0",
		 REFUSE("VF_MIGRATION_MODE", "-E- Unknown Parameter: VF_MIGRATION_MODE")
		 "heading \"$@\"\nshift 4\nfor name; do echo \"  $name 1 1 1\"; done\n");
	add_nv(true, LONG_MS);
	expect("SRIOV_EN yes 1 1 1; NUM_OF_VFS yes 1 1 1; LINK_TYPE_P1 yes 1 1 1; "
	       "LINK_TYPE_P2 yes 1 1 1");
	cr_expect_str_eq(pf->nv_source, "mstconfig");
	expect_note("not fully known: ");
	cr_expect_not_null(strstr(host->notes[0].text, "Unknown Parameter: VF_MIGRATION_MODE"));
}

Test(host_nv, a_tool_that_refuses_all_is_asked_no_more)
{
	add_tool("mstconfig", "mstflint 4.31.0",
		 "shift 6; echo \"-E- The Device doesn't support $1 parameter\"; exit 3\n");
	add_nv(true, LONG_MS);
	expect("SRIOV_EN no - - -; NUM_OF_VFS no - - -; VF_MIGRATION_MODE no - - -; "
	       "LINK_TYPE_P1 no - - -; LINK_TYPE_P2 no - - -");
	expect_note(NULL);
}

Test(host_nv, a_tool_that_cannot_write_json_is_asked_for_its_table)
{
	add_tool("mstconfig", "mstflint 4.31.0",
		 "case \"$*\" in *-j*) echo 'Failed to open' >&2; exit 3;; esac\n"
		 "heading \"$@\"\nshift 4\nfor name; do echo \"  $name 1 1 1\"; done\n");
	add_nv(true, LONG_MS);
	cr_expect_eq(pf->num_nvs, 5);
	expect_note(NULL);
}

Test(host_nv, the_tool_s_own_words_say_why_nothing_is_known)
{
	add_tool("mstconfig", "mstflint 4.31.0", "echo '-E- Failed to open the device'\nexit 3\n");
	add_nv(true, LONG_MS);
	expect("");
	cr_expect_null(pf->nv_source);
	expect_note("/usr/bin/mstconfig: Failed to open the device; ");
	expect_calls("--version\n-d 0000:08:00.0 -e -j /proc/self/fd/3 q SRIOV_EN NUM_OF_VFS "
		     "VF_MIGRATION_MODE LINK_TYPE_P1 LINK_TYPE_P2\n");
}

Test(host_nv, a_tool_that_makes_no_sense_is_not_believed)
{
	add_tool("mstconfig", "no version", "echo 'Device #1:'; echo 'SRIOV_EN 1 1 1'\n");
	add_nv(true, LONG_MS);
	expect("");
	expect_note("/usr/bin/mstconfig: its answer is not understood; ");
}

Test(host_nv, a_tool_that_fails_proves_no_absence)
{
	add_tool("mstconfig", "mstflint 4.21.0",
		 "heading \"$@\"\necho '  SRIOV_EN 1 1 1'\n"
		 "echo '-E- Failed to query some of the TLVs:'\nexit 3\n");
	add_nv(true, LONG_MS);
	expect("SRIOV_EN yes 1 1 1");
	expect_note("not fully known");
}

Test(host_nv, a_tool_that_hangs_costs_no_more_than_the_deadline)
{
	int64_t begin_ms = clock_now_ms(), took_ms;

	add_tool("mstconfig", "mstflint 4.21.0", "exec sleep 1000\n");
	add_nv(true, 700);
	took_ms = clock_now_ms() - begin_ms;
	cr_expect(took_ms >= 600 && took_ms < 1700, "%lld ms", (long long)took_ms);
	expect("");
	expect_note("/usr/bin/mstconfig: it did not answer in time; ");
}
