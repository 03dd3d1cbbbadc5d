// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Changes JSON as JSON. Byte by byte, nearly every change would end in the tokenizer, which is
 * jansson's, and few would reach the reader behind it. Only libFuzzer calls this.
 */
#include <jansson.h>

#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#define MAX_CONTAINERS 1024
#define MAX_TEXT 256

/* What a document consists of: objects and lists, all that a change can be made in. */
struct containers {
	json_t *items[MAX_CONTAINERS];
	size_t length;
	unsigned int random;
};

static size_t pick(struct containers *all, size_t below)
{
	all->random = all->random * 1103515245u + 12345u;
	return below ? (all->random >> 8) % below : 0;
}

static void collect(struct containers *all, json_t *json)
{
	const char *key;
	json_t *child;
	size_t i;

	if (!json_is_object(json) && !json_is_array(json))
		return;
	if (all->length == MAX_CONTAINERS)
		return;
	all->items[all->length++] = json;
	json_object_foreach(json, key, child)
		collect(all, child);
	json_array_foreach(json, i, child)
		collect(all, child);
}

static json_t *mutated_string(const char *text)
{
	uint8_t bytes[MAX_TEXT];
	size_t length = strlen(text);
	json_t *string;

	if (length > sizeof(bytes) / 2)
		length = sizeof(bytes) / 2;
	memcpy(bytes, text, length);
	length = LLVMFuzzerMutate(bytes, length, sizeof(bytes));
	string = json_stringn((const char *)bytes, length);
	return string ? string : json_string("");
}

static json_int_t nearby(json_int_t number, size_t step)
{
	return (json_int_t)((uint64_t)number + step - 2);
}

static json_t *new_value(struct containers *all, const json_t *old)
{
	static const json_int_t integers[] = {
		0, 1, -1, 2, 127, 4096, 65535, 65536, UINT32_MAX, INT64_MAX, INT64_MIN,
	};

	if (json_is_string(old) && pick(all, 4))
		return mutated_string(json_string_value(old));
	if (json_is_integer(old) && pick(all, 2))
		return json_integer(nearby(json_integer_value(old), pick(all, 5)));
	switch (pick(all, 8)) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(pick(all, 2));
	case 2:
		return json_real(1.5);
	case 3:
		return json_object();
	case 4:
		return json_array();
	case 5:
		return mutated_string("");
	default:
		return json_integer(integers[pick(all, sizeof(integers) / sizeof(integers[0]))]);
	}
}

/* A member of a random container, its key if that is an object. NULL if it is empty. */
static json_t *pick_member(struct containers *all, json_t **ret_container, const char **ret_key,
			   size_t *ret_index)
{
	json_t *container = all->items[pick(all, all->length)];
	const char *key;
	json_t *child;
	size_t left;

	*ret_container = container;
	*ret_key = NULL;
	if (json_is_array(container)) {
		*ret_index = pick(all, json_array_size(container));
		return json_array_get(container, *ret_index);
	}
	left = pick(all, json_object_size(container));
	json_object_foreach(container, key, child) {
		*ret_key = key;
		if (left-- == 0)
			return child;
	}
	return NULL;
}

static void change(struct containers *all)
{
	const char *key, *other_key;
	json_t *container, *other, *member, *donor;
	size_t index = 0, other_index = 0;

	member = pick_member(all, &container, &key, &index);
	donor = pick_member(all, &other, &other_key, &other_index);
	switch (pick(all, 6)) {
	case 0: /* take away */
		if (key)
			json_object_del(container, key);
		else
			json_array_remove(container, index);
		return;
	case 1: /* one more: a copy from elsewhere */
		if (!donor)
			return;
		if (json_is_array(container))
			json_array_append_new(container, json_deep_copy(donor));
		else
			json_object_set_new(container, other_key ? other_key : "new",
					    json_deep_copy(donor));
		return;
	case 2: /* another name */
		if (key && donor && member) {
			json_t *name = mutated_string(key);

			json_object_set_new(container, json_string_value(name),
					    json_deep_copy(member));
			json_decref(name);
		}
		return;
	case 3: /* a value from elsewhere */
		member = donor ? json_deep_copy(donor) : json_null();
		break;
	default:
		member = new_value(all, member);
	}
	if (key)
		json_object_set_new(container, key, member);
	else if (json_is_array(container))
		json_array_set_new(container, index, member);
	else
		json_decref(member);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct containers all = { .random = seed };
	json_t *root = NULL;
	size_t length;

	if (seed % 4)
		root = json_loadb((const char *)data, size, 0, NULL);
	if (!root)
		return LLVMFuzzerMutate(data, size, max_size);
	for (size_t i = 0; i <= seed / 4 % 3; i++) {
		all.length = 0;
		collect(&all, root);
		change(&all);
	}
	length = json_dumpb(root, (char *)data, max_size, JSON_COMPACT);
	json_decref(root);
	/* It has become too long: the beginning of it is input as good as any. */
	return length < max_size ? length : max_size;
}
