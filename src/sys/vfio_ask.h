/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_VFIO_ASK_H
#define SYS_VFIO_ASK_H

#include "sys/vfio.h"
#include "sys/vfio_users.h"

/*
 * Asks those VFs that are known to be free, and of which not all is known yet, several at once
 * on threads of their own, until until_ms. A VF that was not asked gets a note. 0 or -ENOMEM.
 */
int vfio_ask_all(struct root *root, const struct vfio_vfs *vfs, uint64_t until_ms,
		 struct mlx5lm_host *host);

/* Puts an answer and where it is from into a VF. 0 or -ENOMEM. */
int vfio_take_answer(struct mlx5lm_vf *vf, const struct vfio_answer *answer, const char *source);

#endif
