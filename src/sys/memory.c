// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/memory.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "sys/text_file.h"

#define MEMINFO "proc/meminfo"
#define MEMINFO_MAX_BYTES (64 * 1024)

/* The number of a line "name:   123 kB"; unknown without such a line. */
static struct fact_u64 meminfo_value(const char *text, const char *name, uint64_t unit)
{
	size_t length = strlen(name);
	unsigned long long value;
	char *end;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) != 0 || line[length] != ':')
			continue;
		line += length + 1;
		line += strspn(line, " \t");
		errno = 0;
		value = strtoull(line, &end, 10);
		if (!isdigit((unsigned char)line[0]) || errno || value > INT64_MAX / unit ||
		    (*end && !isspace((unsigned char)*end)))
			break;
		return fact_u64(value * unit);
	}
	return (struct fact_u64){ 0 };
}

static int probe_meminfo(const struct root *root, struct mlx5lm_host *host)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	r = text_file_read(root, MEMINFO, MEMINFO_MAX_BYTES, &text, &length);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return host_add_note(host, "host",
				     "memory_total_bytes hugepage_size_bytes hugepages_total "
				     "hugepages_free",
				     "memory is not known: " MEMINFO ": %s", strerror(-r));
	host->memory_total_bytes = meminfo_value(text, "MemTotal", 1024);
	host->hugepage_size_bytes = meminfo_value(text, "Hugepagesize", 1024);
	host->hugepages_total = meminfo_value(text, "HugePages_Total", 1);
	host->hugepages_free = meminfo_value(text, "HugePages_Free", 1);
	if (!host->memory_total_bytes.known) {
		r = host_add_note(host, "host", "memory_total_bytes",
				  "memory is not known: " MEMINFO " does not tell MemTotal");
		if (r < 0)
			return r;
	}
	if (host->hugepage_size_bytes.known && host->hugepages_total.known &&
	    host->hugepages_free.known)
		return 0;
	return host_add_note(host, "host", "hugepage_size_bytes hugepages_total hugepages_free",
			     "huge pages are not known: " MEMINFO " does not tell all of them, "
			     "as in a kernel without CONFIG_HUGETLBFS");
}

struct fact_u64 memory_limit(uint64_t limit_bytes)
{
	return fact_u64(limit_bytes > INT64_MAX ? INT64_MAX : limit_bytes);
}

static int probe_memlock(const struct root *root, struct mlx5lm_host *host)
{
	struct rlimit limit;

	if (!root->native)
		return host_add_note(host, "host", "memlock_limit_bytes",
				     "the limit on locked memory is not known: it is one of "
				     "processes on the machine itself");
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		host->memlock_limit_bytes = memory_limit(limit.rlim_cur);
	return 0;
}

int memory_probe(const struct root *root, struct mlx5lm_host *host)
{
	int r = probe_meminfo(root, host);

	return r < 0 ? r : probe_memlock(root, host);
}
