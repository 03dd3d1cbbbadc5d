// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check_rules.h"

#include <stdio.h>

#include "core/bdf.h"

#define MIGRATION_DEFAULT 0
#define MIGRATION_ENABLED 2
#define LINK_ETHERNET 2

enum nv_outcome {
	NV_UNKNOWN,
	NV_GOOD,
	NV_PROVEN,	/* reads otherwise, but what it governs is there */
	NV_UNDECIDED,	/* the device's default, which no document explains */
	NV_PENDING,	/* a reboot will bring it */
	NV_LOST,	/* a reboot will take it away */
	NV_OFF,
	NV_UNSUPPORTED, /* the adapter or its firmware cannot */
};

static bool proves_sriov(const struct mlx5lm_pf *pf)
{
	return pf->sriov_total_vfs.known && pf->sriov_total_vfs.value > 0;
}

static const struct nv_rule {
	const char *id;
	const char *name;
	uint64_t min, max; /* what is wanted */
	bool (*proves)(const struct mlx5lm_pf *pf);
	const char *set; /* what mends it */
	const char *message;
} rules[] = {
	{ "nv.sriov_en", "SRIOV_EN", 1, 1, proves_sriov, "SRIOV_EN=1 NUM_OF_VFS=4",
	  "SR-IOV in the NV configuration" },
	{ "nv.num_of_vfs", "NUM_OF_VFS", 1, UINT64_MAX, proves_sriov, "NUM_OF_VFS=4",
	  "number of VFs in the NV configuration" },
	{ "nv.vf_migration_mode", "VF_MIGRATION_MODE", MIGRATION_ENABLED, MIGRATION_ENABLED,
	  pf_offers_migratable, "VF_MIGRATION_MODE=2", "VF migration in the NV configuration" },
};

bool pf_offers_migratable(const struct mlx5lm_pf *pf)
{
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (pf->vfs[i].migratable == MLX5LM_PORT_ATTR_STATE_ENABLED ||
		    pf->vfs[i].migratable == MLX5LM_PORT_ATTR_STATE_DISABLED)
			return true;
	}
	return false;
}

bool pf_proves_nv(const struct mlx5lm_pf *pf)
{
	return proves_sriov(pf) && pf_offers_migratable(pf);
}

const char *nv_tool(const struct mlx5lm_pf *pf)
{
	return streq(pf->nv_source, "mlxconfig") ? "mlxconfig" : "mstconfig";
}

static bool is_wanted(const struct nv_rule *rule, uint64_t value)
{
	return value >= rule->min && value <= rule->max;
}

static bool is_undecided(const struct nv_rule *rule, const struct mlx5lm_pf *pf, uint64_t value)
{
	if (rule->max != MIGRATION_ENABLED || value != MIGRATION_DEFAULT)
		return false;
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (pf->vfs[i].migratable == MLX5LM_PORT_ATTR_STATE_UNSUPPORTED)
			return false;
	}
	return true;
}

static enum nv_outcome outcome(const struct nv_rule *rule, const struct mlx5lm_pf *pf)
{
	const struct mlx5lm_nv *nv = pf_find_nv(pf, rule->name);
	bool proven = rule->proves(pf), now, next;

	if (!nv)
		return NV_UNKNOWN;
	if (nv->supported == MLX5LM_ANSWER_NO)
		return proven ? NV_PROVEN : NV_UNSUPPORTED;
	if (!nv->current.known && !nv->next_boot.known)
		return NV_UNKNOWN;
	/* devlink tells the next boot only; what is there tells what is in effect. */
	now = nv->current.known ? is_wanted(rule, nv->current.value) : proven;
	next = nv->next_boot.known ? is_wanted(rule, nv->next_boot.value) : now;
	if (now && next)
		return NV_GOOD;
	if (now)
		return NV_LOST;
	if (proven)
		return NV_PROVEN;
	if (next)
		return NV_PENDING;
	return is_undecided(rule, pf, (nv->current.known ? nv->current : nv->next_boot).value) ?
		       NV_UNDECIDED : NV_OFF;
}

bool nv_fails(const struct mlx5lm_pf *pf, const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rules); i++) {
		if (streq(rules[i].name, name))
			return outcome(&rules[i], pf) >= NV_OFF;
	}
	return false;
}

static const char *format_value(const struct fact_u64 *value, char text[static 24])
{
	if (!value->known)
		return "unknown";
	snprintf(text, 24, "%" PRIu64, value->value);
	return text;
}

static void set_found(struct checker *checker, struct mlx5lm_finding *finding,
		      const struct mlx5lm_pf *pf, const char *name)
{
	const struct mlx5lm_nv *nv = pf_find_nv(pf, name);
	char current[24], next[24];

	if (nv->supported == MLX5LM_ANSWER_NO)
		FOUND("the adapter has no such parameter");
	else
		FOUND("current %s, next boot %s", format_value(&nv->current, current),
		      format_value(&nv->next_boot, next));
}

static enum mlx5lm_status status_of(enum nv_outcome result)
{
	switch (result) {
	case NV_GOOD:
		return MLX5LM_STATUS_PASS;
	case NV_UNDECIDED:
	case NV_PENDING:
	case NV_LOST:
		return MLX5LM_STATUS_WARN;
	case NV_OFF:
	case NV_UNSUPPORTED:
		return MLX5LM_STATUS_FAIL;
	default:
		return MLX5LM_STATUS_INFO;
	}
}

static void check_parameter(struct checker *checker, const struct mlx5lm_pf *pf,
			    const struct nv_rule *rule)
{
	enum nv_outcome result = outcome(rule, pf);
	struct mlx5lm_finding *finding;

	if (result == NV_UNKNOWN) {
		finding = point_follows(checker, ABOUT_PF(pf), rule->id, rule->message, "nv.config");
		REMEDY("%s -d %s -e q %s", nv_tool(pf), pf->bdf, rule->name);
		explain_nv(checker, finding, pf, rule->name);
		return;
	}
	finding = point(checker, ABOUT_PF(pf), rule->id, status_of(result), rule->message);
	set_found(checker, finding, pf, rule->name);
	if (rule->min == rule->max)
		REQUIRED("%" PRIu64, rule->min);
	else
		REQUIRED("%" PRIu64 " or more", rule->min);
	if (result == NV_PENDING)
		REMEDY("reboot: the new value is stored and waits for it");
	else if (result == NV_LOST || result == NV_OFF || result == NV_UNDECIDED)
		REMEDY("%s -d %s set %s%s", nv_tool(pf), pf->bdf, rule->set,
		       result == NV_LOST ? ", before the next reboot" : ", then reboot");
	else if (result == NV_UNSUPPORTED)
		REMEDY("update the firmware of %s; if it still has no %s, use another adapter",
		       pf->bdf, rule->name);
	explain_nv(checker, finding, pf, rule->name);
}

/* Of VPI cards only; the type in effect is adapter.link_type. */
static void check_link_type(struct checker *checker, const struct mlx5lm_pf *pf)
{
	const char *name = "LINK_TYPE_P1";
	const struct mlx5lm_nv *nv;
	struct mlx5lm_finding *finding;
	struct bdf bdf;
	bool lost;

	if (pf->bdf && bdf_parse(pf->bdf, &bdf) == 0 && bdf.function == 1)
		name = "LINK_TYPE_P2";
	nv = pf_find_nv(pf, name);
	if (!nv || nv->supported == MLX5LM_ANSWER_NO || !nv->next_boot.known)
		return;
	lost = nv->next_boot.value != LINK_ETHERNET &&
	       (!nv->current.known || nv->current.value == LINK_ETHERNET);
	if (nv->current.known && nv->current.value != LINK_ETHERNET &&
	    nv->next_boot.value != LINK_ETHERNET) {
		finding = point_follows(checker, ABOUT_PF(pf), "nv.link_type",
					"link type in the NV configuration", "adapter.link_type");
	} else {
		finding = point(checker, ABOUT_PF(pf), "nv.link_type",
				lost || (nv->current.known && nv->current.value != LINK_ETHERNET) ?
					MLX5LM_STATUS_WARN : MLX5LM_STATUS_PASS,
				"link type in the NV configuration");
		if (lost)
			REMEDY("%s -d %s set %s=2, before the next reboot", nv_tool(pf), pf->bdf,
			       name);
		else if (nv->current.known && nv->current.value != LINK_ETHERNET)
			REMEDY("reboot: the new value is stored and waits for it");
	}
	set_found(checker, finding, pf, name);
	REQUIRED("2 (Ethernet)");
	explain_nv(checker, finding, pf, name);
}

/* Not looked at is the rule: only a tool can, and only if the caller lets it. */
static void check_nothing_known(struct checker *checker, const struct mlx5lm_pf *pf)
{
	struct mlx5lm_finding *finding =
		point_follows(checker, ABOUT_PF(pf), "nv.config",
			      pf_proves_nv(pf) ? "NV configuration; VFs and their port functions "
						 "show that it is as needed" :
						 "NV configuration",
			      "nv.config");

	REMEDY("%s -d %s -e q SRIOV_EN NUM_OF_VFS VF_MIGRATION_MODE LINK_TYPE_P1, or let the "
	       "probe run it", nv_tool(pf), pf->bdf);
	explain_nv(checker, finding, pf, "VF_MIGRATION_MODE");
}

void check_nv(struct checker *checker, const struct mlx5lm_pf *pf)
{
	if (!pf->num_nvs) {
		check_nothing_known(checker, pf);
		return;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(rules); i++) {
		/* Without SR-IOV nothing is to be said of the number. */
		if (streq(rules[i].name, "NUM_OF_VFS") && nv_fails(pf, "SRIOV_EN"))
			point_follows(checker, ABOUT_PF(pf), rules[i].id, rules[i].message,
				      "nv.sriov_en");
		else
			check_parameter(checker, pf, &rules[i]);
	}
	check_link_type(checker, pf);
}
