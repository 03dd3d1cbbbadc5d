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
	return str_printf("domain '%s' is %s at the source and %s at the destination", name,
			  word(source), word(destination));
}

const char *outcome_remedy(enum domain_state source, enum domain_state destination)
{
	if (outcome_of(source, destination) != OUTCOME_OPEN)
		return NULL;
	if (source == DOMAIN_RUNNING && destination == DOMAIN_RUNNING)
		return "both copies run: stop one at once (virsh destroy), before both write to "
		       "the same disks";
	if (source == DOMAIN_UNKNOWN || destination == DOMAIN_UNKNOWN)
		return "look at both daemons (virsh list --all) before anything is started again: "
		       "the guest may run at the end that does not answer";
	if (source == DOMAIN_RUNNING)
		return "the guest runs at the source: remove the rest at the destination (virsh "
		       "destroy)";
	if (destination == DOMAIN_RUNNING)
		return "the guest runs at the destination: remove the rest at the source (virsh "
		       "destroy)";
	if (has_left(destination))
		return "resume the guest at the source (virsh resume)";
	return "the guest runs nowhere: virsh list --all at both ends shows what is left";
}
