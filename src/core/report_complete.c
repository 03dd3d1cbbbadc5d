// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "core/bdf.h"
#include "core/report_rules.h"

/* Something that may be there only once, and its place in the document. */
struct entry {
	uint64_t number;
	const char *text; /* or NULL */
	size_t pf;
	size_t index;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = (x->number > y->number) - (x->number < y->number);

	if (!order && x->text && y->text)
		order = strcmp(x->text, y->text);
	if (!order)
		order = (x->pf > y->pf) - (x->pf < y->pf);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* Sorts entries; returns one that stands there for the second time, or NULL. */
static const struct entry *find_twice(struct entry *entries, size_t length)
{
	qsort(entries, length, sizeof(*entries), compare_entries);
	for (size_t i = 1; i < length; i++) {
		const struct entry *a = &entries[i - 1], *b = &entries[i];

		if (a->number == b->number && (!a->text || streq(a->text, b->text)))
			return b;
	}
	return NULL;
}

static const char *name_of_item(const struct report_list *rule, const void *item)
{
	return *(char *const *)fact_at(&rule->list->table->fields[0], item);
}

static int check_names(struct mlx5lm_error **reterr, const struct place *outer,
		       const struct report_list *rule, const void *owner)
{
	const struct place list = { .outer = outer, .name = rule->list->name };
	const char *key = rule->list->table->fields[0].name;
	size_t length = fact_list_length(rule->list, owner);
	_cleanup_free_ struct entry *entries = calloc(length + 1, sizeof(*entries));
	struct place place = { .outer = &list };
	const struct entry *twice;

	if (!entries)
		return error_no_memory(reterr);
	for (size_t i = 0; i < length; i++) {
		entries[i].index = place.index = i;
		entries[i].text = name_of_item(rule, fact_list_get(rule->list, owner, i));
		if (!entries[i].text)
			return report_refuse(reterr, &place, key, "is not there");
	}
	twice = find_twice(entries, length);
	if (!twice)
		return 0;
	place.index = twice->index;
	return report_refuse(reterr, &place, key, "stands there twice: \"%s\"", twice->text);
}

static int check_all_names(struct mlx5lm_error **reterr, const struct place *place,
			   const struct report_object *rule, const void *object)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rule->num_lists; i++) {
		if (rule->lists[i].named)
			r = check_names(reterr, place, &rule->lists[i], object);
	}
	return r;
}

static int complete_notes(struct mlx5lm_error **reterr, const struct place *outer,
			  struct mlx5lm_host *host)
{
	const struct place list = { .outer = outer, .name = host_notes.name };
	struct place place = { .outer = &list };

	for (size_t i = 0; i < host->num_notes; i++) {
		struct note *note = &host->notes[i];

		place.index = i;
		if (!note->object || !note->text)
			return report_refuse(reterr, &place, note->object ? "text" : "object",
					     "is not there");
		if (note_complete(note))
			return error_no_memory(reterr);
	}
	return 0;
}

/* Addresses name devices in messages, plans and XML: nothing else may stand there. */
static int complete_bdf(struct mlx5lm_error **reterr, const struct place *place, char **bdf,
			struct entry *entry)
{
	char text[BDF_TEXT_SIZE];
	struct bdf parsed;

	if (!*bdf)
		return report_refuse(reterr, place, "bdf", "is not there");
	if (bdf_parse(*bdf, &parsed) < 0)
		return report_refuse(reterr, place, "bdf", "is not a PCI address");
	bdf_format(&parsed, text);
	if (!streq(*bdf, text) && str_replace(bdf, text))
		return error_no_memory(reterr);
	entry->number = (uint64_t)parsed.domain << 16 | (uint64_t)parsed.bus << 8 |
			(uint64_t)parsed.device << 3 | parsed.function;
	return 0;
}

/* The places of a PF and of its VFs. */
struct pf_place {
	struct place list, pf, vfs, vf;
};

static void set_place(struct pf_place *place, const struct place *outer, size_t pf, size_t vf)
{
	place->list = (struct place){ .outer = outer, .name = host_pfs.name };
	place->pf = (struct place){ .outer = &place->list, .index = pf };
	place->vfs = (struct place){ .outer = &place->pf, .name = pf_vfs.name };
	place->vf = (struct place){ .outer = &place->vfs, .index = vf };
}

#define NO_VF SIZE_MAX

/* Every function has an address of its own, be it a PF or a VF. */
static int complete_addresses(struct mlx5lm_error **reterr, const struct place *outer,
			      struct mlx5lm_host *host)
{
	_cleanup_free_ struct entry *entries = NULL;
	size_t length = host->num_pfs, used = 0;
	const struct entry *twice;
	struct pf_place place;
	int r = 0;

	for (size_t i = 0; i < host->num_pfs; i++)
		length += host->pfs[i].num_vfs;
	entries = calloc(length + 1, sizeof(*entries));
	if (!entries)
		return error_no_memory(reterr);
	for (size_t i = 0; i < host->num_pfs; i++) {
		struct mlx5lm_pf *pf = &host->pfs[i];

		set_place(&place, outer, i, 0);
		entries[used] = (struct entry){ .pf = i, .index = NO_VF };
		r = complete_bdf(reterr, &place.pf, &pf->bdf, &entries[used++]);
		for (size_t j = 0; r == 0 && j < pf->num_vfs; j++) {
			place.vf.index = j;
			entries[used] = (struct entry){ .pf = i, .index = j };
			r = complete_bdf(reterr, &place.vf, &pf->vfs[j].bdf, &entries[used++]);
		}
		if (r < 0)
			return r;
	}
	twice = find_twice(entries, used);
	if (!twice)
		return 0;
	set_place(&place, outer, twice->pf, twice->index);
	return report_refuse(reterr, twice->index == NO_VF ? &place.pf : &place.vf, "bdf",
			     "is the address of another function, too");
}

static int compare_vfs(const void *a, const void *b)
{
	const struct mlx5lm_vf *x = a, *y = b;

	return (x->index.value > y->index.value) - (x->index.value < y->index.value);
}

static int complete_vfs(struct mlx5lm_error **reterr, struct pf_place *place, struct mlx5lm_pf *pf)
{
	_cleanup_free_ struct entry *entries = calloc(pf->num_vfs + 1, sizeof(*entries));
	const struct entry *twice;
	bool in_order = true;

	if (!entries)
		return error_no_memory(reterr);
	for (size_t i = 0; i < pf->num_vfs; i++) {
		const struct fact_u64 *index = &pf->vfs[i].index;

		place->vf.index = i;
		if (!index->known)
			return report_refuse(reterr, &place->vf, "index", "is not there");
		if (index->value > UINT16_MAX)
			return report_refuse(reterr, &place->vf, "index", "is more than %u",
					     UINT16_MAX);
		entries[i] = (struct entry){ .number = index->value, .index = i };
	}
	twice = find_twice(entries, pf->num_vfs);
	if (twice) {
		place->vf.index = twice->index;
		return report_refuse(reterr, &place->vf, "index", "stands there twice: %" PRIu64,
				     twice->number);
	}
	for (size_t i = 0; i < pf->num_vfs; i++)
		in_order &= entries[i].index == i;
	if (!in_order)
		qsort(pf->vfs, pf->num_vfs, sizeof(*pf->vfs), compare_vfs);
	return 0;
}

static int compare_pfs(const void *a, const void *b)
{
	struct bdf x, y;

	/* complete_addresses() has seen that these are addresses. */
	if (bdf_parse(((const struct mlx5lm_pf *)a)->bdf, &x) < 0 ||
	    bdf_parse(((const struct mlx5lm_pf *)b)->bdf, &y) < 0)
		return 0;
	if (x.domain != y.domain)
		return x.domain < y.domain ? -1 : 1;
	return (x.bus << 8 | x.device << 3 | x.function) -
	       (y.bus << 8 | y.device << 3 | y.function);
}

int report_complete(struct mlx5lm_host *host, struct mlx5lm_error **reterr)
{
	static const struct place document = { 0 };
	struct pf_place place;
	int r;

	r = check_all_names(reterr, &document, &report_host, host);
	if (r == 0)
		r = complete_notes(reterr, &document, host);
	if (r == 0)
		r = complete_addresses(reterr, &document, host);
	for (size_t i = 0; r == 0 && i < host->num_pfs; i++) {
		set_place(&place, &document, i, 0);
		r = check_all_names(reterr, &place.pf, &report_pf, &host->pfs[i]);
		if (r == 0)
			r = complete_vfs(reterr, &place, &host->pfs[i]);
	}
	if (r == 0 && host->num_pfs)
		qsort(host->pfs, host->num_pfs, sizeof(*host->pfs), compare_pfs);
	return r;
}
