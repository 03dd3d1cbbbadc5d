/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EXPORT_H
#define EXPORT_H

/* Marks the definition of a public function; everything else is hidden. */
#define MLX5LM_EXPORT __attribute__((visibility("default")))

#endif
