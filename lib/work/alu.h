/* SPDX-License-Identifier: GPL-2.0-only */
/* Arithmetic of a chosen vector width. */
#ifndef KTSTR_WORK_ALU_H
#define KTSTR_WORK_ALU_H

#include "work/work_type.h"

extern const char *const work_alu_width_names[]; /* NULL-terminated, by enum ktstr_alu_width */

/* Settles the width and reports it; one warning when it is not the one asked for. */
void work_alu_begin(struct worker *w, enum ktstr_alu_width asked);
/* 1024 steps, as many work units, one cost sample. */
void work_alu_round(struct worker *w);

#endif
