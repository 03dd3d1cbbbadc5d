// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The working set: a ring of pages, each marked at the head of every cache line with words made
 * from the page's tag. Touching a page checks the marks against the tag remembered elsewhere, then
 * gives it a new tag and new marks: a page that a migration lost, swapped or left stale shows when
 * the ring comes round.
 */
#include "guest.h"

#define FIRST_ADDRESS		0x400000u
#define RESERVED_TOP_BYTES	0x100000u	/* SeaBIOS keeps its tables at the top of memory */
#define MAX_PAGES		65536u
#define LINES_PER_PAGE		64u
#define WORDS_PER_LINE		16u

static uint32_t tags[MAX_PAGES];
static uint32_t capacity_pages, working_set_pages, cursor;
static uint32_t bad_pages;
static uint64_t dirtied_pages;

static volatile uint32_t *page_at(uint32_t index)
{
	return (volatile uint32_t *)(FIRST_ADDRESS + index * PAGE_SIZE_BYTES);
}

static uint32_t mark_of(uint32_t tag, uint32_t line)
{
	return tag ^ line * 0x9e3779b1u;
}

static void mark(uint32_t index, uint32_t tag)
{
	volatile uint32_t *page = page_at(index);

	for (uint32_t line = 0; line < LINES_PER_PAGE; line++)
		page[line * WORDS_PER_LINE] = mark_of(tag, line);
	tags[index] = tag;
}

static bool intact(uint32_t index)
{
	volatile uint32_t *page = page_at(index);

	for (uint32_t line = 0; line < LINES_PER_PAGE; line++)
		if (page[line * WORDS_PER_LINE] != mark_of(tags[index], line))
			return false;
	return true;
}

void memory_init(uint32_t upper_kib, uint32_t working_set_mib, uint32_t boot_id)
{
	uint64_t top = ((uint64_t)upper_kib + 1024) * 1024;
	uint64_t unusable = FIRST_ADDRESS + RESERVED_TOP_BYTES;

	if (top > unusable)
		capacity_pages = (uint32_t)((top - unusable) / PAGE_SIZE_BYTES);
	if (capacity_pages > MAX_PAGES)
		capacity_pages = MAX_PAGES;
	if (capacity_pages > working_set_mib * PAGES_PER_MIB)
		capacity_pages = working_set_mib * PAGES_PER_MIB;
	for (uint32_t i = 0; i < capacity_pages; i++)
		mark(i, mix32(boot_id ^ i));
	working_set_pages = capacity_pages;
}

void memory_resize(uint32_t working_set_mib)
{
	uint64_t pages = (uint64_t)working_set_mib * PAGES_PER_MIB;

	working_set_pages = pages < capacity_pages ? (uint32_t)pages : capacity_pages;
	cursor = 0;
}

void memory_touch(uint32_t pages)
{
	for (; pages && working_set_pages; pages--) {
		if (!intact(cursor))
			bad_pages++;
		dirtied_pages++;
		mark(cursor, mix32((uint32_t)dirtied_pages) ^ cursor);
		if (++cursor >= working_set_pages)
			cursor = 0;
	}
}

/*
 * Every page ever marked, also those that `ws` has taken out of the ring; returns their number.
 * Bad ones are marked afresh, so that each is counted once.
 */
uint32_t memory_verify_all(void)
{
	for (uint32_t i = 0; i < capacity_pages; i++) {
		if (intact(i))
			continue;
		bad_pages++;
		mark(i, tags[i]);
	}
	return capacity_pages;
}

uint32_t memory_working_set_pages(void)
{
	return working_set_pages;
}

uint64_t memory_dirtied_pages(void)
{
	return dirtied_pages;
}

uint32_t memory_bad_pages(void)
{
	return bad_pages;
}
