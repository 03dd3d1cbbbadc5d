/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mlx5sim: a simulated ConnectX card. README.md is the user's page; this header is the map of the
 * code.
 *
 *   main.c          load, unload
 *   params.c        module parameters, adapter models
 *   pci.c, vpd.c    software PCI root bus: configuration space, SR-IOV, BAR window, VPD
 *   dma.c           what a function does on the bus: read and write host memory, raise MSI-X
 *   fw.c            command interface: doorbells, slots, mailboxes, event queues
 *   fw_cmd.c        the commands, dispatched by opcode; fw_caps.c capabilities; fw_reg.c registers
 *   fw_migration.c  suspend, resume, query, save, load; fw_image.c what is inside an image
 *   fw_track.c      dirty page tracker: queue pairs, completion queues, reports
 *   fault.c         commands that fail or hang on request
 *
 * Threads: each card has one firmware thread. All members marked (fw) belong to it and need no
 * lock. Configuration space is written from any context under pci_lock; it tells the firmware
 * thread by atomic bits only.
 */
#ifndef MLX5SIM_H
#define MLX5SIM_H

#include <linux/ktime.h>
#include <linux/mlx5/device.h>
#include <linux/mlx5/driver.h>
#include <linux/mlx5/mlx5_ifc.h>
#include <linux/pci.h>
#include <linux/types.h>
#include <linux/unaligned.h>
#include <linux/xarray.h>

#define SIM_NAME		"mlx5sim"
#define SIM_MAX_CARDS		2
#define SIM_MAX_VFS		253	/* devfn 2 to 254 of one bus */
#define SIM_VF_OFFSET		2
#define SIM_CFG_SIZE		0x200
#define SIM_PF_BAR_SIZE		SZ_1M
#define SIM_MSIX_VECTORS	256	/* the table is one whole page, so VMMs can map the rest */
#define SIM_VPD_SIZE		256
#define SIM_PSID_LEN		16

/* Offsets in BAR 0 of every function; UARs are pages of it, the first ones are used otherwise. */
#define SIM_BAR_MSIX_TABLE	0x2000
#define SIM_BAR_MSIX_PBA	0x3000
#define SIM_BAR_SCRATCH		0x4000	/* 4 KiB of no use on a real card; carried in images */
#define SIM_SCRATCH_SIZE	SZ_4K
#define SIM_FIRST_UAR		0x10
#define SIM_MAX_UARS		256

#define SIM_SLOTS		32
#define SIM_LOG_SLOTS		5
#define SIM_LOG_STRIDE		6	/* of struct mlx5_cmd_layout */
#define SIM_MAX_MSG		SZ_2M	/* longest command: an mkey of 1 GiB in 4 KiB pages */
#define SIM_MAX_EQS		64
#define SIM_MAX_LOG_EQ_SIZE	16
#define SIM_CAP_SIZE		4096
#define SIM_CAP_SLOTS		2
#define SIM_ID_MASK		0xffffff

/* Position of firmware versions in one word, as in the MCQI register. */
#define SIM_FW(major, minor, sub)	((u32)(major) << 24 | (minor) << 16 | (sub))
#define SIM_FW_MAJOR(v)			((v) >> 24)
#define SIM_FW_MINOR(v)			((v) >> 16 & 0xff)
#define SIM_FW_SUB(v)			((v) & 0xffff)

struct sim_model {
	u16 device_id;
	const char *name;
	const char *part_number;
	const char *psid;
	u32 fw;
	u8 link_gen;
};

struct sim_pages {		/* a driver's list of 4 KiB pages, as DMA addresses */
	u32 count;
	u64 *addr;
};

struct sim_eq {
	struct sim_pages pages;	/* none: the event queue does not exist */
	u64 event_mask;
	u32 producer;
	u16 vector;
	u8 log_size;
};

struct sim_fault {		/* what fault.c has in store for one command */
	enum { SIM_FAULT_NONE, SIM_FAULT_FAIL, SIM_FAULT_HANG } kind;
	u8 status;
	u32 syndrome;
	u32 hang_ms;
	u32 release_count;	/* a hung command goes on when this is no longer the current one */
};

struct sim_slot {		/* a command that was seen and is not finished */
	ktime_t due;
	struct sim_fault fault;
};

enum { SIM_SUSPENDED_INITIATOR = 1, SIM_SUSPENDED_RESPONDER = 2 };

struct sim_migration {
	bool tracking;		/* by SAVE with set_track: incremental saves are possible */
	bool saving;		/* more chunks of the last image are to come */
	bool loading;
	u32 seed;		/* of the image's filler */
	u64 saved, loaded, total;	/* bytes of filler */
};

enum { SIM_RESET_FUNCTION, SIM_RESET_VF };	/* bits of sim_fn.reset */

struct sim_object;

struct sim_fn {
	struct sim_card *card;
	int index;		/* 0: the PF; i + 1: VF i. Also the vhca_id and vport number */
	u8 *cfg;		/* configuration space; written under cfg_lock */
	raw_spinlock_t dma_lock;	/* held during each access to host memory */
	unsigned long reset;	/* work for the firmware thread, set by configuration writes */

	/* (fw) command queue */
	u64 cmdq;		/* 0: none */
	u32 taken;		/* slots being worked on */
	bool rescan;		/* look for commands without a doorbell */
	struct sim_slot slot[SIM_SLOTS];

	/* (fw) what the function's own driver has made; lost by function reset */
	bool hca_enabled, hca_initialized;
	u32 next_id;
	struct sim_eq eq[SIM_MAX_EQS];
	DECLARE_BITMAP(uars, SIM_MAX_UARS);
	void *caps_own[SIM_CAP_SLOTS];	/* as its own driver has set them; see sim_caps_slot() */
	struct xarray objects;	/* only of the PF: mkeys, CQs, QPs, page trackers */

	/* (fw) what the PF's driver has set for a VF; kept until the VF is disabled */
	bool migratable;
	u16 msix;		/* vectors out of the card's pool; 0: none, the table is a full one */
	void *caps_pf[SIM_CAP_SLOTS];
	u8 mac[ETH_ALEN];

	/* (fw) migration */
	unsigned int suspended;
	struct sim_migration mig;
	struct sim_object *tracker;	/* the PF's page tracker that looks at this VF */
	struct xarray dirty;	/* pages this function wrote while it was tracked */
};

struct sim_card {
	int index;
	const struct sim_model *model;
	struct pci_sysdata sysdata;
	struct pci_bus *bus;
	struct resource window, busn;
	u8 *ram;		/* the BAR window */
	raw_spinlock_t cfg_lock;
	u8 *vf_cfg;		/* max_vfs times SIM_CFG_SIZE */
	u8 pf_cfg[SIM_CFG_SIZE], pf_writable[SIM_CFG_SIZE], vf_writable[SIM_CFG_SIZE];
	u8 vpd[SIM_VPD_SIZE];
	u32 vf_bar_size;
	int max_vfs;
	u32 fw_running;		/* as shown in the init segments */
	struct task_struct *thread;
	u64 commands;		/* executed */
	struct sim_fn *fn;	/* 1 + max_vfs */

	/* (fw) buffers */
	u8 *in, *out;		/* SIM_MAX_MSG */
	u8 *page;		/* 4 KiB */
	u8 *live;		/* live part of an image */
	struct mlx5_cmd_layout *queue;	/* SIM_SLOTS */
};

struct sim_cmd {
	struct sim_fn *fn;	/* issued by */
	struct pci_dev *pdev;	/* of fn */
	u16 op, op_mod;
	const u8 *in;
	u8 *out;		/* zeroed, except after a failure */
	u32 in_len, out_len;
	u32 syndrome;		/* told to the driver if the command fails */
};

/* params.c */
extern int sim_cards;
extern int sim_max_vfs;
extern uint sim_first_bus, sim_domain, sim_vf_bar_kib, sim_ram_mib;
extern ulong sim_ram;
extern bool sim_cap_migration, sim_cap_migratable, sim_cap_chunk, sim_cap_multi_load;
extern bool sim_cap_tracking_state, sim_cap_tracking, sim_cap_eth, sim_cap_vf_eth, sim_cap_io_eqs;
extern uint sim_state_size, sim_dirty_pages, sim_cmd_latency_us, sim_vf_probe_latency_ms;
extern uint sim_dynamic_msix;
extern int sim_trace;
const struct sim_model *sim_params_model(int card);
void sim_params_psid(const struct sim_card *card, char psid[SIM_PSID_LEN + 1]);
u32 sim_params_fw_running(const struct sim_card *card);
u32 sim_params_fw_stored(const struct sim_card *card);
void sim_params_serial(int card, char *serial, size_t size);

/* main.c */
void sim_identity_changed(void);
u64 sim_commands(int card);

/* pci.c */
int sim_pci_map(struct sim_card *card);		/* the BAR window */
void sim_pci_unmap(struct sim_card *card);
int sim_pci_add(struct sim_card *card);		/* the bus and its devices */
void sim_pci_remove(struct sim_card *card);
bool sim_pci_vfs_enabled(const struct sim_card *card, int *num_vfs);
u8 *sim_pci_bar(const struct sim_fn *fn);	/* NULL while the function has none */
struct pci_dev *sim_pci_dev(const struct sim_fn *fn);	/* with a reference; NULL: not there */
bool sim_pci_bus_master(const struct sim_fn *fn);
void sim_pci_set_msix(struct sim_fn *fn, u16 vectors);	/* size of its table */

/* vpd.c */
void sim_vpd_build(struct sim_card *card);

/* dma.c */
bool sim_dma_read(struct sim_fn *fn, struct pci_dev *pdev, u64 addr, void *buf, u32 len);
bool sim_dma_write(struct sim_fn *fn, struct pci_dev *pdev, u64 addr, const void *buf, u32 len);
void sim_raise_msix(struct pci_dev *pdev, u16 vector);

/* fw.c */
int sim_fw_start(struct sim_card *card);
void sim_fw_stop(struct sim_card *card);
void sim_fw_init_segment(struct sim_fn *fn);	/* any context */
void sim_fw_show_version(struct sim_fn *fn);
void sim_fn_init(struct sim_fn *fn, struct sim_card *card, int index);
void sim_fn_release(struct sim_fn *fn);		/* what its own driver has made */
void sim_vf_release(struct sim_fn *fn);		/* that, and what the PF has set */
struct sim_fn *sim_card_fn(struct sim_card *card, unsigned int index);
bool sim_pages_get(struct sim_pages *pages, const struct sim_cmd *cmd, u32 offset, u32 bytes);
void sim_pages_put(struct sim_pages *pages);
u32 sim_new_id(struct sim_fn *fn);

/* fw_cmd.c */
u8 sim_cmd_execute(struct sim_cmd *cmd);
const char *sim_cmd_name(u16 op);
int sim_cmd_opcode(const char *name);		/* -ENOENT */
unsigned int sim_cmd_target(const struct sim_fn *fn, const u8 *in);	/* function it is about */
bool sim_cmd_changes(u16 op);			/* neither a query nor a register */

/* fw_caps.c */
u8 sim_cmd_query_hca_cap(struct sim_cmd *cmd);
u8 sim_cmd_set_hca_cap(struct sim_cmd *cmd);
int sim_caps_slot(unsigned int type);	/* index in caps_own and caps_pf; -1: is not kept */
u32 sim_caps_max_eqs(const struct sim_fn *fn);	/* how many event queues it may have */

/* fw_reg.c */
u8 sim_cmd_access_reg(struct sim_cmd *cmd);

/* fw_migration.c */
u8 sim_cmd_suspend_vhca(struct sim_cmd *cmd);
u8 sim_cmd_resume_vhca(struct sim_cmd *cmd);
u8 sim_cmd_query_vhca_migration_state(struct sim_cmd *cmd);
u8 sim_cmd_save_vhca_state(struct sim_cmd *cmd);
u8 sim_cmd_load_vhca_state(struct sim_cmd *cmd);

/* fw_image.c: the live part of an image, always SIM_LIVE_SIZE bytes */
#define SIM_LIVE_SIZE	SZ_32K
bool sim_live_pack(struct sim_fn *fn, u8 *live);
bool sim_live_unpack(struct sim_fn *fn, const u8 *live);

/* fw_track.c */
u8 sim_cmd_create_mkey(struct sim_cmd *cmd);
u8 sim_cmd_destroy_mkey(struct sim_cmd *cmd);
u8 sim_cmd_create_cq(struct sim_cmd *cmd);
u8 sim_cmd_destroy_cq(struct sim_cmd *cmd);
u8 sim_cmd_create_qp(struct sim_cmd *cmd);
u8 sim_cmd_init2rtr_qp(struct sim_cmd *cmd);
u8 sim_cmd_destroy_qp(struct sim_cmd *cmd);
u8 sim_cmd_create_general_object(struct sim_cmd *cmd);
u8 sim_cmd_modify_general_object(struct sim_cmd *cmd);
u8 sim_cmd_query_general_object(struct sim_cmd *cmd);
u8 sim_cmd_destroy_general_object(struct sim_cmd *cmd);
void sim_objects_release(struct sim_fn *fn);
void sim_track_write(struct sim_fn *fn, u64 addr, u32 len);
bool sim_mkey_copy(struct sim_cmd *cmd, u32 mkey, u64 offset, void *buf, u32 len, bool to_host);
u64 sim_mkey_size(struct sim_cmd *cmd, u32 mkey);	/* 0: no such key */

/* fault.c */
struct sim_fault sim_fault_check(int card, unsigned int fn, u16 op);
u32 sim_fault_release_count(void);
void sim_fault_close(void);
extern const struct kernel_param_ops sim_fault_ops;

#endif
