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
	char *best_driver;	/* by the modules' vfio_pci: aliases */
	uint32_t bind_state;	/* enum mlx5lm_bind_state; core derives it */
	struct fact_u64 iommu_group;
	uint32_t iommu_group_viable; /* enum mlx5lm_answer */
	struct fact_u64 msix_count;
	char *hw_addr;
	char *representor;
	uint32_t representor_state; /* enum mlx5lm_admin_state */
	uint32_t roce;		/* enum mlx5lm_port_attr_state, as the next three */
	uint32_t migratable;
	uint32_t ipsec_crypto;
	uint32_t ipsec_packet;
	struct fact_u64 max_io_eqs;
	char *vfio_device;	/* "vfio0" */
	uint32_t vfio_migration; /* enum mlx5lm_answer */
	struct fact_u64 vfio_migration_flags; /* enum mlx5lm_vfio_migration_flag */
	uint32_t vfio_dirty_tracking; /* enum mlx5lm_answer */
	char *vfio_source;	/* "debugfs", "cdev" or "group" */
	char *in_use_by;	/* libvirt domain */
	struct fact_u64 in_use_pid;
	char *in_use_comm;
	struct fact_u64 port_index; /* devlink port, below the PF's handle */
	char *extra;		/* JSON object: what a newer library wrote; so in all structs */
};

/* A parameter of the adapter's NV configuration. */
struct mlx5lm_nv {
	char *name;
	uint32_t supported; /* enum mlx5lm_answer, as the next */
	uint32_t read_only;
	struct fact_u64 default_value;
	struct fact_u64 current;
	struct fact_u64 next_boot;
	char *extra;
};

/* A devlink parameter, each value as devlink prints it. */
struct mlx5lm_param {
	char *name;
	char *runtime;
	char *driverinit;
	char *permanent;
	char *extra;
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
	char *model;	    /* core derives it */
	uint32_t link_type; /* enum mlx5lm_link_type; core derives it */
	char *driver;
	char *netdev;
	char *link_state; /* of the netdev */
	struct fact_u64 link_speed_mbps;
	char *rdma_device;
	char *pcie_link_speed;
	struct fact_u64 pcie_link_width;
	char *psid;
	char *fw_running;
	char *fw_stored;
	char *serial_number;
	char *board_serial_number;
	char *devlink_driver;
	uint32_t eswitch_mode;	/* enum mlx5lm_eswitch_mode */
	uint32_t eswitch_manager; /* enum mlx5lm_answer; no: the Arm side of a DPU is */
	struct fact_u64 sriov_total_vfs;
	struct fact_u64 sriov_num_vfs;
	struct fact_u64 sriov_offset;
	struct fact_u64 sriov_stride;
	struct fact_u64 sriov_vf_device_id;
	struct fact_u64 sriov_vf_total_msix;
	uint32_t sriov_autoprobe; /* enum mlx5lm_answer */
	char *nv_source;	  /* "devlink", "mstconfig" or "mlxconfig" */
	char *nv_source_version;
	uint32_t nv_pending; /* enum mlx5lm_answer; core derives it */
	struct mlx5lm_nv *nvs;
	size_t num_nvs;
	size_t allocated_nvs;
	struct mlx5lm_param *params; /* sorted by name */
	size_t num_params;
	size_t allocated_params;
	struct mlx5lm_vf *vfs;	  /* sorted by index */
	size_t num_vfs;
	size_t allocated_vfs;
	char *extra;
};

struct mlx5lm_module {
	char *name;	/* with underscores */
	uint32_t state; /* enum mlx5lm_module_state */
	char *source;	/* of the state: "sysfs", "proc", "modules.dep" or "modules.builtin" */
	char *path;
	char *version;
	char *srcversion;
	uint32_t in_tree; /* enum mlx5lm_answer, as the next */
	uint32_t blacklisted;
	char *extra;
};

/* What the kernel was built with: name "MLX5_VFIO_PCI", value "y", "m", "n" or a text. */
struct config_fact {
	char *name;
	char *value;
	char *extra;
};

/* Whether this process could do a later step. */
struct mlx5lm_privilege {
	char *name;	  /* that of the step, see step_id(), or "nv-config", "open-vfio", ... */
	uint32_t granted; /* enum mlx5lm_answer */
	char *needs;	  /* for people: what it takes, and what of it is missing */
	char *extra;
};

/* Why facts of an object are unknown. */
struct note {
	char *object; /* "host", "libvirt" or a BDF */
	char *facts;  /* their JSON names, separated by spaces */
	char *text;
	char *line; /* object and text, for people; not in JSON */
	char *extra;
};

struct mlx5lm_host {
	struct refcount refcount;
	char *hostname;
	char *boot_id;
	char *kernel_release;
	struct fact_u64 kernel_version; /* as libvirt counts; core derives it */
	char *architecture;
	struct fact_u64 page_size_bytes;
	char *kernel_cmdline; /* only the parameters that matter here */
	char *kernel_config_source;
	struct fact_u64 kernel_tainted;
	uint32_t kernel_lockdown;	  /* enum mlx5lm_lockdown */
	uint32_t kernel_modules_disabled; /* enum mlx5lm_answer, as the next six */
	uint32_t iommu_active;
	uint32_t iommufd;
	uint32_t vfio_container;
	uint32_t vfio_cdev;
	uint32_t vfio_noiommu;
	uint32_t vfio_unsafe_interrupts;
	char *vfio_pci_ids;
	struct fact_u64 memlock_limit_bytes;
	struct fact_u64 memory_total_bytes;
	struct fact_u64 hugepage_size_bytes;
	struct fact_u64 hugepages_total;
	struct fact_u64 hugepages_free;
	char *libvirt_uri;
	char *libvirt_uuid;
	struct fact_u64 libvirt_client_version;
	struct fact_u64 libvirt_daemon_version;
	struct fact_u64 qemu_version;
	uint32_t libvirt_live_migration; /* enum mlx5lm_answer */
	char *libvirt_migration_transports; /* separated by spaces */
	char *cpu_model;
	char *cpu_vendor;
	struct mlx5lm_module *modules;
	size_t num_modules;
	size_t allocated_modules;
	struct config_fact *configs;
	size_t num_configs;
	size_t allocated_configs;
	struct mlx5lm_privilege *privileges;
	size_t num_privileges;
	size_t allocated_privileges;
	struct note *notes;
	size_t num_notes;
	size_t allocated_notes;
	struct mlx5lm_pf *pfs; /* sorted by BDF */
	size_t num_pfs;
	size_t allocated_pfs;
	char *extra;
};

DEFINE_CLEANUP(struct mlx5lm_host *, mlx5lm_host_free)
#define _cleanup_host_ _cleanup_(mlx5lm_host_free_p)

/* 0 or -ENOMEM; the new item is zeroed. */
int host_new(struct mlx5lm_host **ret);
int host_add_pf(struct mlx5lm_host *host, struct mlx5lm_pf **ret);
int host_add_module(struct mlx5lm_host *host, struct mlx5lm_module **ret);
int host_add_config(struct mlx5lm_host *host, const char *name, const char *value);
int host_add_privilege(struct mlx5lm_host *host, struct mlx5lm_privilege **ret);
int pf_add_vf(struct mlx5lm_pf *pf, struct mlx5lm_vf **ret);
int pf_add_nv(struct mlx5lm_pf *pf, struct mlx5lm_nv **ret);
int pf_add_param(struct mlx5lm_pf *pf, struct mlx5lm_param **ret);
void pf_release(struct mlx5lm_pf *pf);

/*
 * Notes why facts of an object ("host", "libvirt" or a BDF) are unknown. facts: their JSON
 * names, separated by spaces; NULL if the note is about none in particular. 0 or -ENOMEM.
 */
int host_add_note(struct mlx5lm_host *host, const char *object, const char *facts,
		  const char *format, ...) _printf_(4, 5);
/* Makes the line of a note out of its object and text. 0 or -ENOMEM. */
int note_complete(struct note *note);
/* The note on a fact of an object, or NULL. */
const struct note *host_find_note(const struct mlx5lm_host *host, const char *object,
				  const char *fact);

const struct mlx5lm_module *host_find_module(const struct mlx5lm_host *host, const char *name);
const char *host_find_config(const struct mlx5lm_host *host, const char *name);
const struct mlx5lm_privilege *host_find_privilege(const struct mlx5lm_host *host,
						   const char *name);
const struct mlx5lm_nv *pf_find_nv(const struct mlx5lm_pf *pf, const char *name);
const struct mlx5lm_param *pf_find_param(const struct mlx5lm_pf *pf, const char *name);
const struct mlx5lm_vf *pf_find_vf(const struct mlx5lm_pf *pf, uint64_t index);
uint32_t vf_attr_state(const struct mlx5lm_vf *vf, enum mlx5lm_port_attr attr);

/* Names of an enum's values; names[0] is "unknown". */
struct name_list {
	const char *const *names;
	uint32_t length;
};

extern const struct name_list answer_names;
extern const struct name_list module_state_names;
extern const struct name_list lockdown_names;
extern const struct name_list link_type_names;
extern const struct name_list bind_state_names;
extern const struct name_list eswitch_mode_names;
extern const struct name_list admin_state_names;
extern const struct name_list port_attr_names;
extern const struct name_list port_attr_state_names;

const char *name_of(const struct name_list *list, uint32_t value);
uint32_t name_value(const struct name_list *list, const char *name); /* 0 if not in the list */

/* A fact of a struct: where it lies, what it is called in public and in JSON. */
enum fact_type {
	FACT_STR,
	FACT_U64,
	FACT_ENUM,
	FACT_EXTRA, /* keys of a newer library, as a JSON object; no name of its own */
};

struct fact_field {
	const char *name; /* JSON */
	uint32_t key;	  /* of the public enum; 0 if there is none */
	enum fact_type type;
	size_t offset;
	const struct name_list *names; /* of a FACT_ENUM */
	/*
	 * Where it comes from: a file, a netlink attribute, a call. {bdf} and {name} stand for
	 * the object's, {pf} for the PF of a VF, {port} for its devlink port; NULL if the
	 * list it is in says it.
	 */
	const char *source;
};

struct fact_table {
	const struct fact_field *fields;
	size_t length;
};

extern const struct fact_table host_table;
extern const struct fact_table module_table;
extern const struct fact_table config_table;
extern const struct fact_table privilege_table;
extern const struct fact_table note_table;
extern const struct fact_table pf_table;
extern const struct fact_table nv_table;
extern const struct fact_table param_table;
extern const struct fact_table vf_table;

/* A list of structs inside a host or a PF. */
struct fact_list {
	const char *name; /* JSON */
	const struct fact_table *table;
	size_t item_size;
	size_t items; /* offsets: T *items, size_t length, size_t allocated */
	size_t length;
	size_t allocated;
};

extern const struct fact_list host_modules;
extern const struct fact_list host_configs;
extern const struct fact_list host_privileges;
extern const struct fact_list host_notes;
extern const struct fact_list host_pfs;
extern const struct fact_list pf_nvs;
extern const struct fact_list pf_params;
extern const struct fact_list pf_vfs;

/* The items of a list of owner; a new, zeroed item (NULL when out of memory). */
size_t fact_list_length(const struct fact_list *list, const void *owner);
void *fact_list_get(const struct fact_list *list, const void *owner, size_t index);
void *fact_list_add(const struct fact_list *list, void *owner);
/* Room for exactly so many items, where their number is known. 0 or -ENOMEM. */
int fact_list_reserve(const struct fact_list *list, void *owner, size_t length);
/* By the text of the table's first field, its name; NULL if there is none. */
void *fact_list_find(const struct fact_list *list, const void *owner, const char *name);
void fact_list_release(const struct fact_list *list, void *owner);

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
	STEP_NV = 1,	      /* text: parameter; value; backend */
	STEP_FIRMWARE_RESET,  /* restarts the adapter */
	STEP_AUTOPROBE,	      /* value: 0 or 1 to sriov_drivers_autoprobe */
	STEP_ESWITCH_MODE,    /* value: enum mlx5lm_eswitch_mode */
	STEP_NUM_VFS,	      /* value: number; done when all VFs (and in switchdev ports) exist */
	STEP_LOAD_MODULE,     /* text: module */
	STEP_UNBIND,	      /* VF; text: the driver it has now */
	STEP_HW_ADDR,	      /* VF; text: address */
	STEP_PORT_ATTR,	      /* VF; attr; value: enum mlx5lm_port_attr_state */
	STEP_MAX_IO_EQS,      /* VF; value: number */
	STEP_MSIX_COUNT,      /* VF; value: number; 0 is the driver's default */
	STEP_DRIVER_OVERRIDE, /* VF; text: driver, or "" to clear */
	STEP_BIND,	      /* VF; text: driver */
	STEP_REPRESENTOR,     /* VF; value: enum mlx5lm_admin_state */
	NUM_STEP_KINDS,
};

struct mlx5lm_step {
	enum step_kind kind;
	uint32_t vf_index; /* of the steps marked VF; their BDF is found by the PF's virtfnN */
	enum mlx5lm_port_attr attr;
	uint64_t value;
	char *text;
	char *backend;	       /* of a STEP_NV: "devlink", "mstconfig" or "mlxconfig" */
	uint32_t usual_time_ms;
	uint32_t disturbs;     /* enum mlx5lm_disturbance */
	bool cannot_be_undone;
	/* for people */
	char *object;
	char *current;
	char *wanted;
	char *reason;
	char *disturbance; /* NULL: it disturbs nothing */
	char *command;
};

const char *step_id(enum step_kind kind);
bool step_is_of_vf(enum step_kind kind);
void step_release(struct mlx5lm_step *step);

#endif
