/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts of this machine: finding one by what handles it, and sending it to a CPU. */
#ifndef KTSTR_SCENARIO_IRQ_H
#define KTSTR_SCENARIO_IRQ_H

#include "ktstr/error.h"

/*
 * The number of the one interrupt in a file like /proc/interrupts with an action of that name. KTSTR_ERR_NOT_FOUND lists
 * the actions there are, KTSTR_ERR_INVALID the numbers of several.
 */
struct ktstr_error *irq_find(const char *interrupts_path, const char *label, unsigned int *number) KTSTR_CHECKED;
/* Writes /proc/irq/<number>/smp_affinity_list. */
struct ktstr_error *irq_steer(unsigned int number, unsigned int cpu) KTSTR_CHECKED;

#endif
