// SPDX-License-Identifier: LGPL-2.1-or-later
/* Two hosts, one domain, and what the caller wants of its VFs. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "compare_support.h"
#include "core/json_text.h"
#include "support/hosts.h"

#define VF0 "0000:08:00.2"
#define VF1 "0000:08:00.3"
#define VF2 "0000:08:00.4"

#define HOSTDEV(function)                                                                          \
	"<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0x0000' "      \
	"bus='0x08' slot='0x00' function='0x" function "'/></source></hostdev>"

#define DOMAIN(devices)                                                                            \
	"<domain type='kvm'><name>guest</name>"                                                    \
	"<uuid>6f0e4bb1-6d3a-4b7a-9c6c-0a4a5a1f0001</uuid><memory unit='GiB'>4</memory>"           \
	"<os><type arch='x86_64' machine='pc-q35-9.2'>hvm</type></os>"                             \
	"<devices>" devices "</devices></domain>"

struct question {
	struct two_hosts hosts;
	struct mlx5lm_compare_options options;
};

static struct question ask(const char *xml, size_t source_vfs, size_t destination_vfs)
{
	struct question question = { .hosts = known_hosts(source_vfs, destination_vfs) };

	cr_assert_eq(domain_new(xml, strlen(xml), &question.options.domain, NULL), 0);
	return question;
}

static void compare(struct question *question)
{
	comparison_release(&question->hosts.comparison);
	cr_assert_eq(compare_hosts(question->hosts.source, question->hosts.destination,
				   &question->options, &question->hosts.comparison, NULL), 0);
}

static void done(struct question *question)
{
	two_hosts_release(&question->hosts);
	mlx5lm_domain_free(question->options.domain);
	pairing_wishes_release(&question->options.wishes);
}

static void expect(const struct question *question, const char *id, enum mlx5lm_status status,
		   const char *side)
{
	const struct mlx5lm_finding *finding = find_id(&question->hosts.comparison, id);

	cr_assert_not_null(finding, "%s", id);
	cr_expect_eq(finding->status, status, "%s: %s", id, status_names[finding->status]);
	cr_expect(side ? streq(finding->text[MLX5LM_FINDING_SIDE], side) :
			 !finding->text[MLX5LM_FINDING_SIDE], "%s", id);
	cr_expect_not_null(finding->text[MLX5LM_FINDING_REMEDY], "%s", id);
}

static size_t failures(const struct question *question)
{
	return findings_count(&question->hosts.comparison.findings, MLX5LM_STATUS_FAIL);
}

Test(compare_domain, its_vfs_are_paired_and_its_xml_leads_to_them)
{
	struct question question = ask(DOMAIN(HOSTDEV("2") HOSTDEV("3")), 2, 4);
	struct mlx5lm_comparison *comparison = &question.hosts.comparison;

	/* Index 0 is taken there. */
	set_text(&question.hosts.destination->pfs[0].vfs[0].in_use_by, "other");
	compare(&question);
	cr_expect_eq(comparison->verdict, MLX5LM_VERDICT_COMPATIBLE);
	cr_assert_eq(comparison->pairing.num_pairs, 2);
	cr_assert_not_null(comparison->destination_xml);
	for (size_t i = 0; i < 2; i++) {
		char address[32];

		snprintf(address, sizeof(address), "function='0x%c'",
			 comparison->pairing.pairs[i].destination[11]);
		cr_expect(strstr(comparison->destination_xml, address), "%s", address);
	}
	cr_expect_null(strstr(comparison->destination_xml, "function='0x2'"));
	done(&question);
}

Test(compare_domain, only_the_pfs_of_its_vfs_count)
{
	struct question question = ask(DOMAIN(HOSTDEV("2")), 1, 1);
	struct mlx5lm_host *other = fully_known_host("c", 1);
	struct mlx5lm_pf *pf;

	/* A second adapter of the source that matches nothing. */
	cr_assert_eq(host_add_pf(question.hosts.source, &pf), 0);
	*pf = other->pfs[0];
	other->num_pfs = 0;
	mlx5lm_host_free(other);
	set_text(&pf->bdf, "0000:09:00.0");
	set_text(&pf->vfs[0].bdf, "0000:09:00.2");
	set_text(&pf->psid, "MT_0000000999");
	compare(&question);
	cr_expect_eq(question.hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	cr_expect_eq(failures(&question), 0);
	done(&question);
}

Test(compare_domain, all_of_its_vfs_or_none)
{
	struct question question = ask(DOMAIN(HOSTDEV("2") HOSTDEV("3")), 2, 1);

	compare(&question);
	expect(&question, "vf.free", MLX5LM_STATUS_FAIL, "destination");
	cr_expect_eq(question.hosts.comparison.verdict, MLX5LM_VERDICT_INCOMPATIBLE);
	cr_expect_null(question.hosts.comparison.destination_xml);
	done(&question);
}

Test(compare_domain, what_differs_of_the_adapters_is_told_once)
{
	struct question question = ask(DOMAIN(HOSTDEV("2") HOSTDEV("3")), 2, 2);

	set_text(&question.hosts.destination->pfs[0].psid, "MT_0000000999");
	compare(&question);
	expect(&question, "firmware.psid", MLX5LM_STATUS_FAIL, NULL);
	cr_expect_eq(failures(&question), 1);
	done(&question);
}

Test(compare_domain, a_source_vf_that_is_unfit_is_named)
{
	struct question question = ask(DOMAIN(HOSTDEV("3")), 2, 2);

	set_text(&question.hosts.source->pfs[0].vfs[1].driver, "vfio-pci");
	compare(&question);
	expect(&question, "vf.source", MLX5LM_STATUS_FAIL, "source");
	cr_expect_str_eq(find_id(&question.hosts.comparison,
				 "vf.source")->text[MLX5LM_FINDING_OBJECT], VF1);
	cr_expect_eq(failures(&question), 1);
	done(&question);
}

Test(compare_domain, a_device_that_is_no_vf_is_told_once)
{
	struct question question = ask(DOMAIN(HOSTDEV("2") HOSTDEV("7")), 1, 2);

	compare(&question);
	cr_assert_not_null(find_id(&question.hosts.comparison, "domain.vfs"));
	cr_expect_eq(failures(&question), 1);
	cr_expect_eq(question.hosts.comparison.verdict, MLX5LM_VERDICT_INCOMPATIBLE);
	cr_expect_null(question.hosts.comparison.destination_xml);
	done(&question);
}

Test(compare_domain, a_chosen_vf_is_taken_or_refused)
{
	struct question question = ask(DOMAIN(HOSTDEV("2")), 1, 3);
	struct mlx5lm_host *destination = question.hosts.destination;

	cr_assert_eq(vf_mappings_add(&question.options.wishes.wanted, VF0, VF2), 0);
	compare(&question);
	cr_expect_str_eq(question.hosts.comparison.pairing.pairs[0].destination, VF2);
	set_text(&destination->pfs[0].vfs[2].in_use_by, "other");
	compare(&question);
	expect(&question, "vf.wanted", MLX5LM_STATUS_FAIL, "destination");
	destination->pfs[0].num_vfs = 2;
	compare(&question);
	expect(&question, "vf.wanted", MLX5LM_STATUS_FAIL, "destination");
	destination->pfs[0].num_vfs = 3;
	done(&question);
}

Test(compare_domain, what_the_caller_forbids_is_told_as_that)
{
	struct question question = ask(DOMAIN(HOSTDEV("2")), 1, 1);

	cr_assert_eq(strv_take(&question.options.wishes.excluded, strdup(VF0)), 0);
	compare(&question);
	expect(&question, "vf.constraint", MLX5LM_STATUS_FAIL, "either");
	done(&question);
}

Test(compare_domain, a_vf_that_can_be_made_ready_is_no_obstacle)
{
	struct question question = ask(DOMAIN(HOSTDEV("2")), 1, 1);
	_cleanup_text_ struct mlx5lm_text *text = NULL;
	_cleanup_json_ json_t *json = NULL;
	const json_t *pair;

	set_text(&question.hosts.destination->pfs[0].vfs[0].driver, NULL);
	compare(&question);
	cr_expect_eq(question.hosts.comparison.verdict, MLX5LM_VERDICT_INCOMPATIBLE);
	question.options.wishes.makeable = true;
	compare(&question);
	expect(&question, "vf.makeable", MLX5LM_STATUS_WARN, "destination");
	cr_expect_eq(question.hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	cr_expect_not_null(question.hosts.comparison.destination_xml);
	cr_assert_eq(comparison_to_json_text(&question.hosts.comparison, &text), 0);
	json = json_loads(text->text, 0, NULL);
	pair = json_array_get(json_object_get(json, "pairs"), 0);
	cr_expect(json_is_false(json_object_get(pair, "ready")));
	cr_expect_not_null(json_object_get(pair, "remedy"));
	cr_expect_str_eq(json_string_value(json_object_get(json, "domain")), "guest");
	cr_expect_not_null(json_object_get(json, "destination_xml"));
	done(&question);
}

Test(compare_domain, the_destinations_answer_about_the_cpu_beats_the_hosts_models)
{
	struct question question = ask(DOMAIN(HOSTDEV("2")), 1, 1);

	set_text(&question.hosts.destination->cpu_vendor, "AMD");
	set_text(&question.hosts.destination->cpu_model, "EPYC");
	compare(&question);
	expect(&question, "cpu.vendor", MLX5LM_STATUS_FAIL, NULL);
	question.options.domain->cpu = MLX5LM_ANSWER_YES;
	compare(&question);
	cr_expect_eq(find_id(&question.hosts.comparison, "cpu.vendor")->status, MLX5LM_STATUS_INFO);
	cr_expect_eq(find_id(&question.hosts.comparison, "cpu.model")->status, MLX5LM_STATUS_INFO);
	cr_expect_eq(question.hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	done(&question);
}

Test(compare_domain, the_same_question_has_the_same_answer)
{
	struct question question = ask(DOMAIN(HOSTDEV("2") HOSTDEV("3")), 2, 3);
	_cleanup_text_ struct mlx5lm_text *first = NULL, *second = NULL, *plain = NULL;

	compare(&question);
	cr_assert_eq(comparison_to_json_text(&question.hosts.comparison, &first), 0);
	compare(&question);
	cr_assert_eq(comparison_to_json_text(&question.hosts.comparison, &second), 0);
	cr_expect_str_eq(first->text, second->text);
	cr_assert_eq(comparison_to_plain_text(&question.hosts.comparison, &plain), 0);
	cr_expect_eq(strncmp(plain->text, "COMPATIBLE: domain guest can move from a to b\n", 46), 0,
		     "%s", plain->text);
	done(&question);
}
