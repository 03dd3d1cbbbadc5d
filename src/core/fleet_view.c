// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <search.h>
#include <stdatomic.h>

#include "core/fleet_internal.h"

/* With how many others a class is compared to find the nearest: the largest of its hardware. */
#define MAX_CANDIDATES 64

/*
 * How much a difference counts: no number of lesser ones is as much as one of the next kind.
 * What is not known may be equal.
 */
#define CHANGE_WEIGHT 1u
#define UNKNOWN_WEIGHT 1000u
#define FIXED_WEIGHT 1000000u

void fleet_view_free(struct fleet_view *view)
{
	if (!view)
		return;
	free(view->hosts);
	free(view->members);
	free(view->classes);
	free(view);
}

DEFINE_CLEANUP(struct fleet_view *, fleet_view_free)

static void visit(const void *node, VISIT which, void *closure)
{
	uint32_t **next = closure;

	if (which == postorder || which == leaf)
		*(*next)++ = (*(struct fleet_entry *const *)node)->index;
}

/* The members of all classes, each in the order of names. */
static void fill_members(const struct mlx5lm_fleet *fleet, struct fleet_view *view)
{
	uint32_t *next = view->members;

	for (size_t i = 0; i < fleet->num_classes; i++) {
		view->classes[i] = (struct mlx5lm_class){
			.fleet = fleet,
			.cls = fleet->classes[i],
			.hosts = next,
			.nearest = SIZE_MAX,
		};
		next += fleet->classes[i]->num_hosts;
	}
	for (size_t i = 0; i < fleet->num_hosts; i++) {
		const struct fleet_host *host = &fleet->hosts[view->hosts[i]]->host;

		for (size_t j = 0; j < host->num_pfs; j++) {
			struct mlx5lm_class *cls = &view->classes[host->pfs[j].cls];
			size_t length = cls->num_hosts;

			if (length && cls->hosts[length - 1] == view->hosts[i])
				continue;
			view->members[cls->hosts - view->members + length] = view->hosts[i];
			cls->num_hosts++;
		}
	}
}

/* The larger first; then by the first host; one that has both has them by what they are. */
static int compare_classes(const void *a, const void *b)
{
	const struct mlx5lm_class *x = a, *y = b;
	size_t size;
	int order = (x->num_hosts < y->num_hosts) - (x->num_hosts > y->num_hosts);

	if (!order)
		order = strcmp(class_get_host(x, 0), class_get_host(y, 0));
	if (order)
		return order;
	size = x->cls->key_size < y->cls->key_size ? x->cls->key_size : y->cls->key_size;
	return memcmp(x->cls->key, y->cls->key, size);
}

static int compare_hardware(const struct mlx5lm_class *a, const struct mlx5lm_class *b)
{
	const struct mlx5lm_fleet *fleet = a->fleet;

	for (size_t i = 0; i < fleet->num_rules; i++) {
		uintptr_t x = (uintptr_t)a->cls->values[i], y = (uintptr_t)b->cls->values[i];

		if (fleet->rules[i]->change == RULE_FIXED && x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/* By hardware, in any order; then by size. */
static int compare_by_hardware(const void *a, const void *b)
{
	const struct mlx5lm_class *x = *(const struct mlx5lm_class *const *)a;
	const struct mlx5lm_class *y = *(const struct mlx5lm_class *const *)b;
	int order = compare_hardware(x, y);

	return order ? order : (x > y) - (x < y);
}

static unsigned int distance(const struct mlx5lm_class *a, const struct mlx5lm_class *b)
{
	const struct mlx5lm_fleet *fleet = a->fleet;
	unsigned int sum = 0;

	for (size_t i = 0; i < fleet->num_rules; i++) {
		const char *x = a->cls->values[i], *y = b->cls->values[i];

		if (x == y)
			continue;
		if (!x || !y)
			sum += UNKNOWN_WEIGHT;
		else
			sum += fleet->rules[i]->change == RULE_FIXED ? FIXED_WEIGHT : CHANGE_WEIGHT;
	}
	return sum;
}

/* Candidates are in the order of size. Nobody knows who could be in a class that is not known. */
static void choose_nearest(const struct fleet_view *view, struct mlx5lm_class *cls,
			   struct mlx5lm_class *const *candidates, size_t length)
{
	unsigned int best = 0;

	for (size_t i = 0; i < length && i < MAX_CANDIDATES; i++) {
		const struct mlx5lm_class *other = candidates[i];
		unsigned int sum;

		if (other->num_hosts < cls->num_hosts)
			return;
		if (other == cls || !other->cls->known)
			continue;
		sum = distance(cls, other);
		if (cls->nearest != SIZE_MAX && sum >= best)
			continue;
		best = sum;
		cls->nearest = (size_t)(other - view->classes);
	}
}

static int find_nearest(struct fleet_view *view)
{
	size_t length = view->num_classes, end;
	struct mlx5lm_class **by_size = calloc(length + 1, sizeof(struct mlx5lm_class *));
	struct mlx5lm_class **alike = calloc(length + 1, sizeof(struct mlx5lm_class *));

	if (!by_size || !alike) {
		free(by_size);
		free(alike);
		return -ENOMEM;
	}
	for (size_t i = 0; i < length; i++)
		by_size[i] = alike[i] = &view->classes[i];
	if (length)
		qsort(alike, length, sizeof(struct mlx5lm_class *), compare_by_hardware);
	for (size_t first = 0; first < length; first = end) {
		for (end = first + 1; end < length; end++) {
			if (compare_hardware(alike[first], alike[end]))
				break;
		}
		for (size_t i = first; i < end; i++)
			choose_nearest(view, alike[i], alike + first, end - first);
	}
	for (size_t i = 0; i < length; i++) {
		if (view->classes[i].nearest == SIZE_MAX)
			choose_nearest(view, &view->classes[i], by_size, length);
	}
	free(by_size);
	free(alike);
	return 0;
}

static int view_new(const struct mlx5lm_fleet *fleet, struct fleet_view **ret)
{
	_cleanup_(fleet_view_free_p) struct fleet_view *view = calloc(1, sizeof(*view));
	size_t num_members = 0;
	uint32_t *next;

	if (!view)
		return -ENOMEM;
	for (size_t i = 0; i < fleet->num_classes; i++)
		num_members += fleet->classes[i]->num_hosts;
	view->num_classes = fleet->num_classes;
	view->hosts = calloc(fleet->num_hosts + 1, sizeof(view->hosts[0]));
	view->members = calloc(num_members + 1, sizeof(view->members[0]));
	view->classes = calloc(fleet->num_classes + 1, sizeof(view->classes[0]));
	if (!view->hosts || !view->members || !view->classes)
		return -ENOMEM;
	next = view->hosts;
	twalk_r(fleet->names, visit, &next);
	fill_members(fleet, view);
	if (view->num_classes)
		qsort(view->classes, view->num_classes, sizeof(view->classes[0]), compare_classes);
	if (find_nearest(view))
		return -ENOMEM;
	*ret = TAKE(view);
	return 0;
}

int fleet_get_view(const struct mlx5lm_fleet *fleet, const struct fleet_view **ret)
{
	struct fleet_view *view = atomic_load(&fleet->cache->view), *first = NULL;

	if (!view) {
		if (view_new(fleet, &view))
			return -ENOMEM;
		/* Readers may be many: the first one's stays, so that what was borrowed does. */
		if (!atomic_compare_exchange_strong(&fleet->cache->view, &first, view)) {
			fleet_view_free(view);
			view = first;
		}
	}
	*ret = view;
	return 0;
}

const struct mlx5lm_class *fleet_get_class(const struct mlx5lm_fleet *fleet, size_t index)
{
	const struct fleet_view *view;

	if (index >= fleet->num_classes || fleet_get_view(fleet, &view))
		return NULL;
	return &view->classes[index];
}

size_t class_num_hosts(const struct mlx5lm_class *cls)
{
	return cls->num_hosts;
}

const char *class_get_host(const struct mlx5lm_class *cls, size_t index)
{
	return index < cls->num_hosts ? cls->fleet->hosts[cls->hosts[index]]->host.name : NULL;
}

const char *class_get_value(const struct mlx5lm_class *cls, const char *rule_id)
{
	for (size_t i = 0; i < cls->fleet->num_rules; i++) {
		if (streq(cls->fleet->rules[i]->id, rule_id))
			return cls->cls->values[i];
	}
	return NULL;
}

bool class_is_known(const struct mlx5lm_class *cls)
{
	return cls->cls->known;
}

int class_get_nearest(const struct mlx5lm_class *cls, size_t *ret_index)
{
	if (cls->nearest == SIZE_MAX)
		return -ENODATA;
	*ret_index = cls->nearest;
	return 0;
}
