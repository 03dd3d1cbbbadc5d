// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check_rules.h"

#include <errno.h>

/*
 * Fixes of drivers/vfio and of mlx5's part in it, by the release of a stable series that
 * brought them (the shortlogs of the stable releases). A kernel of a series that is not here
 * has all of them or is none that the numbers say something of.
 */
static const struct {
	struct version fixed;
	const char *what;
} fixes[] = {
	{ { { 6, 1, 82 } }, "iova_bitmap: bounds of the dirty bitmap" },
	{ { { 6, 1, 123 } }, "vfio/mlx5: alignment of the tracker's message size" },
	{ { { 6, 1, 129 } }, "iova_bitmap: shift of the dirty bitmap" },
	{ { { 6, 1, 148 } }, "vfio/pci: VFs open and reset apart from each other" },
	{ { { 6, 1, 153 } }, "vfio/mlx5: overflow of the tracker's message size" },
	{ { { 6, 12, 5 } }, "vfio/mlx5: alignment of the tracker's message size" },
	{ { { 6, 12, 13 } }, "iova_bitmap: shift of the dirty bitmap" },
	{ { { 6, 12, 43 } }, "vfio/pci: VFs open and reset apart from each other" },
	{ { { 6, 12, 43 } }, "vfio/mlx5: overflow of the tracker's message size" },
	{ { { 6, 12, 96 } }, "vfio: endless loop in vfio_mig_get_next_state()" },
	{ { { 6, 12, 100 } }, "vfio/mlx5: racy bitfields, CVE-2026-64472" },
	{ { { 7, 3, 4 } }, "vfio/mlx5: the last report of dirty pages is dropped" },
};

static bool same_series(const struct version *a, const struct version *b)
{
	return a->part[0] == b->part[0] && a->part[1] == b->part[1];
}

static void check_fixes(struct checker *checker, const struct version *version)
{
	struct mlx5lm_finding *finding;
	const struct version *newest = NULL;
	struct strbuf missing = { 0 };
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < ARRAY_LENGTH(fixes); i++) {
		if (!same_series(&fixes[i].fixed, version) ||
		    version_compare(version, &fixes[i].fixed) >= 0)
			continue;
		newest = &fixes[i].fixed;
		strbuf_printf(&missing, "%s%s (" VERSION_FORMAT ")", missing.length ? "; " : "",
			      fixes[i].what, VERSION_ARGS(fixes[i].fixed));
	}
	if (strbuf_take(&missing, &text) < 0)
		checker->findings->error = -ENOMEM;
	if (!newest || !text)
		return;
	finding = point(checker, ABOUT_HOST, "kernel.vfio_mlx5_fixes", MLX5LM_STATUS_WARN,
			"the kernel lacks fixes of VF live migration");
	FOUND("%s, without: %s", checker->host->kernel_release, text);
	REQUIRED(VERSION_FORMAT " or newer", VERSION_ARGS(*newest));
	REMEDY("update the kernel");
	EXPLAIN_HOST(kernel_release);
}

static void check_migratable_disable(struct checker *checker, const struct version *version)
{
	static const struct version first = { { 6, 2, 0 } }, fixed = { { 6, 4, 11 } };
	struct mlx5lm_finding *finding;

	if (version_compare(version, &first) < 0 || version_compare(version, &fixed) >= 0)
		return;
	finding = point(checker, ABOUT_HOST, "kernel.migratable_disable", MLX5LM_STATUS_WARN,
			"\"migratable disable\" enables it in this kernel");
	FOUND("%s", checker->host->kernel_release);
	REQUIRED("6.4.11 or newer (6.1 and older have no migratable)");
	REMEDY("update the kernel; until then create the VFs anew to disable migratable");
	EXPLAIN_HOST(kernel_release);
}

static void check_chunk_mode(struct checker *checker, const struct version *version)
{
	static const struct version first = { { 6, 7, 0 } };
	struct mlx5lm_finding *finding;

	if (version_compare(version, &first) >= 0)
		return;
	finding = point(checker, ABOUT_HOST, "kernel.chunk_mode", MLX5LM_STATUS_WARN,
			"this kernel moves the state of a VF in one piece of at most 4 GiB; a "
			"larger one cannot be migrated");
	FOUND("%s", checker->host->kernel_release);
	REQUIRED("6.7 or newer");
	REMEDY("update the kernel if guests have VFs with many resources");
	EXPLAIN_HOST(kernel_release);
}

/* Only where the numbers of the kernel tell what the modules can do. */
void check_kernel_defects(struct checker *checker)
{
	const struct mlx5lm_host *host = checker->host;
	struct version version;

	if (!host->kernel_release || !version_is_plain(host->kernel_release) ||
	    version_parse(host->kernel_release, &version) < 0)
		return;
	if (!module_is_out_of_tree(host, "mlx5_core"))
		check_migratable_disable(checker, &version);
	/* A kernel without the driver is mended by another one. */
	if (module_is_out_of_tree(host, VARIANT_DRIVER) || module_is_missing(host, VARIANT_DRIVER))
		return;
	check_chunk_mode(checker, &version);
	check_fixes(checker, &version);
}
