/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_CONFIG_H
#define MLX5LM_CONFIG_H

#include <mlx5lm/types.h>
#include <mlx5lm/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* VF index that means "every VF of the PF". */
#define MLX5LM_VF_ALL UINT32_MAX

/**
 * mlx5lm_config_new() - make an empty wanted state of one PF
 * @ret: where to put it; yours, release with mlx5lm_config_free()
 *
 * What is not set is left as it is on the host.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.1
 */
int mlx5lm_config_new(struct mlx5lm_config **ret);

/**
 * mlx5lm_config_set_num_vfs() - wanted number of VFs
 * @config: a wanted state
 * @num_vfs: 0 to 4096
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_config_set_num_vfs(struct mlx5lm_config *config, uint32_t num_vfs);

/**
 * mlx5lm_config_set_eswitch_mode() - wanted mode of the embedded switch
 * @config: a wanted state
 * @mode: LEGACY or SWITCHDEV
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_config_set_eswitch_mode(struct mlx5lm_config *config, enum mlx5lm_eswitch_mode mode);

/**
 * mlx5lm_config_set_vf_hw_addr() - wanted MAC address of a VF
 * @config: a wanted state
 * @vf_index: which VF; MLX5LM_VF_ALL is refused, addresses are unique
 * @hw_addr: "xx:xx:xx:xx:xx:xx", unicast and not zero
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_config_set_vf_hw_addr(struct mlx5lm_config *config, uint32_t vf_index,
				 const char *hw_addr);

/**
 * mlx5lm_config_set_vf_attr() - wanted port function attribute of a VF
 * @config: a wanted state
 * @vf_index: which VF, or MLX5LM_VF_ALL; a setting for one VF goes before that for all
 * @attr: which attribute
 * @state: ENABLED or DISABLED
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_config_set_vf_attr(struct mlx5lm_config *config, uint32_t vf_index,
			      enum mlx5lm_port_attr attr, enum mlx5lm_port_attr_state state);

/**
 * mlx5lm_config_set_vf_driver() - wanted driver of a VF
 * @config: a wanted state
 * @vf_index: which VF, or MLX5LM_VF_ALL; a setting for one VF goes before that for all
 * @driver: "mlx5_vfio_pci", "mlx5_core", or "" for none
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_config_set_vf_driver(struct mlx5lm_config *config, uint32_t vf_index,
				const char *driver);

/**
 * mlx5lm_config_set_vf_max_io_eqs() - wanted number of event queues of a VF
 * @config: a wanted state
 * @vf_index: which VF, or MLX5LM_VF_ALL; a setting for one VF goes before that for all
 * @max_io_eqs: 1 to 65535; the port function attribute max_io_eqs (Linux 6.10)
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.3
 */
int mlx5lm_config_set_vf_max_io_eqs(struct mlx5lm_config *config, uint32_t vf_index,
				    uint32_t max_io_eqs);

/**
 * mlx5lm_config_set_vf_msix_count() - wanted number of MSI-X vectors of a VF
 * @config: a wanted state
 * @vf_index: which VF, or MLX5LM_VF_ALL; a setting for one VF goes before that for all
 * @msix_count: 1 to 2048; sriov_vf_msix_count of sysfs
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.3
 */
int mlx5lm_config_set_vf_msix_count(struct mlx5lm_config *config, uint32_t vf_index,
				    uint32_t msix_count);

/**
 * mlx5lm_config_set_vf_representor_state() - wanted state of a VF's representor netdev
 * @config: a wanted state
 * @vf_index: which VF, or MLX5LM_VF_ALL; a setting for one VF goes before that for all
 * @state: UP or DOWN
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.3
 */
int mlx5lm_config_set_vf_representor_state(struct mlx5lm_config *config, uint32_t vf_index,
					   enum mlx5lm_admin_state state);

/**
 * mlx5lm_config_set_vf_release() - want a VF back in the hands of the host
 * @config: a wanted state
 * @vf_index: which VF, or MLX5LM_VF_ALL
 *
 * The reverse of making it ready for a migration: migratable disabled, driver_override
 * cleared, bound to mlx5_core. Takes the place of what was wanted of its driver and of
 * migratable before.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.3
 */
int mlx5lm_config_set_vf_release(struct mlx5lm_config *config, uint32_t vf_index);

/**
 * mlx5lm_config_set_nv() - wanted parameter of the adapter's NV configuration
 * @config: a wanted state
 * @name: "SRIOV_EN", "NUM_OF_VFS" or "VF_MIGRATION_MODE"
 * @value: 0 or 1; 0 to 4096; 0 (device default), 1 (disabled) or 2 (enabled)
 *
 * It takes effect when the adapter starts anew: see MLX5LM_PLAN_RESTART_NEEDED. Holds for all
 * PFs of the adapter.
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.3
 */
int mlx5lm_config_set_nv(struct mlx5lm_config *config, const char *name, uint64_t value);

/**
 * mlx5lm_config_set_firmware_reset() - let the plan restart the adapter
 * @config: a wanted state
 * @allowed: nonzero if the plan may hold that step; not, at first
 *
 * The step comes only if a parameter of the NV configuration waits for a restart, behind one
 * that removes all VFs of the PF. It is refused while another PF of the adapter has VFs.
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.3
 */
int mlx5lm_config_set_firmware_reset(struct mlx5lm_config *config, int allowed);

/**
 * mlx5lm_config_set_live_guests() - let the plan disturb guests that run
 * @config: a wanted state
 * @allowed: nonzero if the eswitch mode may change while a VF is in use; not, at first
 *
 * Taking a VF away from its user is refused in any case.
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.3
 */
int mlx5lm_config_set_live_guests(struct mlx5lm_config *config, int allowed);

/**
 * mlx5lm_config_parse() - read a wanted state from JSON
 * @json: a document as doc/schema/config-1.json has it; need not be NUL-terminated
 * @length: length of @json in bytes, at most 1 MiB
 * @ret: where to put it; yours, release with mlx5lm_config_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * What a newer library wrote and this one does not know is refused, not ignored: a wish must
 * not get lost.
 *
 * Return: 0; -EINVAL; -ENOMEM; -EFBIG if it is too long; -EBADMSG if it is no such document;
 * else the error names the item: -EADDRNOTAVAIL (code HW_ADDR) for an address that is not
 * unicast, -EEXIST (code HW_ADDR_TAKEN) for one that two VFs want, -ERANGE (code VF_INDEX or
 * TOO_MANY_VFS) for an index or number that no PF can have.
 * Thread: any. Since: 0.3
 */
int mlx5lm_config_parse(const char *json, size_t length, struct mlx5lm_config **ret,
			struct mlx5lm_error **reterr);

/**
 * mlx5lm_config_serialize() - write a wanted state as JSON
 * @config: a wanted state
 * @ret: where to put the text; yours, release with mlx5lm_text_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.3
 */
int mlx5lm_config_serialize(const struct mlx5lm_config *config, struct mlx5lm_text **ret);

/**
 * mlx5lm_config_free() - release a wanted state
 * @config: a wanted state, may be NULL
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_config_free(struct mlx5lm_config *config);

#ifdef __cplusplus
}
#endif

#endif
