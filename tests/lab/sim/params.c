// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module parameters and adapter models. README.md has the table of parameters.
 *
 * A parameter that belongs to a card takes one value a card, "first,second"; the last one given
 * counts for the cards behind it, and an empty value means the default of the adapter model.
 */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "sim.h"

#define SIM_TEXT_LEN	32

int sim_cards = 1;
module_param_named(cards, sim_cards, int, 0444);
MODULE_PARM_DESC(cards, "number of cards, 1 or 2, each on a PCI bus of its own");

uint sim_first_bus = 0x40;
module_param_named(first_bus, sim_first_bus, uint, 0444);
MODULE_PARM_DESC(first_bus, "PCI bus of the first card (0x40)");

uint sim_domain;
module_param_named(domain, sim_domain, uint, 0444);
MODULE_PARM_DESC(domain, "PCI domain (0)");

ulong sim_ram = 0x70000000;
module_param_named(ram, sim_ram, ulong, 0444);
MODULE_PARM_DESC(ram, "address of the BAR window (0x70000000), to be hidden by memmap=");

uint sim_ram_mib = 64;
module_param_named(ram_mib, sim_ram_mib, uint, 0444);
MODULE_PARM_DESC(ram_mib, "size of the BAR window, shared by all cards (64)");

int sim_max_vfs = 8;
module_param_named(max_vfs, sim_max_vfs, int, 0444);
MODULE_PARM_DESC(max_vfs, "TotalVFs of each PF, 0 to 253 (8)");

uint sim_vf_bar_kib = 128;
module_param_named(vf_bar_kib, sim_vf_bar_kib, uint, 0444);
MODULE_PARM_DESC(vf_bar_kib, "size of a VF's BAR 0, a power of two, 128 to 1024 (128)");

bool sim_cap_migration = true;
module_param_named(migration, sim_cap_migration, bool, 0644);
MODULE_PARM_DESC(migration, "capability: VFs can be migrated (1)");

bool sim_cap_migratable = true;
module_param_named(migratable, sim_cap_migratable, bool, 0644);
MODULE_PARM_DESC(migratable, "the migratable bit of a VF may be set (1)");

bool sim_cap_chunk;
module_param_named(chunk, sim_cap_chunk, bool, 0644);
MODULE_PARM_DESC(chunk, "capability: migration_in_chunks (0)");

bool sim_cap_multi_load = true;
module_param_named(multi_load, sim_cap_multi_load, bool, 0644);
MODULE_PARM_DESC(multi_load, "capability: migration_multi_load (1)");

bool sim_cap_tracking_state = true;
module_param_named(tracking_state, sim_cap_tracking_state, bool, 0644);
MODULE_PARM_DESC(tracking_state, "capability: migration_tracking_state (1)");

bool sim_cap_tracking = true;
module_param_named(tracking, sim_cap_tracking, bool, 0644);
MODULE_PARM_DESC(tracking, "capability: adv_virtualization, the dirty page tracker (1)");

bool sim_cap_eth = true, sim_cap_vf_eth;
module_param_named(eth, sim_cap_eth, bool, 0644);
MODULE_PARM_DESC(eth, "capability: eth_net_offloads, lets mlx5_core make network devices (1)");
module_param_named(vf_eth, sim_cap_vf_eth, bool, 0644);
MODULE_PARM_DESC(vf_eth, "capability: nic_flow_table of VFs, lets their own drivers make network devices (0)");

bool sim_cap_io_eqs = true;
module_param_named(io_eqs, sim_cap_io_eqs, bool, 0644);
MODULE_PARM_DESC(io_eqs, "capability: max_num_eqs_24b, lets devlink set max_io_eqs of VFs (1)");

uint sim_dynamic_msix;
module_param_named(dynamic_msix, sim_dynamic_msix, uint, 0644);
MODULE_PARM_DESC(dynamic_msix, "MSI-X vectors that the PF can share out among its VFs (0: it cannot)");

uint sim_state_size = SZ_1M;
module_param_named(state_size, sim_state_size, uint, 0644);
MODULE_PARM_DESC(state_size, "bytes of a VF's full migration image (1 MiB; 128 KiB to 1 GiB)");

uint sim_dirty_pages = 1;
module_param_named(dirty_pages, sim_dirty_pages, uint, 0644);
MODULE_PARM_DESC(dirty_pages, "made-up dirty pages in each report of the tracker (1)");

uint sim_cmd_latency_us;
module_param_named(cmd_latency_us, sim_cmd_latency_us, uint, 0644);
MODULE_PARM_DESC(cmd_latency_us, "time each firmware command takes (0)");

uint sim_vf_probe_latency_ms;
module_param_named(vf_probe_latency_ms, sim_vf_probe_latency_ms, uint, 0644);
MODULE_PARM_DESC(vf_probe_latency_ms, "time INIT_HCA of a VF takes (0)");

int sim_trace;
module_param_named(trace, sim_trace, int, 0644);
MODULE_PARM_DESC(trace, "log every firmware command (0)");

/* The first one is the default. */
static const struct sim_model models[] = {
	{ 0x1021, "ConnectX-7", "MCX755106AS-HEAT", "MT_0000000838", SIM_FW(28, 41, 1000), 5 },
	{ 0x101d, "ConnectX-6 Dx", "MCX623106AN-CDAT", "MT_0000000359", SIM_FW(22, 41, 1000), 4 },
	{ 0x1023, "ConnectX-8", "900-9X81E-00EX-ST0", "MT_0000001222", SIM_FW(40, 44, 1036), 6 },
	{ 0xa2dc, "BlueField-3", "900-9D3B6-00CV-AA0", "MT_0000000884", SIM_FW(32, 41, 1000), 5 },
};

struct sim_text {
	char value[SIM_MAX_CARDS][SIM_TEXT_LEN];
	bool (*valid)(const char *value);
};

static DEFINE_MUTEX(text_lock);

static int text_set(const char *val, const struct kernel_param *kp)
{
	struct sim_text *text = kp->arg;
	char given[SIM_MAX_CARDS][SIM_TEXT_LEN] = {};
	int i, n = 0;

	while (n < SIM_MAX_CARDS) {
		size_t len = strcspn(val, ",\n");

		if (len >= SIM_TEXT_LEN)
			return -EINVAL;
		memcpy(given[n], val, len);
		if (len && !text->valid(given[n]))
			return -EINVAL;
		n++;
		val += len;
		if (*val != ',')
			break;
		val++;
	}
	if (*val && *val != '\n')
		return -EINVAL;
	for (i = n; i < SIM_MAX_CARDS; i++)
		memcpy(given[i], given[n - 1], SIM_TEXT_LEN);
	mutex_lock(&text_lock);
	memcpy(text->value, given, sizeof(given));
	mutex_unlock(&text_lock);
	sim_identity_changed();
	return 0;
}

static int text_get(char *buf, const struct kernel_param *kp)
{
	struct sim_text *text = kp->arg;
	int i, len = 0;

	mutex_lock(&text_lock);
	for (i = 0; i < sim_cards && i < SIM_MAX_CARDS; i++)
		len += sysfs_emit_at(buf, len, "%s%s", i ? "," : "", text->value[i]);
	mutex_unlock(&text_lock);
	return len + sysfs_emit_at(buf, len, "\n");
}

static const struct kernel_param_ops text_ops = { .set = text_set, .get = text_get };

static void text_value(struct sim_text *text, int card, char value[SIM_TEXT_LEN])
{
	mutex_lock(&text_lock);
	memcpy(value, text->value[card], SIM_TEXT_LEN);
	mutex_unlock(&text_lock);
}

static const struct sim_model *find_model(const char *value)
{
	u16 id;
	int i;

	if (kstrtou16(value, 16, &id))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(models); i++)
		if (models[i].device_id == id)
			return &models[i];
	return NULL;
}

static bool valid_device_id(const char *value)
{
	return find_model(value);
}

static bool valid_psid(const char *value)
{
	return strlen(value) <= SIM_PSID_LEN;
}

static bool parse_fw(const char *value, u32 *fw)
{
	unsigned int major, minor, sub;
	int end = 0;

	if (sscanf(value, "%3u.%3u.%5u%n", &major, &minor, &sub, &end) != 3 || value[end])
		return false;
	if (major > 0xff || minor > 0xff || sub > 0xffff)
		return false;
	*fw = SIM_FW(major, minor, sub);
	return true;
}

static bool valid_fw(const char *value)
{
	u32 fw;

	return parse_fw(value, &fw);
}

static bool valid_serial(const char *value)
{
	for (; *value; value++)
		if (!isalnum(*value) && *value != '-')
			return false;
	return true;
}

static struct sim_text device_id = { .valid = valid_device_id };
module_param_cb(device_id, &text_ops, &device_id, 0444);
MODULE_PARM_DESC(device_id, "PCI device id of the PF: 101d, 1021, 1023 or a2dc (1021); one a card");

static struct sim_text psid = { .valid = valid_psid };
module_param_cb(psid, &text_ops, &psid, 0644);
MODULE_PARM_DESC(psid, "board id, up to 16 characters (by device id); one a card");

static struct sim_text fw_running = { .valid = valid_fw };
module_param_cb(fw_running, &text_ops, &fw_running, 0644);
MODULE_PARM_DESC(fw_running, "running firmware version, as 28.41.1000 (by device id); one a card");

static struct sim_text fw_stored = { .valid = valid_fw };
module_param_cb(fw_stored, &text_ops, &fw_stored, 0644);
MODULE_PARM_DESC(fw_stored, "firmware version in flash (that of fw_running); one a card");

static struct sim_text serial = { .valid = valid_serial };
module_param_cb(serial, &text_ops, &serial, 0444);
MODULE_PARM_DESC(serial, "serial number in the VPD (SIM0000000000 + card); one a card");

module_param_cb(fault, &sim_fault_ops, NULL, 0644);
MODULE_PARM_DESC(fault, "inject a fault: fail ..., hang ..., release, clear (see README.md)");

static int commands_get(char *buf, const struct kernel_param *kp)
{
	int i, len = 0;

	for (i = 0; i < sim_cards && i < SIM_MAX_CARDS; i++)
		len += sysfs_emit_at(buf, len, "%s%llu", i ? "," : "", sim_commands(i));
	return len + sysfs_emit_at(buf, len, "\n");
}

static const struct kernel_param_ops commands_ops = { .get = commands_get };
module_param_cb(commands, &commands_ops, NULL, 0444);
MODULE_PARM_DESC(commands, "read only: firmware commands executed; one number a card");

const struct sim_model *sim_params_model(int card)
{
	char value[SIM_TEXT_LEN];

	text_value(&device_id, card, value);
	return value[0] ? find_model(value) : &models[0];
}

void sim_params_psid(const struct sim_card *card, char out[SIM_PSID_LEN + 1])
{
	char value[SIM_TEXT_LEN];

	text_value(&psid, card->index, value);
	memset(out, 0, SIM_PSID_LEN + 1);
	strscpy(out, value[0] ? value : card->model->psid, SIM_PSID_LEN + 1);
}

u32 sim_params_fw_running(const struct sim_card *card)
{
	char value[SIM_TEXT_LEN];
	u32 fw;

	text_value(&fw_running, card->index, value);
	return parse_fw(value, &fw) ? fw : card->model->fw;
}

u32 sim_params_fw_stored(const struct sim_card *card)
{
	char value[SIM_TEXT_LEN];
	u32 fw;

	text_value(&fw_stored, card->index, value);
	return parse_fw(value, &fw) ? fw : sim_params_fw_running(card);
}

void sim_params_serial(int card, char *out, size_t size)
{
	char value[SIM_TEXT_LEN];

	text_value(&serial, card, value);
	if (value[0])
		strscpy(out, value, size);
	else
		snprintf(out, size, "SIM%010d", card);
}
