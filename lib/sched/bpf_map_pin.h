/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF maps by name, without libbpf: test programs have few dependencies. */
#ifndef KTSTR_SCHED_BPF_MAP_PIN_H
#define KTSTR_SCHED_BPF_MAP_PIN_H

#include "ktstr/error.h"

/* BPF_OBJ_NAME_LEN without the NUL. */
enum { KTSTR_BPF_NAME_MAX = 15 };

/* A descriptor of the map with that name whose id is the lowest; it keeps the map alive. */
struct ktstr_error *ktstr_bpf_map_open(const char *name, int *fd) KTSTR_CHECKED;

#endif
