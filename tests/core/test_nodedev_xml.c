// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/nodedev_xml.h"

#include <criterion/criterion.h>

#include <errno.h>

static char *driver;
static struct mlx5lm_error *error;

static void release(void)
{
	free(driver);
	mlx5lm_error_free(error);
}

TestSuite(nodedev_xml, .fini = release);

Test(nodedev_xml, the_driver_is_the_devices_own)
{
	cr_assert_eq(nodedev_xml_driver("<device>\n  <name>pci_0000_40_00_2</name>\n"
					"  <capability type='pci'><driver><name>other</name>"
					"</driver></capability>\n"
					"  <driver>\n    <name>mlx5_vfio_pci</name>\n  </driver>\n"
					"</device>\n", &driver, &error), 0);
	cr_expect_str_eq(driver, "mlx5_vfio_pci");
}

Test(nodedev_xml, a_device_without_a_driver_has_none)
{
	cr_assert_eq(nodedev_xml_driver("<device><name>a</name></device>", &driver, &error), 0);
	cr_expect_str_eq(driver, "");
}

Test(nodedev_xml, what_is_no_device_is_refused)
{
	static const char *const bad[] = {
		"",
		"<device>",
		"<domain/>",
		"<!DOCTYPE a [<!ENTITY b 'c'>]><device><driver><name>&b;</name></driver></device>",
		"<device><driver><name></name></driver></device>",
		"<device><driver><name>a b</name></driver></device>",
		"<device><driver><name>../a</name></driver></device>",
		"<device><driver><name>"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"</name></driver></device>",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(nodedev_xml_driver(bad[i], &driver, &error), -EBADMSG, "case %zu", i);
		cr_expect_null(driver);
		cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_INVALID_DOCUMENT);
		mlx5lm_error_free(error);
		error = NULL;
	}
}
