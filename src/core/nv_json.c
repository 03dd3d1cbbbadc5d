// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What mstconfig and mlxconfig write with -j: {"Device #1": {"device": "0000:08:00.0",
 * "tlv_configuration": {"NUM_OF_VFS": {"next_value": 8, "read_only": false, ...}, ...}}}
 */
#include "core/nv_internal.h"

#include <errno.h>

#include "core/json_text.h"

static struct fact_u64 read_value(const json_t *parameter, const char *key)
{
	const json_t *value = json_object_get(parameter, key);

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		return fact_u64((uint64_t)json_integer_value(value));
	if (json_is_string(value))
		return nv_parse_cell(&(struct nv_span){ json_string_value(value),
							json_string_length(value) });
	return (struct fact_u64){ 0 };
}

static int put(struct mlx5lm_pf *pf, int index, const json_t *parameter)
{
	const json_t *read_only = json_object_get(parameter, "read_only");
	struct nv_row row = { 0 };

	if (json_is_boolean(read_only))
		row.read_only = json_is_true(read_only) ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
	row.values[NV_DEFAULT] = read_value(parameter, "default_value");
	row.values[NV_CURRENT] = read_value(parameter, "current_value");
	row.values[NV_NEXT_BOOT] = read_value(parameter, "next_value");
	return nv_put(pf, index, &row);
}

/* The parameters of the PF, or NULL. */
static const json_t *find_parameters(json_t *document, const char *bdf)
{
	const json_t *found = NULL;
	size_t num_devices = 0;
	const char *key;
	json_t *device;

	json_object_foreach(document, key, device) {
		const json_t *name = json_object_get(device, "device");
		const json_t *parameters = json_object_get(device, "tlv_configuration");
		struct nv_span span = { json_string_value(name), json_string_length(name) };
		enum nv_device match = nv_match_device(&span, bdf);

		if (!json_is_object(parameters))
			continue;
		num_devices++;
		if (match == NV_DEVICE_OURS)
			return parameters;
		if (match == NV_DEVICE_UNNAMED)
			found = parameters;
	}
	return num_devices == 1 ? found : NULL;
}

int nv_parse_json(const char *text, size_t length, struct mlx5lm_pf *pf)
{
	_cleanup_json_ json_t *document = NULL;
	const json_t *parameters;
	json_error_t error;
	int r = -ENODATA;

	document = json_loadb(text, length, 0, &error);
	if (!document)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
	parameters = find_parameters(document, pf->bdf);
	for (unsigned int i = 0; i < NV_COUNT; i++) {
		const json_t *parameter = json_object_get(parameters, nv_name(i));

		if (!json_is_object(parameter))
			continue;
		r = put(pf, (int)i, parameter);
		if (r < 0)
			return r;
	}
	return r;
}
