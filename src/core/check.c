// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check_rules.h"

#include <errno.h>

#include "core/bdf.h"

struct mlx5lm_finding *point(struct checker *checker, struct about about, const char *id,
			     enum mlx5lm_status status, const char *message)
{
	const char *object = about.vf ? about.vf->bdf : about.pf ? about.pf->bdf : "host";
	bool spare = about.pf && about.pf == checker->spare && status != MLX5LM_STATUS_PASS;
	struct mlx5lm_finding *finding =
		findings_add(checker->findings,
			     spare ? MLX5LM_STATUS_INFO :
				     profile_severity(checker->profile, id, status),
			     id, object ? object : "unknown");

	if (spare)
		finding_explain(checker->findings, finding,
				"%s has no VFs, and another PF of the host has ready ones",
				object);
	finding_set(checker->findings, finding, MLX5LM_FINDING_SCOPE, "%s",
		    about.vf ? "vf" : about.pf ? "pf" : "host");
	finding_set(checker->findings, finding, MLX5LM_FINDING_MESSAGE, "%s", message);
	return finding;
}

struct mlx5lm_finding *point_follows(struct checker *checker, struct about about, const char *id,
				     const char *message, const char *cause_id)
{
	struct mlx5lm_finding *finding = point(checker, about, id, MLX5LM_STATUS_PASS, message);

	/* Not by the profile, which means the point itself. */
	if (finding)
		finding->status = MLX5LM_STATUS_INFO;
	FOUND("not looked at");
	REMEDY("see %s first", cause_id);
	return finding;
}

bool is_recorded(const struct mlx5lm_host *host)
{
	return host_find_note(host, "host", "psid");
}

static void check_adapters(struct checker *checker)
{
	const struct note *note = host_find_note(checker->host, "host", "pfs");
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_PASS;

	if (!checker->host->num_pfs)
		status = note ? MLX5LM_STATUS_UNKNOWN : MLX5LM_STATUS_FAIL;
	finding = point(checker, ABOUT_HOST, "adapter.present", status, "mlx5 adapters");
	FOUND("%zu", checker->host->num_pfs);
	REQUIRED("1 or more");
	if (status != MLX5LM_STATUS_PASS)
		REMEDY("look for the adapter with: lspci -d 15b3:");
	for (size_t i = 0; i < checker->host->num_pfs; i++)
		EXPLAIN_PF(&checker->host->pfs[i], device_id);
	if (!checker->host->num_pfs)
		finding_explain(checker->findings, finding, "%s: %s", pf_table.fields[0].source,
				note ? note->text : "none");
}

/* Finds what scope names; *pf is NULL for all of the host, *vf for all of the PF. */
static int find_scope(const struct mlx5lm_host *host, const char *scope,
		      const struct mlx5lm_pf **pf, const struct mlx5lm_vf **vf)
{
	*pf = NULL;
	*vf = NULL;
	if (!scope || streq(scope, "host"))
		return 0;
	for (size_t i = 0; i < host->num_pfs; i++) {
		if (!bdf_equal(host->pfs[i].bdf, scope))
			continue;
		*pf = &host->pfs[i];
		return 0;
	}
	*vf = host_find_vf(host, scope, pf);
	return *vf ? 0 : -ENOENT;
}

static bool has_ready_vf(const struct mlx5lm_pf *pf)
{
	bool ready = false;

	for (size_t i = 0; i < pf->num_vfs && !ready; i++) {
		_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };

		ready = vf_check_role(pf, &pf->vfs[i], VF_SOURCE, &unfit) == 0 && !unfit.reason;
	}
	return ready;
}

/*
 * The second port of an adapter, or a card for other work: what it lacks makes no host unfit
 * that has VFs to migrate elsewhere.
 */
static bool is_spare(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf)
{
	if (pf->num_vfs)
		return false;
	for (size_t i = 0; i < host->num_pfs; i++) {
		if (has_ready_vf(&host->pfs[i]))
			return true;
	}
	return false;
}

int check_host(const struct mlx5lm_host *host, const struct mlx5lm_profile *profile,
	       const char *scope, struct mlx5lm_findings *findings)
{
	struct checker checker = { .host = host, .profile = profile, .findings = findings };
	const struct mlx5lm_pf *only;
	int r;

	r = find_scope(host, scope, &only, &checker.only);
	if (r < 0)
		return r;
	check_kernel(&checker);
	check_modules(&checker);
	check_platform(&checker);
	check_kernel_defects(&checker);
	check_software(&checker);
	check_privileges(&checker);
	check_adapters(&checker);
	for (size_t i = 0; i < host->num_pfs; i++) {
		if (only && only != &host->pfs[i])
			continue;
		/* Who names a PF wants to know of it. */
		checker.spare = !only && is_spare(host, &host->pfs[i]) ? &host->pfs[i] : NULL;
		check_pf(&checker, &host->pfs[i]);
		r = check_vfs(&checker, &host->pfs[i]);
		if (r < 0)
			return r;
	}
	return findings->error;
}
