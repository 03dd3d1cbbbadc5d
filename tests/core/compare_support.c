// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compare_support.h"

#include <criterion/criterion.h>

#include "support/hosts.h"

const struct mlx5lm_finding *find_id(const struct mlx5lm_comparison *comparison, const char *id)
{
	for (size_t i = 0; i < comparison->findings.length; i++) {
		if (streq(comparison->findings.items[i].text[MLX5LM_FINDING_ID], id))
			return &comparison->findings.items[i];
	}
	return NULL;
}

struct two_hosts ready_hosts(size_t source_vfs, size_t destination_vfs)
{
	return (struct two_hosts){ .source = ready_host("a", source_vfs),
				   .destination = ready_host("b", destination_vfs) };
}

struct two_hosts known_hosts(size_t source_vfs, size_t destination_vfs)
{
	return (struct two_hosts){ .source = fully_known_host("a", source_vfs),
				   .destination = fully_known_host("b", destination_vfs) };
}

void compare_both(struct two_hosts *hosts)
{
	comparison_release(&hosts->comparison);
	cr_assert_eq(compare_hosts(hosts->source, hosts->destination, NULL, &hosts->comparison,
				   NULL), 0);
}

void two_hosts_release(struct two_hosts *hosts)
{
	comparison_release(&hosts->comparison);
	mlx5lm_host_free(hosts->source);
	mlx5lm_host_free(hosts->destination);
}
