// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a VF of the source has no counterpart, and what would give it one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/array.h"
#include "core/compare_rules.h"
#include "core/pairing_internal.h"

/* Takes text and remedy over. 0, or -ENOMEM if one could not be made. */
static int say(struct unpaired *unpaired, char *text, char *remedy)
{
	unpaired->text = text;
	unpaired->remedy = remedy;
	return text && remedy ? 0 : -ENOMEM;
}

static int explain_source(struct unpaired *unpaired, const struct row *row)
{
	_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };

	if (vf_check_role(row->pf, row->vf, VF_SOURCE, &unfit) < 0)
		return -ENOMEM;
	unpaired->unknown = unfit.unknown;
	return say(unpaired, TAKE(unfit.reason), TAKE(unfit.remedy));
}

/* A VF of the destination that is not fit, and what makes it so. */
static int explain_column(struct unpaired *unpaired, const struct column *column)
{
	_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };
	bool makeable = vf_is_makeable(column->pf, column->vf);

	if (vf_check_role(column->pf, column->vf, VF_DESTINATION, &unfit) < 0)
		return -ENOMEM;
	if (unpaired->reason == UNPAIRED_WANTED_UNFIT) {
		unpaired->busy = unfit.busy;
		unpaired->unknown = unfit.unknown;
	}
	return say(unpaired,
		   str_printf("VF %s of the destination cannot take part: %s", column->vf->bdf,
			      unfit.reason),
		   makeable ? vf_make_command(column->pf, column->vf) : TAKE(unfit.remedy));
}

static int explain_wanted(struct unpaired *unpaired, const struct row *row)
{
	if (!row->refused->taken)
		return explain_column(unpaired, row->refused);
	unpaired->busy = true;
	return say(unpaired,
		   str_printf("VF %s of the destination cannot take part: another VF goes there",
			      row->refused->vf->bdf),
		   str_printf("choose another VF"));
}

static int explain_missing(struct unpaired *unpaired, const struct row *row)
{
	return say(unpaired,
		   str_printf("VF %s of the destination cannot take part: the snapshot has no such "
			      "VF", row->wanted->destination),
		   str_printf("lspci -D -d 15b3: shows the VFs; take a new snapshot"));
}

static bool permits_pf(const struct pairer *pairer, const struct row *row,
		       const struct mlx5lm_pf *pf)
{
	const struct pairing_wishes *wishes = pairer->wishes;

	if (!wishes)
		return true;
	if (wishes->destination_pf && !bdf_equal(wishes->destination_pf, pf->bdf))
		return false;
	return wishes->numa_policy != MLX5LM_NUMA_POLICY_REQUIRE ||
	       pairing_nodes_equal(row->pf, pf);
}

static char *node_text(const struct fact_u64 *node)
{
	return node->known ? str_printf("NUMA node %" PRIu64, node->value) :
			     str_printf("a NUMA node that is not known");
}

static int explain_node(struct unpaired *unpaired, const struct row *row, const char *what,
			const char *bdf, const struct mlx5lm_pf *pf)
{
	_cleanup_free_ char *here = node_text(&row->pf->numa_node);
	_cleanup_free_ char *there = node_text(&pf->numa_node);

	if (!here || !there)
		return -ENOMEM;
	unpaired->unknown = row->pf->numa_node.known != pf->numa_node.known;
	return say(unpaired,
		   str_printf("%s %s of the destination would do, but it is on %s, and the source "
			      "VF on %s", what, bdf, there, here),
		   str_printf("prefer the same NUMA node instead of requiring it"));
}

/* vf is NULL if VFs behind the PF are not allowed, and none would be fit. */
static int explain_constraint(const struct pairer *pairer, struct unpaired *unpaired,
			      const struct row *row, const struct mlx5lm_pf *pf,
			      const struct mlx5lm_vf *vf)
{
	const char *wanted_pf = pairer->wishes->destination_pf;
	const char *what = vf ? "VF" : "PF", *bdf = vf ? vf->bdf : pf->bdf;

	if (wanted_pf && !bdf_equal(wanted_pf, pf->bdf))
		return say(unpaired,
			   str_printf("%s %s of the destination would do, but only VFs of PF %s "
				      "are allowed", what, bdf, wanted_pf),
			   str_printf("allow VFs of PF %s, too", pf->bdf));
	if (permits_pf(pairer, row, pf))
		return say(unpaired,
			   str_printf("%s %s of the destination would do, but it is excluded",
				      what, bdf),
			   str_printf("do not exclude it, or create more VFs there"));
	return explain_node(unpaired, row, what, bdf, pf);
}

/* The PF of the destination that differs least; NULL if it has none. */
static const struct mlx5lm_pf *find_nearest(const struct pairer *pairer, const struct mlx5lm_pf *pf)
{
	const struct mlx5lm_host *host = pairer->destination;
	const struct mlx5lm_pf *nearest = NULL;
	unsigned int least = UINT32_MAX;

	if (host->num_pfs == 1)
		return &host->pfs[0];
	for (size_t d = 0; d < host->num_pfs; d++) {
		unsigned int distance = pf_rules_distance(pairer->source, pf, host, &host->pfs[d]);

		if (distance < least) {
			least = distance;
			nearest = &host->pfs[d];
		}
	}
	return nearest;
}

static int explain_no_pf(const struct pairer *pairer, struct unpaired *unpaired,
			 const struct row *row)
{
	unpaired->nearest = row->refused ? row->refused->pf : find_nearest(pairer, row->pf);
	if (!unpaired->nearest)
		return say(unpaired, str_printf("the destination has no mlx5 adapter"),
			   str_printf("choose another destination"));
	return say(unpaired,
		   row->refused ?
			   str_printf("PF %s of the destination, which has VF %s, does not match",
				      unpaired->nearest->bdf, row->refused->vf->bdf) :
			   str_printf("no PF of the destination matches its PF %s", row->pf->bdf),
		   str_printf("see what differs between PF %s and PF %s of the destination",
			      row->pf->bdf, unpaired->nearest->bdf));
}

/* Of the VFs that are not fit, the one that is the least trouble to mend. */
static const struct column *find_mendable(const struct pairer *pairer, const struct row *row)
{
	const struct column *best = NULL;
	int best_weight = 3;

	for (size_t i = 0; i < pairer->num_columns; i++) {
		const struct column *column = &pairer->columns[i];
		bool unknown = column->objection == VF_MIGRATABLE_UNKNOWN;
		int weight = vf_is_makeable(column->pf, column->vf) ? 0 : unknown ? 1 : 2;

		if (column->usable || column->wanted || vf_is_used(column->vf) ||
		    !pairing_matches(pairer, row, column->d) ||
		    !pairing_permits(pairer, row, column))
			continue;
		if (weight < best_weight) {
			best_weight = weight;
			best = column;
		}
	}
	return best;
}

/* How many more VFs would help behind this PF. */
static uint64_t count_waiting(const struct pairer *pairer, size_t d)
{
	uint64_t number = 0;

	for (size_t i = 0; i < pairer->num_rows; i++) {
		const struct row *row = &pairer->rows[i];

		number += !row->reason && !row->column && pairing_matches(pairer, row, d);
	}
	return number;
}

static bool has_used_vfs(const struct mlx5lm_pf *pf)
{
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (vf_is_used(&pf->vfs[i]))
			return true;
	}
	return false;
}

struct growth {
	const struct mlx5lm_pf *pf;
	uint64_t num_vfs; /* that it would have */
	int trouble;	  /* 0: none; 1: its VFs are in use; 2: it offers too few */
};

static struct growth find_growth(const struct pairer *pairer, const struct row *row)
{
	struct growth best = { .trouble = 3 };

	for (size_t d = 0; d < pairer->destination->num_pfs; d++) {
		const struct mlx5lm_pf *pf = &pairer->destination->pfs[d];
		uint64_t now = pf->sriov_num_vfs.known ? pf->sriov_num_vfs.value : pf->num_vfs;
		struct growth growth = { .pf = pf, .num_vfs = now + count_waiting(pairer, d) };

		if (!pairing_matches(pairer, row, d) || !permits_pf(pairer, row, pf))
			continue;
		if (pf->sriov_total_vfs.known && growth.num_vfs > pf->sriov_total_vfs.value)
			growth.trouble = 2;
		else if (has_used_vfs(pf))
			growth.trouble = 1;
		if (growth.trouble < best.trouble)
			best = growth;
	}
	return best;
}

static char *growth_remedy(const struct growth *growth)
{
	const char *bdf = growth->pf->bdf;
	uint64_t total = growth->pf->sriov_total_vfs.value;

	switch (growth->trouble) {
	case 0:
		return str_printf("create more VFs at the destination: mlx5lm-configure --pf %s "
				  "--vfs %" PRIu64 " --apply", bdf, growth->num_vfs);
	case 1:
		return str_printf("create more VFs at the destination once nobody uses those of "
				  "PF %s: mlx5lm-configure --pf %s --vfs %" PRIu64 " --apply", bdf,
				  bdf, growth->num_vfs);
	default:
		return str_printf("PF %s of the destination offers %" PRIu64 " VFs at most: choose "
				  "another destination, or mstconfig -d %s set SRIOV_EN=1 "
				  "NUM_OF_VFS=%" PRIu64 ", reboot, and create more VFs: "
				  "mlx5lm-configure --pf %s --vfs %" PRIu64 " --apply", bdf, total,
				  bdf, growth->num_vfs, bdf, growth->num_vfs);
	}
}

static int explain_no_vf(const struct pairer *pairer, struct unpaired *unpaired,
			 const struct row *row)
{
	const struct column *mendable = find_mendable(pairer, row);
	struct growth growth;

	unpaired->reason = UNPAIRED_NO_VF;
	unpaired->unknown = row->undecided;
	if (mendable)
		return explain_column(unpaired, mendable);
	growth = find_growth(pairer, row);
	return say(unpaired, str_printf("the destination has no free VF left for it"),
		   growth_remedy(&growth));
}

/* Nobody asked for a certain VF, and none could be had. */
static int explain_unplaced(const struct pairer *pairer, struct unpaired *unpaired,
			    const struct row *row)
{
	const struct mlx5lm_host *host = pairer->destination;
	const struct mlx5lm_pf *match = NULL, *permitted = NULL;

	for (size_t d = 0; d < host->num_pfs; d++) {
		if (!pairing_matches(pairer, row, d))
			continue;
		match = match ? match : &host->pfs[d];
		if (permits_pf(pairer, row, &host->pfs[d]))
			permitted = &host->pfs[d];
	}
	if (!match) {
		unpaired->reason = UNPAIRED_NO_PF;
		return explain_no_pf(pairer, unpaired, row);
	}
	unpaired->reason = UNPAIRED_CONSTRAINT;
	for (size_t i = 0; i < pairer->num_columns; i++) {
		const struct column *column = &pairer->columns[i];

		if (column->usable && !column->taken && !column->wanted &&
		    pairing_matches(pairer, row, column->d) &&
		    !pairing_permits(pairer, row, column))
			return explain_constraint(pairer, unpaired, row, column->pf, column->vf);
	}
	return permitted ? explain_no_vf(pairer, unpaired, row) :
			   explain_constraint(pairer, unpaired, row, match, NULL);
}

static int explain(const struct pairer *pairer, struct unpaired *unpaired, const struct row *row)
{
	switch (row->reason) {
	case UNPAIRED_NOT_A_VF:
		return say(unpaired, str_printf("it is no mlx5 VF of the source's snapshot"),
			   str_printf("detach it (virsh detach-device), or take a new snapshot"));
	case UNPAIRED_NOT_OF_DOMAIN:
		return say(unpaired,
			   str_printf("the domain does not have it, but it shall go to VF %s",
				      row->wanted->destination),
			   str_printf("virsh dumpxml shows the VFs that it has"));
	case UNPAIRED_SOURCE_UNFIT:
		return explain_source(unpaired, row);
	case UNPAIRED_WANTED_MISSING:
		return explain_missing(unpaired, row);
	case UNPAIRED_WANTED_UNFIT:
		return explain_wanted(unpaired, row);
	case UNPAIRED_NO_PF:
		return explain_no_pf(pairer, unpaired, row);
	case UNPAIRED_CONSTRAINT:
		return explain_constraint(pairer, unpaired, row, row->refused->pf,
					  row->refused->vf);
	default:
		return explain_unplaced(pairer, unpaired, row);
	}
}

int pairing_explain(const struct pairer *pairer, const struct row *row)
{
	struct pairing *pairing = pairer->ret;
	struct unpaired *unpaired;

	if (array_reserve(&pairing->unpaired, &pairing->allocated_unpaired,
			  pairing->num_unpaired + 1, sizeof(*unpaired)))
		return -ENOMEM;
	unpaired = &pairing->unpaired[pairing->num_unpaired++];
	*unpaired = (struct unpaired){
		.reason = row->reason,
		.source_pf = row->reason == UNPAIRED_NOT_A_VF ? NULL : row->pf,
		.in_use = pairer->domain || (row->vf && row->vf->in_use_by),
	};
	snprintf(unpaired->source, sizeof(unpaired->source), "%s", row->bdf);
	return explain(pairer, unpaired, row);
}
