/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_SHELL_WORD_H
#define CORE_SHELL_WORD_H

/*
 * A text as one word of a command for sh, quoted if need be: what a snapshot says goes into
 * commands that people run as root. Control characters, which no name has, become '?'. NULL
 * when out of memory.
 */
char *shell_word(const char *text);

#endif
