// SPDX-License-Identifier: LGPL-2.1-or-later
#include "facts.h"

#include <errno.h>

#include "base/cleanup.h"
#include "export.h"

int host_new(struct mlx5lm_host **ret)
{
	struct mlx5lm_host *host = calloc(1, sizeof(*host));

	if (!host)
		return -ENOMEM;
	refcount_init(&host->refcount);
	*ret = host;
	return 0;
}

void pf_release(struct mlx5lm_pf *pf)
{
	fact_list_release(&pf_nvs, pf);
	fact_list_release(&pf_params, pf);
	fact_list_release(&pf_vfs, pf);
	fact_release(&pf_table, pf);
}

MLX5LM_EXPORT void mlx5lm_host_free(struct mlx5lm_host *host)
{
	if (!host || !refcount_put(&host->refcount))
		return;
	for (size_t i = 0; i < host->num_pfs; i++)
		pf_release(&host->pfs[i]);
	free(host->pfs);
	for (size_t i = 0; i < host->num_notes; i++)
		free(host->notes[i].line);
	fact_list_release(&host_modules, host);
	fact_list_release(&host_configs, host);
	fact_list_release(&host_privileges, host);
	fact_list_release(&host_notes, host);
	fact_release(&host_table, host);
	free(host);
}

int host_add_pf(struct mlx5lm_host *host, struct mlx5lm_pf **ret)
{
	*ret = fact_list_add(&host_pfs, host);
	return *ret ? 0 : -ENOMEM;
}

int host_add_module(struct mlx5lm_host *host, struct mlx5lm_module **ret)
{
	*ret = fact_list_add(&host_modules, host);
	return *ret ? 0 : -ENOMEM;
}

int host_add_config(struct mlx5lm_host *host, const char *name, const char *value)
{
	struct config_fact *config = fact_list_add(&host_configs, host);

	if (!config || str_replace(&config->name, name) || str_replace(&config->value, value))
		return -ENOMEM;
	return 0;
}

int host_add_privilege(struct mlx5lm_host *host, struct mlx5lm_privilege **ret)
{
	*ret = fact_list_add(&host_privileges, host);
	return *ret ? 0 : -ENOMEM;
}

int pf_add_vf(struct mlx5lm_pf *pf, struct mlx5lm_vf **ret)
{
	*ret = fact_list_add(&pf_vfs, pf);
	return *ret ? 0 : -ENOMEM;
}

int pf_add_nv(struct mlx5lm_pf *pf, struct mlx5lm_nv **ret)
{
	*ret = fact_list_add(&pf_nvs, pf);
	return *ret ? 0 : -ENOMEM;
}

int pf_add_param(struct mlx5lm_pf *pf, struct mlx5lm_param **ret)
{
	*ret = fact_list_add(&pf_params, pf);
	return *ret ? 0 : -ENOMEM;
}

int note_complete(struct note *note)
{
	size_t object = strlen(note->object), text = strlen(note->text);

	/* By hand: every snapshot that is read has notes, and printf() takes its time. */
	note->line = malloc(object + 2 + text + 1);
	if (!note->line)
		return -ENOMEM;
	memcpy(note->line, note->object, object);
	memcpy(note->line + object, ": ", 2);
	memcpy(note->line + object + 2, note->text, text + 1);
	return 0;
}

int host_add_note(struct mlx5lm_host *host, const char *object, const char *facts,
		  const char *format, ...)
{
	struct note *note = fact_list_add(&host_notes, host);
	va_list args;

	if (!note)
		return -ENOMEM;
	va_start(args, format);
	note->text = str_vprintf(format, args);
	va_end(args);
	if (!note->text || str_replace(&note->object, object) || str_replace(&note->facts, facts))
		return -ENOMEM;
	return note_complete(note);
}

/* Is word one of the words of list? */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; at && (at = strstr(at, word)); at += length) {
		if ((at == list || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
	}
	return false;
}

const struct note *host_find_note(const struct mlx5lm_host *host, const char *object,
				  const char *fact)
{
	for (size_t i = 0; i < host->num_notes; i++) {
		if (streq(host->notes[i].object, object) && has_word(host->notes[i].facts, fact))
			return &host->notes[i];
	}
	return NULL;
}

const struct mlx5lm_module *host_find_module(const struct mlx5lm_host *host, const char *name)
{
	return fact_list_find(&host_modules, host, name);
}

const char *host_find_config(const struct mlx5lm_host *host, const char *name)
{
	const struct config_fact *config = fact_list_find(&host_configs, host, name);

	return config ? config->value : NULL;
}

const struct mlx5lm_privilege *host_find_privilege(const struct mlx5lm_host *host,
						   const char *name)
{
	return fact_list_find(&host_privileges, host, name);
}

const struct mlx5lm_nv *pf_find_nv(const struct mlx5lm_pf *pf, const char *name)
{
	return fact_list_find(&pf_nvs, pf, name);
}

const struct mlx5lm_param *pf_find_param(const struct mlx5lm_pf *pf, const char *name)
{
	return fact_list_find(&pf_params, pf, name);
}

const struct mlx5lm_vf *pf_find_vf(const struct mlx5lm_pf *pf, uint64_t index)
{
	/* They are sorted, and as a rule none is missing. */
	if (index < pf->num_vfs && pf->vfs[index].index.known &&
	    pf->vfs[index].index.value == index)
		return &pf->vfs[index];
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (pf->vfs[i].index.known && pf->vfs[i].index.value == index)
			return &pf->vfs[i];
	}
	return NULL;
}

uint32_t vf_attr_state(const struct mlx5lm_vf *vf, enum mlx5lm_port_attr attr)
{
	switch (attr) {
	case MLX5LM_PORT_ATTR_ROCE:
		return vf->roce;
	case MLX5LM_PORT_ATTR_MIGRATABLE:
		return vf->migratable;
	case MLX5LM_PORT_ATTR_IPSEC_CRYPTO:
		return vf->ipsec_crypto;
	case MLX5LM_PORT_ATTR_IPSEC_PACKET:
		return vf->ipsec_packet;
	default:
		return MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	}
}

static const char *const step_ids[NUM_STEP_KINDS] = {
	[STEP_NV] = "nv",
	[STEP_FIRMWARE_RESET] = "firmware-reset",
	[STEP_AUTOPROBE] = "autoprobe",
	[STEP_ESWITCH_MODE] = "eswitch-mode",
	[STEP_NUM_VFS] = "num-vfs",
	[STEP_LOAD_MODULE] = "load-module",
	[STEP_UNBIND] = "unbind",
	[STEP_HW_ADDR] = "hw-addr",
	[STEP_PORT_ATTR] = "port-attr",
	[STEP_MAX_IO_EQS] = "max-io-eqs",
	[STEP_MSIX_COUNT] = "msix-count",
	[STEP_DRIVER_OVERRIDE] = "driver-override",
	[STEP_BIND] = "bind",
	[STEP_REPRESENTOR] = "representor",
};

const char *step_id(enum step_kind kind)
{
	return kind < NUM_STEP_KINDS && step_ids[kind] ? step_ids[kind] : "unknown";
}

bool step_is_of_vf(enum step_kind kind)
{
	return kind >= STEP_UNBIND && kind <= STEP_REPRESENTOR;
}

void step_release(struct mlx5lm_step *step)
{
	free(step->text);
	free(step->backend);
	free(step->object);
	free(step->current);
	free(step->wanted);
	free(step->reason);
	free(step->disturbance);
	free(step->command);
	*step = (struct mlx5lm_step){ 0 };
}
