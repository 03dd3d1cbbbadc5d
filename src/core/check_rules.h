/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_CHECK_RULES_H
#define CORE_CHECK_RULES_H

#include <inttypes.h>

#include "core/check.h"
#include "core/vf_ready.h"

/* What the rules of mlx5lm_check(), check_*.c, share. */
struct checker {
	const struct mlx5lm_host *host;
	const struct mlx5lm_profile *profile;
	const struct mlx5lm_vf *only; /* the VF that is asked for; NULL: all */
	const struct mlx5lm_pf *spare; /* a PF that the host is ready without; or NULL */
	struct mlx5lm_findings *findings;
};

/* What a finding is about: the host, a PF, or a VF of a PF. */
struct about {
	const struct mlx5lm_pf *pf;
	const struct mlx5lm_vf *vf;
};

#define ABOUT_HOST ((struct about){ NULL, NULL })
#define ABOUT_PF(pf) ((struct about){ (pf), NULL })
#define ABOUT_VF(pf, vf) ((struct about){ (pf), (vf) })

/* A finding; the profile may change its status. */
struct mlx5lm_finding *point(struct checker *checker, struct about about, const char *id,
			     enum mlx5lm_status status, const char *message);

/*
 * A point that cannot be looked at, or need not be, because of another one that is in the way:
 * one cause makes one failure.
 */
struct mlx5lm_finding *point_follows(struct checker *checker, struct about about, const char *id,
				     const char *message, const char *cause_id);

/* For the rules: they have a checker and the finding at hand. */
#define FOUND(...) finding_set(checker->findings, finding, MLX5LM_FINDING_FOUND, __VA_ARGS__)
#define REQUIRED(...) finding_set(checker->findings, finding, MLX5LM_FINDING_REQUIRED, __VA_ARGS__)
#define REMEDY(...) finding_set(checker->findings, finding, MLX5LM_FINDING_REMEDY, __VA_ARGS__)

#define VERSION_FORMAT "%u.%u.%u"
#define VERSION_ARGS(v) (v).part[0], (v).part[1], (v).part[2]

/* The evidence: where a fact comes from, and what it says or why it is not known. */
void explain(struct checker *checker, struct mlx5lm_finding *finding, struct about about,
	     const struct fact_table *table, const void *object, size_t offset);
void explain_nv(struct checker *checker, struct mlx5lm_finding *finding,
		const struct mlx5lm_pf *pf, const char *name);
void explain_config(struct checker *checker, struct mlx5lm_finding *finding, const char *name);

#define EXPLAIN_HOST(member)                                                                       \
	explain(checker, finding, ABOUT_HOST, &host_table, checker->host,                          \
		offsetof(struct mlx5lm_host, member))
#define EXPLAIN_MODULE(module, member)                                                             \
	explain(checker, finding, ABOUT_HOST, &module_table, module,                               \
		offsetof(struct mlx5lm_module, member))
#define EXPLAIN_PF(pf_, member)                                                                    \
	explain(checker, finding, ABOUT_PF(pf_), &pf_table, pf_, offsetof(struct mlx5lm_pf, member))
#define EXPLAIN_VF(pf_, vf_, member)                                                               \
	explain(checker, finding, ABOUT_VF(pf_, vf_), &vf_table, vf_,                              \
		offsetof(struct mlx5lm_vf, member))

/* The snapshot is of a tree that is not a running machine's: what asks the kernel is missing. */
bool is_recorded(const struct mlx5lm_host *host);

/* False if it is not known, too. */
bool module_is_missing(const struct mlx5lm_host *host, const char *name);
bool module_is_out_of_tree(const struct mlx5lm_host *host, const char *name);

/* A port function of the PF shows the attribute: kernel, firmware and NV configuration do it. */
bool pf_offers_migratable(const struct mlx5lm_pf *pf);
/* What the NV configuration governs shows that nothing of it has to change. */
bool pf_proves_nv(const struct mlx5lm_pf *pf);
/* This parameter is known to be in the way: "SRIOV_EN" and so on. */
bool nv_fails(const struct mlx5lm_pf *pf, const char *name);
/* The command that changes NV configuration: "mstconfig" or "mlxconfig". */
const char *nv_tool(const struct mlx5lm_pf *pf);

/* The groups of rules, in the order of their findings. */
void check_kernel(struct checker *checker);
void check_modules(struct checker *checker);
void check_platform(struct checker *checker);
void check_kernel_defects(struct checker *checker);
void check_software(struct checker *checker);
void check_privileges(struct checker *checker);
void check_pf(struct checker *checker, const struct mlx5lm_pf *pf);
void check_nv(struct checker *checker, const struct mlx5lm_pf *pf);
int check_vfs(struct checker *checker, const struct mlx5lm_pf *pf);

#endif
