// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which VF goes where. */
#include <errno.h>

#include "core/pairing_flow.h"
#include "core/pairing_internal.h"

bool pairing_nodes_equal(const struct mlx5lm_pf *source, const struct mlx5lm_pf *destination)
{
	const struct fact_u64 *a = &source->numa_node, *b = &destination->numa_node;

	return a->known == b->known && (!a->known || a->value == b->value);
}

bool pairing_matches(const struct pairer *pairer, const struct row *row, size_t d)
{
	return pairer->matches[row->s * pairer->destination->num_pfs + d];
}

static bool permits_pf(const struct pairer *pairer, const struct mlx5lm_pf *source,
		       const struct mlx5lm_pf *destination)
{
	return !pairer->wishes ||
	       pairer->wishes->numa_policy != MLX5LM_NUMA_POLICY_REQUIRE ||
	       pairing_nodes_equal(source, destination);
}

bool pairing_permits(const struct pairer *pairer, const struct row *row,
		     const struct column *column)
{
	return !column->excluded && permits_pf(pairer, row->pf, column->pf);
}

static void assign(struct pairer *pairer, struct row *row, struct column *column)
{
	row->column = column;
	column->taken = true;
	pairer->placed[row->s * pairer->destination->num_pfs + column->d]++;
	pairer->placed_all[column->d]++;
}

static void place_as_wanted(struct pairer *pairer, struct row *row)
{
	struct column *column = pairing_find_column(pairer, row->wanted->destination);

	row->refused = column;
	if (!column)
		row->reason = UNPAIRED_WANTED_MISSING;
	else if (!pairing_matches(pairer, row, column->d))
		row->reason = UNPAIRED_NO_PF;
	else if (!pairing_permits(pairer, row, column))
		row->reason = UNPAIRED_CONSTRAINT;
	else if (!column->usable || column->taken)
		row->reason = UNPAIRED_WANTED_UNFIT;
	else
		assign(pairer, row, column);
}

/* Bins: the ready VFs of each PF of the destination, and those that can be made ready. */
static size_t bin_of(const struct column *column)
{
	return 2 * (size_t)column->d + (column->objection != VF_NO_OBJECTION);
}

static bool is_open(const struct column *column)
{
	return column->usable && !column->excluded && !column->wanted && !column->taken;
}

static bool needs_place(const struct row *row)
{
	return !row->reason && !row->wanted;
}

/* With nobody who waits, and no place. */
static int new_flow(const struct pairer *pairer, struct flow *flow)
{
	size_t num_pfs = pairer->destination->num_pfs;

	if (flow_new(flow, pairer->num_pfs, 2 * num_pfs) < 0)
		return -ENOMEM;
	for (size_t s = 0; s < pairer->num_pfs; s++) {
		for (size_t d = 0; d < num_pfs; d++) {
			bool *allowed = &flow->allowed[s * flow->num_bins + 2 * d];

			allowed[0] = allowed[1] =
				pairer->matches[s * num_pfs + d] &&
				permits_pf(pairer, pairer->pfs[s], &pairer->destination->pfs[d]);
		}
	}
	return 0;
}

static int start_flow(const struct pairer *pairer, struct flow *flow)
{
	if (new_flow(pairer, flow) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < pairer->num_rows; i++) {
		if (needs_place(&pairer->rows[i]))
			flow->waiting[pairer->rows[i].s]++;
	}
	for (size_t i = 0; i < pairer->num_columns; i++) {
		if (is_open(&pairer->columns[i]))
			flow->spare[bin_of(&pairer->columns[i])]++;
	}
	flow_fill(flow);
	return 0;
}

/* The less the better; what counts most stands first. */
struct preference {
	bool makeable;
	bool other_interrupts; /* QEMU would refuse it */
	bool other_node;
	uint8_t pf; /* 0: others of its PF go there; 2: of another PF do; 1: none */
	bool other_index;
};

static uint8_t prefer_pf(const struct pairer *pairer, const struct row *row, size_t d)
{
	if (pairer->placed[row->s * pairer->destination->num_pfs + d])
		return 0;
	return pairer->placed_all[d] ? 2 : 1;
}

static unsigned int weigh(const struct preference *preference)
{
	return (unsigned int)preference->makeable << 5 |
	       (unsigned int)preference->other_interrupts << 4 |
	       (unsigned int)preference->other_node << 3 | (unsigned int)preference->pf << 1 |
	       (unsigned int)preference->other_index;
}

static bool differ(const struct fact_u64 *a, const struct fact_u64 *b)
{
	return a->known && b->known && a->value != b->value;
}

/* Without a flow: the best of all, although others may need it more. */
static struct column *choose_behind(const struct pairer *pairer, const struct flow *flow,
				    const struct row *row, size_t d, unsigned int *best)
{
	const struct fact_u64 *index = &row->vf->index;
	bool any_node = pairer->wishes &&
			pairer->wishes->numa_policy == MLX5LM_NUMA_POLICY_IGNORE;
	struct preference preference = {
		.other_node = !any_node &&
			      !pairing_nodes_equal(row->pf, &pairer->destination->pfs[d]),
		.pf = prefer_pf(pairer, row, d),
	};
	bool may_take[2] = { !flow || flow_may_take(flow, row->s, 2 * d),
			     !flow || flow_may_take(flow, row->s, 2 * d + 1) };
	struct column *choice = NULL;

	for (size_t i = pairer->first_column[d]; i < pairer->first_column[d + 1]; i++) {
		struct column *column = &pairer->columns[i];
		unsigned int weight;

		preference.makeable = column->objection != VF_NO_OBJECTION;
		if (!is_open(column) || !may_take[preference.makeable])
			continue;
		preference.other_interrupts =
			differ(&row->vf->msix_count, &column->vf->msix_count);
		preference.other_index = !index->known || !column->vf->index.known ||
					 index->value != column->vf->index.value;
		weight = weigh(&preference);
		if (weight < *best) {
			*best = weight;
			choice = column;
		}
	}
	return choice;
}

static struct column *choose(const struct pairer *pairer, const struct flow *flow,
			     const struct row *row)
{
	struct column *choice = NULL;
	unsigned int best = UINT32_MAX;

	for (size_t d = 0; d < pairer->destination->num_pfs; d++) {
		struct column *column;

		if (!pairing_matches(pairer, row, d) ||
		    !permits_pf(pairer, row->pf, &pairer->destination->pfs[d]))
			continue;
		column = choose_behind(pairer, flow, row, d, &best);
		if (column)
			choice = column;
	}
	return choice;
}

static void place(struct pairer *pairer, struct flow *flow, struct row *row)
{
	struct column *choice = choose(pairer, NULL, row);

	if (!choice)
		return;
	if (!flow_take_simply(flow, row->s, bin_of(choice))) {
		flow_search(flow, row->s);
		choice = choose(pairer, flow, row);
		if (!choice)
			return;
		flow_take(flow, row->s, bin_of(choice));
	}
	assign(pairer, row, choice);
}

static bool is_unknown(const struct column *column)
{
	return column->objection == VF_MIGRATABLE_UNKNOWN && !vf_is_used(column->vf);
}

static bool has_unknown(const struct pairer *pairer)
{
	for (size_t i = 0; i < pairer->num_columns; i++) {
		if (is_unknown(&pairer->columns[i]))
			return true;
	}
	return false;
}

/* Who could be placed if all VFs were fit of which that is not known? */
static int find_undecided(struct pairer *pairer)
{
	_cleanup_flow_ struct flow flow = { 0 };

	if (new_flow(pairer, &flow) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < pairer->num_columns; i++) {
		const struct column *column = &pairer->columns[i];

		if ((column->usable || is_unknown(column)) && !column->excluded && !column->wanted)
			flow.spare[bin_of(column)]++;
	}
	for (size_t i = 0; i < pairer->num_rows; i++) {
		if (needs_place(&pairer->rows[i]) && pairer->rows[i].column)
			flow.waiting[pairer->rows[i].s]++;
	}
	flow_fill(&flow);
	for (size_t i = 0; i < pairer->num_rows; i++) {
		struct row *row = &pairer->rows[i];

		if (!needs_place(row) || row->column)
			continue;
		flow.waiting[row->s]++;
		flow_fill(&flow);
		row->undecided = !flow.waiting[row->s];
		flow.waiting[row->s] = 0;
	}
	return 0;
}

int pairing_place(struct pairer *pairer)
{
	bool all_placed = true;

	_cleanup_flow_ struct flow flow = { 0 };

	for (size_t i = 0; i < pairer->num_rows; i++) {
		struct row *row = &pairer->rows[i];

		if (!row->reason && row->wanted)
			place_as_wanted(pairer, row);
	}
	if (start_flow(pairer, &flow) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < pairer->num_rows; i++) {
		struct row *row = &pairer->rows[i];

		if (!needs_place(row))
			continue;
		place(pairer, &flow, row);
		all_placed &= row->column != NULL;
	}
	return all_placed || !has_unknown(pairer) ? 0 : find_undecided(pairer);
}
