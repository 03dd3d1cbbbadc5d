// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/cmdline.h"

#include <ctype.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "sys/text_file.h"

/* A '*' at the end stands for any rest of the name. None of them ever carries a secret. */
static const char *const wanted[] = {
	/* the IOMMU, and interrupt remapping */
	"iommu", "iommu.*", "intel_iommu", "amd_iommu", "amd_iommu_*", "arm_smmu*", "intremap",
	"nointremap", "iommufd*", "mem_encrypt", "swiotlb",
	/* PCI: SR-IOV without room for its BARs, ACS, power saving */
	"pci", "pcie_*",
	/* the drivers */
	"vfio*", "mlx5*", "kvm*",
	/* what keeps a module from being loaded */
	"modprobe.blacklist", "module_blacklist", "nomodule", "module.sig_enforce", "lockdown",
	/* memory of guests */
	"hugepages", "hugepagesz", "default_hugepagesz",
};

static char plain(char c)
{
	return c == '-' ? '_' : c;
}

static bool matches(const char *name, size_t length, const char *pattern)
{
	size_t i;

	for (i = 0; i < length && pattern[i] && pattern[i] != '*'; i++) {
		if (plain(name[i]) != plain(pattern[i]))
			return false;
	}
	return pattern[i] == '*' || (i == length && !pattern[i]);
}

bool cmdline_next(const char **at, struct cmdline_item *ret)
{
	const char *c = *at, *equals = NULL;
	bool in_quotes = false, quoted;
	size_t end;

	while (isspace((unsigned char)*c))
		c++;
	quoted = *c == '"';
	*ret = (struct cmdline_item){ .text = c, .name = c + quoted };
	for (; *c && (in_quotes || !isspace((unsigned char)*c)); c++) {
		if (*c == '"')
			in_quotes = !in_quotes;
		else if (*c == '=' && !equals)
			equals = c;
	}
	*at = c;
	ret->length = (size_t)(c - ret->text);
	if (!ret->length || (ret->length == 2 && strncmp(ret->text, "--", 2) == 0))
		return false;
	end = ret->length;
	if (quoted && end > 1 && ret->text[end - 1] == '"')
		end--;
	ret->name_length = (size_t)((equals ? equals : ret->text + end) - ret->name);
	if (!equals)
		return true;
	ret->value = equals + 1;
	ret->value_length = (size_t)(ret->text + end - ret->value);
	if (ret->value_length && ret->value[0] == '"') {
		ret->value++;
		ret->value_length--;
		if (ret->value_length && ret->value[ret->value_length - 1] == '"')
			ret->value_length--;
	}
	return true;
}

bool cmdline_is(const struct cmdline_item *item, const char *name)
{
	return matches(item->name, item->name_length, name);
}

static bool is_wanted(const struct cmdline_item *item)
{
	for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++) {
		if (matches(item->name, item->name_length, wanted[i]))
			return text_is_plain(item->text, item->length);
	}
	return false;
}

int cmdline_select(const char *cmdline, char **ret)
{
	struct strbuf selected = { 0 };
	struct cmdline_item item;

	while (cmdline_next(&cmdline, &item)) {
		if (is_wanted(&item))
			strbuf_printf(&selected, "%s%.*s", selected.length ? " " : "",
				      (int)item.length, item.text);
	}
	return strbuf_take(&selected, ret);
}
