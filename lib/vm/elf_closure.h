/* SPDX-License-Identifier: GPL-2.0-only */
/* How the libraries of a program are found out. */
#ifndef KTSTR_VM_ELF_CLOSURE_H
#define KTSTR_VM_ELF_CLOSURE_H

#include "base/str.h"
#include "ktstr/error.h"

/* As ktstr_elf_closure() (bundle.h), by asking the program's loader each time. */
struct ktstr_error *ktstr_elf_closure_list(const char *host_path, struct ktstr_strv *paths) KTSTR_CHECKED;

#endif
