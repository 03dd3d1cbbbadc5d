// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/pairing_internal.h"

#include <errno.h>

#include "base/array.h"
#include "core/compare_rules.h"

void vf_mappings_release(struct vf_mappings *mappings)
{
	free(mappings->items);
	*mappings = (struct vf_mappings){ 0 };
}

int vf_mappings_add(struct vf_mappings *mappings, const char *source, const char *destination)
{
	struct vf_mapping *mapping;
	struct bdf from, to;

	if (bdf_parse(source, &from) < 0 || bdf_parse(destination, &to) < 0)
		return -EINVAL;
	if (array_reserve(&mappings->items, &mappings->allocated, mappings->length + 1,
			  sizeof(*mapping)))
		return -ENOMEM;
	mapping = &mappings->items[mappings->length++];
	*mapping = (struct vf_mapping){ 0 };
	bdf_format(&from, mapping->source);
	bdf_format(&to, mapping->destination);
	return 0;
}

const struct vf_mapping *vf_mappings_find(const struct vf_mappings *mappings, const char *source)
{
	for (size_t i = 0; i < mappings->length; i++) {
		if (bdf_equal(mappings->items[i].source, source))
			return &mappings->items[i];
	}
	return NULL;
}

bool vf_mappings_has_destination(const struct vf_mappings *mappings, const char *destination)
{
	for (size_t i = 0; i < mappings->length; i++) {
		if (bdf_equal(mappings->items[i].destination, destination))
			return true;
	}
	return false;
}

void pairing_wishes_release(struct pairing_wishes *wishes)
{
	vf_mappings_release(&wishes->wanted);
	strv_release(&wishes->excluded);
	free(wishes->destination_pf);
	*wishes = (struct pairing_wishes){ 0 };
}

static size_t count_vfs(const struct mlx5lm_host *host)
{
	size_t number = 0;

	for (size_t i = 0; i < host->num_pfs; i++)
		number += host->pfs[i].num_vfs;
	return number;
}

/* What the lists may grow to. */
static int make_room(struct pairer *pairer)
{
	size_t num_wanted = pairer->wishes ? pairer->wishes->wanted.length : 0;
	size_t num_rows = num_wanted + (pairer->domain ? pairer->domain->num_hostdevs :
							 count_vfs(pairer->source));
	size_t num_columns = count_vfs(pairer->destination);
	size_t num_pfs = pairer->source->num_pfs, d = pairer->destination->num_pfs;
	size_t lists = num_rows * sizeof(*pairer->rows) + num_columns * sizeof(*pairer->columns);
	size_t tables = num_pfs * sizeof(*pairer->pfs) + (d + 1) * sizeof(*pairer->first_column) +
			(num_pfs + 1) * d * sizeof(*pairer->placed) +
			num_pfs * d * sizeof(*pairer->matches);

	pairer->room = malloc(lists + tables);
	if (!pairer->room)
		return -ENOMEM;
	memset((char *)pairer->room + lists, 0, tables);
	pairer->rows = pairer->room;
	pairer->columns = (struct column *)(pairer->rows + num_rows);
	pairer->pfs = (const struct mlx5lm_pf **)(pairer->columns + num_columns);
	pairer->first_column = (size_t *)(pairer->pfs + num_pfs);
	pairer->placed = (uint32_t *)(pairer->first_column + d + 1);
	pairer->placed_all = pairer->placed + num_pfs * d;
	pairer->matches = (bool *)(pairer->placed_all + d);
	return 0;
}

static void pairer_release(struct pairer *pairer)
{
	free(pairer->room);
}

static void add_row(struct pairer *pairer, const char *bdf, const struct mlx5lm_pf *pf,
		    const struct mlx5lm_vf *vf, enum unpaired_reason reason)
{
	struct row *row = &pairer->rows[pairer->num_rows++];

	*row = (struct row){ .bdf = bdf, .vf = vf, .pf = pf, .reason = reason };
	if (pairer->wishes)
		row->wanted = vf_mappings_find(&pairer->wishes->wanted, bdf);
	if (reason)
		return;
	pairer->ret->num_source_vfs++;
	for (row->s = 0; row->s < pairer->num_pfs; row->s++) {
		if (pairer->pfs[row->s] == pf)
			return;
	}
	pairer->pfs[pairer->num_pfs++] = pf;
}

static void add_rows_of_domain(struct pairer *pairer)
{
	for (size_t i = 0; i < pairer->domain->num_hostdevs; i++) {
		const char *bdf = pairer->domain->hostdevs[i].bdf;
		enum unpaired_reason reason = 0;
		const struct mlx5lm_pf *pf = NULL;
		const struct mlx5lm_vf *vf = host_find_vf(pairer->source, bdf, &pf);

		if (!vf)
			reason = UNPAIRED_NOT_A_VF;
		else if (vf_find_objection(pf, vf, VF_SOURCE))
			reason = UNPAIRED_SOURCE_UNFIT;
		add_row(pairer, bdf, pf, vf, reason);
	}
}

static bool is_mentioned(const struct pairer *pairer, const char *bdf)
{
	return pairer->wishes && bdf && vf_mappings_find(&pairer->wishes->wanted, bdf);
}

static void add_rows_of_host(struct pairer *pairer)
{
	for (size_t i = 0; i < pairer->source->num_pfs; i++) {
		const struct mlx5lm_pf *pf = &pairer->source->pfs[i];

		for (size_t j = 0; j < pf->num_vfs; j++) {
			const struct mlx5lm_vf *vf = &pf->vfs[j];
			enum unpaired_reason reason = 0;

			if (!pf->bdf || !vf->bdf)
				continue;
			if (vf_find_objection(pf, vf, VF_SOURCE))
				reason = UNPAIRED_SOURCE_UNFIT;
			/* What nobody has asked for is not missed. */
			if (reason && !is_mentioned(pairer, vf->bdf))
				continue;
			add_row(pairer, vf->bdf, pf, vf, reason);
		}
	}
}

/* VFs that the caller wants to go somewhere, and that are not there. */
static void add_rows_of_wishes(struct pairer *pairer)
{
	for (size_t i = 0; pairer->wishes && i < pairer->wishes->wanted.length; i++) {
		const char *bdf = pairer->wishes->wanted.items[i].source;
		const struct mlx5lm_pf *pf = NULL;
		const struct mlx5lm_vf *vf = host_find_vf(pairer->source, bdf, &pf);
		enum unpaired_reason reason = vf ? UNPAIRED_NOT_OF_DOMAIN : UNPAIRED_NOT_A_VF;

		if (pairer->domain ? domain_xml_has(pairer->domain, bdf) : vf != NULL)
			continue;
		add_row(pairer, bdf, pf, vf, reason);
	}
}

static void fill_column(const struct pairer *pairer, struct column *column)
{
	const struct pairing_wishes *wishes = pairer->wishes;

	column->objection = vf_find_objection(column->pf, column->vf, VF_DESTINATION);
	column->usable = !column->objection || (wishes && wishes->makeable &&
						vf_is_makeable(column->pf, column->vf));
}

/* BDFs of snapshots and of wishes are all written as bdf_format() does. */
struct column *pairing_find_column(const struct pairer *pairer, const char *bdf)
{
	for (size_t i = 0; i < pairer->num_columns; i++) {
		if (streq(pairer->columns[i].vf->bdf, bdf))
			return &pairer->columns[i];
	}
	return NULL;
}

static void mark_columns(struct pairer *pairer)
{
	const struct pairing_wishes *wishes = pairer->wishes;
	const struct mlx5lm_host *host = pairer->destination;
	struct column *column;

	if (!wishes)
		return;
	for (size_t i = 0; i < wishes->wanted.length; i++) {
		column = pairing_find_column(pairer, wishes->wanted.items[i].destination);
		if (column)
			column->wanted = true;
	}
	for (size_t i = 0; i < wishes->excluded.length; i++) {
		column = pairing_find_column(pairer, wishes->excluded.items[i]);
		if (column)
			column->excluded = true;
	}
	for (size_t d = 0; wishes->destination_pf && d < host->num_pfs; d++) {
		if (bdf_equal(host->pfs[d].bdf, wishes->destination_pf))
			continue;
		for (size_t i = pairer->first_column[d]; i < pairer->first_column[d + 1]; i++)
			pairer->columns[i].excluded = true;
	}
}

static void add_columns(struct pairer *pairer)
{
	const struct mlx5lm_host *host = pairer->destination;

	for (size_t d = 0; d < host->num_pfs; d++) {
		const struct mlx5lm_pf *pf = &host->pfs[d];

		for (size_t i = 0; i < pf->num_vfs; i++) {
			struct column *column = &pairer->columns[pairer->num_columns];

			if (!pf->bdf || !pf->vfs[i].bdf)
				continue;
			*column = (struct column){ .vf = &pf->vfs[i],
						   .pf = pf,
						   .d = (uint32_t)d };
			fill_column(pairer, column);
			pairer->num_columns++;
		}
		pairer->first_column[d + 1] = pairer->num_columns;
	}
	mark_columns(pairer);
}

static void compare_pfs(struct pairer *pairer)
{
	const struct mlx5lm_host *host = pairer->destination;

	for (size_t s = 0; s < pairer->num_pfs; s++) {
		for (size_t d = 0; d < host->num_pfs; d++)
			pairer->matches[s * host->num_pfs + d] =
				pf_rules_status(pairer->source, pairer->pfs[s], host,
						&host->pfs[d]) != MLX5LM_STATUS_FAIL;
	}
}

static void copy_bdf(char to[static BDF_TEXT_SIZE], const char *bdf)
{
	size_t length = strnlen(bdf, BDF_TEXT_SIZE - 1);

	memcpy(to, bdf, length);
	to[length] = '\0';
}

static int add_pair(struct pairing *pairing, const struct row *row)
{
	const struct column *column = row->column;
	struct mlx5lm_pair *pair = &pairing->pairs[pairing->num_pairs];

	pair->ready = !column->objection;
	pair->remedy = NULL;
	pair->source_vf = row->vf;
	pair->destination_vf = column->vf;
	copy_bdf(pair->source, row->bdf);
	copy_bdf(pair->destination, column->vf->bdf);
	copy_bdf(pair->source_pf, row->pf->bdf);
	copy_bdf(pair->destination_pf, column->pf->bdf);
	if (!pair->ready) {
		pair->remedy = vf_make_command(column->pf, column->vf);
		if (!pair->remedy)
			return -ENOMEM;
	}
	pairing->num_pairs++;
	return 0;
}

static int report(const struct pairer *pairer)
{
	struct pairing *pairing = pairer->ret;
	int r = 0;

	if (pairer->num_rows &&
	    array_reserve(&pairing->pairs, &pairing->allocated_pairs, pairer->num_rows,
			  sizeof(*pairing->pairs)))
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < pairer->num_rows; i++) {
		const struct row *row = &pairer->rows[i];

		r = row->column ? add_pair(pairing, row) : pairing_explain(pairer, row);
	}
	return r;
}

int pairing_make(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		 const struct domain_xml *domain, const struct pairing_wishes *wishes,
		 struct pairing *ret)
{
	_cleanup_(pairer_release) struct pairer pairer = { .source = source,
							   .destination = destination,
							   .domain = domain,
							   .wishes = wishes,
							   .ret = ret };
	int r;

	*ret = (struct pairing){ 0 };
	if (make_room(&pairer) < 0)
		return -ENOMEM;
	if (domain)
		add_rows_of_domain(&pairer);
	else
		add_rows_of_host(&pairer);
	add_rows_of_wishes(&pairer);
	add_columns(&pairer);
	compare_pfs(&pairer);
	r = pairing_place(&pairer);
	if (r == 0)
		r = report(&pairer);
	if (r < 0)
		pairing_release(ret);
	return r;
}

int pairing_get_mappings(const struct pairing *pairing, const struct domain_xml *domain,
			 const struct mlx5lm_host *destination, struct vf_mappings *ret)
{
	_cleanup_vf_mappings_ struct vf_mappings mappings = { 0 };

	for (size_t i = 0; i < pairing->num_pairs; i++) {
		const struct mlx5lm_pair *pair = &pairing->pairs[i];
		const struct hostdev *hostdev = domain_xml_find(domain, pair->source);

		if (vf_mappings_add(&mappings, pair->source, pair->destination) == -ENOMEM)
			return -ENOMEM;
		if (hostdev)
			mappings.items[i].driver =
				domain_map_driver(destination, destination->libvirt_daemon_version,
						  hostdev);
	}
	*ret = mappings;
	mappings = (struct vf_mappings){ 0 };
	return 0;
}

void pairing_release(struct pairing *pairing)
{
	for (size_t i = 0; i < pairing->num_pairs; i++)
		free(pairing->pairs[i].remedy);
	free(pairing->pairs);
	for (size_t i = 0; i < pairing->num_unpaired; i++) {
		free(pairing->unpaired[i].text);
		free(pairing->unpaired[i].remedy);
	}
	free(pairing->unpaired);
	*pairing = (struct pairing){ 0 };
}
