/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest's serial console says about how it ended. The text is the guest's: hostile. */
#ifndef KTSTR_VM_CONSOLE_H
#define KTSTR_VM_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The panic or oops message with the lines that explain it (at most max_lines), printable, as heap; NULL when
 * the console shows none. Recognises "Kernel panic - not syncing", "BUG:", "Oops:", "general protection
 * fault", "RIP:" lines and the call trace that follows.
 */
char *ktstr_console_panic_text(const char *text, size_t length, size_t max_lines);
/* The last max_lines lines, printable, heap; "" for an empty console. */
char *ktstr_console_tail(const char *text, size_t length, size_t max_lines);

#endif
