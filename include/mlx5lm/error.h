/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_ERROR_H
#define MLX5LM_ERROR_H

#include <mlx5lm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum mlx5lm_error_code - what went wrong, for programs
 * @MLX5LM_ERROR_UNKNOWN: none of the below; never produced by this version
 * @MLX5LM_ERROR_INVALID_ARGUMENT: the caller passed something unusable
 * @MLX5LM_ERROR_NO_MEMORY: out of memory
 * @MLX5LM_ERROR_NOT_FOUND: the named device, domain or file is not there
 * @MLX5LM_ERROR_PERMISSION: this process may not do it
 * @MLX5LM_ERROR_NOT_SUPPORTED: the kernel, firmware or daemon cannot do it
 * @MLX5LM_ERROR_BUSY: somebody uses the object
 * @MLX5LM_ERROR_TIMEOUT: a deadline passed
 * @MLX5LM_ERROR_CANCELLED: cancelled by the caller
 * @MLX5LM_ERROR_IO: the kernel or a file failed in a way not listed here
 * @MLX5LM_ERROR_PROTOCOL: a reply of the kernel or a daemon made no sense
 * @MLX5LM_ERROR_INVALID_DOCUMENT: JSON or XML from outside was refused
 * @MLX5LM_ERROR_READ_ONLY_ROOT: the context's root is another machine's tree
 * @MLX5LM_ERROR_STATE_CHANGED: the host is no longer as it was when the plan was made
 * @MLX5LM_ERROR_VERIFY_FAILED: a value was written but reads back differently
 * @MLX5LM_ERROR_INCOMPATIBLE: the two hosts differ in something that matters
 * @MLX5LM_ERROR_CONNECT: no connection to a libvirt daemon
 * @MLX5LM_ERROR_DOMAIN: the domain cannot be migrated as it is
 * @MLX5LM_ERROR_VF: a VF of the domain or its counterpart is not fit for the migration
 * @MLX5LM_ERROR_MIGRATION: libvirt or QEMU reported that the migration failed
 * @MLX5LM_ERROR_TOO_MANY_VFS: more VFs are wanted than the PF offers (since 0.3, as all that
 *	follow)
 * @MLX5LM_ERROR_VF_INDEX: something is wanted of a VF that there is not going to be
 * @MLX5LM_ERROR_HW_ADDR: a hardware address that is none, not unicast or zero
 * @MLX5LM_ERROR_HW_ADDR_TAKEN: two VFs would have the same hardware address
 * @MLX5LM_ERROR_CONTRADICTION: two wishes cannot both be met
 * @MLX5LM_ERROR_RECOVERY_NEEDED: an earlier configuration was interrupted: recover it first
 * @MLX5LM_ERROR_UNDO_FAILED: a step failed, and not all before it could be undone
 * @MLX5LM_ERROR_NV_NOT_APPLIED: a parameter was set, the host has booted since, and it still
 *	does not hold
 *
 * A receiver must accept values it does not know. Since: 0.1
 */
enum mlx5lm_error_code {
	MLX5LM_ERROR_UNKNOWN = 0,
	MLX5LM_ERROR_INVALID_ARGUMENT = 1,
	MLX5LM_ERROR_NO_MEMORY = 2,
	MLX5LM_ERROR_NOT_FOUND = 3,
	MLX5LM_ERROR_PERMISSION = 4,
	MLX5LM_ERROR_NOT_SUPPORTED = 5,
	MLX5LM_ERROR_BUSY = 6,
	MLX5LM_ERROR_TIMEOUT = 7,
	MLX5LM_ERROR_CANCELLED = 8,
	MLX5LM_ERROR_IO = 9,
	MLX5LM_ERROR_PROTOCOL = 10,
	MLX5LM_ERROR_INVALID_DOCUMENT = 11,
	MLX5LM_ERROR_READ_ONLY_ROOT = 12,
	MLX5LM_ERROR_STATE_CHANGED = 13,
	MLX5LM_ERROR_VERIFY_FAILED = 14,
	MLX5LM_ERROR_INCOMPATIBLE = 15,
	MLX5LM_ERROR_CONNECT = 16,
	MLX5LM_ERROR_DOMAIN = 17,
	MLX5LM_ERROR_VF = 18,
	MLX5LM_ERROR_MIGRATION = 19,
	MLX5LM_ERROR_TOO_MANY_VFS = 20,
	MLX5LM_ERROR_VF_INDEX = 21,
	MLX5LM_ERROR_HW_ADDR = 22,
	MLX5LM_ERROR_HW_ADDR_TAKEN = 23,
	MLX5LM_ERROR_CONTRADICTION = 24,
	MLX5LM_ERROR_RECOVERY_NEEDED = 25,
	MLX5LM_ERROR_UNDO_FAILED = 26,
	MLX5LM_ERROR_NV_NOT_APPLIED = 27
};

/**
 * enum mlx5lm_error_source - who said so
 * @MLX5LM_SOURCE_UNKNOWN: not known
 * @MLX5LM_SOURCE_LIBRARY: this library itself
 * @MLX5LM_SOURCE_SYSFS: a file below /sys or /proc
 * @MLX5LM_SOURCE_DEVLINK: the kernel over devlink netlink
 * @MLX5LM_SOURCE_KMOD: libkmod
 * @MLX5LM_SOURCE_VFIO: a VFIO ioctl
 * @MLX5LM_SOURCE_NVCONFIG: NV configuration of the adapter
 * @MLX5LM_SOURCE_LIBVIRT: libvirt or QEMU through libvirt
 *
 * Since: 0.1
 */
enum mlx5lm_error_source {
	MLX5LM_SOURCE_UNKNOWN = 0,
	MLX5LM_SOURCE_LIBRARY = 1,
	MLX5LM_SOURCE_SYSFS = 2,
	MLX5LM_SOURCE_DEVLINK = 3,
	MLX5LM_SOURCE_KMOD = 4,
	MLX5LM_SOURCE_VFIO = 5,
	MLX5LM_SOURCE_NVCONFIG = 6,
	MLX5LM_SOURCE_LIBVIRT = 7
};

/**
 * mlx5lm_error_get_code() - what went wrong, for programs
 * @error: an error, may be NULL
 *
 * Return: the code; MLX5LM_ERROR_UNKNOWN for NULL.
 * Thread: any (immutable). Since: 0.1
 */
enum mlx5lm_error_code mlx5lm_error_get_code(const struct mlx5lm_error *error);

/**
 * mlx5lm_error_get_errno() - the errno that belongs to the error
 * @error: an error, may be NULL
 *
 * Return: a positive errno, the negative of what the failing call returned; 0 for NULL.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_error_get_errno(const struct mlx5lm_error *error);

/**
 * mlx5lm_error_get_source() - who said so
 * @error: an error, may be NULL
 *
 * Return: the source; MLX5LM_SOURCE_UNKNOWN for NULL.
 * Thread: any (immutable). Since: 0.1
 */
enum mlx5lm_error_source mlx5lm_error_get_source(const struct mlx5lm_error *error);

/**
 * mlx5lm_error_get_message() - one line for people, naming the object and the step
 * @error: an error, may be NULL
 *
 * Return: UTF-8 without a newline, valid until mlx5lm_error_free(); NULL for NULL.
 * Thread: any (immutable). Since: 0.1
 */
const char *mlx5lm_error_get_message(const struct mlx5lm_error *error);

/**
 * mlx5lm_error_get_detail() - the words of the kernel, libkmod or libvirt, verbatim
 * @error: an error, may be NULL
 *
 * Return: the text, valid until mlx5lm_error_free(); NULL if there is none.
 * Thread: any (immutable). Since: 0.1
 */
const char *mlx5lm_error_get_detail(const struct mlx5lm_error *error);

/**
 * mlx5lm_error_get_remedy() - what to do about it, with the command where there is one
 * @error: an error, may be NULL
 *
 * Return: the text, valid until mlx5lm_error_free(); NULL if none is known.
 * Thread: any (immutable). Since: 0.1
 */
const char *mlx5lm_error_get_remedy(const struct mlx5lm_error *error);

/**
 * mlx5lm_error_free() - release an error
 * @error: an error, may be NULL
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_error_free(struct mlx5lm_error *error);

/**
 * mlx5lm_error_code_str() - name of an error code
 * @code: a code
 *
 * Return: a short static word such as "not-found"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_error_code_str(enum mlx5lm_error_code code);

/**
 * mlx5lm_error_source_str() - name of an error source
 * @source: a source
 *
 * Return: a short static word such as "devlink"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_error_source_str(enum mlx5lm_error_source source);

#ifdef __cplusplus
}
#endif

#endif
