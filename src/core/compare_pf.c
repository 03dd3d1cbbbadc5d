// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/compare_internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/nv.h"

#define WARN MLX5LM_STATUS_WARN
#define INFO MLX5LM_STATUS_INFO
#define PASS MLX5LM_STATUS_PASS

/* Room for a parameter: its name has 17 bytes at most, its value 20. */
#define NV_TEXT_SIZE 40

/* What runs after the next restart; NULL if that is not known. */
static const char *next_firmware(const struct mlx5lm_pf *pf)
{
	return pf->fw_running ? pf->fw_stored : NULL;
}

static bool firmware_waits(const struct mlx5lm_pf *pf)
{
	const char *next = next_firmware(pf);

	return next && !streq(next, pf->fw_running);
}

static const char *firmware_message(const struct mlx5lm_pf *source,
				    const struct mlx5lm_pf *destination)
{
	const char *a = source->fw_running, *b = destination->fw_running;
	const char *x = next_firmware(source), *y = next_firmware(destination);

	if (!x || !y)
		return "other firmware is stored, and will run after the next restart";
	if (streq(a, b))
		return streq(x, y) ? "both will run the same other firmware, but not before both "
				     "have been restarted" :
				     "after the next restart the firmware will differ";
	return streq(x, y) ? "after the next restart the firmware will be the same" :
			     "after the next restart the firmware will still differ";
}

/* Nobody should be told to burn firmware that is there already. */
static void tell_restart(const char *object, const char *side, const char *remedy,
			 struct mlx5lm_findings *findings)
{
	for (size_t i = findings->length; i > 0; i--) {
		struct mlx5lm_finding *finding = &findings->items[i - 1];

		if (!streq(finding->text[MLX5LM_FINDING_ID], "firmware.version") ||
		    !streq(finding->text[MLX5LM_FINDING_OBJECT], object))
			continue;
		SIDE(side);
		REMEDY("%s", remedy);
		return;
	}
}

static void compare_firmware(const struct mlx5lm_pf *source, const struct mlx5lm_pf *destination,
			     const char *object, struct mlx5lm_findings *findings)
{
	bool at_source = firmware_waits(source), at_destination = firmware_waits(destination);
	const char *x = next_firmware(source), *y = next_firmware(destination);
	const struct mlx5lm_pf *pf = at_source ? source : destination;
	struct mlx5lm_finding *finding;

	if (!at_source && !at_destination) {
		compare_point(findings, x && y ? PASS : INFO, "firmware.pending", object, x, y,
			      x && y ? "no other firmware is stored" :
				       "stored firmware: not known of both");
		return;
	}
	finding = compare_point(findings, WARN, "firmware.pending", object, x, y,
				firmware_message(source, destination));
	if (at_source)
		finding_set(findings, finding, MLX5LM_FINDING_SOURCE, "%s, %s stored",
			    source->fw_running, x);
	if (at_destination)
		finding_set(findings, finding, MLX5LM_FINDING_DESTINATION, "%s, %s stored",
			    destination->fw_running, y);
	SIDE(side_of(at_source, at_destination));
	if (streq(source->fw_running, destination->fw_running) && x && y && !streq(x, y))
		REMEDY("restart neither before the migration, or store the same firmware on both");
	else
		REMEDY("activate it%s, or reboot: devlink dev reload pci/%s action fw_activate",
		       at_source && at_destination ? " on both hosts" :
		       at_source		   ? " on the source" : " on the destination",
		       pf->bdf ? pf->bdf : "PF");
	if (!streq(source->fw_running, destination->fw_running) && streq(x, y) && finding &&
	    finding->text[MLX5LM_FINDING_REMEDY])
		tell_restart(object, side_of(at_source, at_destination),
			     finding->text[MLX5LM_FINDING_REMEDY], findings);
}

static bool is_nv_name(const char *name)
{
	for (unsigned int i = 0; i < NV_COUNT; i++) {
		if (streq(nv_name(i), name))
			return true;
	}
	return false;
}

/* The values that wait for a restart; false if nothing is known. */
static bool print_waiting(const struct mlx5lm_pf *pf, char *text, size_t size, bool *waits)
{
	size_t length = 0;
	bool known = false;

	text[0] = '\0';
	*waits = false;
	for (size_t i = 0; i < pf->num_nvs; i++) {
		const struct mlx5lm_nv *nv = &pf->nvs[i];

		if (!nv->current.known || !nv->next_boot.known)
			continue;
		known = true;
		/* A document may have more of them, and the same one often. */
		if (nv->current.value == nv->next_boot.value || !is_nv_name(nv->name) ||
		    size - length < NV_TEXT_SIZE)
			continue;
		length += (size_t)snprintf(text + length, size - length, "%s%s=%" PRIu64,
					   *waits ? " " : "", nv->name, nv->next_boot.value);
		*waits = true;
	}
	if (!*waits)
		strcpy(text, known ? "none" : "unknown");
	return known;
}

static void compare_nv(const struct mlx5lm_pf *source, const struct mlx5lm_pf *destination,
		       const char *object, struct mlx5lm_findings *findings)
{
	char a[NV_COUNT * NV_TEXT_SIZE], b[NV_COUNT * NV_TEXT_SIZE];
	bool at_source, at_destination, known;
	struct mlx5lm_finding *finding;

	if (!source->num_nvs && !destination->num_nvs) {
		compare_point(findings, INFO, "nv.pending", object, NULL, NULL,
			      "NV configuration: not known of both");
		return;
	}
	known = print_waiting(source, a, sizeof(a), &at_source);
	known = print_waiting(destination, b, sizeof(b), &at_destination) && known;
	if (!at_source && !at_destination) {
		compare_point(findings, known ? PASS : INFO, "nv.pending", object, a, b,
			      known ? "no NV parameter waits for a restart" :
				      "NV configuration: not known of both");
		return;
	}
	finding = compare_point(findings, WARN, "nv.pending", object, a, b,
				"NV parameters change with the next restart");
	SIDE(side_of(at_source, at_destination));
	REMEDY("reboot, look again and compare again, as root: mlx5lm-probe --nv --json");
}

void compare_pending(const struct mlx5lm_pf *source, const struct mlx5lm_pf *destination,
		     struct mlx5lm_findings *findings)
{
	const char *object = source->bdf ? source->bdf : "unknown";

	compare_firmware(source, destination, object, findings);
	compare_nv(source, destination, object, findings);
}
