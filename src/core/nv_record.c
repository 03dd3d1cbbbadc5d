// SPDX-License-Identifier: LGPL-2.1-or-later
/* The format is described in doc/journal.md. */
#include <errno.h>
#include <inttypes.h>

#include "core/journal.h"
#include "core/json_text.h"

#define NV_RECORD_SCHEMA "mlx5lm.nv"
#define NV_RECORD_SCHEMA_VERSION 1

/* A boot id is a UUID, and nothing else is to get into a message. */
#define BOOT_ID_LENGTH 36

static bool is_boot_id(const char *text)
{
	return text && strlen(text) == BOOT_ID_LENGTH &&
	       strspn(text, "0123456789abcdefABCDEF-") == BOOT_ID_LENGTH;
}

int nv_record_set(struct nv_record *record, unsigned int index, uint64_t value, const char *boot_id)
{
	if (str_replace(&record->boot_id[index], boot_id) < 0)
		return -ENOMEM;
	record->value[index] = fact_u64(value);
	return 0;
}

int nv_record_parse(const char *text, size_t length, struct nv_record *ret)
{
	_cleanup_nv_record_ struct nv_record record = { 0 };
	_cleanup_json_ json_t *json = NULL;
	json_error_t problem = { 0 };
	const json_t *set;

	if (text && json_find_too_deep(text, length, 3) == length)
		json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
	if (text && !json && json_error_code(&problem) == json_error_out_of_memory)
		return -ENOMEM;
	set = json_object_get(json, "set");
	if (!streq(json_string_value(json_object_get(json, "schema")), NV_RECORD_SCHEMA) ||
	    json_integer_value(json_object_get(json, "schema_version")) != NV_RECORD_SCHEMA_VERSION)
		set = NULL;
	for (unsigned int i = 0; i < NV_COUNT; i++) {
		const json_t *entry = json_object_get(set, nv_name(i));
		const json_t *value = json_object_get(entry, "value");
		const char *boot_id = json_string_value(json_object_get(entry, "boot_id"));

		if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		    !is_boot_id(boot_id))
			continue;
		if (nv_record_set(&record, i, (uint64_t)json_integer_value(value), boot_id) < 0)
			return -ENOMEM;
	}
	*ret = record;
	record = (struct nv_record){ 0 };
	return 0;
}

char *nv_record_text(const struct nv_record *record)
{
	_cleanup_json_ json_t *json = json_pack("{s:s, s:i, s:{}}", "schema", NV_RECORD_SCHEMA,
						"schema_version", NV_RECORD_SCHEMA_VERSION, "set");
	_cleanup_free_ char *text = NULL;
	size_t length;

	if (!json)
		return NULL;
	for (unsigned int i = 0; i < NV_COUNT; i++) {
		if (record->value[i].known &&
		    json_object_set_new(json_object_get(json, "set"), nv_name(i),
					json_pack("{s:I, s:s}", "value",
						  (json_int_t)record->value[i].value, "boot_id",
						  record->boot_id[i])))
			return NULL;
	}
	if (json_to_str(json, JSON_INDENT(2), &text, &length) < 0)
		return NULL;
	return str_printf("%s\n", text);
}

void nv_record_release(struct nv_record *record)
{
	for (unsigned int i = 0; i < NV_COUNT; i++)
		free(record->boot_id[i]);
	*record = (struct nv_record){ 0 };
}

static int refuse(const struct mlx5lm_pf *pf, const struct mlx5lm_nv *nv, uint64_t wanted,
		  const char *boot_id, struct mlx5lm_error **reterr)
{
	int r;

	r = error_set(reterr, MLX5LM_ERROR_NV_NOT_APPLIED, ENOTRECOVERABLE, MLX5LM_SOURCE_NVCONFIG,
		      "%s: %s was set to %" PRIu64 " before the host booted, and the adapter still "
		      "runs with %" PRIu64,
		      pf->bdf, nv->name, wanted, nv->current.value);
	if (nv->next_boot.known && nv->next_boot.value != wanted)
		error_add_detail(reterr,
				 "set in boot %s; by now the value for the next start is %" PRIu64
				 ": the firmware, or somebody else, has put another one there",
				 boot_id, nv->next_boot.value);
	else
		error_add_detail(reterr,
				 "set in boot %s; the value is still stored for the next start: "
				 "the adapter was not restarted, or does not accept it",
				 boot_id);
	error_add_remedy(reterr,
			 "switch the host off and on again, for an adapter with standby power "
			 "may sleep through a reboot; then look: mstconfig -d %s -e q %s",
			 pf->bdf, nv->name);
	return r;
}

int nv_record_check(const struct nv_record *record, const char *boot_id, const struct mlx5lm_pf *pf,
		    const struct mlx5lm_config *wanted, struct mlx5lm_error **reterr)
{
	for (unsigned int i = 0; boot_id && i < NV_COUNT; i++) {
		const struct fact_u64 *set = &record->value[i], *wish = &wanted->nv[i];
		const struct mlx5lm_nv *nv = pf_find_nv(pf, nv_name(i));

		if (!set->known || !wish->known || set->value != wish->value ||
		    streq(record->boot_id[i], boot_id))
			continue;
		/* devlink tells what is stored, not what the adapter runs with. */
		if (!nv || !nv->current.known || nv->current.value == wish->value)
			continue;
		return refuse(pf, nv, wish->value, record->boot_id[i], reterr);
	}
	return 0;
}
