/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_NV_H
#define CORE_NV_H

#include "facts.h"

/*
 * The NV configuration of an adapter: from devlink's permanent parameters, and from what
 * mstconfig and mlxconfig print. What they print is not trusted; all of it is read that can be.
 *
 * What is learned goes into pf->nvs, which has the parameters that something is known of in the
 * order of nv_name(). A later source wins where it knows a value, and takes none away.
 */

#define NV_COUNT 5
#define NV_ALL ((1U << NV_COUNT) - 1) /* a bit for each parameter */

const char *nv_name(unsigned int index);

/* From pf->params. 0 or -ENOMEM. */
int nv_from_params(struct mlx5lm_pf *pf);

/*
 * The answer to a query, in either form the tools have. Of several devices, the one with the
 * BDF of pf is meant; a device without a BDF is, if it is the only one. Returns 0 if something
 * about a parameter was there, -ENODATA if not, -EBADMSG if it is no JSON, -ENOMEM.
 */
int nv_parse_text(const char *text, size_t length, struct mlx5lm_pf *pf);
int nv_parse_json(const char *text, size_t length, struct mlx5lm_pf *pf);

/*
 * One parameter that is not there makes a tool refuse a query as a whole, and name it. Takes
 * each such parameter out of *asked, and notes in pf if it is the adapter that has none.
 * *reason: the first error in the tool's words, left alone if there is none. 0 or -ENOMEM.
 */
int nv_parse_refusal(const char *text, size_t length, struct mlx5lm_pf *pf, unsigned int *asked,
		     char **reason);

/* After an answer to a query for them: the adapter has none of these that was not in it. */
int nv_mark_missing(struct mlx5lm_pf *pf, unsigned int asked);

/* Of what --version prints; *ret is left alone if it has none. 0 or -ENOMEM. */
int nv_parse_version(const char *text, size_t length, char **ret);

/* Does this version of mstconfig or mlxconfig write JSON? */
bool nv_version_has_json(const char *version);

/* Is there a value for now and for the next boot of each parameter that the adapter may have? */
bool nv_is_complete(const struct mlx5lm_pf *pf);

/* What a person types to see it all; NULL when out of memory. */
char *nv_command(const char *bdf);

#endif
