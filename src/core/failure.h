/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_FAILURE_H
#define CORE_FAILURE_H

/*
 * What helps against a failed migration, by the words of libvirt and QEMU; NULL if unknown.
 * Their texts are no interface and differ between releases: a hint only, nothing is decided
 * by it.
 */
const char *failure_remedy(const char *words);

#endif
