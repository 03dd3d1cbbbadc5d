// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/host_libvirt.h"

#include <criterion/criterion.h>

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

Test(host_libvirt, versions_uuid_and_users_of_vfs_come_into_the_snapshot)
{
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { 0 };
	struct mlx5lm_host *host = ready_host("a", 3);

	set_text(&facts.uri, "qemu:///system");
	set_text(&facts.capabilities_xml,
		 "<capabilities><host><uuid>abc</uuid></host></capabilities>");
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
	mlx5lm_host_free(host);
}

Test(host_libvirt, what_libvirt_did_not_tell_becomes_a_note)
{
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { 0 };
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->libvirt_uuid, NULL);
	set_text(&facts.uri, "qemu:///system");
	set_text(&facts.capabilities_xml, "<capabilities/>");
	cr_assert_eq(strv_take(&facts.notes, strdup("version of QEMU is not known")), 0);
	add_domain(&facts, "bad", "<domain");
	cr_assert_eq(host_add_libvirt(host, &facts), 0);
	cr_expect_null(host->libvirt_uuid);
	cr_expect_not(host->qemu_version.known);
	cr_assert_eq(host->num_notes, 3);
	cr_expect_not_null(strstr(host->notes[0].line, "UUID"));
	cr_expect_not_null(strstr(host->notes[1].line, "'bad'"));
	cr_expect_not_null(strstr(host->notes[2].line, "version of QEMU"));
	mlx5lm_host_free(host);
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
