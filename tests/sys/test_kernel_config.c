// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/kernel_config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <zlib.h>

#include "support/tree.h"

#define WITH_VFIO "CONFIG_MODULES=y\nCONFIG_VFIO=m\n"

static struct tree *tree;
static struct mlx5lm_host *host;
static uint8_t packed_bytes[64 * 1024];
static size_t packed_length;

static void open_tree(void)
{
	tree = tree_new();
	tree_make_dir(tree, "proc");
	cr_assert_eq(host_new(&host), 0);
	cr_assert_eq(str_replace(&host->kernel_release, TREE_RELEASE), 0);
}

static void close_tree(void)
{
	mlx5lm_host_free(host);
	tree_free(tree);
}

TestSuite(kernel_config, .init = open_tree, .fini = close_tree);

static void probe(void)
{
	_cleanup_root_ struct root *root = NULL;

	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(kernel_config_probe(root, host), 0);
}

/* A whole configuration with these lines. */
static int parse(const char *lines)
{
	_cleanup_free_ char *text = str_printf("CONFIG_MODULES=y\n%s", lines);

	cr_assert_not_null(text);
	return kernel_config_parse(text, strlen(text), host);
}

#define assert_config(name, value) cr_assert_str_eq(host_find_config(host, name), value)

Test(kernel_config, knows_y_m_and_n)
{
	cr_assert_eq(parse("# comment\n\nCONFIG_VFIO=y\nCONFIG_VFIO_PCI=m\n"
			   "# CONFIG_IOMMUFD is not set\n"),
		     0);
	assert_config("VFIO", "y");
	assert_config("VFIO_PCI", "m");
	assert_config("IOMMUFD", "n");
	assert_config("MLX5_VFIO_PCI", "n");
	cr_assert_null(host_find_config(host, "SWAP"));
}

Test(kernel_config, takes_whole_names_only)
{
	cr_assert_eq(parse("CONFIG_VFIO_PCI_X=y\nCONFIG_XVFIO=y\nXCONFIG_VFIO=y\n CONFIG_VFIO=y\n"
			   "CONFIG_VFIO\nCONFIG_VF\nCONFIG_V\nCONFIG_\nCONFIG\n#CONFIG_VFIO=y\n"),
		     0);
	assert_config("VFIO", "n");
	assert_config("VFIO_PCI", "n");
}

Test(kernel_config, the_order_is_its_own_and_not_that_of_the_file)
{
	cr_assert_eq(parse("CONFIG_NET_DEVLINK=y\nCONFIG_MLX5_CORE=m\n"), 0);
	cr_assert_str_eq(host->configs[0].name, "MLX5_CORE");
	cr_assert_gt(host->num_configs, 18);
}

Test(kernel_config, the_last_line_for_a_symbol_counts)
{
	cr_assert_eq(parse("CONFIG_VFIO=m\nCONFIG_VFIO=y\n"), 0);
	assert_config("VFIO", "y");
}

Test(kernel_config, a_value_that_is_none_stays_unknown)
{
	cr_assert_eq(parse("CONFIG_VFIO=\nCONFIG_VFIO_PCI=\xff\nCONFIG_IOMMUFD="
			   "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm\n"),
		     0);
	cr_assert_null(host_find_config(host, "VFIO"));
	cr_assert_null(host_find_config(host, "VFIO_PCI"));
	cr_assert_null(host_find_config(host, "IOMMUFD"));
	assert_config("PCI_IOV", "n");
}

static int parse_only(const char *text)
{
	return kernel_config_parse(text, strlen(text), host);
}

Test(kernel_config, what_is_no_configuration_says_nothing)
{
	cr_assert_eq(parse_only(""), -EBADMSG);
	cr_assert_eq(parse_only("\n"), -EBADMSG);
	cr_assert_eq(parse_only("\x1f\x8b\x08 garbage\n"), -EBADMSG);
	cr_assert_eq(parse_only("CONFIG_VFIO=m\n"), -EBADMSG);
	cr_assert_eq(host->num_configs, 0);
}

Test(kernel_config, what_is_cut_off_says_nothing)
{
	cr_assert_eq(parse_only("CONFIG_MODULES=y\nCONFIG_VFIO=m\nCONFIG_PCI_I"), -EBADMSG);
	cr_assert_eq(parse_only("# CONFIG_MODULES is not set"), -EBADMSG);
	cr_assert_eq(parse_only("CONFIG_MODULES="), -EBADMSG);
	cr_assert_eq(host->num_configs, 0);
}

Test(kernel_config, that_of_a_kernel_without_modules_is_one_too)
{
	cr_assert_eq(parse_only("# CONFIG_MODULES is not set\nCONFIG_VFIO=y\n"), 0);
	assert_config("MODULES", "n");
	assert_config("VFIO", "y");
}

Test(kernel_config, names_the_file_it_is_from)
{
	tree_write(tree, WITH_VFIO, "boot/config-" TREE_RELEASE);
	tree_write(tree, "CONFIG_MODULES=y\nCONFIG_VFIO=y\n", "lib/modules/" TREE_RELEASE "/config");
	probe();
	assert_config("VFIO", "m");
	cr_assert_str_eq(host->kernel_config_source, "/boot/config-" TREE_RELEASE);
	cr_assert_eq(host->num_notes, 0);
}

Test(kernel_config, looks_where_each_distribution_puts_it)
{
	static const char *const paths[] = {
		"boot/config-" TREE_RELEASE,
		"lib/modules/" TREE_RELEASE "/config",
		"usr/lib/modules/" TREE_RELEASE "/config",
		"usr/src/linux-headers-" TREE_RELEASE "/.config",
		"lib/modules/" TREE_RELEASE "/build/.config",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
		close_tree();
		open_tree();
		tree_write(tree, WITH_VFIO, "%s", paths[i]);
		probe();
		cr_assert_str_eq(host->kernel_config_source + 1, paths[i]);
		assert_config("VFIO", "m");
	}
}

Test(kernel_config, a_bad_file_does_not_hide_a_good_one)
{
	char *big = calloc(1, KERNEL_CONFIG_MAX_BYTES + 2);

	cr_assert_not_null(big);
	memset(big, '\n', KERNEL_CONFIG_MAX_BYTES + 1);
	memcpy(big, "CONFIG_VFIO=y", 13);
	tree_write(tree, big, "boot/config-" TREE_RELEASE);
	free(big);
	tree_make_dir(tree, "lib/modules/" TREE_RELEASE "/config");
	tree_write(tree, "nothing\n", "usr/lib/modules/" TREE_RELEASE "/config");
	tree_write(tree, WITH_VFIO, "usr/src/linux-headers-" TREE_RELEASE "/.config");
	probe();
	assert_config("VFIO", "m");
}

Test(kernel_config, without_a_file_all_is_unknown_and_not_n)
{
	probe();
	cr_assert_null(host->kernel_config_source);
	cr_assert_eq(host->num_configs, 0);
	cr_assert_not_null(host_find_note(host, "host", "kernel_config"));
}

static void pack(const void *text, size_t length)
{
	z_stream stream = { .next_in = (z_const Bytef *)text,
			    .avail_in = (uInt)length,
			    .next_out = packed_bytes,
			    .avail_out = sizeof(packed_bytes) };

	cr_assert_eq(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	packed_length = sizeof(packed_bytes) - stream.avail_out;
	cr_assert_eq(deflateEnd(&stream), Z_OK);
	tree_write_bytes(tree, packed_bytes, packed_length, "proc/config.gz");
}

Test(kernel_config, unpacks_what_the_kernel_itself_has)
{
	free(host->kernel_release);
	host->kernel_release = NULL;
	pack(WITH_VFIO, strlen(WITH_VFIO));
	probe();
	assert_config("VFIO", "m");
	assert_config("IOMMUFD", "n");
	cr_assert_str_eq(host->kernel_config_source, "/proc/config.gz");
	cr_assert_eq(host->num_notes, 0);
}

Test(kernel_config, a_file_is_faster_than_the_packed_one)
{
	pack(WITH_VFIO, strlen(WITH_VFIO));
	tree_write(tree, "CONFIG_MODULES=y\nCONFIG_VFIO=y\n", "boot/config-" TREE_RELEASE);
	probe();
	assert_config("VFIO", "y");
}

/* Each end that it can be cut off at, and a changed checksum. */
Test(kernel_config, a_damaged_packed_one_says_nothing)
{
	pack(WITH_VFIO, strlen(WITH_VFIO));
	for (size_t length = 0; length < packed_length; length++) {
		tree_write_bytes(tree, packed_bytes, length, "proc/config.gz");
		probe();
		cr_assert_eq(host->num_configs, 0, "%zu", length);
	}
	packed_bytes[packed_length - 5] ^= 1;
	tree_write_bytes(tree, packed_bytes, packed_length, "proc/config.gz");
	probe();
	cr_assert_eq(host->num_configs, 0);
	cr_assert_null(host->kernel_config_source);
	cr_assert_not_null(strstr(host_find_note(host, "host", "kernel_config")->text,
				  "/proc/config.gz is damaged"));
}

Test(kernel_config, a_packed_one_that_grows_without_end_is_left)
{
	const size_t size = 16 * KERNEL_CONFIG_MAX_BYTES;
	char *text = malloc(size);

	cr_assert_not_null(text);
	memset(text, '\n', size);
	memcpy(text, WITH_VFIO, strlen(WITH_VFIO));
	pack(text, size);
	probe();
	cr_assert_eq(host->num_configs, 0);
	pack(text, KERNEL_CONFIG_MAX_BYTES + 1);
	probe();
	cr_assert_eq(host->num_configs, 0);
	pack(text, KERNEL_CONFIG_MAX_BYTES);
	probe();
	assert_config("VFIO", "m");
	free(text);
}

Test(kernel_config, without_a_release_it_is_unknown)
{
	free(host->kernel_release);
	host->kernel_release = NULL;
	tree_write(tree, WITH_VFIO, "boot/config-" TREE_RELEASE);
	probe();
	cr_assert_eq(host->num_configs, 0);
	cr_assert_eq(host->num_notes, 1);
}

Test(kernel_config, a_release_cannot_lead_out_of_the_root)
{
	cr_assert_eq(str_replace(&host->kernel_release, "/../../../../../../../../etc/passwd"), 0);
	probe();
	cr_assert_eq(host->num_configs, 0);
}
