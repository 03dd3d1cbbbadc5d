// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/cmdline.h"

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/str.h"

static void assert_selected(const char *cmdline, const char *expected)
{
	_cleanup_free_ char *selected = NULL;

	cr_assert_eq(cmdline_select(cmdline, &selected), 0);
	cr_assert_str_eq(selected, expected);
}

Test(cmdline, keeps_what_bears_on_the_job)
{
	assert_selected("ro iommu=pt intel_iommu=on vfio_pci.ids=15b3:101e quiet pci=realloc "
			"pcie_acs_override=downstream module_blacklist=a,b lockdown=integrity "
			"default_hugepagesz=1G hugepagesz=1G hugepages=16\n",
			"iommu=pt intel_iommu=on vfio_pci.ids=15b3:101e pci=realloc "
			"pcie_acs_override=downstream module_blacklist=a,b lockdown=integrity "
			"default_hugepagesz=1G hugepagesz=1G hugepages=16");
}

Test(cmdline, leaves_all_else_out_for_it_may_be_a_secret)
{
	assert_selected("luks.key=hunter2 ip=10.0.0.1 iommu_password=x pcix=1 vf=1 lockdownx", "");
	assert_selected("", "");
	assert_selected(" \n", "");
}

Test(cmdline, dashes_and_underscores_are_the_same)
{
	assert_selected("vfio-pci.ids=1:2 intel-iommu=on modprobe.blacklist=x",
			"vfio-pci.ids=1:2 intel-iommu=on modprobe.blacklist=x");
}

Test(cmdline, quotes_keep_a_value_together)
{
	assert_selected("foo=\"iommu=off x\" pci=\"a b\" \"iommu=pt x\" quiet",
			"pci=\"a b\" \"iommu=pt x\"");
	assert_selected("pci=\"never ends iommu=pt", "pci=\"never ends iommu=pt");
}

Test(cmdline, what_follows_two_dashes_is_for_init)
{
	assert_selected("iommu=pt -- iommu=off", "iommu=pt");
	assert_selected("iommu=pt --x pci=1", "iommu=pt pci=1");
}

Test(cmdline, what_is_no_plain_text_is_left_out)
{
	assert_selected("iommu=\xff\xfe pci=\x01 vfio.x=1", "vfio.x=1");
}

Test(cmdline, a_value_comes_without_its_quotes)
{
	const char *at = "a=\"b c\" \"d=e f\" g \"h\" i=\" j=";
	static const struct {
		const char *name, *value;
	} expected[] = { { "a", "b c" }, { "d", "e f" }, { "g", NULL }, { "h", NULL },
			 { "i", " j=" } };
	struct cmdline_item item;

	for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
		_cleanup_free_ char *value = NULL;

		cr_assert(cmdline_next(&at, &item));
		cr_assert(cmdline_is(&item, expected[i].name));
		cr_assert_eq(!item.value, !expected[i].value);
		if (!item.value)
			continue;
		value = strndup(item.value, item.value_length);
		cr_assert_str_eq(value, expected[i].value);
	}
	cr_assert_not(cmdline_next(&at, &item));
}
