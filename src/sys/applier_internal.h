/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_APPLIER_INTERNAL_H
#define SYS_APPLIER_INTERNAL_H

#include "base/error.h"
#include "sys/applier.h"
#include "sys/devlink.h"
#include "sys/pci.h"
#include "sys/rtnl.h"
#include "sys/write_batch.h"

/* VF indices are of 16 bits in the kernel; no adapter has as many as this. */
#define MAX_VFS 4096

struct applier {
	struct root *root;
	const struct log *log;
	char *pf_bdf;
	int pf_fd;
	struct netlink *netlink; /* opened at the first use */
	struct netlink *route;	 /* the same, for network interfaces */
	struct devlink_ports ports;
	struct rtnl_links links; /* as last read */
	bool ports_known;	 /* forgotten whenever VFs or eswitch change */
	struct write_lanes lanes;
	int pf_log_fd;		 /* the kernel log, read for the PF; -1 if it may not be read */
	int vf_log_fd;		 /* the same for its VFs */
	uint64_t num_tools;	 /* run so far */
	uint64_t num_messages;	 /* netlink requests so far that change something */
	uint8_t stuck_vfs[MAX_VFS / 8]; /* a bit for each VF whose write still waits */
	unsigned int timeout_ms; /* in place of the one of each kind of step; 0 for that one */
};

/* Deadlines. Firmware commands have one of 60 s in mlx5_core, so these are longer or shorter. */
enum {
	FILE_TIMEOUT_MS = 10000,
	MODULE_TIMEOUT_MS = 120000,
	BIND_TIMEOUT_MS = 90000,
	UNBIND_TIMEOUT_MS = 90000,
	UNBIND_VFIO_TIMEOUT_MS = 15000, /* they let go at once, unless somebody has the VF */
	STUCK_TIMEOUT_MS = 1000, /* behind a write that waits already */
	MSIX_TIMEOUT_MS = 90000,
	NUM_VFS_TIMEOUT_MS = 180000,
	ESWITCH_TIMEOUT_MS = 180000,
	PORT_TIMEOUT_MS = 70000,
	LINK_TIMEOUT_MS = 30000,
	NV_TIMEOUT_MS = 60000,
	FIRMWARE_RESET_TIMEOUT_MS = 180000,
};

static inline unsigned int applier_timeout_ms(const struct applier *applier, unsigned int usual)
{
	return applier->timeout_ms ? applier->timeout_ms : usual;
}

/* What the kernel's answer to a change means; not what the caller's own mistake would. */
enum mlx5lm_error_code applier_code(int r);

/* One applier_run(). */
struct run {
	struct applier *applier;
	const struct mlx5lm_step *const *steps;
	size_t length;
	const struct applier_watch *watch;
	size_t next; /* the first that has not been started */
	bool cancelled;
	int result;
};

/* Starts the next step, if there is one and nobody has cancelled. */
bool run_start(struct run *run, size_t *index);

/* Ends one that was started: r is 0, or -errno with an error. */
void run_end(struct run *run, size_t index, int r, struct mlx5lm_error *error);

/* Does its steps one after the other, and adds to an error what firmware said. */
typedef int (*step_fn)(struct applier *applier, const struct mlx5lm_step *step,
		       struct mlx5lm_error **reterr);
void run_each(struct run *run, step_fn fn);

/* What firmware said in the kernel log of late, about the PF or a VF (NULL: about none). */
char *applier_read_log(struct applier *applier, const char *vf_bdf);

/* Errors of a file: that it cannot be written, or does not read as it was written. */
int applier_write_failed(const char *object, const char *name, const char *text, int r,
			 struct mlx5lm_error **reterr);
int applier_verify_failed(const char *object, const char *name, const char *wanted,
			  const char *found, struct mlx5lm_error **reterr);

/* An error of netlink with the kernel's own words, if it had any (NULL). */
int applier_netlink_failed(const char *object, const char *what, const char *words, int r,
			   struct mlx5lm_error **reterr);

/* Steps of the PF; 0 or -errno with an error that names the object. */
int applier_set_autoprobe(struct applier *applier, const struct mlx5lm_step *step,
			  struct mlx5lm_error **reterr);
int applier_set_num_vfs(struct applier *applier, const struct mlx5lm_step *step,
			struct mlx5lm_error **reterr);
int applier_count_vfs(const struct applier *applier, size_t *ret, struct mlx5lm_error **reterr);
int applier_set_eswitch_mode(struct applier *applier, const struct mlx5lm_step *step,
			     struct mlx5lm_error **reterr);
int applier_load_module(struct applier *applier, const struct mlx5lm_step *step,
			struct mlx5lm_error **reterr);
int applier_reset_firmware(struct applier *applier, const struct mlx5lm_step *step,
			   struct mlx5lm_error **reterr);

/*
 * Parameters of the NV configuration, all of one source in one go: one run of a tool, or one
 * request each. Tells the watch as applier_run() does.
 */
int applier_set_nv(struct applier *applier, const struct mlx5lm_step *const *steps, size_t length,
		   const struct applier_watch *watch);

/* Steps of VFs, all of one kind: files of sysfs, port functions, representors. */
void applier_write_vfs(struct run *run);
void applier_set_ports(struct run *run);
void applier_set_representors(struct run *run);

/*
 * The sockets, once they are open. The one for devlink is given up with a request that does not
 * end; then the next user opens another.
 */
int applier_get_netlink(struct applier *applier, struct mlx5lm_error **reterr);
int applier_get_route(struct applier *applier, struct mlx5lm_error **reterr);

/*
 * Sends a window's requests, with timeout_ms for each of them. If it passes, -ETIMEDOUT is returned
 * and *netlink and *window are NULL. Otherwise the results are in the window, of those that
 * ended; the others have the one that is returned.
 */
int applier_send_window(struct applier *applier, struct netlink **netlink,
			struct netlink_window **window, unsigned int timeout_ms);

/* A success may come with words of the kernel, too: of what a driver does not like. */
void applier_log_words(const struct applier *applier, const char *words);

int applier_read_ports(struct applier *applier, struct mlx5lm_error **reterr);
int applier_read_eswitch_mode(struct applier *applier, uint32_t *ret, struct mlx5lm_error **reterr);

/* The port of a step's VF, as last read; NULL with an error. */
const struct devlink_port *applier_find_port(struct applier *applier,
					     const struct mlx5lm_step *step,
					     struct mlx5lm_error **reterr);

/*
 * Waits until as many VFs are there as should be, and in switchdev mode a port of each: looks,
 * and whenever something has changed looks again. notices were opened before the change.
 */
struct notices;
int applier_wait_for_vfs(struct applier *applier, const struct notices *notices, uint64_t wanted,
			 struct mlx5lm_error **reterr);

#endif
