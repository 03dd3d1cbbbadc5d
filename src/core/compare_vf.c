// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/compare_internal.h"

#include "base/cleanup.h"

#define FAIL MLX5LM_STATUS_FAIL
#define WARN MLX5LM_STATUS_WARN
#define INFO MLX5LM_STATUS_INFO

/* A pair that is looked at, with what each of its VFs belongs to. */
struct pair_case {
	const struct mlx5lm_vf *source, *destination;
	const struct mlx5lm_pf *source_pf, *destination_pf;
	const char *source_bdf, *destination_bdf;
	struct mlx5lm_findings *findings;
};

const struct mlx5lm_pf *host_pf_of_vf(const struct mlx5lm_host *host, const struct mlx5lm_vf *vf)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		const struct mlx5lm_pf *pf = &host->pfs[i];

		if ((uintptr_t)vf >= (uintptr_t)pf->vfs &&
		    (uintptr_t)vf < (uintptr_t)(pf->vfs + pf->num_vfs))
			return pf;
	}
	return NULL;
}

static struct mlx5lm_finding *point(const struct pair_case *pair, enum mlx5lm_status status,
				    const char *id, const char *source, const char *destination,
				    const char *message)
{
	return compare_point(pair->findings, status, id, pair->source_bdf, source, destination,
			     message);
}

/* The command that gives the destination's VF a setting of the source's, while nobody uses it. */
static void mend_by_plan(const struct pair_case *pair, struct mlx5lm_finding *finding,
			 const char *key, const char *value)
{
	struct mlx5lm_findings *findings = pair->findings;

	SIDE("destination");
	if (pair->destination->index.known && pair->destination_pf && pair->destination_pf->bdf)
		REMEDY("give the destination's VF %s the same setting: mlx5lm-configure --pf %s "
		       "--vf %u:%s=%s --apply", pair->destination_bdf, pair->destination_pf->bdf,
		       (unsigned int)pair->destination->index.value, key, value);
	else
		REMEDY("give the destination's VF %s the same setting", pair->destination_bdf);
}

/* An attribute of the port function: the guest sees what it switches on and off. */
static void compare_attr(const struct pair_case *pair, const char *id, enum mlx5lm_port_attr attr,
			 const char *message)
{
	uint32_t a = vf_attr_state(pair->source, attr), b = vf_attr_state(pair->destination, attr);
	/* RoCE that cannot be switched is on, and offloads that are not there are off. */
	uint32_t fixed = attr == MLX5LM_PORT_ATTR_ROCE ? MLX5LM_PORT_ATTR_STATE_ENABLED :
							 MLX5LM_PORT_ATTR_STATE_DISABLED;
	struct mlx5lm_finding *finding;

	if (a == MLX5LM_PORT_ATTR_STATE_UNSUPPORTED)
		a = fixed;
	if (b == MLX5LM_PORT_ATTR_STATE_UNSUPPORTED)
		b = fixed;
	if (!a || !b || a == b)
		return;
	finding = point(pair, WARN, id, name_of(&port_attr_state_names, a),
			name_of(&port_attr_state_names, b), message);
	mend_by_plan(pair, finding, name_of(&port_attr_names, attr),
		     a == MLX5LM_PORT_ATTR_STATE_ENABLED ? "enable" : "disable");
}

static void compare_number(const struct pair_case *pair, enum mlx5lm_status differs,
			   const char *id, const char *key, const struct fact_u64 *a,
			   const struct fact_u64 *b, const char *message)
{
	struct mlx5lm_finding *finding;
	char from[24], to[24];

	if (!a->known || !b->known || a->value == b->value)
		return;
	put_number(from, "", a->value);
	put_number(to, "", b->value);
	finding = point(pair, differs, id, from, to, message);
	mend_by_plan(pair, finding, key, from);
}

static void compare_hw_addr(const struct pair_case *pair)
{
	const char *a = pair->source->hw_addr, *b = pair->destination->hw_addr;
	struct mlx5lm_finding *finding;

	if (!a || !b || streq(a, b))
		return;
	finding = point(pair, INFO, "vf.hw_addr", a, b, "the permanent MAC addresses differ");
	mend_by_plan(pair, finding, "hw_addr", a);
}

/*
 * With pre-copy the state is sent in records that have headers, without as it is: neither side
 * can read what the other sends (Linux, drivers/vfio/pci/mlx5/main.c).
 */
static void compare_migration_flags(const struct pair_case *pair)
{
	const struct fact_u64 *a = &pair->source->vfio_migration_flags;
	const struct fact_u64 *b = &pair->destination->vfio_migration_flags;
	struct mlx5lm_findings *findings = pair->findings;
	struct mlx5lm_finding *finding;
	uint64_t differing = a->value ^ b->value;

	if (!a->known || !b->known)
		return;
	if (differing & MLX5LM_VFIO_MIGRATION_PRE_COPY) {
		const char *side = a->value & MLX5LM_VFIO_MIGRATION_PRE_COPY ? "destination" :
									       "source";

		finding = point(pair, FAIL, "vf.pre_copy",
				a->value & MLX5LM_VFIO_MIGRATION_PRE_COPY ? "yes" : "no",
				b->value & MLX5LM_VFIO_MIGRATION_PRE_COPY ? "yes" : "no",
				"with pre-copy the state of a VF is written in another format");
		SIDE(side);
		REMEDY("update the firmware and the kernel of the %s until its VFs have pre-copy",
		       side);
	}
	if (differing & MLX5LM_VFIO_MIGRATION_P2P) {
		const char *side = a->value & MLX5LM_VFIO_MIGRATION_P2P ? "destination" : "source";

		finding = point(pair, WARN, "vf.p2p",
				a->value & MLX5LM_VFIO_MIGRATION_P2P ? "yes" : "no",
				b->value & MLX5LM_VFIO_MIGRATION_P2P ? "yes" : "no",
				"a guest with several VFs needs all of them to have P2P states");
		SIDE(side);
		REMEDY("update the firmware and the kernel of the %s", side);
	}
}

/*
 * QEMU refuses to migrate from a VF that does not log its DMA, unless the IOMMU tracks it, which
 * no snapshot knows of (QEMU, hw/vfio/migration.c). At the destination it matters on the way back.
 */
static void compare_dirty_tracking(const struct pair_case *pair)
{
	uint32_t a = pair->source->vfio_dirty_tracking, b = pair->destination->vfio_dirty_tracking;
	bool at_source = a == MLX5LM_ANSWER_NO;
	struct mlx5lm_findings *findings = pair->findings;
	const char *side = at_source ? "source" : "destination";
	struct mlx5lm_finding *finding;

	if (!at_source && (!a || b != MLX5LM_ANSWER_NO))
		return;
	finding = point(pair, at_source ? FAIL : WARN, "vf.dirty_tracking",
			name_of(&answer_names, a), name_of(&answer_names, b),
			at_source ? "the VF does not log what its DMA changes: QEMU does not "
				    "migrate from it" :
				    "the guest cannot be migrated back: the VF does not log what "
				    "its DMA changes");
	SIDE(side);
	REMEDY("update the firmware of the %s, or let its IOMMU track dirty pages (iommufd)", side);
}

static void compare_numa_nodes(const struct pair_case *pair)
{
	const struct fact_u64 *a, *b;
	char from[24], to[24];

	if (!pair->source_pf || !pair->destination_pf)
		return;
	a = &pair->source_pf->numa_node;
	b = &pair->destination_pf->numa_node;
	if (!a->known || !b->known || a->value == b->value)
		return;
	put_number(from, "", a->value);
	put_number(to, "", b->value);
	point(pair, INFO, "vf.numa_node", from, to,
	      "the VFs are on different NUMA nodes: the guest's memory should be with them");
}

static void compare_ready(const struct pair_case *pair, const struct mlx5lm_pair *made)
{
	struct mlx5lm_findings *findings = pair->findings;
	struct mlx5lm_finding *finding;

	if (made->ready)
		return;
	finding = point(pair, WARN, "vf.makeable", pair->source_bdf, pair->destination_bdf,
			"the destination's VF is not ready yet");
	SIDE("destination");
	if (made->remedy)
		REMEDY("%s", made->remedy);
}

void compare_pair(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		  const struct mlx5lm_pair *made, struct mlx5lm_findings *findings)
{
	const struct pair_case pair = {
		.source = made->source_vf,
		.destination = made->destination_vf,
		.source_pf = host_pf_of_vf(source, made->source_vf),
		.destination_pf = host_pf_of_vf(destination, made->destination_vf),
		.source_bdf = made->source,
		.destination_bdf = made->destination,
		.findings = findings,
	};

	compare_ready(&pair, made);
	compare_migration_flags(&pair);
	compare_dirty_tracking(&pair);
	compare_attr(&pair, "vf.roce", MLX5LM_PORT_ATTR_ROCE, "RoCE of the port functions differs");
	compare_attr(&pair, "vf.ipsec_crypto", MLX5LM_PORT_ATTR_IPSEC_CRYPTO,
		     "IPsec crypto offload of the port functions differs");
	compare_attr(&pair, "vf.ipsec_packet", MLX5LM_PORT_ATTR_IPSEC_PACKET,
		     "IPsec packet offload of the port functions differs");
	compare_number(&pair, WARN, "vf.max_io_eqs", "max_io_eqs", &made->source_vf->max_io_eqs,
		       &made->destination_vf->max_io_eqs,
		       "the port functions have different numbers of event queues");
	/* It is part of the PCI configuration space, which QEMU loads only into an equal one. */
	compare_number(&pair, FAIL, "vf.msix_count", "msix_count", &made->source_vf->msix_count,
		       &made->destination_vf->msix_count,
		       "QEMU refuses a VF with another number of MSI-X vectors");
	compare_hw_addr(&pair);
	compare_numa_nodes(&pair);
}

/* By enum unpaired_reason. */
static const struct unpaired_words {
	const char *id, *side, *message;
} unpaired_words[] = {
	[UNPAIRED_NOT_A_VF] = { "vf.source", "source",
				"the source's snapshot has no such mlx5 VF" },
	[UNPAIRED_SOURCE_UNFIT] = { "vf.source", "source", "this VF cannot be migrated" },
	[UNPAIRED_NO_PF] = { "vf.pf", NULL, "no PF of the destination matches that of this VF" },
	[UNPAIRED_NO_VF] = { "vf.free", "destination",
			     "no free, ready VF is left at the destination" },
	[UNPAIRED_WANTED_MISSING] = { "vf.wanted", "destination",
				      "the destination has no such VF" },
	[UNPAIRED_WANTED_UNFIT] = { "vf.wanted", "destination",
				    "the destination's VF that was chosen cannot take part" },
	[UNPAIRED_CONSTRAINT] = { "vf.constraint", "either",
				  "the destination has VFs for it, but none that may be used" },
	[UNPAIRED_NOT_OF_DOMAIN] = { "vf.wanted", NULL,
				     "the domain does not have the VF that is to go somewhere" },
};

/* What of the nearest PF is in the way, and how the first of it is mended. */
static void explain_nearest(const struct mlx5lm_host *source,
			    const struct mlx5lm_host *destination, const struct unpaired *unpaired,
			    struct mlx5lm_findings *findings, struct mlx5lm_finding *finding)
{
	_cleanup_(strbuf_release) struct strbuf what = { 0 };

	for (size_t i = 0; i < num_pf_rules; i++) {
		const struct compare_rule *rule = &pf_rules[i];
		struct rule_value a, b;

		a.text = b.text = NULL;
		rule->get(source, unpaired->source_pf, &a);
		rule->get(destination, unpaired->nearest, &b);
		if (rule->differs != FAIL || !a.text || !b.text || streq(a.text, b.text))
			continue;
		strbuf_printf(&what, "%s%s", what.length ? ", " : "", rule->what);
		if (what.length != strlen(rule->what))
			continue;
		rule_set_remedy(rule, findings, finding, a.text, b.text, unpaired->source_pf->bdf,
				unpaired->nearest->bdf);
	}
	if (what.error)
		findings->error = what.error;
	else if (what.length)
		finding_set(findings, finding, MLX5LM_FINDING_MESSAGE, "%s: %s", unpaired->text,
			    what.text);
}

void compare_unpaired(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		      const struct unpaired *unpaired, bool blocks,
		      struct mlx5lm_findings *findings)
{
	const struct unpaired_words *words = &unpaired_words[unpaired->reason];
	enum mlx5lm_status status = blocks ? FAIL : WARN;
	struct mlx5lm_finding *finding;

	if (unpaired->unknown)
		status = MLX5LM_STATUS_UNKNOWN;
	finding = compare_point(findings, status, words->id, unpaired->source, unpaired->source,
				"none", words->message);
	if (unpaired->text)
		finding_copy(findings, finding, MLX5LM_FINDING_MESSAGE, unpaired->text);
	if (words->side)
		SIDE(words->side);
	if (unpaired->remedy)
		finding_copy(findings, finding, MLX5LM_FINDING_REMEDY, unpaired->remedy);
	if (finding && unpaired->source_pf && unpaired->nearest && unpaired->text)
		explain_nearest(source, destination, unpaired, findings, finding);
}
