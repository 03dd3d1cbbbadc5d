// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <search.h>

#include "base/array.h"
#include "core/fleet_internal.h"

static int compare_keys(const void *a, const void *b)
{
	const struct fleet_class *x = a, *y = b;
	size_t size = x->key_size < y->key_size ? x->key_size : y->key_size;
	int order = memcmp(x->key, y->key, size);

	return order ? order : (x->key_size > y->key_size) - (x->key_size < y->key_size);
}

static int compare_values(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep(void *text)
{
	(void)text; /* is part of what the array holds */
}

/* In fleet->key. *ret_known: nothing that decides is missing. 0 or -ENOMEM. */
static int make_key(struct mlx5lm_fleet *fleet, const struct mlx5lm_host *host,
		    const struct mlx5lm_pf *pf, size_t *ret_size, bool *ret_known)
{
	size_t size = 0;

	*ret_known = true;
	for (size_t i = 0; i < fleet->num_rules; i++) {
		const struct compare_rule *rule = fleet->rules[i];
		struct rule_value value = { 0 };
		size_t length;

		rule->get(host, pf, &value);
		length = value.text ? strlen(value.text) : 0;
		if (array_reserve(&fleet->key, &fleet->allocated_key, size + length + 2, 1))
			return -ENOMEM;
		fleet->key[size] = value.text ? '=' : '?';
		if (value.text)
			memcpy(fleet->key + size + 1, value.text, length);
		fleet->key[size + length + 1] = '\0';
		size += length + 2;
		if (!value.text && rule->unknown == MLX5LM_STATUS_UNKNOWN)
			*ret_known = false;
	}
	*ret_size = size;
	return 0;
}

/* The one copy of a text. NULL when out of memory. */
static const char *intern(struct mlx5lm_fleet *fleet, const char *text)
{
	char *const *found = tfind(text, &fleet->values, compare_values);
	char *copy;

	if (found)
		return *found;
	copy = strdup(text);
	if (!copy)
		return NULL;
	if (tsearch(copy, &fleet->values, compare_values))
		return copy;
	free(copy);
	return NULL;
}

static int set_values(struct mlx5lm_fleet *fleet, struct fleet_class *cls)
{
	const char *at = cls->key;

	for (size_t i = 0; i < fleet->num_rules; i++) {
		if (*at == '=') {
			cls->values[i] = intern(fleet, at + 1);
			if (!cls->values[i])
				return -ENOMEM;
		}
		at += strlen(at) + 1;
	}
	return 0;
}

static int add_class(struct mlx5lm_fleet *fleet, size_t key_size, bool known, uint32_t *ret)
{
	size_t values_size = fleet->num_rules * sizeof(char *);
	_cleanup_free_ struct fleet_class *cls = NULL;
	char *key;

	if (fleet->num_classes >= UINT32_MAX ||
	    array_reserve(&fleet->classes, &fleet->allocated_classes, fleet->num_classes + 1,
			  sizeof(fleet->classes[0])))
		return -ENOMEM;
	cls = calloc(1, sizeof(*cls) + values_size + key_size);
	if (!cls)
		return -ENOMEM;
	key = (char *)cls + sizeof(*cls) + values_size;
	memcpy(key, fleet->key, key_size);
	cls->key = key;
	cls->key_size = key_size;
	cls->known = known;
	cls->index = (uint32_t)fleet->num_classes;
	if (set_values(fleet, cls) || !tsearch(cls, &fleet->keys, compare_keys))
		return -ENOMEM;
	*ret = cls->index;
	fleet->classes[fleet->num_classes++] = TAKE(cls);
	return 0;
}

int fleet_classify(struct mlx5lm_fleet *fleet, const struct mlx5lm_host *host,
		   const struct mlx5lm_pf *pf, uint32_t *ret)
{
	struct fleet_class *const *found;
	struct fleet_class wanted = { 0 };
	bool known;
	int r;

	r = make_key(fleet, host, pf, &wanted.key_size, &known);
	if (r < 0)
		return r;
	wanted.key = fleet->key;
	found = tfind(&wanted, &fleet->keys, compare_keys);
	if (!found)
		return add_class(fleet, wanted.key_size, known, ret);
	*ret = (*found)->index;
	return 0;
}

void fleet_drop_classes(struct mlx5lm_fleet *fleet, size_t first)
{
	/* Deleting one by one would rebalance the tree each time. */
	if (first == 0) {
		tdestroy(fleet->keys, keep);
		fleet->keys = NULL;
	}
	while (fleet->num_classes > first) {
		struct fleet_class *cls = fleet->classes[--fleet->num_classes];

		if (fleet->keys)
			tdelete(cls, &fleet->keys, compare_keys);
		free(cls);
	}
}
