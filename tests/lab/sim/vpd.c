// SPDX-License-Identifier: GPL-2.0-only
/* Vital product data of the PF in the layout of PCI 3.0 appendix I; for lspci and sysfs. */
#include <linux/crc32.h>
#include <linux/string.h>

#include "sim.h"

#define VPD_STRING	0x82
#define VPD_READ_ONLY	0x90
#define VPD_END		0x78

struct vpd {
	u8 *data;
	int len;
};

/* Too long a text is cut: the table has room for every value params.c lets through. */
static void put_bytes(struct vpd *vpd, const void *bytes, int len)
{
	len = min(len, SIM_VPD_SIZE - 8 - vpd->len);
	memcpy(vpd->data + vpd->len, bytes, len);
	vpd->len += len;
}

static void put_field(struct vpd *vpd, const char *keyword, const char *value)
{
	u8 head[3] = { keyword[0], keyword[1], strlen(value) };

	put_bytes(vpd, head, sizeof(head));
	put_bytes(vpd, value, strlen(value));
}

static void put_large_tag(struct vpd *vpd, u8 tag, u16 len)
{
	u8 head[3] = { tag, len & 0xff, len >> 8 };

	put_bytes(vpd, head, sizeof(head));
}

void sim_vpd_build(struct sim_card *card)
{
	const struct sim_model *model = card->model;
	struct vpd vpd = { .data = card->vpd };
	char text[40], serial[32];
	int start, i;
	u8 sum = 0;

	sim_params_serial(card->index, serial, sizeof(serial));
	snprintf(text, sizeof(text), "Simulated %s adapter", model->name);
	put_large_tag(&vpd, VPD_STRING, strlen(text));
	put_bytes(&vpd, text, strlen(text));

	put_large_tag(&vpd, VPD_READ_ONLY, 0);
	start = vpd.len;
	put_field(&vpd, "PN", model->part_number);
	put_field(&vpd, "EC", "A1");
	put_field(&vpd, "SN", serial);
	/* V3 of a real card is a UUID of the board: derived from the serial number here */
	snprintf(text, sizeof(text), "%08x%08x%08x%08x", crc32_le(1, serial, strlen(serial)),
		 crc32_le(2, serial, strlen(serial)), crc32_le(3, serial, strlen(serial)),
		 crc32_le(4, serial, strlen(serial)));
	put_field(&vpd, "V3", text);
	snprintf(text, sizeof(text), "PCIeGen%u x16", model->link_gen);
	put_field(&vpd, "V0", text);

	/* RV: with its first byte all bytes so far sum up to zero */
	memcpy(vpd.data + vpd.len, "RV\x01", 3);
	vpd.len += 3;
	put_unaligned_le16(vpd.len + 1 - start, vpd.data + start - 2);
	for (i = 0; i < vpd.len; i++)
		sum += vpd.data[i];
	vpd.data[vpd.len++] = -sum;
	vpd.data[vpd.len] = VPD_END;
}
