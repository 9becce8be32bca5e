/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands behind ktstr/live.h: made for a test body by its runner, used by the scenario engine. */
#ifndef KTSTR_SCHED_LIVE_H
#define KTSTR_SCHED_LIVE_H

#include "ktstr/live.h"

/* boot_label: of the test's own scheduler, borrowed. */
struct ktstr_live_schedulers *ktstr_live_schedulers_create(const char *boot_label);
/* Lets go of the pinned maps; accepts NULL. */
void ktstr_live_schedulers_destroy(struct ktstr_live_schedulers *live);

/* Lets go of the maps that are pinned so far: the end of a scenario. */
void ktstr_live_unpin_all(struct ktstr_live_schedulers *live);

#endif
