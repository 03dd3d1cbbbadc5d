// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/config_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/json_text.h"

#define SCHEMA "mlx5lm.config"
#define SCHEMA_VERSION 1
#define MAX_WORD 40u /* of the document, in a message */

static const struct json_kind wanted_state = {
	.name = "wanted state",
	.max_depth = 8,
	.remedy = "doc/schema/config-1.json tells the form of a wanted state",
};

/* A member of an object of the document. */
struct item {
	struct mlx5lm_error **reterr;
	const char *where; /* the object: a JSON pointer (RFC 6901) */
	const char *key;
	const json_t *value;
};

static int refuse(const struct item *item, const char *format, ...) _printf_(2, 3);

/* Words of the document that can stand in a message. */
static const char *printable(const char *word)
{
	size_t length = strlen(word);

	return length <= MAX_WORD && !json_has_control(word, length) ? word : "?";
}

static int refuse(const struct item *item, const char *format, ...)
{
	_cleanup_free_ char *place = str_printf("%s/%s", item->where, printable(item->key));
	va_list args;
	int r;

	if (!place)
		return error_no_memory(item->reterr);
	va_start(args, format);
	r = json_refuse(item->reterr, &wanted_state, place, format, args);
	va_end(args);
	return r;
}

/* A wish that is misspelt, or of a newer library, must not get lost. */
static int refuse_key(const struct item *item)
{
	return refuse(item, "is not known to this library");
}

static int read_number(const struct item *item, uint64_t min, uint64_t max, struct fact_u64 *ret)
{
	json_int_t value = json_integer_value(item->value);

	if (!json_is_integer(item->value))
		return refuse(item, "is not a whole number");
	if (value < 0 || (uint64_t)value < min || (uint64_t)value > max)
		return refuse(item, "is %" JSON_INTEGER_FORMAT ", not %" PRIu64 " to %" PRIu64,
			      value, min, max);
	*ret = fact_u64((uint64_t)value);
	return 0;
}

/* A number of VFs: more than any PF can have is an error of its own. */
static int read_num_vfs(const struct item *item, struct fact_u64 *ret)
{
	json_int_t value = json_integer_value(item->value);

	if (!json_is_integer(item->value) || value <= CONFIG_MAX_VFS)
		return read_number(item, 0, CONFIG_MAX_VFS, ret);
	error_set(item->reterr, MLX5LM_ERROR_TOO_MANY_VFS, ERANGE, MLX5LM_SOURCE_LIBRARY,
		  "wanted state: %s/%s is %" JSON_INTEGER_FORMAT ", no PF has more than %u VFs",
		  item->where, item->key, value, CONFIG_MAX_VFS);
	error_add_remedy(item->reterr, "ask for as many as sriov_totalvfs of the PF says");
	return -ERANGE;
}

/* One of two words: those of names from first on. */
static int read_word(const struct item *item, const struct name_list *names, uint32_t first,
		     uint32_t *ret)
{
	uint32_t value = name_value(names, json_string_value(item->value));

	if (value != first && value != first + 1)
		return refuse(item, "is not \"%s\" or \"%s\"", names->names[first],
			      names->names[first + 1]);
	*ret = value;
	return 0;
}

static int read_bool(const struct item *item, bool *ret)
{
	if (!json_is_boolean(item->value))
		return refuse(item, "is not true or false");
	*ret = json_is_true(item->value);
	return 0;
}

static int read_driver(const struct item *item, char **ret)
{
	const char *driver = json_string_value(item->value);

	if (!driver || !config_knows_driver(driver))
		return refuse(item, "is not \"mlx5_vfio_pci\", \"mlx5_core\" or \"\" for none");
	return str_replace(ret, driver) ? error_no_memory(item->reterr) : 0;
}

static int read_hw_addr(const struct item *item, struct vf_config *vf)
{
	const char *text = json_string_value(item->value);
	char canonical[HW_ADDR_TEXT_SIZE];

	if (!text)
		return refuse(item, "is not a string");
	if (vf->vf_index == MLX5LM_VF_ALL)
		return refuse(item, "can be wanted of one VF only: addresses are unique");
	if (hw_addr_parse(text, canonical) < 0) {
		error_set(item->reterr, MLX5LM_ERROR_HW_ADDR, EADDRNOTAVAIL, MLX5LM_SOURCE_LIBRARY,
			  "wanted state: %s/hw_addr: VF %u cannot have the address \"%s\"",
			  item->where, vf->vf_index, printable(text));
		error_add_remedy(item->reterr, "a unicast address that is not zero is needed, such "
					       "as 02:00:00:00:00:01");
		return -EADDRNOTAVAIL;
	}
	return str_replace(&vf->hw_addr, canonical) ? error_no_memory(item->reterr) : 0;
}

/* What is wanted of a VF, or of all. */
static int read_wish(const struct item *item, struct vf_config *vf)
{
	uint32_t attr = name_value(&port_attr_names, item->key);

	if (attr)
		return read_word(item, &port_attr_state_names, MLX5LM_PORT_ATTR_STATE_DISABLED,
				 &vf->attr[attr]);
	if (streq(item->key, "hw_addr"))
		return read_hw_addr(item, vf);
	if (streq(item->key, "driver"))
		return read_driver(item, &vf->driver);
	if (streq(item->key, "max_io_eqs"))
		return read_number(item, 1, CONFIG_MAX_IO_EQS, &vf->max_io_eqs);
	if (streq(item->key, "msix_count"))
		return read_number(item, 1, CONFIG_MAX_MSIX, &vf->msix_count);
	if (streq(item->key, "representor_state"))
		return read_word(item, &admin_state_names, MLX5LM_ADMIN_STATE_UP,
				 &vf->representor_state);
	return refuse_key(item);
}

static int read_wishes(const struct item *object, const char *where, struct vf_config *vf)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object->value, key, value) {
		const struct item item = { object->reterr, where, key, value };
		int r;

		/* That of all VFs has no index. */
		if (vf->vf_index != MLX5LM_VF_ALL && streq(key, "index"))
			continue;
		r = read_wish(&item, vf);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_all_vfs(const struct item *item, struct mlx5lm_config *config)
{
	struct vf_config *vf;

	if (!json_is_object(item->value))
		return refuse(item, "is not an object");
	vf = config_get_vf(config, MLX5LM_VF_ALL);
	return vf ? read_wishes(item, "/all_vfs", vf) : error_no_memory(item->reterr);
}

static int read_index(const struct item *object, const char *where, uint32_t *ret)
{
	const json_t *index = json_object_get(object->value, "index");
	const struct item item = { object->reterr, where, "index", index };
	json_int_t value = json_integer_value(index);

	if (!json_is_integer(index))
		return refuse(&item, index ? "is not a whole number" : "is missing");
	if (value < 0 || value >= CONFIG_MAX_VFS) {
		error_set(item.reterr, MLX5LM_ERROR_VF_INDEX, ERANGE, MLX5LM_SOURCE_LIBRARY,
			  "wanted state: %s/index is %" JSON_INTEGER_FORMAT
			  ", VFs have the indices 0 to %u", where, value, CONFIG_MAX_VFS - 1);
		error_add_remedy(item.reterr, "the first VF is 0: virtfn0 of the PF in sysfs");
		return -ERANGE;
	}
	*ret = (uint32_t)value;
	return 0;
}

static int read_vf(const struct item *list, size_t place, struct mlx5lm_config *config)
{
	struct item object = { list->reterr, "/vfs", NULL, json_array_get(list->value, place) };
	char number[24], where[32];
	struct vf_config *vf;
	uint32_t index = 0;
	int r;

	snprintf(number, sizeof(number), "%zu", place);
	snprintf(where, sizeof(where), "/vfs/%s", number);
	object.key = number;
	if (!json_is_object(object.value))
		return refuse(&object, "is not an object");
	r = read_index(&object, where, &index);
	if (r < 0)
		return r;
	if (config_find_vf(config, index))
		return refuse(&object, "is about VF %u again", index);
	vf = config_get_vf(config, index);
	return vf ? read_wishes(&object, where, vf) : error_no_memory(object.reterr);
}

static int read_vfs(const struct item *item, struct mlx5lm_config *config)
{
	int r = 0;

	if (!json_is_array(item->value))
		return refuse(item, "is not a list");
	for (size_t i = 0; r == 0 && i < json_array_size(item->value); i++)
		r = read_vf(item, i, config);
	return r;
}

static int read_nv(const struct item *object, struct mlx5lm_config *config)
{
	const char *key;
	json_t *value;
	int r = 0;

	if (!json_is_object(object->value))
		return refuse(object, "is not an object");
	json_object_foreach((json_t *)object->value, key, value) {
		const struct item item = { object->reterr, "/nv", key, value };
		uint64_t max;
		int index = config_find_nv(key, &max);

		if (index < 0)
			r = refuse_key(&item);
		else if (max == CONFIG_MAX_VFS)
			r = read_num_vfs(&item, &config->nv[index]);
		else
			r = read_number(&item, 0, max, &config->nv[index]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_member(const struct item *item, struct mlx5lm_config *config)
{
	if (streq(item->key, "num_vfs"))
		return read_num_vfs(item, &config->num_vfs);
	if (streq(item->key, "eswitch_mode"))
		return read_word(item, &eswitch_mode_names, MLX5LM_ESWITCH_LEGACY,
				 &config->eswitch_mode);
	if (streq(item->key, "nv"))
		return read_nv(item, config);
	if (streq(item->key, "firmware_reset"))
		return read_bool(item, &config->firmware_reset);
	if (streq(item->key, "live_guests"))
		return read_bool(item, &config->live_guests);
	if (streq(item->key, "all_vfs"))
		return read_all_vfs(item, config);
	if (streq(item->key, "vfs"))
		return read_vfs(item, config);
	return streq(item->key, "schema") || streq(item->key, "schema_version") ? 0 :
										  refuse_key(item);
}

static int check_schema(const json_t *json, struct mlx5lm_error **reterr)
{
	const json_t *version = json_object_get(json, "schema_version");
	const struct item schema = { reterr, "", "schema", json_object_get(json, "schema") };
	const struct item number = { reterr, "", "schema_version", version };

	if (!json_is_object(json))
		return refuse(&(struct item){ reterr, "", "", json }, "is not an object");
	if (!streq(json_string_value(schema.value), SCHEMA))
		return refuse(&schema, "is not \"" SCHEMA "\"");
	if (!json_is_integer(version) || json_integer_value(version) != SCHEMA_VERSION)
		return refuse(&number, "is not one this library reads (%d)", SCHEMA_VERSION);
	return 0;
}

static int compare_hw_addr(const void *a, const void *b)
{
	const struct vf_config *const *first = a, *const *second = b;
	int order = strcmp((*first)->hw_addr, (*second)->hw_addr);

	return order ? order : (*first)->vf_index < (*second)->vf_index ? -1 : 1;
}

static int check_unique(const struct mlx5lm_config *config, struct mlx5lm_error **reterr)
{
	_cleanup_free_ const struct vf_config **vfs = NULL;
	size_t length = 0;

	vfs = calloc(config->num_vf_configs + 1, sizeof(const struct vf_config *));
	if (!vfs)
		return error_no_memory(reterr);
	for (size_t i = 0; i < config->num_vf_configs; i++) {
		if (config->vfs[i].hw_addr)
			vfs[length++] = &config->vfs[i];
	}
	qsort(vfs, length, sizeof(const struct vf_config *), compare_hw_addr);
	for (size_t i = 1; i < length; i++) {
		if (!streq(vfs[i - 1]->hw_addr, vfs[i]->hw_addr))
			continue;
		error_set(reterr, MLX5LM_ERROR_HW_ADDR_TAKEN, EEXIST, MLX5LM_SOURCE_LIBRARY,
			  "wanted state: VF %u and VF %u both want the address %s",
			  vfs[i - 1]->vf_index, vfs[i]->vf_index, vfs[i]->hw_addr);
		error_add_remedy(reterr, "give each VF an address of its own");
		return -EEXIST;
	}
	return 0;
}

int config_from_json(const json_t *json, struct mlx5lm_config **ret, struct mlx5lm_error **reterr)
{
	_cleanup_config_ struct mlx5lm_config *config = calloc(1, sizeof(*config));
	const char *key;
	json_t *value;
	int r;

	if (!config)
		return error_no_memory(reterr);
	r = check_schema(json, reterr);
	if (r < 0)
		return r;
	json_object_foreach((json_t *)json, key, value) {
		const struct item item = { reterr, "", key, value };

		r = read_member(&item, config);
		if (r < 0)
			return r;
	}
	r = check_unique(config, reterr);
	if (r < 0)
		return r;
	*ret = TAKE(config);
	return 0;
}

int config_parse(const char *json, size_t length, struct mlx5lm_config **ret,
		 struct mlx5lm_error **reterr)
{
	_cleanup_json_ json_t *root = NULL;
	int r;

	if (length > CONFIG_MAX_BYTES)
		return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EFBIG,
				 MLX5LM_SOURCE_LIBRARY,
				 "wanted state: %zu bytes are more than the limit of %u", length,
				 CONFIG_MAX_BYTES);
	r = json_load(&wanted_state, json, length, &root, reterr);
	return r < 0 ? r : config_from_json(root, ret, reterr);
}

/* What is not wanted is left out. 0 or -1, as jansson. */
static int set_number(json_t *object, const char *key, struct fact_u64 number)
{
	return number.known ?
		       json_object_set_new(object, key, json_integer((json_int_t)number.value)) : 0;
}

static int set_word(json_t *object, const char *key, const struct name_list *names, uint32_t value)
{
	return value ? json_set_str(object, key, name_of(names, value)) : 0;
}

static int set_true(json_t *object, const char *key, bool value)
{
	return value ? json_object_set_new(object, key, json_true()) : 0;
}

static int write_wishes(json_t *object, const struct vf_config *vf)
{
	if (json_set_str(object, "hw_addr", vf->hw_addr))
		return -1;
	for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++) {
		if (set_word(object, name_of(&port_attr_names, attr), &port_attr_state_names,
			     vf->attr[attr]))
			return -1;
	}
	return set_number(object, "max_io_eqs", vf->max_io_eqs) ||
	       set_number(object, "msix_count", vf->msix_count) ||
	       json_set_str(object, "driver", vf->driver) ||
	       set_word(object, "representor_state", &admin_state_names, vf->representor_state);
}

static int write_nv(json_t *root, const struct mlx5lm_config *config)
{
	json_t *nv = NULL;

	for (unsigned int i = 0; i < NV_COUNT; i++) {
		if (!config->nv[i].known)
			continue;
		if (!nv) {
			nv = json_object();
			if (json_object_set_new(root, "nv", nv))
				return -1;
		}
		if (set_number(nv, nv_name(i), config->nv[i]))
			return -1;
	}
	return 0;
}

static int write_vfs(json_t *root, const struct mlx5lm_config *config)
{
	const struct vf_config *all = config_find_vf(config, MLX5LM_VF_ALL);
	size_t length = config->num_vf_configs - !!all;
	json_t *object;
	json_t *list;

	if (all) {
		object = json_object();
		if (json_object_set_new(root, "all_vfs", object) || write_wishes(object, all))
			return -1;
	}
	if (!length)
		return 0;
	list = json_array();
	if (json_object_set_new(root, "vfs", list))
		return -1;
	for (size_t i = 0; i < length; i++) {
		object = json_pack("{s:I}", "index", (json_int_t)config->vfs[i].vf_index);
		if (json_array_append_new(list, object) || write_wishes(object, &config->vfs[i]))
			return -1;
	}
	return 0;
}

json_t *config_to_json(const struct mlx5lm_config *config)
{
	_cleanup_json_ json_t *root = json_pack("{s:s, s:i}", "schema", SCHEMA, "schema_version",
						SCHEMA_VERSION);

	if (!root || set_number(root, "num_vfs", config->num_vfs) ||
	    set_word(root, "eswitch_mode", &eswitch_mode_names, config->eswitch_mode) ||
	    write_nv(root, config) || set_true(root, "firmware_reset", config->firmware_reset) ||
	    set_true(root, "live_guests", config->live_guests) || write_vfs(root, config))
		return NULL;
	return TAKE(root);
}
