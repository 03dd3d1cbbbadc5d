// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "core/plan_internal.h"

static const struct mlx5lm_privilege *find_privilege(const struct mlx5lm_host *host,
						     enum step_kind kind)
{
	const struct mlx5lm_privilege *privilege = host_find_privilege(host, step_id(kind));

	/* What older snapshots call it. */
	if (!privilege && kind == STEP_NV)
		privilege = host_find_privilege(host, "nv-config");
	return privilege;
}

static void add_line(struct strbuf *lines, const struct mlx5lm_privilege *privilege)
{
	strbuf_printf(lines, "%s%s: %s", lines->length ? "\n" : "", privilege->name,
		      privilege->needs ? privilege->needs : "not granted");
}

static int take_lines(struct strbuf *lines, char **ret)
{
	*ret = NULL;
	return lines->length || lines->error ? strbuf_take(lines, ret) : 0;
}

int plan_missing_rights(const struct mlx5lm_host *host, const struct step_list *list, char **ret)
{
	_cleanup_(strbuf_release) struct strbuf lines = { 0 };
	bool seen[NUM_STEP_KINDS] = { false };

	for (size_t i = 0; i < list->length; i++) {
		enum step_kind kind = list->steps[i].kind;
		const struct mlx5lm_privilege *privilege;

		if (seen[kind])
			continue;
		seen[kind] = true;
		privilege = find_privilege(host, kind);
		if (privilege && privilege->granted == MLX5LM_ANSWER_NO)
			add_line(&lines, privilege);
	}
	return take_lines(&lines, ret);
}

/* Rights that are of no use to a configuration. */
static bool is_foreign(const char *name)
{
	return streq(name, "open-vfio") || streq(name, "libvirt");
}

int plan_all_missing_rights(const struct mlx5lm_host *host, char **ret)
{
	_cleanup_(strbuf_release) struct strbuf lines = { 0 };

	for (size_t i = 0; i < host->num_privileges; i++) {
		const struct mlx5lm_privilege *privilege = &host->privileges[i];

		if (privilege->granted == MLX5LM_ANSWER_NO && privilege->name &&
		    !is_foreign(privilege->name))
			add_line(&lines, privilege);
	}
	return take_lines(&lines, ret);
}
