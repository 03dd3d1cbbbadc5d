// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/compare_rules.h"

#include "base/cleanup.h"
#include "core/version_rule.h"

#define MIGRATION_DISABLED 1
#define CLASS_ETHERNET 0x0200
#define CLASS_INFINIBAND 0x0207

#define SIDE(side) finding_point(finding, MLX5LM_FINDING_SIDE, side)
#define REMEDY(...) finding_set(findings, finding, MLX5LM_FINDING_REMEDY, __VA_ARGS__)

/* Not snprintf(): a comparison of two hosts has a few microseconds for all. */
static char *put_hex(char *at, uint64_t value, unsigned int min_digits)
{
	unsigned int digits = min_digits;

	while (digits < 16 && value >> (4 * digits))
		digits++;
	for (unsigned int i = digits; i > 0; i--)
		*at++ = "0123456789abcdef"[value >> (4 * (i - 1)) & 0xf];
	*at = '\0';
	return at;
}

static void set_hex(struct rule_value *ret, const struct fact_u64 *fact, unsigned int min_digits)
{
	if (!fact->known)
		return;
	put_hex(ret->buf, fact->value, min_digits);
	ret->text = ret->buf;
}

static void set_decimal(struct rule_value *ret, const struct fact_u64 *fact)
{
	char *at = ret->buf + sizeof(ret->buf) - 1;
	uint64_t value = fact->value;

	if (!fact->known)
		return;
	*at = '\0';
	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	ret->text = at;
}

static void get_architecture(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			     struct rule_value *ret)
{
	(void)pf;
	ret->text = host->architecture;
}

static void get_page_size(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			  struct rule_value *ret)
{
	(void)pf;
	set_decimal(ret, &host->page_size_bytes);
}

static void get_device_id(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			  struct rule_value *ret)
{
	(void)host;
	set_hex(ret, &pf->device_id, 4);
}

static void get_vf_device_id(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			     struct rule_value *ret)
{
	(void)host;
	set_hex(ret, &pf->sriov_vf_device_id, 4);
}

static void get_link_type(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			  struct rule_value *ret)
{
	struct fact_u64 type = { pf->class_code.known, pf->class_code.value >> 8 };

	(void)host;
	if (!type.known)
		return;
	if (type.value == CLASS_ETHERNET)
		ret->text = "ethernet";
	else if (type.value == CLASS_INFINIBAND)
		ret->text = "infiniband";
	else
		set_hex(ret, &type, 4);
}

static void get_subsystem(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			  struct rule_value *ret)
{
	char *at;

	(void)host;
	if (!pf->subsystem_vendor_id.known || !pf->subsystem_device_id.known)
		return;
	at = put_hex(ret->buf, pf->subsystem_vendor_id.value, 4);
	*at++ = ':';
	put_hex(at, pf->subsystem_device_id.value, 4);
	ret->text = ret->buf;
}

static void get_revision(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			 struct rule_value *ret)
{
	(void)host;
	set_hex(ret, &pf->revision, 2);
}

static void get_psid(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
		     struct rule_value *ret)
{
	(void)host;
	ret->text = pf->psid;
}

static void get_firmware(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			 struct rule_value *ret)
{
	(void)host;
	ret->text = pf->fw_running;
}

/* Where it usually is: parameters are in the order of nv_name(), and as a rule none is missing. */
enum nv_place { NV_SRIOV_EN, NV_NUM_OF_VFS, NV_VF_MIGRATION_MODE, NV_LINK_TYPE_P1 };

static const struct fact_u64 *current_nv(const struct mlx5lm_pf *pf, enum nv_place place,
					 const char *name)
{
	static const struct fact_u64 unknown;
	const struct mlx5lm_nv *nv;

	if (place < pf->num_nvs && streq(pf->nvs[place].name, name))
		return &pf->nvs[place].current;
	nv = pf_find_nv(pf, name);
	return nv ? &nv->current : &unknown;
}

/* The device's default may be either: its port functions show which. */
static void get_migration_mode(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			       struct rule_value *ret)
{
	const struct fact_u64 *mode = current_nv(pf, NV_VF_MIGRATION_MODE,
						 "VF_MIGRATION_MODE");

	(void)host;
	ret->text = mode->known && mode->value == MIGRATION_DISABLED ? "disabled" :
								       "not disabled";
}

static void get_sriov_en(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			 struct rule_value *ret)
{
	(void)host;
	set_decimal(ret, current_nv(pf, NV_SRIOV_EN, "SRIOV_EN"));
}

static void get_num_of_vfs(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			   struct rule_value *ret)
{
	(void)host;
	set_decimal(ret, current_nv(pf, NV_NUM_OF_VFS, "NUM_OF_VFS"));
}

static const char *link_type_name(const char *pf_bdf)
{
	size_t length = pf_bdf ? strlen(pf_bdf) : 0;

	return length && pf_bdf[length - 1] == '1' ? "LINK_TYPE_P2" : "LINK_TYPE_P1";
}

static void get_nv_link_type(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			     struct rule_value *ret)
{
	(void)host;
	set_decimal(ret, current_nv(pf, NV_LINK_TYPE_P1, link_type_name(pf->bdf)));
}

/* Kernel, firmware and NV configuration together: what the port functions of its VFs show. */
static void get_migratable(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			   struct rule_value *ret)
{
	(void)host;
	for (size_t i = 0; i < pf->num_vfs; i++) {
		switch (pf->vfs[i].migratable) {
		case MLX5LM_PORT_ATTR_STATE_ENABLED:
		case MLX5LM_PORT_ATTR_STATE_DISABLED:
			ret->text = "offered";
			return;
		case MLX5LM_PORT_ATTR_STATE_UNSUPPORTED:
			ret->text = "not offered";
			break;
		default:
			break;
		}
	}
}

/* How people are told of a PF, or of all of them. */
struct pf_words {
	const char *name, *address; /* "the source's PF ", "0000:08:00.0" */
	const char *bdf;	    /* in commands */
};

#define PF_FORMAT "%s%s"
#define PF_ARGS(words) (words).name, (words).address

static struct pf_words words_of(bool at_source, const struct rule_case *values)
{
	const char *bdf = at_source ? values->source_pf : values->destination_pf;

	if (!bdf)
		return (struct pf_words){ "each PF", "", "PF" };
	return (struct pf_words){ at_source ? "the source's PF " : "the destination's PF ", bdf,
				  bdf };
}

static const char *side_name(bool at_source)
{
	return at_source ? "source" : "destination";
}

static void mend_psid(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		      const struct rule_case *values)
{
	REMEDY("choose a destination with an identical adapter (PSID %s)", values->source);
}

static void mend_device(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			const struct rule_case *values)
{
	(void)values;
	REMEDY("choose a destination with an identical adapter");
}

static void mend_architecture(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			      const struct rule_case *values)
{
	REMEDY("choose a destination that is %s too", values->source);
}

static void mend_page_size(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			   const struct rule_case *values)
{
	(void)values;
	SIDE("either");
	REMEDY("boot a kernel with the same page size on both hosts");
}

/* The older one is to be updated: nobody should have to go back to firmware with known defects. */
static void mend_firmware(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			  const struct rule_case *values)
{
	struct pf_words words;
	struct version a, b;
	bool at_source;

	if (version_parse(values->source, &a) < 0 || version_parse(values->destination, &b) < 0) {
		SIDE("either");
		REMEDY("bring both PFs to one firmware version");
		return;
	}
	if (a.part[0] != b.part[0]) {
		REMEDY("choose another destination: no firmware %u.x is made for an adapter that "
		       "runs %u.x", b.part[0], a.part[0]);
		return;
	}
	at_source = version_compare(&a, &b) <= 0;
	words = words_of(at_source, values);
	SIDE(side_name(at_source));
	REMEDY("update " PF_FORMAT " from %s to %s and reboot, or choose another destination: "
	       "mstflint -d %s -i IMAGE burn", PF_ARGS(words), at_source ? values->source : values->destination,
	       at_source ? values->destination : values->source, words.bdf);
}

static void mend_link_type(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			   const struct rule_case *values)
{
	bool at_source = !streq(values->source, "ethernet");
	bool at_both = at_source && !streq(values->destination, "ethernet");
	struct pf_words words = words_of(at_source, values);

	SIDE(at_both ? "both" : side_name(at_source));
	REMEDY("set " PF_FORMAT " to Ethernet and reboot%s: mstconfig -d %s set %s=2",
	       PF_ARGS(words), at_both ? ", and that of the other host as well" : "", words.bdf,
	       link_type_name(words.bdf));
}

static void mend_migration_mode(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
				const struct rule_case *values)
{
	bool at_source = streq(values->source, "disabled");
	struct pf_words words = words_of(at_source, values);

	SIDE(side_name(at_source));
	REMEDY("enable VF migration on " PF_FORMAT " and reboot: mstconfig -d %s set "
	       "VF_MIGRATION_MODE=2", PF_ARGS(words), words.bdf);
}

/* Is the first number the lesser one? Both are decimal, without zeros in front. */
static bool is_less(const char *a, const char *b)
{
	size_t length = strlen(a), other = strlen(b);

	return length != other ? length < other : strcmp(a, b) < 0;
}

/* The greater value is the one to have. */
static void mend_nv(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		    const struct rule_case *values, const char *parameter)
{
	bool at_source = is_less(values->source, values->destination);
	const char *wanted = at_source ? values->destination : values->source;
	struct pf_words words = words_of(at_source, values);

	SIDE(side_name(at_source));
	REMEDY("set it on " PF_FORMAT " to %s and reboot: mstconfig -d %s set %s=%s",
	       PF_ARGS(words), wanted, words.bdf,
	       parameter ? parameter : link_type_name(words.bdf), wanted);
}

static void mend_sriov_en(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			  const struct rule_case *values)
{
	mend_nv(findings, finding, values, "SRIOV_EN");
}

static void mend_num_of_vfs(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			    const struct rule_case *values)
{
	mend_nv(findings, finding, values, "NUM_OF_VFS");
}

/* 1 is InfiniBand, 2 Ethernet. */
static void mend_nv_link_type(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			      const struct rule_case *values)
{
	mend_nv(findings, finding, values, NULL);
}

static void mend_migratable(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			    const struct rule_case *values)
{
	bool at_source = streq(values->source, "not offered");
	struct pf_words words = words_of(at_source, values);

	SIDE(side_name(at_source));
	REMEDY("enable VF migration on " PF_FORMAT " and reboot; if it is enabled, update its "
	       "firmware or its kernel: mstconfig -d %s set VF_MIGRATION_MODE=2", PF_ARGS(words),
	       words.bdf);
}

#define FAIL MLX5LM_STATUS_FAIL
#define WARN MLX5LM_STATUS_WARN
#define INFO MLX5LM_STATUS_INFO
#define UNKNOWN MLX5LM_STATUS_UNKNOWN

const struct compare_rule pf_rules[] = {
	{ "host.architecture", "architecture", FAIL, UNKNOWN, RULE_FIXED, get_architecture,
	  "a guest cannot move to another architecture", mend_architecture },
	{ "host.page_size", "page size in bytes", WARN, INFO, RULE_SOFTWARE, get_page_size,
	  "dirty memory is counted in pages of the host, which differ", mend_page_size },
	{ "adapter.device_id", "PCI device id of the PF", FAIL, UNKNOWN, RULE_FIXED, get_device_id,
	  "the PFs are of different models", mend_device },
	{ "adapter.vf_device_id", "PCI device id of the VFs", FAIL, UNKNOWN, RULE_FIXED,
	  get_vf_device_id, "the guest would see another device", mend_device },
	{ "adapter.class", "link type", FAIL, UNKNOWN, RULE_NV, get_link_type,
	  "the ports speak different link types", mend_link_type },
	{ "adapter.subsystem", "PCI subsystem", WARN, INFO, RULE_FIXED, get_subsystem,
	  "the boards have different subsystem ids, though the PSID is what counts",
	  mend_device },
	{ "adapter.revision", "PCI revision", INFO, INFO, RULE_FIXED, get_revision,
	  "the adapters have different revisions", NULL },
	{ "firmware.psid", "PSID", FAIL, UNKNOWN, RULE_FIXED, get_psid,
	  "the firmware of a VF's state and of the PF that loads it must have the same PSID",
	  mend_psid },
	{ "firmware.version", "running firmware", FAIL, UNKNOWN, RULE_FIRMWARE, get_firmware,
	  "the running firmware must be the same", mend_firmware },
	{ "nv.vf_migration_mode", "VF_MIGRATION_MODE", FAIL, UNKNOWN, RULE_NV, get_migration_mode,
	  "VF migration is disabled in the NV configuration of one adapter",
	  mend_migration_mode },
	{ "nv.sriov_en", "SRIOV_EN", WARN, INFO, RULE_NV, get_sriov_en,
	  "only one adapter has SR-IOV in its NV configuration", mend_sriov_en },
	{ "nv.num_of_vfs", "NUM_OF_VFS", INFO, INFO, RULE_NV, get_num_of_vfs,
	  "the adapters can have different numbers of VFs", mend_num_of_vfs },
	{ "nv.link_type", "LINK_TYPE", WARN, INFO, RULE_NV, get_nv_link_type,
	  "the NV configurations name different link types", mend_nv_link_type },
	{ "pf.migratable", "attribute migratable", WARN, INFO, RULE_NV, get_migratable,
	  "the port functions of only one PF offer migratable", mend_migratable },
};

const size_t num_pf_rules = ARRAY_LENGTH(pf_rules);

static enum mlx5lm_status status_of(const struct compare_rule *rule, const char *a, const char *b)
{
	if (!a || !b)
		return rule->unknown;
	return a == b || (a[0] == b[0] && strcmp(a, b) == 0) ? MLX5LM_STATUS_PASS : rule->differs;
}

static enum mlx5lm_status rule_status(const struct compare_rule *rule,
				      const struct mlx5lm_host *source,
				      const struct mlx5lm_pf *source_pf,
				      const struct mlx5lm_host *destination,
				      const struct mlx5lm_pf *destination_pf)
{
	struct rule_value a, b;

	a.text = b.text = NULL;
	rule->get(source, source_pf, &a);
	rule->get(destination, destination_pf, &b);
	return status_of(rule, a.text, b.text);
}

/* How much each status counts, by its value; each is more than all rules of the one below. */
static const unsigned int distances[] = {
	[MLX5LM_STATUS_PASS] = 0,    [MLX5LM_STATUS_INFO] = 1,
	[MLX5LM_STATUS_WARN] = 20,   [MLX5LM_STATUS_UNKNOWN] = 400,
	[MLX5LM_STATUS_FAIL] = PF_DISTANCE_FAIL,
};

enum mlx5lm_status pf_rules_status(const struct mlx5lm_host *source,
				   const struct mlx5lm_pf *source_pf,
				   const struct mlx5lm_host *destination,
				   const struct mlx5lm_pf *destination_pf)
{
	enum mlx5lm_status worst = MLX5LM_STATUS_PASS;

	for (size_t i = 0; i < num_pf_rules && worst != MLX5LM_STATUS_FAIL; i++) {
		enum mlx5lm_status status = rule_status(&pf_rules[i], source, source_pf,
							destination, destination_pf);

		if (distances[status] > distances[worst])
			worst = status;
	}
	return worst;
}

unsigned int pf_rules_distance(const struct mlx5lm_host *source, const struct mlx5lm_pf *source_pf,
			       const struct mlx5lm_host *destination,
			       const struct mlx5lm_pf *destination_pf)
{
	unsigned int distance = 0;

	for (size_t i = 0; i < num_pf_rules; i++)
		distance += distances[rule_status(&pf_rules[i], source, source_pf, destination,
						  destination_pf)];
	return distance;
}

void rule_set_remedy(const struct compare_rule *rule, struct mlx5lm_findings *findings,
		     struct mlx5lm_finding *finding, const char *source, const char *destination,
		     const char *source_pf_bdf, const char *destination_pf_bdf)
{
	const struct rule_case values = { source, destination, source_pf_bdf, destination_pf_bdf };

	if (rule->mend && source && destination)
		rule->mend(findings, finding, &values);
}

void rule_compare(const struct compare_rule *rule, const struct rule_value *source,
		  const struct rule_value *destination, const char *source_pf_bdf,
		  const char *destination_pf_bdf, struct mlx5lm_findings *findings)
{
	enum mlx5lm_status status = status_of(rule, source->text, destination->text);
	struct mlx5lm_finding *finding = findings_add(findings, status, rule->id,
						      source_pf_bdf ? source_pf_bdf : "host");

	if (!finding)
		return;
	finding_copy_value(findings, finding, MLX5LM_FINDING_SOURCE, source->text);
	/* Most are the same, and so is the text then. */
	if (status == MLX5LM_STATUS_PASS)
		finding->text[MLX5LM_FINDING_DESTINATION] = finding->text[MLX5LM_FINDING_SOURCE];
	else
		finding_copy_value(findings, finding, MLX5LM_FINDING_DESTINATION, destination->text);
	finding_point(finding, MLX5LM_FINDING_MESSAGE,
		      status == MLX5LM_STATUS_PASS ? rule->what : rule->message);
	if (source->text && destination->text) {
		if (status != MLX5LM_STATUS_PASS)
			rule_set_remedy(rule, findings, finding, source->text, destination->text,
					source_pf_bdf, destination_pf_bdf);
		return;
	}
	finding_set(findings, finding, MLX5LM_FINDING_MESSAGE, "%s: not known of both", rule->what);
	if (status != MLX5LM_STATUS_UNKNOWN)
		return;
	SIDE(source->text ? "destination" : destination->text ? "source" : "both");
	REMEDY("take the snapshot again, as root and with mlx5_core bound to the PF: "
	       "mlx5lm-probe --json");
}

int pf_rules_compare(const struct mlx5lm_host *source, const struct mlx5lm_pf *source_pf,
		     const struct mlx5lm_host *destination, const struct mlx5lm_pf *destination_pf,
		     struct mlx5lm_findings *findings)
{
	const char *from = source_pf->bdf ? source_pf->bdf : "unknown";
	const char *to = destination_pf->bdf ? destination_pf->bdf : "unknown";

	for (size_t i = 0; i < num_pf_rules; i++) {
		struct rule_value a, b;

		a.text = b.text = NULL;
		pf_rules[i].get(source, source_pf, &a);
		pf_rules[i].get(destination, destination_pf, &b);
		rule_compare(&pf_rules[i], &a, &b, from, to, findings);
	}
	return findings->error;
}
