// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/outcome.h"

static bool has_left(enum domain_state state)
{
	return state == DOMAIN_GONE || state == DOMAIN_OFF;
}

enum outcome outcome_of(enum domain_state source, enum domain_state destination)
{
	if (destination == DOMAIN_RUNNING && has_left(source))
		return OUTCOME_MOVED;
	if (source == DOMAIN_RUNNING && has_left(destination))
		return OUTCOME_STAYED;
	return OUTCOME_OPEN;
}

static const char *word(enum domain_state state)
{
	switch (state) {
	case DOMAIN_GONE:
		return "not there";
	case DOMAIN_OFF:
		return "off";
	case DOMAIN_RUNNING:
		return "running";
	case DOMAIN_PAUSED:
		return "paused";
	case DOMAIN_PAUSED_BY_MIGRATION:
		return "paused by the migration";
	case DOMAIN_UNKNOWN:
		break;
	}
	return "in an unknown state";
}

/* Between the moment when the source lets go and the one when it is told of it, both may run. */
static const char *split_brain(enum domain_state source, enum domain_state destination)
{
	if (source == DOMAIN_RUNNING && destination == DOMAIN_RUNNING)
		return ": split brain";
	if ((source == DOMAIN_RUNNING || source == DOMAIN_UNKNOWN) &&
	    (destination == DOMAIN_RUNNING || destination == DOMAIN_UNKNOWN))
		return ": a split brain cannot be ruled out";
	return "";
}

char *outcome_text(const char *name, enum domain_state source, enum domain_state destination)
{
	switch (outcome_of(source, destination)) {
	case OUTCOME_MOVED:
		return str_printf("domain '%s' runs at the destination", name);
	case OUTCOME_STAYED:
		return str_printf("domain '%s' runs on at the source", name);
	case OUTCOME_OPEN:
		break;
	}
	return str_printf("domain '%s' is %s at the source and %s at the destination%s", name,
			  word(source), word(destination), split_brain(source, destination));
}

/* Neither end has it running, and both are known. */
static const char *remedy_of_rest(enum domain_state source, enum domain_state destination)
{
	if (has_left(source) && has_left(destination))
		return "the guest is off at both ends: /var/log/libvirt/qemu there may tell why; "
		       "start it again at one of them (virsh start)";
	if (has_left(destination))
		return "resume the guest at the source (virsh resume)";
	/* Libvirt lets the source go only when the destination has all. */
	if (has_left(source))
		return "the only copy is paused at the destination: it is not complete if virsh "
		       "qemu-monitor-command --hmp 'info status' there says inmigrate, else "
		       "resume it (virsh resume)";
	if (destination == DOMAIN_PAUSED_BY_MIGRATION)
		return "the guest runs nowhere: remove the copy at the destination, which has never "
		       "run (virsh destroy), and only then resume the one at the source (virsh "
		       "resume)";
	return "the guest runs nowhere, and the copy at the destination may have run: virsh "
	       "domstate --reason at both ends tells more; remove one before the other is resumed";
}

const char *outcome_remedy(enum domain_state source, enum domain_state destination)
{
	if (outcome_of(source, destination) != OUTCOME_OPEN)
		return NULL;
	if (source == DOMAIN_RUNNING && destination == DOMAIN_RUNNING)
		return "both copies run: stop one at once (virsh destroy), before both write to "
		       "the same disks";
	if (source == DOMAIN_UNKNOWN || destination == DOMAIN_UNKNOWN)
		return "look at both daemons (virsh list --all) before anything is resumed or "
		       "started again: the guest may run at the end that does not answer";
	if (source == DOMAIN_RUNNING)
		return "the guest runs at the source: remove the rest at the destination (virsh "
		       "destroy)";
	if (destination == DOMAIN_RUNNING)
		return "the guest runs at the destination: remove the rest at the source (virsh "
		       "destroy)";
	return remedy_of_rest(source, destination);
}
