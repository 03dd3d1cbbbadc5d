/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_JOURNAL_H
#define CORE_JOURNAL_H

#include "base/error.h"
#include "core/config.h"
#include "facts.h"

/*
 * The text of a journal: one JSON object a line, the first with the schema, the PF, the boot,
 * the process, what the PF was like and what is wanted. Then one line before each run of steps,
 * and one at the end. What a crash tore at the end of the text is ignored; the first line is
 * written whole or not at all.
 */
enum journal_end {
	JOURNAL_OPEN,	/* interrupted, or still at work */
	JOURNAL_DONE,	/* the wanted state was reached */
	JOURNAL_UNDONE, /* the state before was reached */
};

struct journal {
	char *pf_bdf;
	char *boot_id;
	uint64_t pid;
	struct mlx5lm_host *before; /* with this PF only */
	struct mlx5lm_config *wanted;
	enum journal_end end;
	char *last; /* what it was about to do last, such as "bind of 0000:08:00.2"; may be NULL */
};

/* Each gives one line with its end, or NULL when out of memory. */
char *journal_begin_line(const struct mlx5lm_host *before, const struct mlx5lm_pf *pf,
			 const struct mlx5lm_config *wanted, uint64_t pid);
/* More of what the PF was like, learned later: its VF ports were not to be seen before. */
char *journal_before_line(const struct mlx5lm_host *before, const struct mlx5lm_pf *pf);
char *journal_step_line(const struct mlx5lm_step *first, size_t length, bool undo);
char *journal_end_line(enum journal_end end);

/* -EBADMSG with an error that says what is wrong; all of text is outside input. */
int journal_parse(const char *text, size_t length, struct journal *ret,
		  struct mlx5lm_error **reterr);
void journal_release(struct journal *journal);
#define _cleanup_journal_ _cleanup_(journal_release)

/*
 * When parameters of the NV configuration were set, for the guard against a loop of "set,
 * reboot, set": a small JSON document.
 */
struct nv_record {
	struct fact_u64 value[NV_COUNT]; /* that was set, by the index of nv_name() */
	char *boot_id[NV_COUNT];	 /* in which boot */
};

/* text may be NULL: nothing was ever set. A damaged one counts as such. 0 or -ENOMEM. */
int nv_record_parse(const char *text, size_t length, struct nv_record *ret);
char *nv_record_text(const struct nv_record *record);
/* Notes that a parameter was set in this boot. 0 or -ENOMEM. */
int nv_record_set(struct nv_record *record, unsigned int index, uint64_t value,
		  const char *boot_id);
void nv_record_release(struct nv_record *record);
#define _cleanup_nv_record_ _cleanup_(nv_record_release)

/*
 * Refuses, with code NV_NOT_APPLIED, if a wanted parameter was set to its value in an earlier
 * boot and still is not what the adapter runs with.
 */
int nv_record_check(const struct nv_record *record, const char *boot_id,
		    const struct mlx5lm_pf *pf, const struct mlx5lm_config *wanted,
		    struct mlx5lm_error **reterr);

#endif
