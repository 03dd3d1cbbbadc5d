// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/kernel_config.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "sys/gunzip.h"
#include "sys/text_file.h"

static const char *const symbols[] = {
	"MLX5_CORE",
	"MLX5_ESWITCH",
	"MLX5_VFIO_PCI",
	"VFIO",
	"VFIO_PCI",
	"VFIO_PCI_CORE",
	"VFIO_GROUP",
	"VFIO_CONTAINER",
	"VFIO_IOMMU_TYPE1",
	"VFIO_DEVICE_CDEV",
	"VFIO_NOIOMMU",
	"VFIO_DEBUGFS",
	"IOMMUFD",
	"PCI_IOV",
	"IOMMU_SUPPORT",
	"INTEL_IOMMU",
	"INTEL_IOMMU_DEFAULT_ON",
	"AMD_IOMMU",
	"FWCTL",
	"FWCTL_MLX5",
	"NET_DEVLINK",
	"MODULES",
	"SECURITY_LOCKDOWN_LSM",
};

/* Any of our symbols is a switch; what a hostile file says at more length is left out. */
#define MAX_VALUE 64

#define PACKED "/proc/config.gz"

#define PREFIX "CONFIG_"
#define PREFIX_LENGTH (sizeof(PREFIX) - 1)

struct span {
	const char *text; /* NULL: the symbol is not set */
	size_t length;
};

/*
 * For each letter that a symbol may begin with, a bit for each that may come next: a look at it
 * settles nearly all of the 10,000 lines of a file.
 */
struct letters {
	uint32_t second[32];
};

static bool may_begin_symbol(const struct letters *letters, const char *text)
{
	return letters->second[text[0] & 31] >> (text[1] & 31) & 1;
}

static void find_letters(struct letters *ret)
{
	for (size_t i = 0; i < ARRAY_LENGTH(symbols); i++)
		ret->second[symbols[i][0] & 31] |= UINT32_C(1) << (symbols[i][1] & 31);
}

/* Which symbol a line "MLX5_CORE=m" (the prefix is off) is about; false if none. */
static bool find_symbol(const char *text, size_t length, size_t *ret)
{
	for (size_t i = 0; i < ARRAY_LENGTH(symbols); i++) {
		size_t name_length;

		if (symbols[i][0] != text[0])
			continue;
		name_length = strlen(symbols[i]);
		if (length > name_length && text[name_length] == '=' &&
		    memcmp(text, symbols[i], name_length) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool is_value(struct span value)
{
	return value.length && value.length <= MAX_VALUE &&
	       text_is_plain(value.text, value.length);
}

/* The last of two lines for one symbol counts, as for Kconfig. */
static void scan(const char *text, size_t length, struct span values[ARRAY_LENGTH(symbols)])
{
	struct letters letters = { 0 };
	const char *end = text + length, *line_end, *name;
	size_t i;

	find_letters(&letters);
	for (const char *line = text; line < end; line = line_end + (line_end < end)) {
		line_end = memchr(line, '\n', (size_t)(end - line));
		if (!line_end)
			line_end = end;
		if (line_end - line < (ptrdiff_t)PREFIX_LENGTH + 2)
			continue;
		name = line + PREFIX_LENGTH;
		if (!may_begin_symbol(&letters, name) ||
		    memcmp(line, PREFIX, PREFIX_LENGTH) != 0)
			continue;
		if (find_symbol(name, (size_t)(line_end - name), &i)) {
			values[i].text = name + strlen(symbols[i]) + 1;
			values[i].length = (size_t)(line_end - values[i].text);
		}
	}
}

/*
 * Of a text that is cut off, or is something else, what is missing does not tell anything. Any
 * configuration says whether there are modules, and its last line has an end.
 */
static bool is_whole(const char *text, size_t length)
{
	static const char yes[] = "\nCONFIG_MODULES=", no[] = "\n# CONFIG_MODULES is not set\n";

	if (!text || !length || length > KERNEL_CONFIG_MAX_BYTES || text[length - 1] != '\n')
		return false;
	return memmem(text, length, yes, sizeof(yes) - 1) ||
	       memmem(text, length, no, sizeof(no) - 1) ||
	       (length >= sizeof(yes) - 2 && memcmp(text, yes + 1, sizeof(yes) - 2) == 0) ||
	       (length >= sizeof(no) - 2 && memcmp(text, no + 1, sizeof(no) - 2) == 0);
}

int kernel_config_parse(const char *text, size_t length, struct mlx5lm_host *host)
{
	struct span values[ARRAY_LENGTH(symbols)] = { 0 };
	char value[MAX_VALUE + 1];
	int r;

	if (!is_whole(text, length))
		return -EBADMSG;
	scan(text, length, values);
	for (size_t i = 0; i < ARRAY_LENGTH(symbols); i++) {
		if (values[i].text && !is_value(values[i]))
			continue;
		strcpy(value, "n");
		if (values[i].text)
			snprintf(value, sizeof(value), "%.*s", (int)values[i].length,
				 values[i].text);
		r = host_add_config(host, symbols[i], value);
		if (r < 0)
			return r;
	}
	return 0;
}

/* path is absolute, as the host calls it. */
static int try_file(const struct root *root, const char *path, struct mlx5lm_host *host)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	r = text_file_read(root, path + 1, KERNEL_CONFIG_MAX_BYTES, &text, &length);
	if (r == 0)
		r = kernel_config_parse(text, length, host);
	return r < 0 ? r : str_replace(&host->kernel_config_source, path);
}

/* CONFIG_IKCONFIG_PROC; the kernel packs it, and knows nothing of files that were replaced. */
static int try_packed(const struct root *root, struct mlx5lm_host *host)
{
	_cleanup_free_ char *packed = NULL, *text = NULL;
	size_t packed_length, length;
	int r;

	r = text_file_read(root, &PACKED[1], KERNEL_CONFIG_MAX_BYTES, &packed, &packed_length);
	if (r == 0)
		r = gunzip(packed, packed_length, KERNEL_CONFIG_MAX_BYTES, &text, &length);
	if (r == 0)
		r = kernel_config_parse(text, length, host);
	return r < 0 ? r : str_replace(&host->kernel_config_source, PACKED);
}

int kernel_config_probe(const struct root *root, struct mlx5lm_host *host)
{
	static const char *const places[][2] = {
		{ "/boot/config-", "" },
		{ "/lib/modules/", "/config" },
		{ "/usr/lib/modules/", "/config" },
		{ "/usr/src/linux-headers-", "/.config" },
		{ "/lib/modules/", "/build/.config" },
	};
	const char *release = host->kernel_release;
	char path[PATH_MAX], bad[PATH_MAX] = "";
	int r;

	for (size_t i = 0; release && i < ARRAY_LENGTH(places); i++) {
		snprintf(path, sizeof(path), "%s%s%s", places[i][0], release, places[i][1]);
		r = try_file(root, path, host);
		if (r == 0 || r == -ENOMEM)
			return r;
		if (r == -EBADMSG && !bad[0])
			strcpy(bad, path);
	}
	/* Last, for it is the slowest. */
	r = try_packed(root, host);
	if (r == 0 || r == -ENOMEM)
		return r;
	if (r == -EBADMSG && !bad[0])
		strcpy(bad, PACKED);
	if (bad[0])
		return host_add_note(host, "host", "kernel_config kernel_config_source",
				     "what the kernel was built with is not known: %s is damaged, "
				     "or not all there", bad);
	return host_add_note(host, "host", "kernel_config kernel_config_source",
			     "what the kernel was built with is not known: there is no readable "
			     "boot/config-%s, nor one in lib/modules or usr/src, nor proc/config.gz",
			     release ? release : "(release)");
}
