// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/host_libvirt.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "support/hosts.h"

#define DOMAIN(name, function)                                                                     \
	"<domain><name>" name "</name><uuid>1-2</uuid><devices><hostdev type='pci'><source>"       \
	"<address bus='0x08' slot='0' function='" function "'/></source></hostdev></devices>"      \
	"</domain>"

static void add_domain(struct libvirt_facts *facts, const char *name, const char *xml)
{
	struct libvirt_domain *domain;

	cr_assert_eq(libvirt_facts_add_domain(facts, &domain), 0);
	set_text(&domain->name, name);
	set_text(&domain->uuid, "1-2");
	set_text(&domain->xml, xml);
}

#define CAPABILITIES(inner) "<capabilities><host>" inner "</host></capabilities>"
#define CPU "<cpu><arch>x86_64</arch><model>EPYC-Milan</model><vendor>AMD</vendor></cpu>"
#define MIGRATION                                                                                  \
	"<migration_features><live/><uri_transports><uri_transport>tcp</uri_transport>"            \
	"<uri_transport>rdma</uri_transport><uri_transport>tcp</uri_transport></uri_transports>"   \
	"</migration_features>"

static struct mlx5lm_host *host;

static void setup(void)
{
	host = ready_host("a", 3);
	set_text(&host->libvirt_uuid, NULL);
	set_text(&host->libvirt_migration_transports, NULL);
	host->libvirt_live_migration = MLX5LM_ANSWER_UNKNOWN;
}

static void teardown(void)
{
	mlx5lm_host_free(host);
}

TestSuite(host_libvirt, .init = setup, .fini = teardown);

static void add_capabilities(const char *xml)
{
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { 0 };

	set_text(&facts.uri, "qemu:///system");
	set_text(&facts.capabilities_xml, xml);
	cr_assert_eq(host_add_libvirt(host, &facts), 0);
}

static struct mlx5lm_privilege *add_privilege(uint32_t granted)
{
	struct mlx5lm_privilege *privilege;

	cr_assert_eq(host_add_privilege(host, &privilege), 0);
	set_text(&privilege->name, "libvirt");
	set_text(&privilege->needs, "access to a socket");
	privilege->granted = granted;
	return privilege;
}

static const char *note_on(const char *fact)
{
	const struct note *note = host_find_note(host, "libvirt", fact);

	return note ? note->text : NULL;
}

Test(host_libvirt, versions_uuid_and_users_of_vfs_come_into_the_snapshot)
{
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { 0 };

	set_text(&facts.uri, "qemu:///system");
	set_text(&facts.capabilities_xml, CAPABILITIES("<uuid>abc</uuid>" CPU MIGRATION));
	facts.client_version = fact_u64(9000000);
	facts.daemon_version = fact_u64(12008000);
	facts.qemu_version = fact_u64(11001002);
	add_domain(&facts, "one", DOMAIN("one", "3"));
	add_domain(&facts, "elsewhere", "<domain><name>e</name><uuid>u</uuid></domain>");
	cr_assert_eq(host_add_libvirt(host, &facts), 0);
	cr_expect_str_eq(host->libvirt_uri, "qemu:///system");
	cr_expect_str_eq(host->libvirt_uuid, "abc");
	cr_expect_eq(host->libvirt_client_version.value, 9000000);
	cr_expect_eq(host->libvirt_daemon_version.value, 12008000);
	cr_expect_eq(host->qemu_version.value, 11001002);
	cr_expect_null(host->pfs[0].vfs[0].in_use_by);
	cr_expect_str_eq(host->pfs[0].vfs[1].in_use_by, "one");
	cr_expect_null(host->pfs[0].vfs[2].in_use_by);
	cr_expect_eq(host->num_notes, 0);
}

Test(host_libvirt, capabilities_tell_of_cpu_and_migration)
{
	add_capabilities(CAPABILITIES("<uuid>abc</uuid>" CPU MIGRATION));
	cr_expect_str_eq(host->cpu_model, "EPYC-Milan");
	cr_expect_str_eq(host->cpu_vendor, "AMD");
	cr_expect_eq(host->libvirt_live_migration, MLX5LM_ANSWER_YES);
	cr_expect_str_eq(host->libvirt_migration_transports, "rdma tcp");
	cr_expect_eq(host->num_notes, 0);
}

Test(host_libvirt, migration_that_is_not_live_is_none)
{
	add_capabilities(CAPABILITIES("<uuid>abc</uuid>" CPU
				      "<migration_features><uri_transports/></migration_features>"));
	cr_expect_eq(host->libvirt_live_migration, MLX5LM_ANSWER_NO);
	cr_expect_null(host->libvirt_migration_transports);
	cr_expect_not_null(note_on("libvirt_migration_transports"));
	cr_expect_null(note_on("libvirt_live_migration"));
}

Test(host_libvirt, what_capabilities_do_not_tell_is_unknown_and_noted)
{
	add_capabilities(CAPABILITIES("<uuid>abc</uuid><cpu><arch>aarch64</arch></cpu>"));
	cr_expect_eq(host->libvirt_live_migration, MLX5LM_ANSWER_UNKNOWN);
	cr_expect_null(host->cpu_model);
	cr_assert_eq(host->num_notes, 1);
	cr_expect_str_eq(host->notes[0].facts, "libvirt_live_migration "
					       "libvirt_migration_transports cpu_model cpu_vendor");
}

Test(host_libvirt, a_name_that_is_none_is_not_taken_over)
{
	add_capabilities(CAPABILITIES("<uuid>abc</uuid><cpu><model>two words</model>"
				      "<vendor>&#10;AMD</vendor></cpu><migration_features><live/>"
				      "<uri_transports><uri_transport/><uri_transport>t\tcp"
				      "</uri_transport></uri_transports></migration_features>"));
	cr_expect_null(host->cpu_model);
	cr_expect_null(host->cpu_vendor);
	cr_expect_null(host->libvirt_migration_transports);
	cr_expect_eq(host->libvirt_live_migration, MLX5LM_ANSWER_YES);
}

Test(host_libvirt, capabilities_that_are_no_xml_are_unknown)
{
	add_capabilities("<capabilities><host>");
	cr_expect_null(host->libvirt_uuid);
	cr_assert_eq(host->num_notes, 1);
	cr_expect_not_null(note_on("libvirt_uuid"));
	cr_expect_not_null(strstr(note_on("cpu_model"), "capabilities XML refused"));
}

Test(host_libvirt, what_libvirt_did_not_tell_becomes_a_note)
{
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { 0 };

	set_text(&facts.uri, "qemu:///system");
	set_text(&facts.capabilities_xml, CAPABILITIES(CPU MIGRATION));
	cr_assert_eq(libvirt_facts_add_note(&facts, "qemu_version", "version of %s is not known",
					    "QEMU"),
		     0);
	add_domain(&facts, "bad", "<domain");
	cr_assert_eq(host_add_libvirt(host, &facts), 0);
	cr_expect_null(host->libvirt_uuid);
	cr_expect_not(host->qemu_version.known);
	cr_assert_eq(host->num_notes, 3);
	cr_expect_str_eq(note_on("libvirt_uuid"), "its capabilities do not tell: libvirt_uuid");
	cr_expect_not_null(strstr(note_on("in_use_by"), "'bad'"));
	cr_expect_str_eq(note_on("qemu_version"), "version of QEMU is not known");
}

Test(host_libvirt, a_connection_proves_the_right_to_it)
{
	struct mlx5lm_privilege *privilege = add_privilege(MLX5LM_ANSWER_NO);

	add_capabilities(CAPABILITIES("<uuid>abc</uuid>"));
	cr_expect_eq(privilege->granted, MLX5LM_ANSWER_YES);
	cr_expect_str_eq(privilege->needs,
			 "a connection that the libvirt daemon at qemu:///system grants");
}

/* A failure with this errno, and words of libvirt. */
static void fail(enum mlx5lm_error_code code, int errnum, const char *words)
{
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { 0 };
	_cleanup_error_ struct mlx5lm_error *error = NULL;

	set_text(&facts.uri, "qemu:///system");
	facts.client_version = fact_u64(9000000);
	error_set(&error, code, errnum, MLX5LM_SOURCE_LIBVIRT, "no connection");
	if (words)
		error_add_detail(&error, "%s", words);
	cr_assert_eq(host_add_libvirt_failure(host, &facts, error), 0);
}

Test(host_libvirt, without_a_daemon_the_client_is_known_and_the_rest_noted)
{
	struct mlx5lm_privilege *privilege = add_privilege(MLX5LM_ANSWER_YES);

	host->libvirt_daemon_version = (struct fact_u64){ 0 };
	fail(MLX5LM_ERROR_CONNECT, ENOENT, "No such file");
	cr_expect_str_eq(host->libvirt_uri, "qemu:///system");
	cr_expect_eq(host->libvirt_client_version.value, 9000000);
	cr_expect_not(host->libvirt_daemon_version.known);
	cr_assert_eq(host->num_notes, 1);
	cr_expect_str_eq(note_on("libvirt_daemon_version"), "no connection (No such file)");
	cr_expect_not_null(note_on("cpu_model"));
	cr_expect_not_null(note_on("in_use_by"));
	cr_expect_null(note_on("libvirt_client_version"));
	cr_expect_eq(privilege->granted, MLX5LM_ANSWER_YES);
	cr_expect_str_eq(privilege->needs, "access to a socket");
}

Test(host_libvirt, a_daemon_that_refuses_says_what_is_missing)
{
	static const struct {
		enum mlx5lm_error_code code;
		int errnum;
	} cases[] = { { MLX5LM_ERROR_PERMISSION, EACCES },
		      { MLX5LM_ERROR_CONNECT, EACCES },
		      { MLX5LM_ERROR_CONNECT, EPERM } };
	struct mlx5lm_privilege *privilege = add_privilege(MLX5LM_ANSWER_YES);

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		privilege->granted = MLX5LM_ANSWER_YES;
		fail(cases[i].code, cases[i].errnum, "authentication unavailable");
		cr_expect_eq(privilege->granted, MLX5LM_ANSWER_NO);
		cr_expect_not_null(strstr(privilege->needs, "authentication unavailable"));
	}
}

Test(host_libvirt, one_that_was_not_asked_leaves_all_unknown)
{
	cr_assert_eq(host_skip_libvirt(host, "the caller named no daemon"), 0);
	cr_expect_str_eq(note_on("libvirt_client_version"),
			 "it was not asked: the caller named no daemon");
	cr_expect_not_null(note_on("libvirt_uri"));
	cr_expect_not_null(note_on("cpu_vendor"));
}

Test(host_libvirt, finds_the_user_of_a_device)
{
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { 0 };
	const char *user = NULL;

	add_domain(&facts, "one", DOMAIN("one", "3"));
	add_domain(&facts, "two", DOMAIN("two", "4"));
	cr_expect_eq(libvirt_facts_find_user(&facts, "08:00.4", &user), 0);
	cr_expect_str_eq(user, "two");
	user = NULL;
	cr_expect_eq(libvirt_facts_find_user(&facts, "0000:08:00.5", &user), 0);
	cr_expect_null(user);
}
