/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FACTS_H
#define FACTS_H

#include <mlx5lm/mlx5lm.h>

#include "base/cleanup.h"
#include "base/refcount.h"
#include "base/str.h"

/*
 * The plain structs in which sys (which touches and does not decide) and core (which decides
 * and does not touch) speak to each other. The opaque types of the public headers that hold
 * facts have their bodies here.
 *
 * Every fact that has a public key stands once in a table of facts.c: from there come its
 * getter, its JSON name and its release.
 */

/* A number that may not be known. */
struct fact_u64 {
	bool known;
	uint64_t value;
};

static inline struct fact_u64 fact_u64(uint64_t value)
{
	return (struct fact_u64){ .known = true, .value = value };
}

/* Strings: NULL is "not known". Enums: 0 is "not known". */

struct mlx5lm_vf {
	char *bdf;
	struct fact_u64 index;
	struct fact_u64 vendor_id;
	struct fact_u64 device_id;
	char *driver;
	char *driver_override;
	struct fact_u64 iommu_group;
	struct fact_u64 msix_count;
	char *hw_addr;
	char *representor;
	uint32_t roce;		/* enum mlx5lm_port_attr_state, as the next three */
	uint32_t migratable;
	uint32_t ipsec_crypto;
	uint32_t ipsec_packet;
	struct fact_u64 max_io_eqs;
	char *in_use_by;
	struct fact_u64 port_index; /* devlink port, below the PF's handle */
};

struct mlx5lm_pf {
	char *bdf;
	struct fact_u64 vendor_id;
	struct fact_u64 device_id;
	struct fact_u64 subsystem_vendor_id;
	struct fact_u64 subsystem_device_id;
	struct fact_u64 revision;
	struct fact_u64 class_code;
	struct fact_u64 numa_node;
	char *driver;
	char *netdev;
	char *psid;
	char *fw_running;
	char *fw_stored;
	char *serial_number;
	uint32_t eswitch_mode;	/* enum mlx5lm_eswitch_mode */
	struct fact_u64 sriov_total_vfs;
	struct fact_u64 sriov_num_vfs;
	struct fact_u64 sriov_offset;
	struct fact_u64 sriov_stride;
	struct fact_u64 sriov_vf_device_id;
	uint32_t sriov_autoprobe; /* enum mlx5lm_answer */
	struct mlx5lm_vf *vfs;	  /* sorted by index */
	size_t num_vfs;
	size_t allocated_vfs;
};

struct module_fact {
	char *name;	/* with underscores */
	uint32_t state; /* enum mlx5lm_module_state */
	char *path;
	char *version;
	char *srcversion;
};

struct mlx5lm_host {
	struct refcount refcount;
	char *hostname;
	char *boot_id;
	char *kernel_release;
	char *architecture;
	uint32_t iommu_active; /* enum mlx5lm_answer */
	char *libvirt_uri;
	char *libvirt_uuid;
	struct fact_u64 libvirt_client_version;
	struct fact_u64 libvirt_daemon_version;
	struct fact_u64 qemu_version;
	struct module_fact *modules;
	size_t num_modules;
	size_t allocated_modules;
	struct mlx5lm_pf *pfs; /* sorted by BDF */
	size_t num_pfs;
	size_t allocated_pfs;
	struct strv notes; /* why something is unknown */
};

DEFINE_CLEANUP(struct mlx5lm_host *, mlx5lm_host_free)
#define _cleanup_host_ _cleanup_(mlx5lm_host_free_p)

/* 0 or -ENOMEM; the new item is zeroed. */
int host_new(struct mlx5lm_host **ret);
int host_add_pf(struct mlx5lm_host *host, struct mlx5lm_pf **ret);
int host_add_module(struct mlx5lm_host *host, struct module_fact **ret);
int host_add_note(struct mlx5lm_host *host, const char *format, ...) _printf_(2, 3);
int pf_add_vf(struct mlx5lm_pf *pf, struct mlx5lm_vf **ret);
void pf_release(struct mlx5lm_pf *pf);

const struct module_fact *host_find_module(const struct mlx5lm_host *host, const char *name);
const struct mlx5lm_vf *pf_find_vf(const struct mlx5lm_pf *pf, uint64_t index);
uint32_t vf_attr_state(const struct mlx5lm_vf *vf, enum mlx5lm_port_attr attr);

/* Names of an enum's values; names[0] is "unknown". */
struct name_list {
	const char *const *names;
	uint32_t length;
};

extern const struct name_list answer_names;
extern const struct name_list module_state_names;
extern const struct name_list eswitch_mode_names;
extern const struct name_list port_attr_names;
extern const struct name_list port_attr_state_names;

const char *name_of(const struct name_list *list, uint32_t value);
uint32_t name_value(const struct name_list *list, const char *name); /* 0 if not in the list */

/* A fact of a struct: where it lies, what it is called in public and in JSON. */
enum fact_type {
	FACT_STR,
	FACT_U64,
	FACT_ENUM,
};

struct fact_field {
	const char *name; /* JSON */
	uint32_t key;	  /* of the public enum; 0 if there is none */
	enum fact_type type;
	size_t offset;
	const struct name_list *names; /* of a FACT_ENUM */
};

struct fact_table {
	const struct fact_field *fields;
	size_t length;
};

extern const struct fact_table host_table;
extern const struct fact_table module_table;
extern const struct fact_table pf_table;
extern const struct fact_table vf_table;

/* The getters behind mlx5lm_<object>_get_str() and _get_u64(). */
int fact_get_str(const struct fact_table *table, const void *object, uint32_t key,
		 const char **ret);
int fact_get_u64(const struct fact_table *table, const void *object, uint32_t key, uint64_t *ret);
void fact_release(const struct fact_table *table, void *object);

static inline void *fact_at(const struct fact_field *field, const void *object)
{
	return (char *)object + field->offset;
}

/* What a plan consists of: core makes steps, sys carries them out. */
enum step_kind {
	STEP_AUTOPROBE = 1,   /* value: 0 or 1 to sriov_drivers_autoprobe */
	STEP_ESWITCH_MODE,    /* value: enum mlx5lm_eswitch_mode */
	STEP_NUM_VFS,	      /* value: number; done when all VFs (and in switchdev ports) exist */
	STEP_LOAD_MODULE,     /* text: module */
	STEP_UNBIND,	      /* VF; text: the driver it has now */
	STEP_HW_ADDR,	      /* VF; text: address */
	STEP_PORT_ATTR,	      /* VF; attr; value: enum mlx5lm_port_attr_state */
	STEP_DRIVER_OVERRIDE, /* VF; text: driver, or "" to clear */
	STEP_BIND,	      /* VF; text: driver */
};

struct mlx5lm_step {
	enum step_kind kind;
	uint32_t vf_index; /* of the steps marked VF; their BDF is found by the PF's virtfnN */
	enum mlx5lm_port_attr attr;
	uint64_t value;
	char *text;
	/* for people */
	char *object;
	char *current;
	char *wanted;
	char *reason;
	char *command;
};

const char *step_id(enum step_kind kind);
void step_release(struct mlx5lm_step *step);

#endif
