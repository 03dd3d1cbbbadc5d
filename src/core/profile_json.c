// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/profile_json.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/check_ids.h"
#include "core/json_text.h"

#define SCHEMA "mlx5lm.profile"
#define SCHEMA_VERSION 1
#define DEVICE_PREFIX "15b3:"
#define FIRMWARE_FORMAT "%u.%u.%04u"
#define VERSION_FORMAT "%u.%u.%u"
#define VERSION_SIZE 40

static const struct json_kind profile_kind = {
	.name = "profile",
	.max_depth = 8,
	.remedy = "doc/schema/profile-1.json tells the form of a profile",
};

/* The minima that are members of the profile itself. */
static const struct {
	const char *key;
	size_t offset;
} minima[] = {
	{ "kernel_min", offsetof(struct mlx5lm_profile, kernel_min) },
	{ "libvirt_min", offsetof(struct mlx5lm_profile, libvirt_min) },
	{ "qemu_min", offsetof(struct mlx5lm_profile, qemu_min) },
	{ "iproute2_min", offsetof(struct mlx5lm_profile, iproute2_min) },
};

static int refuse(struct mlx5lm_error **reterr, const char *path, const char *why)
{
	return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			 "profile: %s %s", path, why);
}

static int refuse_in(struct mlx5lm_error **reterr, const char *where, const char *key,
		     const char *why)
{
	_cleanup_free_ char *path = str_printf("%s/%.64s", where, key);

	/* The key may be one of the document, which may hold anything. */
	for (char *c = path; c && *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
	return path ? refuse(reterr, path, why) : error_no_memory(reterr);
}

/* A requirement that is misspelt must not get lost. */
static int refuse_other_keys(struct mlx5lm_error **reterr, const json_t *object, const char *where,
			     const char *const *known, size_t num_known)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		bool found = false;

		for (size_t i = 0; i < num_known; i++)
			found |= streq(known[i], key);
		if (!found)
			return refuse_in(reterr, where, key, "is not known to this library");
	}
	return 0;
}

/* A text of printable characters. */
static int read_str(struct mlx5lm_error **reterr, const json_t *object, const char *where,
		    const char *key, const char **ret)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	if (!text)
		return refuse_in(reterr, where, key, value ? "is not a string" : "is missing");
	if (!*text || json_string_length(value) > PROFILE_MAX_STRING)
		return refuse_in(reterr, where, key, "is empty or longer than 256 bytes");
	for (const char *c = text; *c; c++) {
		if (iscntrl((unsigned char)*c))
			return refuse_in(reterr, where, key, "has control characters");
	}
	*ret = strdup(text);
	return *ret ? 0 : error_no_memory(reterr);
}

static int read_version(struct mlx5lm_error **reterr, const json_t *object, const char *where,
			const char *key, struct version *ret)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text || version_parse_all(text, ret) < 0)
		return refuse_in(reterr, where, key, "is not a version such as \"6.7\" or "
						     "\"28.41.1000\"");
	return 0;
}

static int read_device(struct mlx5lm_error **reterr, const json_t *object, const char *where,
		       uint16_t *ret)
{
	const char *text = json_string_value(json_object_get(object, "device"));
	size_t prefix = strlen(DEVICE_PREFIX);
	uint64_t id;

	if (!text || strncmp(text, DEVICE_PREFIX, prefix) != 0 || strlen(text) != prefix + 4 ||
	    str_to_u64(text + prefix, 16, &id) < 0)
		return refuse_in(reterr, where, "device",
				 "is not an id such as \"15b3:1021\", as lspci -n prints it");
	*ret = (uint16_t)id;
	return 0;
}

static int read_adapter(struct mlx5lm_error **reterr, const json_t *object, size_t index,
			struct mlx5lm_profile *profile)
{
	static const char *const known[] = { "device", "model", "firmware_min" };
	struct profile_adapter *adapter = (struct profile_adapter *)&profile->adapters[index];
	char where[32];
	int r;

	snprintf(where, sizeof(where), "/adapters/%zu", index);
	if (!json_is_object(object))
		return refuse(reterr, where, "is not an object");
	r = refuse_other_keys(reterr, object, where, known, ARRAY_LENGTH(known));
	if (r == 0)
		r = read_device(reterr, object, where, &adapter->device_id);
	if (r < 0)
		return r;
	if (profile_find_adapter(profile, adapter->device_id))
		return refuse_in(reterr, where, "device", "is there twice");
	/* From here on the profile owns it. */
	profile->num_adapters = index + 1;
	r = read_str(reterr, object, where, "model", &adapter->model);
	if (r < 0)
		return r;
	return read_version(reterr, object, where, "firmware_min", &adapter->firmware_min);
}

static int read_adapters(struct mlx5lm_error **reterr, const json_t *root,
			 struct mlx5lm_profile *profile)
{
	const json_t *list = json_object_get(root, "adapters");
	size_t length = json_array_size(list);
	int r = 0;

	if (!json_is_array(list) || length == 0 || length > PROFILE_MAX_ADAPTERS)
		return refuse(reterr, "/adapters", "is not a list of 1 to 64 adapters");
	profile->adapters = calloc(length, sizeof(*profile->adapters));
	if (!profile->adapters)
		return error_no_memory(reterr);
	for (size_t i = 0; r == 0 && i < length; i++)
		r = read_adapter(reterr, json_array_get(list, i), i, profile);
	return r;
}

static int read_severity(struct mlx5lm_error **reterr, const char *id, const json_t *value,
			 struct profile_severity *ret)
{
	enum mlx5lm_status status = MLX5LM_STATUS_INFO;

	if (!check_id_is_known(id))
		return refuse_in(reterr, "/severities", id, "is no finding (doc/findings.md)");
	for (; status <= MLX5LM_STATUS_FAIL; status++) {
		if (streq(json_string_value(value), status_names[status]))
			break;
	}
	if (status > MLX5LM_STATUS_FAIL)
		return refuse_in(reterr, "/severities", id,
				 "is not \"info\", \"warn\" or \"fail\"");
	ret->status = status;
	ret->id = strdup(id);
	return ret->id ? 0 : error_no_memory(reterr);
}

static int read_severities(struct mlx5lm_error **reterr, const json_t *root,
			   struct mlx5lm_profile *profile)
{
	json_t *object = json_object_get(root, "severities");
	struct profile_severity *severities;
	const char *id;
	json_t *value;
	int r;

	if (!object)
		return 0;
	if (!json_is_object(object))
		return refuse(reterr, "/severities", "is not an object");
	severities = calloc(json_object_size(object) + 1, sizeof(*severities));
	if (!severities)
		return error_no_memory(reterr);
	profile->severities = severities;
	json_object_foreach(object, id, value) {
		r = read_severity(reterr, id, value, &severities[profile->num_severities]);
		if (r < 0)
			return r;
		profile->num_severities++;
	}
	return 0;
}

static int read_limits(struct mlx5lm_error **reterr, const json_t *root,
		       struct mlx5lm_profile *profile)
{
	const json_t *limit = json_object_get(root, "max_migrating_vfs_per_pf");
	const json_t *viommu = json_object_get(root, "guest_viommu");

	if (limit && (!json_is_integer(limit) || json_integer_value(limit) < 1 ||
		      json_integer_value(limit) > UINT16_MAX))
		return refuse(reterr, "/max_migrating_vfs_per_pf", "is not a number of 1 to 65535");
	if (viommu && !json_is_boolean(viommu))
		return refuse(reterr, "/guest_viommu", "is not true or false");
	profile->max_migrating_vfs_per_pf = (uint32_t)json_integer_value(limit);
	profile->guest_viommu = !viommu || json_is_true(viommu);
	return 0;
}

static int read_profile(struct mlx5lm_error **reterr, const json_t *root,
			struct mlx5lm_profile *profile)
{
	static const char *const known[] = {
		"schema",     "schema_version", "name",		"source",
		"adapters",   "kernel_min",	"libvirt_min",	"qemu_min",
		"iproute2_min", "max_migrating_vfs_per_pf", "guest_viommu", "severities",
	};
	const json_t *version = json_object_get(root, "schema_version");
	int r;

	if (!json_is_object(root))
		return refuse(reterr, "/", "is not an object");
	if (!streq(json_string_value(json_object_get(root, "schema")), SCHEMA))
		return refuse(reterr, "/schema", "is not \"" SCHEMA "\"");
	if (!json_is_integer(version) || json_integer_value(version) != SCHEMA_VERSION)
		return refuse(reterr, "/schema_version", "is not one this library reads (1)");
	r = refuse_other_keys(reterr, root, "", known, ARRAY_LENGTH(known));
	if (r == 0)
		r = read_str(reterr, root, "", "name", &profile->name);
	if (r == 0 && json_object_get(root, "source"))
		r = read_str(reterr, root, "", "source", &profile->source);
	if (r == 0)
		r = read_adapters(reterr, root, profile);
	for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(minima); i++) {
		if (json_object_get(root, minima[i].key))
			r = read_version(reterr, root, "", minima[i].key,
					 (void *)((char *)profile + minima[i].offset));
	}
	if (r == 0)
		r = read_limits(reterr, root, profile);
	if (r == 0)
		r = read_severities(reterr, root, profile);
	return r;
}

int profile_parse(const char *json, size_t length, struct mlx5lm_profile **ret,
		  struct mlx5lm_error **reterr)
{
	_cleanup_profile_ struct mlx5lm_profile *profile = NULL;
	_cleanup_json_ json_t *root = NULL;
	int r;

	if (length > PROFILE_MAX_BYTES)
		return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EFBIG,
				 MLX5LM_SOURCE_LIBRARY,
				 "profile: %zu bytes are more than the limit of %u", length,
				 PROFILE_MAX_BYTES);
	r = json_load(&profile_kind, json, length, &root, reterr);
	if (r < 0)
		return r;
	profile = calloc(1, sizeof(*profile));
	if (!profile)
		return error_no_memory(reterr);
	r = read_profile(reterr, root, profile);
	if (r < 0)
		return r;
	*ret = TAKE(profile);
	return 0;
}

static int set_version(json_t *object, const char *key, const struct version *version,
		       bool firmware)
{
	char text[VERSION_SIZE];

	/* Firmware pads its last number, as devlink shows it. */
	if (firmware)
		snprintf(text, sizeof(text), FIRMWARE_FORMAT, version->part[0], version->part[1],
			 version->part[2]);
	else
		snprintf(text, sizeof(text), VERSION_FORMAT, version->part[0], version->part[1],
			 version->part[2]);
	return json_set_str(object, key, text);
}

static int write_adapters(json_t *root, const struct mlx5lm_profile *profile)
{
	json_t *list = json_array();

	if (json_object_set_new(root, "adapters", list))
		return -ENOMEM;
	for (size_t i = 0; i < profile->num_adapters; i++) {
		const struct profile_adapter *adapter = &profile->adapters[i];
		json_t *object = json_object();
		char device[16];

		snprintf(device, sizeof(device), DEVICE_PREFIX "%04" PRIx16, adapter->device_id);
		if (json_array_append_new(list, object) ||
		    json_set_str(object, "device", device) ||
		    json_set_str(object, "model", adapter->model) ||
		    set_version(object, "firmware_min", &adapter->firmware_min, true))
			return -ENOMEM;
	}
	return 0;
}

static int write_severities(json_t *root, const struct mlx5lm_profile *profile)
{
	json_t *object;

	if (!profile->num_severities)
		return 0;
	object = json_object();
	if (json_object_set_new(root, "severities", object))
		return -ENOMEM;
	for (size_t i = 0; i < profile->num_severities; i++) {
		if (json_set_str(object, profile->severities[i].id,
				 status_names[profile->severities[i].status]))
			return -ENOMEM;
	}
	return 0;
}

int profile_serialize(const struct mlx5lm_profile *profile, struct mlx5lm_text **ret)
{
	static const struct version none;
	_cleanup_json_ json_t *root = json_pack("{s:s, s:i, s:s}", "schema", SCHEMA,
						"schema_version", SCHEMA_VERSION, "name",
						profile->name);

	if (!root || json_set_str(root, "source", profile->source) ||
	    write_adapters(root, profile))
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LENGTH(minima); i++) {
		const struct version *version =
			(const void *)((const char *)profile + minima[i].offset);

		if (version_compare(version, &none) != 0 &&
		    set_version(root, minima[i].key, version, false))
			return -ENOMEM;
	}
	if (profile->max_migrating_vfs_per_pf &&
	    json_object_set_new(root, "max_migrating_vfs_per_pf",
				json_integer(profile->max_migrating_vfs_per_pf)))
		return -ENOMEM;
	if (json_object_set_new(root, "guest_viommu", json_boolean(profile->guest_viommu)) ||
	    write_severities(root, profile))
		return -ENOMEM;
	return json_to_text(TAKE(root), JSON_INDENT(2), ret);
}
