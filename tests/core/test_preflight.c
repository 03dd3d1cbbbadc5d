// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/preflight.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>

#include "support/hosts.h"

/* Two hosts with one PF each, and a domain that has some of the source's VFs. */
struct question {
	struct mlx5lm_host *source, *destination;
	struct domain_xml domain;
	struct vf_mappings wanted, mappings;
	struct mlx5lm_error *error;
};

static void add_device(struct question *question, const char *bdf)
{
	add_hostdev(&question->domain, bdf);
}

static struct question two_hosts(size_t source_vfs, size_t destination_vfs)
{
	struct question question = {
		.source = ready_host("a", source_vfs),
		.destination = ready_host("b", destination_vfs),
	};

	set_text(&question.domain.name, "guest");
	set_text(&question.domain.uuid, "6f0e4bb1-6d3a-4b7a-9c6c-0a4a5a1f0001");
	return question;
}

static int ask(struct question *question)
{
	const struct pairing_wishes wishes = { .wanted = question->wanted };

	return preflight_map_vfs(question->source, question->destination, &question->domain,
				 &wishes, &question->mappings, &question->error);
}

static void done(struct question *question)
{
	mlx5lm_host_free(question->source);
	mlx5lm_host_free(question->destination);
	domain_xml_release(&question->domain);
	vf_mappings_release(&question->wanted);
	vf_mappings_release(&question->mappings);
	mlx5lm_error_free(question->error);
}

static void expect_refused(struct question *question, enum mlx5lm_error_code code,
			   const char *words, const char *remedy)
{
	int r = ask(question);
	const char *message = mlx5lm_error_get_message(question->error);

	cr_assert_lt(r, 0);
	cr_assert_not_null(question->error);
	cr_expect_eq(r, -mlx5lm_error_get_errno(question->error));
	cr_expect_eq(mlx5lm_error_get_code(question->error), code, "%s", message);
	cr_expect_not_null(strstr(message, words), "'%s' lacks '%s'", message, words);
	if (remedy) {
		const char *words_of_it = mlx5lm_error_get_remedy(question->error);

		cr_assert_not_null(words_of_it, "no remedy for: %s", message);
		cr_expect_not_null(strstr(words_of_it, remedy), "%s", words_of_it);
	}
	cr_expect_eq(question->mappings.length, 0);
	done(question);
}

static const char *destination_of(const struct question *question, const char *source)
{
	const struct vf_mapping *mapping = vf_mappings_find(&question->mappings, source);

	return mapping ? mapping->destination : "none";
}

Test(preflight, a_vf_goes_to_the_one_of_the_same_index)
{
	struct question question = two_hosts(4, 4);

	add_device(&question, "0000:08:00.4");
	add_device(&question, "0000:08:00.3");
	cr_assert_eq(ask(&question), 0);
	cr_assert_eq(question.mappings.length, 2);
	cr_expect_str_eq(destination_of(&question, "0000:08:00.4"), "0000:08:00.4");
	cr_expect_str_eq(destination_of(&question, "0000:08:00.3"), "0000:08:00.3");
	done(&question);
}

Test(preflight, a_pair_that_qemu_would_refuse_is_not_tried)
{
	struct question question = two_hosts(1, 1);

	add_device(&question, "0000:08:00.2");
	question.source->pfs[0].vfs[0].msix_count = fact_u64(12);
	question.destination->pfs[0].vfs[0].msix_count = fact_u64(5);
	expect_refused(&question, MLX5LM_ERROR_INCOMPATIBLE, "vf.msix_count", "msix_count=12");
}

Test(preflight, an_explicit_pair_comes_first_and_is_never_given_away)
{
	struct question question = two_hosts(2, 3);

	add_device(&question, "0000:08:00.2");
	add_device(&question, "0000:08:00.3");
	/* VF 1 is named last and takes what the comparison gives to VF 0. */
	cr_assert_eq(vf_mappings_add(&question.wanted, "08:00.3", "08:00.2"), 0);
	cr_assert_eq(ask(&question), 0);
	cr_expect_str_eq(destination_of(&question, "0000:08:00.3"), "0000:08:00.2");
	cr_expect_str_eq(destination_of(&question, "0000:08:00.2"), "0000:08:00.3");
	done(&question);
}

Test(preflight, passes_over_vfs_that_are_not_free_or_not_ready)
{
	struct question question = two_hosts(1, 4);
	struct mlx5lm_vf *vfs = question.destination->pfs[0].vfs;

	add_device(&question, "0000:08:00.2");
	set_text(&vfs[0].in_use_by, "other");
	set_text(&vfs[1].driver, "mlx5_core");
	vfs[2].migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	cr_assert_eq(ask(&question), 0);
	cr_expect_str_eq(destination_of(&question, "0000:08:00.2"), "0000:08:00.5");
	done(&question);
}

Test(preflight, names_the_wanted_vf_that_is_not_there)
{
	struct question question = two_hosts(1, 1);

	add_device(&question, "0000:08:00.2");
	vf_mappings_add(&question.wanted, "0000:08:00.2", "0000:99:00.1");
	expect_refused(&question, MLX5LM_ERROR_VF, "0000:99:00.1", "lspci");
}

Test(preflight, names_the_wanted_vf_that_a_domain_uses)
{
	struct question question = two_hosts(1, 2);

	add_device(&question, "0000:08:00.2");
	vf_mappings_add(&question.wanted, "0000:08:00.2", "0000:08:00.3");
	set_text(&question.destination->pfs[0].vfs[1].in_use_by, "other");
	expect_refused(&question, MLX5LM_ERROR_VF, "0000:08:00.3 of the destination cannot take "
		       "part: domain other uses it", "choose another VF");
}

Test(preflight, names_the_wanted_vf_with_the_wrong_driver_and_the_command_that_mends_it)
{
	struct question question = two_hosts(1, 2);

	add_device(&question, "0000:08:00.2");
	vf_mappings_add(&question.wanted, "0000:08:00.2", "0000:08:00.3");
	set_text(&question.destination->pfs[0].vfs[1].driver, "vfio-pci");
	expect_refused(&question, MLX5LM_ERROR_VF, "bound to vfio-pci",
		       "at the destination: mlx5lm-configure --pf 0000:08:00.0 "
		       "--vf 1:migratable=enable --vf 1:driver=mlx5_vfio_pci --apply");
}

Test(preflight, names_the_domains_vf_that_is_not_migratable)
{
	struct question question = two_hosts(2, 2);

	add_device(&question, "0000:08:00.3");
	question.source->pfs[0].vfs[1].migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	expect_refused(&question, MLX5LM_ERROR_VF,
		       "0000:08:00.3 of the source cannot take part: migratable is disabled",
		       "migratable enable");
}

Test(preflight, says_why_no_vf_is_left)
{
	struct question question = two_hosts(1, 1);

	add_device(&question, "0000:08:00.2");
	question.destination->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	expect_refused(&question, MLX5LM_ERROR_VF,
		       "no counterpart for VF 0000:08:00.2: VF 0000:08:00.2 of the destination",
		       "--vf 0:migratable=enable");

	question = two_hosts(2, 1);
	add_device(&question, "0000:08:00.2");
	add_device(&question, "0000:08:00.3");
	expect_refused(&question, MLX5LM_ERROR_VF, "no free VF left", "create more VFs");

	question = two_hosts(1, 0);
	add_device(&question, "0000:08:00.2");
	expect_refused(&question, MLX5LM_ERROR_VF, "no free VF left",
		       "create more VFs at the destination: mlx5lm-configure --pf 0000:08:00.0 "
		       "--vfs 1 --apply");
}

Test(preflight, names_the_point_in_which_the_adapters_differ)
{
	struct question question = two_hosts(1, 1);

	add_device(&question, "0000:08:00.2");
	set_text(&question.destination->pfs[0].psid, "MT_0000000999");
	expect_refused(&question, MLX5LM_ERROR_INCOMPATIBLE,
		       "firmware.psid: 0000:08:00.0 has MT_0000000838, the destination has "
		       "MT_0000000999", "choose a destination");

	question = two_hosts(1, 1);
	add_device(&question, "0000:08:00.2");
	vf_mappings_add(&question.wanted, "0000:08:00.2", "0000:08:00.2");
	set_text(&question.destination->pfs[0].fw_running, "28.43.1014");
	expect_refused(&question, MLX5LM_ERROR_INCOMPATIBLE, "28.43.1014", "update");
}

Test(preflight, an_unlike_adapter_beside_one_that_matches_does_not_matter)
{
	struct question question = two_hosts(1, 1);
	struct mlx5lm_host *host = question.destination;
	struct mlx5lm_pf matching = host->pfs[0], *unlike;

	add_device(&question, "0000:08:00.2");
	cr_assert_eq(host_add_pf(host, &unlike), 0);
	*unlike = matching;
	host->pfs[0] = (struct mlx5lm_pf){ 0 };
	set_text(&host->pfs[0].bdf, "0000:03:00.0");
	set_text(&host->pfs[0].psid, "MT_0000000999");
	cr_assert_eq(ask(&question), 0, "%s", mlx5lm_error_get_message(question.error));
	cr_expect_str_eq(destination_of(&question, "0000:08:00.2"), "0000:08:00.2");
	done(&question);
}

Test(preflight, a_destination_without_adapter_is_incompatible)
{
	struct question question = two_hosts(1, 1);

	add_device(&question, "0000:08:00.2");
	pf_release(&question.destination->pfs[0]);
	question.destination->num_pfs = 0;
	expect_refused(&question, MLX5LM_ERROR_INCOMPATIBLE, "no mlx5 adapter", NULL);
}

Test(preflight, a_domain_without_vf_and_one_with_another_device_are_refused)
{
	struct question question = two_hosts(1, 1);

	expect_refused(&question, MLX5LM_ERROR_DOMAIN, "'guest' has no mlx5 VF", NULL);

	question = two_hosts(1, 1);
	add_device(&question, "0000:08:00.2");
	add_device(&question, "0000:01:00.0");
	expect_refused(&question, MLX5LM_ERROR_VF, "0000:01:00.0", "detach");
}

Test(preflight, a_pair_for_a_vf_that_the_domain_lacks_is_refused)
{
	struct question question = two_hosts(2, 2);

	add_device(&question, "0000:08:00.2");
	vf_mappings_add(&question.wanted, "0000:08:00.3", "0000:08:00.3");
	expect_refused(&question, MLX5LM_ERROR_VF, "does not have the VF 0000:08:00.3", NULL);
}

Test(preflight, one_host_twice_is_refused)
{
	struct question question = two_hosts(1, 2);

	add_device(&question, "0000:08:00.2");
	set_text(&question.destination->libvirt_uuid, "a");
	expect_refused(&question, MLX5LM_ERROR_INCOMPATIBLE, "host.same", "host_uuid");

	question = two_hosts(1, 2);
	add_device(&question, "0000:08:00.2");
	set_text(&question.source->boot_id, "b00d");
	set_text(&question.destination->boot_id, "b00d");
	expect_refused(&question, MLX5LM_ERROR_INCOMPATIBLE, "boot id b00d", "on the destination");
}

Test(preflight, the_driver_is_as_the_daemon_of_today_needs_it)
{
	struct question question = two_hosts(1, 1);
	struct libvirt_facts daemon = { 0 };

	add_device(&question, "0000:08:00.2");
	question.domain.hostdevs[0].managed = true;
	question.destination->libvirt_daemon_version = fact_u64(9000000);
	cr_assert_eq(ask(&question), 0);
	cr_expect_eq(question.mappings.items[0].driver, MAP_UNMANAGED);
	preflight_choose_drivers(question.destination, &daemon, &question.domain,
				 &question.mappings);
	cr_expect_eq(question.mappings.items[0].driver, MAP_UNMANAGED, "it is not known");
	daemon.daemon_version = fact_u64(10000000);
	preflight_choose_drivers(question.destination, &daemon, &question.domain,
				 &question.mappings);
	cr_expect_eq(question.mappings.items[0].driver, MAP_KEEP);
	done(&question);
}

static int ask_daemons(const char *source_uuid, const char *destination_uuid,
		       struct libvirt_domain *domain, struct mlx5lm_error **error)
{
	_cleanup_free_ char *a = str_printf("<capabilities><host><uuid>%s</uuid></host>"
					    "</capabilities>", source_uuid);
	_cleanup_free_ char *b = str_printf("<capabilities><host><uuid>%s</uuid></host>"
					    "</capabilities>", destination_uuid);
	struct libvirt_facts source = { .capabilities_xml = a };
	struct libvirt_facts destination = { .capabilities_xml = b,
					     .domains = domain,
					     .num_domains = domain ? 1 : 0 };
	struct domain_xml guest = { .name = (char *)"guest", .uuid = (char *)"1-2" };
	struct vf_mapping item = { .source = "0000:08:00.2", .destination = "0000:08:00.4" };
	struct vf_mappings mappings = { .items = &item, .length = 1 };

	return preflight_check_daemons(&source, &destination, &guest, &mappings, error);
}

Test(preflight, the_daemons_must_be_of_two_hosts)
{
	struct mlx5lm_error *error = NULL;

	cr_expect_eq(ask_daemons("aa", "bb", NULL, &error), 0);
	cr_expect_lt(ask_daemons("aa", "aa", NULL, &error), 0);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_INCOMPATIBLE);
	mlx5lm_error_free(error);
}

Test(preflight, the_destination_must_not_run_the_domain_or_use_the_vf)
{
	struct libvirt_domain same_name = { .name = (char *)"guest", .uuid = (char *)"3-4" };
	struct libvirt_domain same_uuid = { .name = (char *)"other", .uuid = (char *)"1-2" };
	struct libvirt_domain user = {
		.name = (char *)"other",
		.uuid = (char *)"3-4",
		.xml = (char *)"<domain><name>other</name><uuid>3-4</uuid><devices><hostdev "
			       "type='pci'><source><address bus='8' slot='0' function='4'/>"
			       "</source></hostdev></devices></domain>",
	};
	struct libvirt_domain broken = { .name = (char *)"other",
					 .uuid = (char *)"3-4",
					 .xml = (char *)"<domain" };
	struct mlx5lm_error *error = NULL;

	cr_expect_eq(ask_daemons("aa", "bb", &same_name, NULL), -EEXIST);
	cr_expect_eq(ask_daemons("aa", "bb", &same_uuid, NULL), -EEXIST);
	cr_expect_eq(ask_daemons("aa", "bb", &broken, NULL), 0);
	cr_expect_eq(ask_daemons("aa", "bb", &user, &error), -EBUSY);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(error), "domain other uses it"));
	cr_expect_not_null(strstr(mlx5lm_error_get_message(error), "0000:08:00.4"));
	mlx5lm_error_free(error);
}
