// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation_solve.h"

#include <errno.h>
#include <inttypes.h>

/* Where least is missing for a domain. */
struct shortage {
	const struct shelter *shelter; /* NULL: nowhere is there a chance */
	uint64_t missing;	       /* VFs, of all classes */
	uint32_t cls;		       /* the first of which any are missing */
	uint64_t missing_of_class;
};

struct report {
	const struct evacuation_state *state;
	const struct mlx5lm_evacuation_options *options;
	const struct shelter **kept; /* [place in all]: the same host in shelters, or NULL */
	struct mlx5lm_findings *findings;
};

static int compare_with_name(const void *name, const void *shelter)
{
	return strcmp(name, ((const struct shelter *)shelter)->host->name);
}

static int find_kept(struct report *report)
{
	const struct evacuation_problem *problem = report->state->problem;

	report->kept = calloc(problem->num_all + 1, sizeof(report->kept[0]));
	if (!report->kept)
		return -ENOMEM;
	for (uint32_t i = 0; i < problem->num_shelters; i++) {
		const struct shelter *shelter = &problem->shelters[i];
		const struct shelter *found =
			bsearch(shelter->host->name, problem->all, problem->num_all, sizeof(*found),
				compare_with_name);

		if (found)
			report->kept[found - problem->all] = shelter;
	}
	return 0;
}

/* Free VFs of a class that nobody gets. */
static uint64_t count_spare(const struct report *report, size_t host, uint32_t cls)
{
	const struct evacuation_problem *problem = report->state->problem;
	const struct shelter *kept = report->kept[host];

	if (!kept)
		return shelter_reach(problem, &problem->all[host], cls, UNLIMITED);
	return report->state->room[(size_t)(kept - problem->shelters) * problem->num_classes + cls];
}

static const struct fleet_pf *find_pf(const struct evacuation_problem *problem,
				      const struct shelter *shelter, uint32_t cls)
{
	const struct fleet_pf *first = NULL;

	for (uint32_t i = 0; i < shelter->num_pfs; i++) {
		const struct shelter_pf *pf = &problem->shelter_pfs[shelter->first_pf + i];

		if (pf->cls == cls && (!first || &shelter->host->pfs[pf->pf] < first))
			first = &shelter->host->pfs[pf->pf];
	}
	return first;
}

static struct shortage find_shortage(const struct report *report, const struct evacuee *evacuee)
{
	const struct evacuation_problem *problem = report->state->problem;
	struct shortage best = { .missing = UINT64_MAX };

	for (size_t host = 0; host < problem->num_all; host++) {
		struct shortage here = { .shelter = &problem->all[host] };
		bool possible = true;

		for (uint32_t cls = 0; possible && cls < problem->num_classes; cls++) {
			uint64_t spare = evacuee->need[cls] ? count_spare(report, host, cls) : 0;

			if (spare >= evacuee->need[cls])
				continue;
			possible = find_pf(problem, here.shelter, cls);
			if (here.missing == 0) {
				here.cls = cls;
				here.missing_of_class = evacuee->need[cls] - spare;
			}
			here.missing += evacuee->need[cls] - spare;
		}
		if (possible && here.missing < best.missing)
			best = here;
	}
	return best;
}

static void format_bdf(const struct fleet_pf *pf, uint8_t bus, uint8_t devfn,
		       char text[static BDF_TEXT_SIZE])
{
	struct bdf bdf = { pf->pci_domain, bus, devfn >> 3, devfn & 7 };

	bdf_format(&bdf, text);
}

/* VFs that nobody uses but that are not ready come before new ones. */
static uint64_t count_unready(const struct fleet_pf *pf)
{
	uint64_t unready = 0;

	for (uint32_t i = 0; i < pf->num_vfs; i++)
		unready += !pf->vfs[i].free && !pf->vfs[i].domain;
	return unready;
}

static void set_room_remedy(const struct report *report, struct mlx5lm_finding *finding,
			    const struct shortage *shortage)
{
	const struct shelter *shelter = shortage->shelter;
	const struct fleet_pf *pf = find_pf(report->state->problem, shelter, shortage->cls);
	uint64_t unready = count_unready(pf), missing = shortage->missing_of_class;
	char bdf[BDF_TEXT_SIZE];

	format_bdf(pf, pf->bus, pf->devfn, bdf);
	finding_set(report->findings, finding, MLX5LM_FINDING_REMEDY,
		    "make %" PRIu64 " more VF%s of host %s ready (free, migratable, bound to "
		    "mlx5_vfio_pci), there: mlx5lm-configure --pf %s --vfs %" PRIu64 " --apply",
		    missing, missing == 1 ? "" : "s", shelter->host->name, bdf,
		    pf->num_vfs + (missing > unready ? missing - unready : 0));
}

static void say_no_room(const struct report *report, const struct evacuee *evacuee,
			const struct shortage *shortage)
{
	bool full = evacuee->stays != STAY_NO_ROOM;
	struct mlx5lm_finding *finding =
		findings_add(report->findings, MLX5LM_STATUS_FAIL,
			     full ? "evacuation.full" : "evacuation.no_room", evacuee->name);

	if (full)
		finding_set(report->findings, finding, MLX5LM_FINDING_MESSAGE,
			    "no host has %" PRIu32 " VF%s left that could take its VF%s over: "
			    "other domains get them",
			    evacuee->num_vfs, evacuee->num_vfs == 1 ? "" : "s",
			    evacuee->num_vfs == 1 ? "" : "s");
	else
		finding_set(report->findings, finding, MLX5LM_FINDING_MESSAGE,
			    "no host has %" PRIu32 " free VF%s that could take its VF%s over",
			    evacuee->num_vfs, evacuee->num_vfs == 1 ? "" : "s",
			    evacuee->num_vfs == 1 ? "" : "s");
	if (shortage->shelter && shortage->missing > 0)
		set_room_remedy(report, finding, shortage);
}

static void say_culprit(const struct report *report, const struct evacuee *evacuee)
{
	const struct fleet_pf *pf = &report->state->problem->source->pfs[evacuee->culprit_pf];
	const struct fleet_vf *vf = &pf->vfs[evacuee->culprit_vf];
	bool not_ready = evacuee->stays == STAY_NOT_READY;
	struct mlx5lm_finding *finding = findings_add(
		report->findings, not_ready ? MLX5LM_STATUS_FAIL : MLX5LM_STATUS_UNKNOWN,
		not_ready ? "evacuation.not_ready" : "evacuation.class_unknown", evacuee->name);
	char bdf[BDF_TEXT_SIZE], pf_bdf[BDF_TEXT_SIZE];

	format_bdf(pf, vf->bus, vf->devfn, bdf);
	format_bdf(pf, pf->bus, pf->devfn, pf_bdf);
	if (not_ready) {
		finding_set(report->findings, finding, MLX5LM_FINDING_MESSAGE,
			    "its VF %s is not ready to give its state away", bdf);
		finding_set(report->findings, finding, MLX5LM_FINDING_REMEDY,
			    "see what is in the way, on host %s: mlx5lm-probe --scope %s",
			    report->state->problem->source->name, bdf);
		return;
	}
	finding_set(report->findings, finding, MLX5LM_FINDING_MESSAGE,
		    "nobody knows where its VF %s can go: PSID, firmware or another point that "
		    "decides is not known of PF %s",
		    bdf, pf_bdf);
	finding_set(report->findings, finding, MLX5LM_FINDING_REMEDY,
		    "bind mlx5_core to the PF, and make the snapshot anew as root: "
		    "mlx5lm-probe --json");
}

static void say_downtime(const struct report *report, const struct evacuee *evacuee)
{
	uint64_t alone = evacuation_downtime_ms(report->options, evacuee->num_vfs);
	struct mlx5lm_finding *finding = findings_add(report->findings, MLX5LM_STATUS_FAIL,
						      "evacuation.downtime", evacuee->name);

	finding_set(report->findings, finding, MLX5LM_FINDING_MESSAGE,
		    "even alone it stands still for %" PRIu64 " ms while the state of its %" PRIu32
		    " VF%s is sent: longer than the limit of %" PRIu64 " ms",
		    alone, evacuee->num_vfs, evacuee->num_vfs == 1 ? "" : "s",
		    report->options->downtime_limit_ms);
	finding_set(report->findings, finding, MLX5LM_FINDING_REMEDY,
		    "allow a downtime of %" PRIu64 " ms, or use a faster network", alone);
}

static void say_rest(const struct report *report, const struct evacuee *evacuee)
{
	bool unknown = evacuee->stays == STAY_VF_UNKNOWN;
	struct mlx5lm_finding *finding = findings_add(
		report->findings, unknown ? MLX5LM_STATUS_UNKNOWN : MLX5LM_STATUS_FAIL,
		unknown ? "evacuation.vf_unknown" : "evacuation.no_class", evacuee->name);

	if (unknown) {
		finding_set(report->findings, finding, MLX5LM_FINDING_MESSAGE,
			    "the snapshot of the host does not have all of its VFs as they should be");
		finding_set(report->findings, finding, MLX5LM_FINDING_REMEDY,
			    "make the snapshot anew: mlx5lm-probe --json");
		return;
	}
	finding_set(report->findings, finding, MLX5LM_FINDING_MESSAGE,
		    "no other host has all the kinds of adapters that its %" PRIu32
		    " VF%s can move to",
		    evacuee->num_vfs, evacuee->num_vfs == 1 ? "" : "s");
	finding_set(
		report->findings, finding, MLX5LM_FINDING_REMEDY,
		"bring another host to the same firmware and NV configuration; see which differs "
		"least: mlx5lm-compare --fleet SNAPSHOT...");
}

static void say_why(const struct report *report, const struct evacuee *evacuee,
		    const struct shortage *shortage)
{
	switch (evacuee->stays) {
	case STAY_NOT_READY:
	case STAY_CLASS_UNKNOWN:
		say_culprit(report, evacuee);
		break;
	case STAY_DOWNTIME:
		say_downtime(report, evacuee);
		break;
	case STAY_VF_UNKNOWN:
	case STAY_NO_CLASS:
		say_rest(report, evacuee);
		break;
	default:
		say_no_room(report, evacuee, shortage);
		break;
	}
}

struct stay {
	const struct evacuee *evacuee;
	struct shortage shortage;
};

static int compare_stays(const void *first, const void *second)
{
	const struct stay *a = first, *b = second;

	return strcmp(a->evacuee->name, b->evacuee->name);
}

/* Those that stay; neighbours that need the same lack the same. */
static uint32_t list_stays(const struct report *report, struct stay *stays)
{
	const struct evacuation_problem *problem = report->state->problem;
	uint32_t length = 0;

	for (uint32_t i = 0; i < problem->num_evacuees; i++) {
		const struct evacuee *evacuee = &problem->evacuees[i];
		struct stay *stay = &stays[length];

		if (i < problem->num_goers && report->state->host_of[i] != NONE)
			continue;
		stay->evacuee = evacuee;
		length++;
		if (evacuee->stays != STAY_GOES && evacuee->stays != STAY_NO_ROOM)
			continue;
		if (length > 1 && stay[-1].shortage.shelter &&
		    memcmp(stay[-1].evacuee->need, evacuee->need,
			   problem->num_classes * sizeof(evacuee->need[0])) == 0)
			stay->shortage = stay[-1].shortage;
		else
			stay->shortage = find_shortage(report, evacuee);
	}
	return length;
}

int evacuation_add_findings(const struct evacuation_state *state,
			    const struct mlx5lm_evacuation_options *options,
			    struct mlx5lm_findings *findings)
{
	_cleanup_free_ struct stay *stays =
		calloc(state->problem->num_evacuees + 1u, sizeof(*stays));
	struct report report = { .state = state, .options = options, .findings = findings };
	uint32_t length = 0;

	if (!stays || find_kept(&report)) {
		free(report.kept);
		return -ENOMEM;
	}
	length = list_stays(&report, stays);
	if (length > 1)
		qsort(stays, length, sizeof(*stays), compare_stays);
	for (uint32_t i = 0; i < length; i++)
		say_why(&report, stays[i].evacuee, &stays[i].shortage);
	free(report.kept);
	return findings->error;
}
