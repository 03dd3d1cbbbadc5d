/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_OUTCOME_H
#define CORE_OUTCOME_H

#include "facts_libvirt.h"

/*
 * What became of a migration. Only the domain's state at both ends tells: the return of
 * libvirt's call can be lost on the way, or say failure when the guest runs at the other side.
 */
enum outcome {
	OUTCOME_OPEN,	/* still changing, or an end does not answer */
	OUTCOME_MOVED,	/* runs at the destination only */
	OUTCOME_STAYED, /* runs at the source only */
};

enum outcome outcome_of(enum domain_state source, enum domain_state destination);

/* Where the domain is, as words for an error; NULL without memory. */
char *outcome_text(const char *name, enum domain_state source, enum domain_state destination);

/* What a person has to do when it is neither moved nor stayed; NULL if nothing. */
const char *outcome_remedy(enum domain_state source, enum domain_state destination);

#endif
